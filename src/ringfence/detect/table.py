"""Flat hash tables: record arrays whose rows hold their own key.

Open addressing with linear probing; a row's `key` is 0 when it is free. A table grows by doubling up to a stated limit
and forgets what is oldest there, so its memory is bounded whatever an attacker invents. Rows can be looked up, claimed
and removed in compiled code; growing happens between two moments of the pass, outside it.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ringfence.compiled import borrowed, entry, jit

Rows = npt.NDArray[np.void]
"""A record array with at least the fields `key` (int64) and `seen` (int64, microseconds)."""

FULL: Final = (
    0.6  # linear probing needs 1.75 looks for a hit and 3.6 for a miss at this load (Knuth, TAOCP 6.4)
)


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
def _home(rows: Any, key: int) -> Any:
    h = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    h ^= h >> np.uint64(32)
    return np.int64(h & np.uint64(len(rows) - 1))


@jit
def find(rows: Any, key: int) -> int:
    """The place of a key, or -1."""
    mask = len(rows) - 1
    i = _home(rows, key)
    while rows[i].key != 0:
        if rows[i].key == key:
            return i
        i = (i + 1) & mask
    return -1


@jit
def claim(rows: Any, count: Any, key: int) -> int:
    """The place of a key, taken for it if it had none (a new row is all zero but for its key)."""
    mask = len(rows) - 1
    i = _home(rows, key)
    while rows[i].key != 0:
        if rows[i].key == key:
            return i
        i = (i + 1) & mask
    rows[i].key = key
    count[0] += 1
    return i


@jit
def remove(rows: Any, count: Any, blank: Any, place: int) -> None:
    """Free a row, closing the gap it leaves (Knuth, TAOCP 6.4, algorithm R)."""
    mask = len(rows) - 1
    hole = place
    i = place
    while True:
        i = (i + 1) & mask
        if rows[i].key == 0:
            break
        home = _home(rows, rows[i].key)
        if ((i - home) & mask) >= ((i - hole) & mask):
            rows[hole] = rows[i]
            hole = i
    rows[hole] = blank[0]
    count[0] -= 1


@jit
def is_full(table: Any) -> bool:
    """Whether a table, as (rows, count), must make room before the next moment."""
    return table[1][0] > len(table[0]) * FULL - 8


@jit
def borrow_table(table: Any) -> Any:
    """The table, as (rows, count), for use within one call."""
    return borrowed(table[0]), borrowed(table[1])


@entry
def _keep(old: Any, new: Any, keep: Any) -> int:
    kept = 0
    mask = len(new) - 1
    for j in range(len(old)):
        if old[j].key != 0 and keep[j]:
            i = _home(new, old[j].key)
            while new[i].key != 0:
                i = (i + 1) & mask
            new[i] = old[j]
            kept += 1
    return kept


@dataclass(slots=True)
class Table:
    """A hash table of records.

    Attributes:
        rows: the record array; its length is a power of two.
        count: int64[1], rows in use.
        limit: the most rows the array may ever have.
        forgotten: rows dropped because the limit was reached (not those that were merely out of date).
    """

    dtype: np.dtype[np.void]
    limit: int
    rows: Rows = field(init=False)
    count: npt.NDArray[np.int64] = field(init=False)
    forgotten: int = 0
    _first: int = 1024

    def __post_init__(self) -> None:
        self.rows = np.zeros(min(self._first, self.limit), self.dtype)
        self.count = np.zeros(1, np.int64)

    @property
    def full(self) -> bool:
        """Whether the table must make room before the next moment."""
        return bool(self.count[0] > len(self.rows) * FULL - 8)

    def make_room(self, stale: npt.NDArray[np.bool_], weak: npt.NDArray[np.bool_]) -> None:
        """Drop what is out of date, then grow, then (at the limit) forget.

        Args:
            stale: bool per row, out of date: treated as absent by every reader already.
            weak: bool per row, to be forgotten first when the limit is reached.
        """
        keep = (self.rows["key"] != 0) & ~stale
        alive = int(keep.sum())
        size = len(self.rows)
        while alive > size * FULL / 2 and size < self.limit:
            size *= 2
        if alive > size * FULL * 0.75:
            before = alive
            keep &= self._strong(keep, weak, int(size * FULL / 2))
            alive = int(keep.sum())
            self.forgotten += before - alive
        fresh = np.zeros(size, self.dtype)
        self.count[0] = _keep(self.rows, fresh, keep)
        self.rows = fresh

    def _strong(
        self, keep: npt.NDArray[np.bool_], weak: npt.NDArray[np.bool_], wanted: int
    ) -> npt.NDArray[np.bool_]:
        """The `wanted` rows most worth keeping: strong before weak, then the most recently seen, then by key."""
        places = np.flatnonzero(keep)
        order = np.lexsort((self.rows["key"][places], -self.rows["seen"][places], weak[places]))
        strong = np.zeros(len(self.rows), np.bool_)
        strong[places[order[:wanted]]] = True
        return strong

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
        self.rows = arrays["rows"].astype(self.dtype)
        self.count = arrays["count"].astype(np.int64)
        self.forgotten = int(arrays["forgotten"][0])
