"""All shards, and the pass over them."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from ringfence.detect.detectors import DETECTORS
from ringfence.detect.evidence import ENDED, ENTRY, OUTCOME, Out, threshold_bits
from ringfence.detect.memory import LINE_LIFE, NOTE
from ringfence.detect.passes import Ask, advance, follow, judge, settle
from ringfence.detect.shard import Arrays, Limits, Shard
from ringfence.detect.table import Rows
from ringfence.model.calls import NEVER

OUT_ROOM: Final = 1 << 14
"""Entries the pass writes before they are taken from it."""


class Engine:
    """All shards, and the pass over them.

    Args:
        detect: names of the detectors that run; None: all.
        shards: into how many parts the state is split; the alerts do not depend on it.
        limits: of each shard's tables.
    """

    def __init__(
        self, detect: Iterable[str] | None = None, shards: int = 1, limits: Limits | None = None
    ) -> None:
        wanted = set(detect) if detect is not None else {detector.NAME for detector in DETECTORS}
        unknown = wanted - {detector.NAME for detector in DETECTORS}
        if unknown:
            raise ValueError(f"no such detector: {', '.join(sorted(unknown))}")
        self.shards = [Shard(limits or Limits()) for _ in range(shards)]
        self._enabled = sum(1 << i for i, detector in enumerate(DETECTORS) if detector.NAME in wanted)
        self._thresholds = np.array([threshold_bits(d.FALSE_ALARMS, d.STARTS) for d in DETECTORS])
        self._born = 0
        self._last = 0
        self._out = Out(np.zeros(OUT_ROOM, OUTCOME), np.zeros(OUT_ROOM, ENTRY), np.zeros(2, np.int64))

    def process(
        self, moments: npt.NDArray[np.void], watermark: int
    ) -> tuple[npt.NDArray[np.void], npt.NDArray[np.void]]:
        """Run the pass over a batch.

        Args:
            moments: MOMENT records ordered as `moments.Unfolder` orders them, all before the watermark and not before
                the last one.
            watermark: µs; no later moment comes before it.

        Returns:
            OUTCOME records ordered by time, and ENTRY records, for each subject in the order of its evidence.
        """
        time = moments["time"]
        before = np.concatenate([[self._last or -LINE_LIFE], time])
        begins = np.flatnonzero(np.diff(before) > LINE_LIFE).tolist()
        parts = []
        for first, after in pairwise([0, *(begin for begin in begins if begin > 0), len(moments)]):
            if first in begins:
                self._born = int(time[first])
            until = watermark if after == len(moments) else int(time[after])
            parts.append(self._process(moments[first:after], until))
        self._last = int(before[-1])
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _process(self, moments: Rows, watermark: int) -> tuple[Rows, Rows]:
        """Run the pass over a stretch without a silence that outlives the memory.

        After such a silence the watching begins anew: one row with a clock far behind must not make everything look long
        known.
        """
        notes = np.zeros(len(moments), NOTE)
        for index, shard in enumerate(self.shards):
            self._run_follow(moments, notes, self._ask(index), shard)
        taken = [
            part
            for index, shard in enumerate(self.shards)
            for part in self._run_judge(moments, notes, watermark, self._ask(index), shard)
        ]
        outcomes = np.concatenate([part[0] for part in taken])
        entries = np.concatenate([part[1] for part in taken])
        order = np.lexsort((outcomes["subject"], outcomes["detector"], outcomes["at"]))
        return outcomes[order], entries

    def _ask(self, index: int) -> Ask:
        return Ask(index, len(self.shards), self._enabled, self._born, self._thresholds)

    @staticmethod
    def _run_follow(moments: Rows, notes: Rows, ask: Ask, shard: Shard) -> None:
        done = 0
        while done < len(moments):
            done = follow(moments, notes, done, ask, (shard.profiles.rows, shard.profiles.count))
            if done < len(moments):
                shard.make_room(int(moments["time"][done]))

    def _run_judge(
        self, moments: Rows, notes: Rows, watermark: int, ask: Ask, shard: Shard
    ) -> list[tuple[Rows, Rows]]:
        taken = []
        done = 0
        while done < len(moments):
            done = judge(moments, notes, done, ask, shard.state(), self._out)
            taken.append(self._take(shard))
            if done < len(moments):
                shard.make_room(int(moments["time"][done]))
        last = int(moments["time"][-1]) if len(moments) else 0
        until = watermark if watermark < NEVER else last + 1
        finished = False
        while not finished:
            finished = advance(until - 1, ask, shard.state(), self._out)
            taken.append(self._take(shard))
        for detector, subject in sorted(shard.open):
            settle(detector, subject, until, ask, shard.state(), self._out)
            taken.append(self._take(shard))
        return taken

    def _take(self, shard: Shard) -> tuple[Rows, Rows]:
        outcomes = self._out.outcomes[: self._out.counts[0]].copy()
        entries = self._out.entries[: self._out.counts[1]].copy()
        self._out.counts[:] = 0
        for outcome in outcomes:
            episode = (int(outcome["detector"]), int(outcome["subject"]))
            if outcome["what"] == ENDED:
                shard.open.discard(episode)
            else:
                shard.open.add(episode)
        return outcomes, entries

    def arrays(self) -> Arrays:
        """The whole state, for a snapshot."""
        shards = {
            f"{index}.{name}": array
            for index, shard in enumerate(self.shards)
            for name, array in shard.arrays().items()
        }
        return shards | {"watch": np.array([self._born, self._last])}

    def restore(self, arrays: Arrays) -> None:
        """Take the state of a snapshot made with the same number of shards.

        Raises:
            ValueError: the snapshot is of another shape.
        """
        if sum(name.endswith(".ends") for name in arrays) != len(self.shards):
            raise ValueError("the snapshot was made with another number of shards")
        for index, shard in enumerate(self.shards):
            prefix = f"{index}."
            shard.restore({k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)})
        self._born, self._last = (int(time) for time in arrays["watch"])

    def nbytes(self) -> int:
        """Bytes of all state."""
        return sum(shard.nbytes() for shard in self.shards)
