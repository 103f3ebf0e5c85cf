"""A shard: everything about the lines that belong to it, in its own flat arrays."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ringfence.compiled import borrowed, entry, zeros
from ringfence.detect.detectors import DETECTORS
from ringfence.detect.evidence import OBSERVATION, OPEN, Notebook, room_in_notebook
from ringfence.detect.memory import (
    DEVICE,
    HOLD,
    HOLD_LIFE,
    LINE,
    LINE_LIFE,
    MONEY,
    MONEY_LIFE,
    PAIR,
    PROFILE,
    PROFILE_LIFE,
    SECOND,
    pair_is_stale,
)
from ringfence.detect.passes import State
from ringfence.detect.table import GONE, MARK_BYTES, STRONG, WEAK, Table

Arrays = dict[str, npt.NDArray[Any]]
Ranks = npt.NDArray[np.uint8]

_FIRST_OBSERVATIONS: Final = 1024


class Limits(NamedTuple):
    """The most rows a shard's tables may have, whatever an attacker invents; what they take is stated in docs/capacity.md."""

    lines: int = 1 << 24
    pairs: int = 1 << 27
    profiles: int = 1 << 24
    devices: int = 1 << 24
    cases: int = 1 << 20
    observations: int = 1 << 22
    holds: int = 1 << 20
    money: int = 1 << 22

    def bytes_at_rest(self) -> int:
        """The most bytes that a shard's state can take."""
        tables = [
            self.lines * LINE.itemsize,
            self.pairs * PAIR.itemsize,
            self.profiles * PROFILE.itemsize,
            self.devices * DEVICE.itemsize,
            self.holds * (HOLD.itemsize + MARK_BYTES),
            self.money * MONEY.itemsize,
        ]
        cases = sum(self.cases * (detector.CASE.itemsize + MARK_BYTES) for detector in DETECTORS)
        return sum(tables) + cases + self.observations * OBSERVATION.itemsize

    def bytes_at_most(self) -> int:
        """The same while the largest table doubles: its half stands beside it."""
        return self.bytes_at_rest() + max(self.pairs * PAIR.itemsize, self.lines * LINE.itemsize) // 2


