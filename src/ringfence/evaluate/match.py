"""Which alert belongs to which attack, and how many calls there had been by then: joins of whole columns."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.evaluate.inputs import Flags, Ints

_PAIRS: Final = 1 << 23
"""Pairs of points and spans looked at together: bounds memory to some 300 MB."""


def codes(*columns: Any) -> list[Ints]:
    """Texts as small integers, the same in all columns; a null is -1 and equals nothing."""
    known = pc.dictionary_encode(pa.concat_arrays(list(columns)))
    found = np.asarray(pc.fill_null(known.indices, -1).to_numpy(zero_copy_only=False), dtype=np.int64)
    return np.split(found, np.cumsum([len(column) for column in columns])[:-1])


def spans_of(subjects: Ints, at: Ints, span_subjects: Ints, begins: Ints, ends: Ints) -> Ints:
    """The span each point lies in: of the same subject, begins <= at <= ends, and of several the one that began last.

    Args:
        subjects: of the points; a negative one lies in nothing.
        at: of the points.
        span_subjects: of the spans, in any order.
        begins: of the spans.
        ends: of the spans; a span that ends before it begins holds nothing.

    Returns:
        Places of spans, -1: in none.
    """
    order = np.lexsort((begins, span_subjects))
    ordered = span_subjects[order]
    low = np.searchsorted(ordered, subjects, "left")
    count = np.where(subjects < 0, 0, np.searchsorted(ordered, subjects, "right") - low)
    found = np.full(len(at), -1, dtype=np.int64)
    before = np.concatenate([[0], np.cumsum(count)])  # pairs of earlier points
    row = 0
    while row < len(at):
        end = max(int(np.searchsorted(before, before[row] + _PAIRS, "right")) - 1, row + 1)
        point = np.repeat(np.arange(row, end), count[row:end])
        place = np.arange(before[row], before[end]) - before[point]
        span = order[low[point] + place]
        inside = (begins[span] <= at[point]) & (at[point] <= ends[span])
        # pairs are in order of begins, and where a point stands repeatedly NumPy keeps the last
        found[point[inside]] = span[inside]
        row = end
    return found


def distinct(values: Ints) -> Ints:
    """Each value once, in order; NumPy's own hashes, which takes ten times as long on numbers in a row."""
    ordered = np.sort(values)
    fresh = np.append(np.ones(len(ordered[:1]), dtype=np.bool_), ordered[1:] != ordered[:-1])
    return np.asarray(ordered[fresh], dtype=np.int64)


def first_of(groups: Ints, count: int) -> Ints:
    """For each group 0 … count-1 the first row that has it, -1: none. A negative group is no group."""
    first = np.full(count, -1, dtype=np.int64)
    rows = np.flatnonzero(groups >= 0)[::-1]
    first[groups[rows]] = rows
    return first


def begun(groups: Ints, times: Ints, asked: Ints, at: Ints) -> Ints:
    """How many rows of the group asked for have a time <= at.

    Args:
        groups: of the rows, in any order, not negative where asked for.
        times: of the rows.
        asked: the group of each question.
        at: its time.
    """
    kept = np.isin(groups, asked)
    groups, times = groups[kept], times[kept]
    clock = np.sort(
        np.concatenate([times, at])
    )  # a time's place in it stands for the time: small enough to be joined
    rows = np.sort(groups * len(clock) + np.searchsorted(clock, times))
    base = asked * len(clock)
    upto = np.searchsorted(rows, base + np.searchsorted(clock, at), "right")
    return np.asarray(upto - np.searchsorted(rows, base, "left"), dtype=np.int64)


def covered_time(subjects: Ints, begins: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """How long each subject is inside at least one of its spans.

    Args:
        subjects: of the spans, not negative.
        begins: of the spans, any unit.
        ends: of the spans, not before they begin.

    Returns:
        The subjects, each once, and their lengths.
    """
    order = np.lexsort((begins, subjects))
    subjects, begins, ends = subjects[order], begins[order], ends[order]
    names, group = np.unique(subjects, return_inverse=True)
    if not len(names):
        return names, np.zeros(0, dtype=np.int64)
    # Groups are set apart by more than all of time, so that a running maximum never reaches into the next one.
    zero = int(begins.min())
    width = int(ends.max()) - zero + 1
    if width * len(names) >= 1 << 62:
        raise OverflowError("times too far apart for so many subjects; use a coarser unit")
    begins, ends = begins - zero + group * width, ends - zero + group * width
    reached = np.maximum.accumulate(ends)
    before = np.concatenate([[-1], reached[:-1]])
    fresh = np.maximum(ends - np.maximum(begins, before), 0)
    return names, np.bincount(group, weights=fresh, minlength=len(names)).astype(np.int64)


def flags(column: Any) -> Flags:
    """An Arrow column of booleans without nulls, as NumPy."""
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.bool_)
