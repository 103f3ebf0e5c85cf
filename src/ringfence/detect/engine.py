"""All shards, and the pass over them."""

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from ringfence.detect.detectors import DETECTORS
from ringfence.detect.evidence import ENDED, ENTRY, LEDGER, OUTCOME, Out, threshold_bits
from ringfence.detect.memory import LINE_LIFE, TALK
from ringfence.detect.moments import SPAN, Timeline, Window, last_told, time_of
from ringfence.detect.passes import Ask, acquaint, originate, relate, settle, shard_of, terminate
from ringfence.detect.rules import Rules, rules_of
from ringfence.detect.shard import Arrays, Limits, Shard
from ringfence.detect.table import Rows
from ringfence.model.calls import NEVER, Calls, no_calls
from ringfence.model.transfers import Transfers, no_transfers

OUT_ROOM: Final = 1 << 14
"""Entries the pass writes before they are taken from it."""


WINDOW_CALLS: Final = 1 << 17
"""Calls of one window: their records fit into the processor's last cache."""


_CLOSING: Final = [i for i, detector in enumerate(DETECTORS) if hasattr(detector, "on_quiet")]
"""Detectors whose episodes are closed as time passes."""

Step = Callable[[Window, int, Ask, Shard], int]
"""One step over the moments of a window from the given one on, for one shard; returns how far it came."""


