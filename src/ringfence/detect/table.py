"""Flat hash tables: record arrays whose rows hold their own key.

Open addressing with linear probing; a row's `key` is 0 when it is free. A table grows by doubling up to a stated limit
and forgets what is oldest there, so its memory is bounded whatever an attacker invents. Rows can be looked up and
claimed in compiled code; growing happens between two moments of the pass, outside it.

A key's home is its hash scaled to the size of the table, so that rows stand in the order of their hashes: a table that
doubles is read and written from one end to the other, not here and there.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ringfence.compiled import borrowed, entry, jit, prefetch, zeros

Rows = npt.NDArray[np.void]
"""A record array with at least the fields `key` (int64) and `seen` (a time)."""

FULL: Final = 0.7
"""Linear probing needs 2.2 looks for a hit and 6 for a miss at this load (Knuth, TAOCP 6.4), nearly all in one cache line."""

_SMALL: Final = 1 << 19  # rows; smaller tables grow fourfold: what is copied is less than what is new

MARK_BYTES: Final = 1
"""Marks of a row: eight bits, so that of the keys that are not there one in twelve, at the most, looks as if it were."""

GONE: Final = 0
WEAK: Final = 1
STRONG: Final = 2
"""Ranks of rows when room is made: out of date, to be forgotten first, to be forgotten last."""


@jit
def mix(a: int, b: int) -> Any:
    """Hash two numbers to a non-zero key (the finaliser of MurmurHash3 by Appleby, applied twice)."""
    h = np.uint64(a) * np.uint64(0x9E3779B97F4A7C15)
    for word in (np.uint64(b), np.uint64(0)):
        h ^= word
        h ^= h >> np.uint64(33)
        h *= np.uint64(0xFF51AFD7ED558CCD)
        h ^= h >> np.uint64(33)
        h *= np.uint64(0xC4CEB9FE1A85EC53)
        h ^= h >> np.uint64(33)
    key = np.int64(h)
    return key if key != 0 else np.int64(1)


@jit
def _home_in(size: int, key: int) -> Any:
    h = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    h ^= h >> np.uint64(32)
    h *= np.uint64(0xFF51AFD7ED558CCD)
    return np.int64(((h >> np.uint64(32)) * np.uint64(size)) >> np.uint64(32))


@jit
def _home(rows: Any, key: int) -> Any:
    return _home_in(len(rows), key)


@jit
def expect(table: Any, key: int) -> None:
    """Say that a key of a table, as (rows, count), will be looked for soon."""
    prefetch(table[0], _home(table[0], key))


@jit
def find(rows: Any, key: int) -> int:
    """The place of a key, or -1."""
    i = _home(rows, key)
    while rows[i].key != 0:
        if rows[i].key == key:
            return i
        i = i + 1 if i + 1 < len(rows) else 0
    return -1


@entry
def _find(rows: Any, key: int) -> int:
    return find(rows, key)


@jit
def claim(rows: Any, count: Any, key: int) -> int:
    """The place of a key, taken for it if it had none (a new row is all zero but for its key)."""
    i = _home(rows, key)
    while rows[i].key != 0:
        if rows[i].key == key:
            return i
        i = i + 1 if i + 1 < len(rows) else 0
    rows[i].key = key
    count[0] += 1
    return i


@jit
def _mark(marks: Any, key: int) -> tuple[Any, Any]:
    """The word and the bit that stand for a key."""
    bit = _home_in(64 * len(marks), key)
    return bit >> 6, np.uint64(1) << np.uint64(bit & 63)


@jit
def find_marked(table: Any, key: int) -> int:
    """The place of a key in a table, as (rows, count, marks), or -1; quick where few keys are in it."""
    word, bit = _mark(table[2], key)
    return find(table[0], key) if table[2][word] & bit else -1


@jit
def expect_marked(table: Any, key: int) -> None:
    """Say that a key will be looked for soon in a table, as (rows, count, marks)."""
    word, bit = _mark(table[2], key)
    if table[2][word] & bit:
        place = _home(table[0], key)
        prefetch(table[0], place)
        prefetch(table[0], min(place + 1, len(table[0]) - 1))


@jit
def claim_marked(table: Any, key: int) -> int:
    """The place of a key in a table, as (rows, count, marks), taken for it if it had none."""
    word, bit = _mark(table[2], key)
    table[2][word] |= bit
    return claim(table[0], table[1], key)


@entry
def _mark_all(rows: Any, marks: Any) -> None:
    for i in range(len(rows)):
        if rows[i].key != 0:
            word, bit = _mark(marks, rows[i].key)
            marks[word] |= bit


@jit
def borrow_table(table: Any) -> Any:
    """The table, as (rows, count), for use within one call."""
    return borrowed(table[0]), borrowed(table[1])


@jit
def borrow_marked(table: Any) -> Any:
    """The table, as (rows, count, marks), for use within one call."""
    return borrowed(table[0]), borrowed(table[1]), borrowed(table[2])


@jit
def room_in(table: Any) -> Any:
    """For how many moments, which claim two rows each at the most, a table, as (rows, count), has room."""
    return (np.int64(len(table[0]) * FULL - 8) - table[1][0]) // 2


@entry
def _keep(old: Any, new: Any, ranks: Any, least: int) -> int:
    old = borrowed(old)
    new = borrowed(new)
    ranks = borrowed(ranks)
    kept = 0
    for j in range(len(old)):
        if ranks[j] >= least:
            i = _home(new, old[j].key)
            while new[i].key != 0:
                i = i + 1 if i + 1 < len(new) else 0
            new[i] = old[j]
            kept += 1
    return kept


@entry
def _sweep(rows: Any, ranks: Any, least: int, free: Any) -> int:
    """Free the rows of lower rank where they stand, and close up; returns how many are left.

    A row only ever moves back towards its home, to a place that was looked at before: rows follow each other in the order of
    their homes, if one begins behind a free one.
    """
    rows = borrowed(rows)
    ranks = borrowed(ranks)
    free = borrowed(free)
    first = 0
    while rows[first].key != 0:
        first += 1
    kept = 0
    for step in range(1, len(rows)):
        i = (first + step) % len(rows)
        if rows[i].key == 0:
            continue
        if ranks[i] < least:
            rows[i] = free[0]
            continue
        kept += 1
        j = _home(rows, rows[i].key)
        while rows[j].key != 0 and j != i:
            j = j + 1 if j + 1 < len(rows) else 0
        if j != i:
            rows[j] = rows[i]
            rows[i] = free[0]
    return kept


@dataclass(slots=True)
class Table:
    """A hash table of records.

    Attributes:
        rows: the record array.
        count: int64[1], rows in use.
        limit: the most rows the array may ever have.
        marked: whether there are marks: a bit for each key, at a place given by its hash (Bloom 1970). They lie in a fast cache
            where the table does not, and most keys that are looked for have none.
        marks: uint64, a bit is set if a key that belongs to it may be in the table.
        forgotten: rows dropped because the limit was reached (not those that were merely out of date).
    """

    dtype: np.dtype[np.void]
    limit: int
    marked: bool = False
    rows: Rows = field(init=False)
    marks: npt.NDArray[np.uint64] = field(init=False)
    count: npt.NDArray[np.int64] = field(init=False)
    forgotten: int = 0
    _first: int = 1 << 14

    def __post_init__(self) -> None:
        self.rows = zeros(min(self._first, self.limit), self.dtype)
        self.count = np.zeros(1, np.int64)
        self._mark()

    @property
    def full(self) -> bool:
        """Whether the table must make room before the next moment."""
        return int(len(self.rows) * FULL - 8) - int(self.count[0]) < 2

    def make_room(self, ranks: npt.NDArray[np.uint8]) -> None:
        """Drop what is out of date, then grow, then (at the limit) forget.

        Args:
            ranks: of each row, GONE (free, or out of date: treated as absent by every reader already), WEAK or STRONG.
        """
        alive = int(np.count_nonzero(ranks))
        size = len(self.rows)
        while alive > size * FULL / 2 and size < self.limit:
            size = min(2 * size if self.marked or size > _SMALL else 4 * size, self.limit)
        if alive > size * FULL * 0.75:
            self._forget(ranks, int(size * FULL / 2))
            self.forgotten += alive - int(np.count_nonzero(ranks))
        if size == len(self.rows):
            self.count[0] = _sweep(self.rows, ranks, WEAK, np.zeros(1, self.dtype))
            self._mark()
        else:
            self.grow(size, ranks)

    def grow(self, size: int, ranks: npt.NDArray[np.uint8]) -> None:
        """Move to a table of so many rows, without those that are GONE."""
        fresh = zeros(size, self.dtype)
        self.count[0] = _keep(self.rows, fresh, ranks, WEAK)
        self.rows = fresh
        self._mark()

    def _mark(self) -> None:
        self.marks = np.zeros(len(self.rows) * MARK_BYTES // 8 if self.marked else 0, np.uint64)
        if self.marked:
            _mark_all(self.rows, self.marks)

    def _forget(self, ranks: npt.NDArray[np.uint8], wanted: int) -> None:
        """Leave at most `wanted` rows: strong before weak, then the most recently seen (of equals none)."""
        strong = int(np.count_nonzero(ranks == STRONG))
        if strong > wanted:
            ranks[ranks == WEAK] = GONE
        rank, room = (STRONG, wanted) if strong > wanted else (WEAK, wanted - strong)
        places = np.flatnonzero(ranks == rank)
        if len(places) <= room:
            return
        seen = self.rows["seen"][places]
        oldest = np.partition(seen, len(seen) - room - 1)[len(seen) - room - 1]
        ranks[places[seen <= oldest]] = GONE

    def row(self, key: int) -> np.void | None:
        """The record of a key; None: it has none."""
        place = _find(self.rows, key)
        return self.rows[place] if place >= 0 else None

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The whole state, for a snapshot."""
        return {"rows": self.rows, "count": self.count, "forgotten": np.array([self.forgotten])}

    def restore(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Take the state of a snapshot.

        Raises:
            ValueError: the snapshot was made with other fields.
        """
        if arrays["rows"].dtype != self.dtype:
            raise ValueError("the snapshot holds other fields than this version of the program keeps")
        # alignment is not kept on disk, and an unaligned record is another type to the compiler
        self.rows = zeros(len(arrays["rows"]), self.dtype)
        self.rows[:] = arrays["rows"]
        self.count = arrays["count"].astype(np.int64)
        self.forgotten = int(arrays["forgotten"][0])
        self._mark()
