"""The joins, against the same said slowly."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.evaluate import match
from ringfence.evaluate.inputs import Ints
from ringfence.evaluate.match import begun, codes, covered_time, first_of, spans_of

points = st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 30)), max_size=30)
spans = st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 30), st.integers(0, 15)), max_size=12)


def columns(rows: Sequence[tuple[int, ...]], width: int) -> list[Ints]:
    return list(np.array(rows, dtype=np.int64).reshape(-1, width).T)


@given(points, spans, st.sampled_from([1, 5, 1 << 20]))
def test_a_point_lies_in_the_span_that_began_last(
    asked: list[tuple[int, int]], told: list[tuple[int, int, int]], pairs: int
) -> None:
    subject, time = columns(asked, 2)
    whose, begins, length = columns(told, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(match, "_PAIRS", pairs)
        found = spans_of(subject, time, whose, begins, begins + length)
    for s, t, place in zip(subject, time, found, strict=True):
        holding = [
            n
            for n in range(len(whose))
            if s >= 0 and whose[n] == s and begins[n] <= t <= begins[n] + length[n]
        ]
        assert (place == -1) == (not holding)
        if holding:
            assert place in holding
            assert begins[place] == max(begins[n] for n in holding)


@given(points, st.lists(st.tuples(st.integers(0, 3), st.integers(-5, 35)), max_size=10))
def test_calls_begun_are_counted(rows: list[tuple[int, int]], asked: list[tuple[int, int]]) -> None:
    group, time = columns(rows, 2)
    which, at = columns(asked, 2)
    expected = [sum(g == w and t <= a for g, t in zip(group, time, strict=True)) for w, a in asked]
    assert begun(group, time, which, at).tolist() == expected


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-20, 30), st.integers(0, 12)), max_size=15))
def test_time_inside_spans_is_counted_once(told: list[tuple[int, int, int]]) -> None:
    whose, begins, length = columns(told, 3)
    names, inside = covered_time(whose, begins, begins + length)
    expected = {w: {t for v, b, n in told if v == w for t in range(b, b + n)} for w, _, _ in told}
    assert dict(zip(names.tolist(), inside.tolist(), strict=True)) == {w: len(t) for w, t in expected.items()}


def test_codes_agree_between_columns_and_null_is_nobody() -> None:
    one, other = codes(pa.array(["b", None, "a"]), pa.array(["a", "c", "b", None]))
    assert one[0] == other[2] >= 0
    assert one[2] == other[0] >= 0
    assert one[1] == other[3] == -1
    assert other[1] not in one


def test_the_first_row_of_each_group() -> None:
    assert first_of(np.array([2, -1, 0, 2, 0]), 4).tolist() == [2, -1, 0, -1]