class Engine:
    """All shards, and the pass over them.

    Args:
        detect: names of the detectors that run; None: all.
        shards: into how many parts the state is split; the alerts do not depend on it.
        limits: of each shard's tables.
        rules: of the country that is watched over; None: China's.
        recorder: told of each window when it was judged, and when the watching began (µs): for learning from it.
    """

    def __init__(
        self,
        detect: Iterable[str] | None = None,
        shards: int = 1,
        limits: Limits | None = None,
        rules: Rules | None = None,
        recorder: Callable[[Window, int], None] | None = None,
    ) -> None:
        wanted = set(detect) if detect is not None else {detector.NAME for detector in DETECTORS}
        unknown = wanted - {detector.NAME for detector in DETECTORS}
        if unknown:
            raise ValueError(f"no such detector: {', '.join(sorted(unknown))}")
        self.shards = [Shard(limits or Limits()) for _ in range(shards)]
        self._enabled = sum(1 << i for i, detector in enumerate(DETECTORS) if detector.NAME in wanted)
        self._thresholds = np.array([threshold_bits(d.FALSE_ALARMS, d.STARTS) for d in DETECTORS])
        self._rules = rules or rules_of("CN")
        self._recorder = recorder
        self._timeline = Timeline()
        self._born = 0
        self._last = 0
        self._until = 0
        self._out = Out(
            np.zeros(OUT_ROOM, OUTCOME),
            np.zeros(OUT_ROOM, ENTRY),
            np.zeros(2, np.int64),
            np.zeros(LEDGER, np.int64),
        )
        self._taken: list[tuple[Rows, Rows]] = []

    @property
    def last(self) -> int:
        """The last moment judged, µs; 0: none so far."""
        return self._last

    @property
    def rules(self) -> Rules:
        """Of the country that is watched over."""
        return self._rules

    def threshold(self, detector: str) -> float:
        """Bits that raise an alert of a detector."""
        return float(self._thresholds[[one.NAME for one in DETECTORS].index(detector)])

    @property
    def due(self) -> int:
        """The next moment of a call that is up, µs; NEVER: there is none."""
        return self._timeline.due

    @property
    def until(self) -> int:
        """The first moment that is not judged yet, µs."""
        return self._until

    @property
    def born(self) -> int:
        """When the watching began, µs; 0: not yet."""
        return self._born

    def prepare(self, steps: Iterable[str]) -> None:
        """Have steps of the pass compiled (`relate`, `originate`, `terminate`, `settle`, `live`), which is done once on a machine.

        `live` is what only calls need that are told while they go on.
        """
        window = self._timeline.open(0, 1)
        for step in steps:
            if step == "settle":
                self._settle(0)
            elif step == "live":
                self.tell(no_calls())
                self.acquaint(no_calls())
                self.shards[0].prepare()
            else:
                self._take_step(getattr(self, f"_{step}"), window, 0, self.shards[0])

    def process(self, calls: Calls, watermark: int, transfers: Transfers | None = None) -> tuple[Rows, Rows]:
        """Run the pass over all moments before the watermark.

        Args:
            calls: ordered by (start, key), all beginning before the watermark and not before the last one.
            watermark: µs; no later call begins before it. NEVER: there are no more; the time ends with the last moment
                that the records tell of.
            transfers: of the same stretch of time, ordered by (time, key); None: there are none.

        Returns:
            OUTCOME records ordered by time, and ENTRY records, for each subject in the order of its evidence.
        """
        transfers = transfers or no_transfers()
        if watermark == NEVER:
            paid = int(transfers.time[-1]) if len(transfers) else 0
            watermark = max(self._timeline.last(), last_told(calls), paid) + 1
        first = paid = 0
        while (begin := self._next(calls, first, transfers, paid)) < watermark:
            last, end = _window(calls, first, min(watermark, begin + SPAN))
            until = int(np.searchsorted(transfers.time, end))
            self._timeline.take(calls.slice(first, last))
            self._run(begin, end, transfers.take(slice(paid, until)))
            first, paid = last, until
        self._settle(watermark)
        self._until = max(self._until, watermark)
        taken, self._taken = self._taken, []
        outcomes = np.concatenate([np.zeros(0, OUTCOME), *(part[0] for part in taken)])
        entries = np.concatenate([np.zeros(0, ENTRY), *(part[1] for part in taken)])
        return outcomes[np.lexsort((outcomes["subject"], outcomes["detector"], outcomes["at"]))], entries

    def tell(self, calls: Calls) -> npt.NDArray[np.bool_]:
        """Take in what is learned of calls that are up, before the next stretch of time is judged.

        Args:
            calls: rows of calls whose set-up was given to `process`; of answer, end, cause and who released them, what
                any row knows counts. What happened before `until` is learned at `until`.

        Returns:
            Which rows are of calls that are up.
        """
        return self._timeline.tell(calls, self._until)

    def acquaint(self, calls: Calls) -> int:
        """Remember who talked with whom in calls that were told too late to be judged; returns how many talks there were."""
        talked = (calls.caller != 0) & (calls.answer != NEVER) & (calls.end != NEVER)
        talked[talked] = (calls.end - calls.answer)[talked] >= TALK
        rows = np.column_stack([calls.caller, calls.callee, calls.answer, calls.end])[talked]
        for index, shard in enumerate(self.shards):
            done = 0
            while True:
                pairs = shard.pairs.rows, shard.pairs.count
                done = acquaint(rows, done, self._until, self._ask(index), pairs)
                if done == len(rows):
                    break
                shard.make_room(self._until)
        return len(rows)

    def _next(self, calls: Calls, first: int, transfers: Transfers, paid: int) -> int:
        """The time of the next moment, µs."""
        start = int(calls.start[first]) if first < len(calls) else NEVER
        payment = int(transfers.time[paid]) if paid < len(transfers) else NEVER
        return min(start, payment, self._timeline.due)

    def _run(self, begin: int, end: int, transfers: Transfers) -> None:
        """Run the three steps over the moments within [begin, end); the first of them is at `begin`."""
        if begin - (self._last or -LINE_LIFE) > LINE_LIFE:
            # Nothing is remembered for so long: the watching begins anew. One row with a clock far behind must not make
            # everything look long known.
            self._born = begin
        window = self._timeline.open(begin, end, transfers)
        for step in (self._relate, self._originate, self._terminate):
            for index, shard in enumerate(self.shards):
                self._take_step(step, window, index, shard)
        if self._recorder is not None:
            self._recorder(window, self._born)
        self._last = time_of(int(window.keys[-1]), begin)
        self._timeline.close(end)

    def _take_step(self, step: Step, window: Window, index: int, shard: Shard) -> None:
        """Run a step to its end, making room where it stops."""
        done = 0
        while True:
            done = step(window, done, self._ask(index), shard)
            self._take(shard)
            if done == len(window.keys):
                return
            shard.make_room(time_of(int(window.keys[done]), window.base))

    @staticmethod
    def _relate(window: Window, first: int, ask: Ask, shard: Shard) -> int:
        pairs, devices = shard.pairs, shard.devices
        return relate(window, first, ask, (pairs.rows, pairs.count), (devices.rows, devices.count))

    def _originate(self, window: Window, first: int, ask: Ask, shard: Shard) -> int:
        return originate(window, first, ask, shard.state(), self._out)

    def _terminate(self, window: Window, first: int, ask: Ask, shard: Shard) -> int:
        return terminate(window, first, ask, shard.state(), self._out)

    def _settle(self, until: int) -> None:
        """Close the episodes that are over."""
        for index, shard in enumerate(self.shards):
            episodes = np.array(sorted(shard.open), np.int64).reshape(-1, 2)
            done = 0
            while True:
                done = settle(episodes, done, until, self._ask(index), shard.state(), self._out)
                self._take(shard)
                if done == len(episodes):
                    break
                shard.make_room(until)

    def _ask(self, index: int) -> Ask:
        return Ask(index, len(self.shards), self._enabled, self._born, self._thresholds, self._rules)

    def _take(self, shard: Shard) -> None:
        """Take what a step has written."""
        outcomes = self._out.outcomes[: self._out.counts[0]].copy()
        entries = self._out.entries[: self._out.counts[1]].copy()
        self._out.counts[:] = 0
        for outcome in outcomes[np.isin(outcomes["detector"], _CLOSING)]:
            episode = (int(outcome["detector"]), int(outcome["subject"]))
            if outcome["what"] == ENDED:
                shard.open.discard(episode)
            else:
                shard.open.add(episode)
        self._taken.append((outcomes, entries))

    def case_of(self, detector: str, number: int) -> np.void | None:
        """What a detector keeps of a number (its CASE record, for reading); None: nothing."""
        index = [one.NAME for one in DETECTORS].index(detector)
        return self.shard_of(number).cases[index].row(number)

    def observations(self, detector: str, number: int) -> Rows:
        """What speaks for and against a number so far (OBSERVATION records, oldest first), as far as it is still written down."""
        case = self.case_of(detector, number)
        rows, ends = self.shard_of(number).notebook
        found: list[int] = []
        n = int(case["newest"]) if case is not None and case["entries"] > 0 else 0
        while n > 0 and int(ends[0]) - n <= len(rows) and len(found) < LEDGER:
            found.append(n % len(rows))
            n = int(rows[n % len(rows)]["previous"])
        return rows[found[::-1]]

    def shard_of(self, number: int) -> Shard:
        """The shard that a number belongs to."""
        return self.shards[int(shard_of(number, len(self.shards)))]

    def arrays(self) -> Arrays:
        """The whole state, for a snapshot."""
        shards = {
            f"{index}.{name}": array
            for index, shard in enumerate(self.shards)
            for name, array in shard.arrays().items()
        }
        timeline = {f"timeline.{name}": array for name, array in self._timeline.arrays().items()}
        return shards | timeline | {"watch": np.array([self._born, self._last, self._until])}

    def restore(self, arrays: Arrays) -> None:
        """Take the state of a snapshot made with the same number of shards.

        Raises:
            ValueError: the snapshot is of another shape.
        """
        if sum(name.endswith("notebook.ends") for name in arrays) != len(self.shards):
            raise ValueError("the snapshot was made with another number of shards")
        for index, shard in enumerate(self.shards):
            shard.restore(_part(arrays, f"{index}."))
        self._timeline.restore(_part(arrays, "timeline."))
        self._born, self._last, self._until = (int(time) for time in arrays["watch"])

    def nbytes(self) -> int:
        """Bytes of all state."""
        return self._timeline.nbytes() + sum(shard.nbytes() for shard in self.shards)


def _part(arrays: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _window(calls: Calls, first: int, end: int) -> tuple[int, int]:
    """How far a window reaches that would best end at `end`: the call after its last, and its end (an instant is not cut)."""
    last = int(np.searchsorted(calls.start, end))
    if last - first <= WINDOW_CALLS:
        return last, end
    cut = int(calls.start[first + WINDOW_CALLS])
    if cut == calls.start[first]:
        cut += 1
    return int(np.searchsorted(calls.start, cut)), cut
