"""Tables of two features: only what neither says alone, in few bins."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ringfence.train.additive import Pair
from ringfence.train.bins import Codes, Floats
from ringfence.train.boost import Boosted

MOST: Final = 8
"""Bins each way, besides the one for missing values: a table a person can look at."""


def purify(summed: Boosted, codes: Codes) -> None:
    """Leave to a pair only what neither of its features says alone (Lengerich and others 2020).

    Means over the lines at hand are moved from the pair's table into those of its features; no line's sum changes.
    """
    for key, table in summed.pairs.items():
        weight = counts(codes, key, table.shape) + 1e-3
        for _ in range(50):
            rows = (weight * table).sum(1) / weight.sum(1)
            np.subtract(table, rows[:, None], out=table)
            columns = (weight * table).sum(0) / weight.sum(0)
            np.subtract(table, columns[None, :], out=table)
            summed.single[key[0]] += rows
            summed.single[key[1]] += columns
            if max(np.abs(rows).max(), np.abs(columns).max()) < 1e-6:
                break


def counts(codes: Codes, key: tuple[int, int], shape: tuple[int, ...]) -> NDArray[Any]:
    """How many lines fall into each cell."""
    flat = codes[:, key[0]].astype(np.int64) * shape[1] + codes[:, key[1]]
    return np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)


def coarse(table: Floats, weight: NDArray[Any], most: int = MOST) -> tuple[Floats, list[int], list[int]]:
    """Merge neighbouring bins that say nearly the same until there are few (Ward 1963, along each axis in turn).

    Returns:
        the small table; the first bin of every merged row and column (0, for missing values, stays by itself).
    """
    mass = weight + 1e-3
    for axis in (0, 1):
        rows = table if axis == 0 else table.T
        load = mass if axis == 0 else mass.T
        starts, rows, load = _merge(list(range(len(rows))), rows.copy(), load.copy(), most)
        if axis == 0:
            first, table, mass = starts, rows, load
        else:
            second, table = starts, rows.T
    return table, first, second


def _merge(starts: list[int], rows: Floats, load: Floats, most: int) -> tuple[list[int], Floats, Floats]:
    while len(starts) > most + 1:
        above, below = load[1:-1], load[2:]
        apart = (above * below / (above + below) * (rows[1:-1] - rows[2:]) ** 2).sum(1)
        at = 1 + int(np.argmin(apart))
        both = load[at] + load[at + 1]
        rows[at] = (load[at] * rows[at] + load[at + 1] * rows[at + 1]) / both
        load[at] = both
        rows, load = np.delete(rows, at + 1, 0), np.delete(load, at + 1, 0)
        del starts[at + 1]
    return starts, rows, load


def make(codes: Codes, edges: list[Floats], key: tuple[int, int], table: Floats) -> tuple[Pair, Floats]:
    """A pair of the model, and its small table spread over the bins of `codes` again."""
    count = counts(codes, key, table.shape)
    small, first, second = coarse(table, count)
    cuts = [
        edges[place][np.array(starts[2:], np.int64) - 2]
        for place, starts in zip(key, (first, second), strict=True)
    ]
    where = [
        np.searchsorted(starts, np.arange(length), side="right") - 1
        for starts, length in zip((first, second), table.shape, strict=True)
    ]
    lines = np.zeros(small.shape, np.int64)
    np.add.at(lines, np.ix_(where[0], where[1]), count)
    return Pair(key[0], key[1], cuts[0], cuts[1], small, lines), small[np.ix_(where[0], where[1])]
