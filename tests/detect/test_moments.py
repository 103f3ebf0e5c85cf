"""Moments come in one total order, whatever the windows, and a call is known only as far as it has come."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reference import plain

from ringfence.detect.memory import CALL, CALL_LIFE, MINUTE
from ringfence.detect.moments import (
    ANSWER,
    END,
    KIND_BITS,
    MOST_ROWS,
    SETUP,
    SPAN,
    TICK,
    Timeline,
    kind_of,
    last_told,
    row_of,
    time_of,
)
from ringfence.model.calls import NEVER, Calls

# s; small times, so that many moments fall on the same instant, and those around the limits
RINGS = st.one_of(st.none(), st.integers(0, 5), st.sampled_from([179, 180, 181, 400]))
TALKS = st.one_of(st.none(), st.integers(0, 5), st.sampled_from([59, 60, 61, 120, 43_200, 43_201, 90_000]))
TIMES = st.tuples(st.integers(0, 12), RINGS, TALKS)
SECOND = 1_000_000

Found = list[tuple[int, int, int]]


def make(rows: list[tuple[int, int | None, int | None]]) -> Calls:
    """Calls ordered by (start, key) from (start, ring, talk or ring-out), s."""
    rows = sorted(rows, key=lambda row: row[0])
    n = len(rows)
    start = np.array([row[0] for row in rows], np.int64) * SECOND
    answer = np.array([NEVER if ring is None else (s + ring) * SECOND for s, ring, _ in rows], np.int64)
    end = np.array(
        [NEVER if last is None else (s + (ring or 0) + last) * SECOND for s, ring, last in rows], np.int64
    )
    number = np.arange(1, n + 1)
    return Calls(
        start, answer, end, number, number + 100, number, np.zeros((n, 4), np.int64), np.zeros((n, 4), np.int16),
        number, pa.nulls(n, pa.string()),
    )  # fmt: skip


def laid_out(timeline: Timeline, calls: Calls, since: int, until: int) -> Found:
    """(time, key, kind) of all moments of a window."""
    timeline.take(calls)
    window = timeline.open(since, until)
    keys = [int(key) for key in window.keys]
    found = [(time_of(key, since), int(window.calls["key"][row_of(key)]), kind_of(key)) for key in keys]
    timeline.close(until)
    return found


def expected(calls: Calls) -> Found:
    """The same by sorting tuples."""
    return [(m.time, m.row.key, m.kind) for m in plain.moments_of(plain.rows_of(calls))]


@given(st.lists(TIMES, min_size=1, max_size=30), st.lists(st.integers(1, 200), max_size=5))
def test_one_order_whatever_the_windows(
    rows: list[tuple[int, int | None, int | None]], cuts: list[int]
) -> None:
    calls = make(rows)
    horizon = last_told(calls) + 1
    timeline = Timeline()
    found: Found = []
    times = sorted({0, horizon, *(cut * SECOND for cut in cuts if cut * SECOND < horizon)})
    for since, until in pairwise(times):
        first, last = np.searchsorted(calls.start, [since, until]).tolist()
        part = laid_out(timeline, calls.slice(first, last), since, until)
        assert all(since <= time < until for time, _, _ in part)
        assert timeline.due >= until
        found += part
    assert found == expected(calls)


@given(st.lists(TIMES, min_size=1, max_size=20))
def test_a_call_that_is_taken_in_says_nothing_of_what_comes_later(
    rows: list[tuple[int, int | None, int | None]],
) -> None:
    calls = make(rows)
    timeline = Timeline()
    timeline.take(calls)
    window = timeline.open(0, last_told(calls) + 1)
    assert (window.calls["answer"] == NEVER).all()
    assert not {"end", "cause"} & set(CALL.names or ())


def test_a_call_that_is_never_answered_or_ended_is_lost_after_three_minutes() -> None:
    found = laid_out(Timeline(), make([(0, None, None)]), 0, 1_000 * SECOND)
    assert found == [(0, 1, SETUP), (3 * MINUTE, 1, END)]


def test_minutes_pass_while_a_call_is_up() -> None:
    found = laid_out(Timeline(), make([(0, 5, 130)]), 0, 1_000 * SECOND)
    assert [kind for _, _, kind in found] == [SETUP, ANSWER, TICK, TICK, END]
    endless = laid_out(Timeline(), make([(0, 5, None)]), 0, 3 * CALL_LIFE)
    assert len(endless) == 2 + CALL_LIFE // MINUTE


def test_what_is_up_is_kept_in_a_snapshot() -> None:
    calls = make([(0, 1, 500), (1, 2, None), (3, None, 90)])
    one, two = Timeline(), Timeline()
    laid_out(one, calls, 0, 4 * SECOND)
    two.restore({name: array.copy() for name, array in one.arrays().items()})
    assert two.due == one.due
    assert laid_out(one, calls.slice(0, 0), 4 * SECOND, 700 * SECOND) == laid_out(
        two, calls.slice(0, 0), 4 * SECOND, 700 * SECOND
    )


def test_a_snapshot_of_other_fields_is_refused() -> None:
    arrays = Timeline().arrays()
    with pytest.raises(ValueError, match="other fields"):
        Timeline().restore(arrays | {"plans": arrays["calls"]})


def test_a_key_holds_its_parts() -> None:
    assert SPAN.bit_length() - 1 + MOST_ROWS.bit_length() - 1 + KIND_BITS == 63
