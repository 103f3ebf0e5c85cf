"""A shard: everything about the lines that belong to it, in its own flat arrays."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ringfence.detect.detectors import DETECTORS
from ringfence.detect.evidence import OPEN
from ringfence.detect.memory import (
    CALL,
    CALL_LIFE,
    LINE,
    LINE_LIFE,
    PAIR,
    PAIR_LIFE,
    PROFILE,
    PROFILE_LIFE,
    STRANGER_LIFE,
)
from ringfence.detect.passes import State
from ringfence.detect.table import Rows, Table

Arrays = dict[str, npt.NDArray[Any]]


class Limits(NamedTuple):
    """The most rows a shard's tables may have; what they take is stated in docs/benchmarks.md."""

    lines: int = 1 << 24
    pairs: int = 1 << 27
    profiles: int = 1 << 24
    calls: int = 1 << 21
    cases: int = 1 << 20


class Shard:
    """The state of the lines of one shard."""

    def __init__(self, limits: Limits) -> None:
        self.lines = Table(LINE, limits.lines)
        self.pairs = Table(PAIR, limits.pairs)
        self.profiles = Table(PROFILE, limits.profiles)
        self.calls = Table(CALL, limits.calls)
        self.cases = [Table(detector.CASE, limits.cases) for detector in DETECTORS]
        self.ticks = np.zeros((1024, 2), np.int64)
        self.ends = np.zeros(2, np.int64)
        self.open: set[tuple[int, int]] = set()
        self._blank = np.zeros(1, CALL)

    def state(self) -> State:
        """The arrays for the pass."""
        return State(
            lines=(self.lines.rows, self.lines.count),
            pairs=(self.pairs.rows, self.pairs.count),
            calls=(self.calls.rows, self.calls.count),
            ticks=self.ticks,
            ends=self.ends,
            blank=self._blank,
            cases=tuple((table.rows, table.count) for table in self.cases),
        )

    def make_room(self, now: int) -> None:
        """Sweep and grow whatever is full."""
        for table, stale, weak in (
            (self.lines, _stale_lines, _none),
            (self.pairs, _stale_pairs, _weak_pairs),
            (self.profiles, _stale_profiles, _weak_profiles),
            (self.calls, _stale_calls, _none),
        ):
            if table.full:
                table.make_room(stale(table.rows, now), weak(table.rows))
        for detector, table in zip(DETECTORS, self.cases, strict=True):
            if table.full:
                table.make_room(detector.stale(table.rows, now), table.rows["state"] != OPEN)
        if self.ends[1] - self.ends[0] >= len(self.ticks) - 2:
            self._grow_ticks()

    def _grow_ticks(self) -> None:
        places = np.arange(self.ends[0], self.ends[1]) % len(self.ticks)
        ticks = np.zeros((2 * len(self.ticks), 2), np.int64)
        ticks[: len(places)] = self.ticks[places]
        self.ticks = ticks
        self.ends[:] = 0, len(places)

    def _tables(self) -> dict[str, Table]:
        tables = {"lines": self.lines, "pairs": self.pairs, "profiles": self.profiles, "calls": self.calls}
        cases = {f"cases.{d.NAME}": table for d, table in zip(DETECTORS, self.cases, strict=True)}
        return tables | cases

    def arrays(self) -> Arrays:
        """The whole state, for a snapshot."""
        arrays = {
            f"{name}.{part}": array
            for name, table in self._tables().items()
            for part, array in table.arrays().items()
        }
        return arrays | {"ticks": self.ticks, "ends": self.ends}

    def restore(self, arrays: Arrays) -> None:
        """Take the state of a snapshot."""
        for name, table in self._tables().items():
            table.restore({part: arrays[f"{name}.{part}"] for part in ("rows", "count", "forgotten")})
        self.ticks = arrays["ticks"].copy()
        self.ends = arrays["ends"].copy()
        self.open = {
            (index, int(subject))
            for index, table in enumerate(self.cases)
            for subject in table.rows["key"][table.rows["state"] == OPEN]
        }

    def nbytes(self) -> int:
        """Bytes of all tables."""
        return self.ticks.nbytes + sum(table.rows.nbytes for table in self._tables().values())


def _none(rows: Rows) -> npt.NDArray[np.bool_]:
    return np.zeros(len(rows), np.bool_)


def _stale_lines(rows: Rows, now: int) -> npt.NDArray[np.bool_]:
    return np.asarray(now - rows["seen"] > LINE_LIFE)


def _stale_pairs(rows: Rows, now: int) -> npt.NDArray[np.bool_]:
    life = np.where(_weak_pairs(rows), STRANGER_LIFE, PAIR_LIFE)
    return np.asarray(now - rows["seen"] > life)


def _weak_pairs(rows: Rows) -> npt.NDArray[np.bool_]:
    return np.asarray(rows["talks"] == 0)


def _stale_profiles(rows: Rows, now: int) -> npt.NDArray[np.bool_]:
    return np.asarray(now - rows["seen"] > PROFILE_LIFE)


def _weak_profiles(rows: Rows) -> npt.NDArray[np.bool_]:
    return np.asarray((rows["talks"] == 0) & (rows["calls"] <= 1))


def _stale_calls(rows: Rows, now: int) -> npt.NDArray[np.bool_]:
    return np.asarray(now - rows["seen"] > CALL_LIFE)
