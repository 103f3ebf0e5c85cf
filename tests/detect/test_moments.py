"""Moments come in one total order, whatever the batches, and never carry the future."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from ringfence.detect.moments import ANSWER, END, SETUP, Unfolder
from ringfence.model.calls import NEVER, Calls

# small times, so that many moments fall on the same instant
TIMES = st.tuples(
    st.integers(0, 12), st.one_of(st.none(), st.integers(0, 5)), st.one_of(st.none(), st.integers(0, 5))
)


def make(rows: list[tuple[int, int | None, int | None]]) -> Calls:
    """Calls ordered by (start, key) from (start, ring, talk or ring-out)."""
    rows = sorted(rows, key=lambda row: row[0])
    n = len(rows)
    start = np.array([row[0] for row in rows], np.int64)
    answer = np.array([NEVER if ring is None else s + ring for s, ring, _ in rows], np.int64)
    end = np.array([NEVER if last is None else s + (ring or 0) + last for s, ring, last in rows], np.int64)
    number = np.arange(1, n + 1)
    return Calls(
        start, answer, end, number, number + 100, number, np.zeros((n, 4), np.int64), np.zeros((n, 4), np.int16),
        number, pa.nulls(n, pa.string()),
    )  # fmt: skip


def expected(calls: Calls) -> list[tuple[int, int, int]]:
    """(time, key, kind) by sorting."""
    moments = []
    for i in range(len(calls)):
        key = int(calls.key[i])
        moments.append((int(calls.start[i]), i, key, SETUP))
        if calls.answer[i] != NEVER:
            moments.append((int(calls.answer[i]), i, key, ANSWER))
        if calls.end[i] != NEVER:
            moments.append((int(calls.end[i]), i, key, END))
    return [(time, key, kind) for time, _, key, kind in sorted(moments)]


@given(st.lists(TIMES, max_size=30), st.lists(st.integers(0, 30), max_size=5))
def test_one_order_whatever_the_batches(
    rows: list[tuple[int, int | None, int | None]], cuts: list[int]
) -> None:
    calls = make(rows)
    unfolder = Unfolder()
    parts = []
    first = 0
    for cut in sorted({int(np.searchsorted(calls.start, calls.start[c])) for c in cuts if c < len(calls)}):
        parts.append(unfolder.unfold(calls.slice(first, cut), int(calls.start[cut])))
        assert all(part["time"].max(initial=-1) < calls.start[cut] for part in parts)
        first = cut
    parts.append(unfolder.unfold(calls.slice(first, len(calls)), NEVER))
    moments = np.concatenate(parts)
    found = list(
        zip(moments["time"].tolist(), moments["call"].tolist(), moments["kind"].tolist(), strict=True)
    )
    assert found == expected(calls)


@given(st.lists(TIMES, min_size=1, max_size=20))
def test_a_moment_knows_nothing_of_what_comes_later(
    rows: list[tuple[int, int | None, int | None]],
) -> None:
    moments = Unfolder().unfold(make(rows), NEVER)
    setups = moments[moments["kind"] == SETUP]
    assert (setups["answer"] == NEVER).all()
    assert (setups["cause"] == 0).all()
    assert (setups["released_by"] == 0).all()
    for moment in moments:
        assert moment["start"] <= moment["time"]
        assert moment["answer"] == NEVER or moment["answer"] <= moment["time"]


def test_what_waits_is_kept_in_a_snapshot() -> None:
    calls = make([(0, 1, 5), (1, 2, None), (3, None, 9)])
    whole = Unfolder().unfold(calls, NEVER)
    one, two = Unfolder(), Unfolder()
    before = one.unfold(calls, 4)
    two.restore({name: array.copy() for name, array in one.arrays().items()})
    after = two.unfold(calls.slice(0, 0), NEVER)
    assert (np.concatenate([before, after]) == whole).all()