class Shard:
    """The state of the lines of one shard."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.lines = Table(LINE, limits.lines)
        self.pairs = Table(PAIR, limits.pairs)
        self.profiles = Table(PROFILE, limits.profiles)
        self.devices = Table(DEVICE, limits.devices)
        self.holds = Table(HOLD, limits.holds, marked=True)
        self.money = Table(MONEY, limits.money)
        self.cases = [Table(detector.CASE, limits.cases, marked=True) for detector in DETECTORS]
        first = min(_FIRST_OBSERVATIONS, limits.observations)
        self.notebook = Notebook(np.zeros(first, OBSERVATION), np.array([1, first >= limits.observations]))
        self.open: set[tuple[int, int]] = set()

    def state(self) -> State:
        """The arrays for the pass."""
        return State(
            lines=(self.lines.rows, self.lines.count),
            profiles=(self.profiles.rows, self.profiles.count),
            pairs=(self.pairs.rows, self.pairs.count),
            holds=(self.holds.rows, self.holds.count, self.holds.marks),
            money=(self.money.rows, self.money.count),
            cases=tuple((table.rows, table.count, table.marks) for table in self.cases),
            notebook=self.notebook,
        )

    def make_room(self, now: int) -> None:
        """Sweep and grow whatever is full."""
        for table, rank in (
            (self.lines, _rank_lines),
            (self.pairs, _rank_pairs),
            (self.profiles, _rank_profiles),
            (self.devices, _rank_devices),
        ):
            if table.full:
                ranks = np.empty(len(table.rows), np.uint8)
                rank(table.rows, now, ranks)
                table.make_room(ranks)
        for table, life in ((self.holds, HOLD_LIFE), (self.money, MONEY_LIFE)):
            if table.full:
                seen = table.rows["seen"].astype(np.int64)
                gone = (table.rows["key"] == 0) | (now // SECOND - seen > life // SECOND)
                table.make_room(np.where(gone, GONE, STRONG).astype(np.uint8))
        for detector, table in zip(DETECTORS, self.cases, strict=True):
            if table.full:
                ranks = np.where(table.rows["state"] == OPEN, STRONG, WEAK).astype(np.uint8)
                ranks[(table.rows["key"] == 0) | detector.stale(table.rows, now)] = GONE
                table.make_room(ranks)
        self._turn_page(now)

    def _turn_page(self, now: int) -> None:
        """Make the notebook larger where it would overwrite what is fresh."""
        rows, ends = self.notebook
        if _has_room(self.notebook, now):
            return
        size = min(2 * len(rows), self._limits.observations)
        numbers = np.arange(max(int(ends[0]) - len(rows), 1), int(ends[0]))
        fresh = zeros(size, OBSERVATION)
        fresh[numbers % size] = rows[numbers % len(rows)]
        ends[1] = size >= self._limits.observations
        self.notebook = Notebook(fresh, ends)

    def prepare(self) -> None:
        """Have compiled what makes room, which is needed seldom, and then at once."""
        for rank, table in (
            (_rank_lines, self.lines),
            (_rank_pairs, self.pairs),
            (_rank_profiles, self.profiles),
            (_rank_devices, self.devices),
        ):
            rank(table.rows[:1].copy(), 0, np.empty(1, np.uint8))
        for table in self._tables().values():
            small = Table(table.dtype, 16, marked=table.marked)
            gone = np.zeros(len(small.rows), np.uint8)
            small.make_room(gone)
            small.grow(32, gone)
        _has_room(self.notebook, 0)

    def _tables(self) -> dict[str, Table]:
        tables = {
            "lines": self.lines,
            "pairs": self.pairs,
            "profiles": self.profiles,
            "devices": self.devices,
            "holds": self.holds,
            "money": self.money,
        }
        cases = {f"cases.{d.NAME}": table for d, table in zip(DETECTORS, self.cases, strict=True)}
        return tables | cases

    def arrays(self) -> Arrays:
        """The whole state, for a snapshot."""
        arrays = {
            f"{name}.{part}": array
            for name, table in self._tables().items()
            for part, array in table.arrays().items()
        }
        return arrays | {"notebook.rows": self.notebook.rows, "notebook.ends": self.notebook.ends}

    def restore(self, arrays: Arrays) -> None:
        """Take the state of a snapshot.

        Raises:
            ValueError: the snapshot was made with other fields.
        """
        for name, table in self._tables().items():
            table.restore({part: arrays[f"{name}.{part}"] for part in ("rows", "count", "forgotten")})
        if arrays["notebook.rows"].dtype != OBSERVATION:
            raise ValueError("the snapshot holds other fields than this version of the program keeps")
        self.notebook = Notebook(
            arrays["notebook.rows"].astype(OBSERVATION), arrays["notebook.ends"].astype(np.int64)
        )
        self.open = {
            (index, int(subject))
            for index, table in enumerate(self.cases)
            for subject in table.rows["key"][table.rows["state"] == OPEN]
        }

    def nbytes(self) -> int:
        """Bytes of all tables."""
        tables = self._tables().values()
        return self.notebook.rows.nbytes + sum(table.rows.nbytes + table.marks.nbytes for table in tables)


@entry
def _has_room(notebook: Notebook, now: int) -> bool:
    # The very question at which the pass stops: with any other answer it would stop there for ever.
    return bool(room_in_notebook(notebook, now) > 0)


@entry
def _rank_lines(rows: Any, now: int, ranks: Any) -> None:
    rows = borrowed(rows)
    ranks = borrowed(ranks)
    for i in range(len(rows)):
        gone = rows[i].key == 0 or now // SECOND - np.int64(rows[i].seen) > LINE_LIFE // SECOND
        ranks[i] = GONE if gone else STRONG


@entry
def _rank_pairs(rows: Any, now: int, ranks: Any) -> None:
    rows = borrowed(rows)
    ranks = borrowed(ranks)
    for i in range(len(rows)):
        if rows[i].key == 0 or pair_is_stale(rows[i], now):
            ranks[i] = GONE
        else:
            ranks[i] = STRONG if rows[i].talks > 0 else WEAK


@entry
def _rank_profiles(rows: Any, now: int, ranks: Any) -> None:
    rows = borrowed(rows)
    ranks = borrowed(ranks)
    for i in range(len(rows)):
        if rows[i].key == 0 or now // SECOND - np.int64(rows[i].seen) > PROFILE_LIFE // SECOND:
            ranks[i] = GONE
        else:
            ranks[i] = STRONG if rows[i].talks > 0 or rows[i].calls > 1 else WEAK


@entry
def _rank_devices(rows: Any, now: int, ranks: Any) -> None:
    rows = borrowed(rows)
    ranks = borrowed(ranks)
    for i in range(len(rows)):
        gone = rows[i].key == 0 or now // SECOND - np.int64(rows[i].seen) > PROFILE_LIFE // SECOND
        ranks[i] = GONE if gone else STRONG
