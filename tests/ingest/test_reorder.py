"""The reorder window against a plain sort and fold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.ingest.reorder import Reorder
from ringfence.model.calls import COLUMNS, NEVER, Calls, join, no_calls, pack_texts, unpack_texts

Row = tuple[int, int, int | None, int | None, int]  # start, key, answer, end, cause


def calls(rows: Sequence[Row], first: int = 0) -> Calls:
    n = len(rows)
    start = np.array([row[0] for row in rows], np.int64)
    key = np.array([row[1] for row in rows], np.int64)
    answer = np.array([NEVER if row[2] is None else row[2] for row in rows], np.int64)
    end = np.array([NEVER if row[3] is None else row[3] for row in rows], np.int64)
    codes = np.zeros((n, 4), np.int16)
    codes[:, 0] = [row[4] for row in rows]
    words = np.zeros((n, 4), np.int64)
    ids = pa.array([f"id {row[1]}" if row[1] % 3 else None for row in rows], pa.string())
    return Calls(start, answer, end, key, key + 1, key, words, codes, np.arange(first, first + n), ids)


def plain(calls: Calls) -> list[tuple[object, ...]]:
    ids = calls.ids.to_pylist()
    return [
        (*(getattr(calls, name)[i].tolist() for name in COLUMNS if name != "origin"), ids[i])
        for i in range(len(calls))
    ]


def model(rows: Sequence[Row]) -> list[tuple[object, ...]]:
    """Sorted, and rows of the same call folded."""
    found: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        found.setdefault(row[:2], []).append(row)
    folded: list[Row] = []
    for (start, key), same in sorted(found.items()):
        answer = min((row[2] for row in same if row[2] is not None), default=None)
        end = max((row[3] for row in same if row[3] is not None), default=None)
        if answer is not None and end is not None:
            end = max(answer, end)
        folded.append((start, key, answer, end, max(row[4] for row in same)))
    return plain(calls(folded))


@st.composite
def call_rows(draw: st.DrawFn, size: int = 60) -> list[Row]:
    rows = []
    for _ in range(draw(st.integers(0, size))):
        start = draw(st.integers(1, 40))
        answer = draw(st.none() | st.integers(start, start + 9))
        end = draw(st.none() | st.integers(answer or start, (answer or start) + 9))
        rows.append((start, draw(st.integers(1, 4)), answer, end, draw(st.sampled_from([0, 16, 19]))))
    return rows


@dataclass
class Fed:
    given_out: list[Calls]
    late: list[Calls]
    most: int
    window: Reorder


def feed(rows: Sequence[Row], window: int, cuts: Sequence[int], *, restored: bool = False) -> Fed:
    reorder = Reorder(window)
    fed = Fed([], [], 0, reorder)
    first = 0
    for cut in [*sorted({cut for cut in cuts if cut < len(rows)}), len(rows)]:
        fed.late.append(reorder.push(calls(rows[first:cut], first)))
        fed.most = max(fed.most, len(reorder))
        fed.given_out.append(reorder.ready(NEVER))
        first = cut
        if restored:
            arrays = {name: array.copy() for name, array in reorder.arrays().items()}
            reorder = Reorder(window)
            reorder.restore(arrays)
    fed.given_out.append(reorder.flush())
    fed.window = reorder
    return fed


@given(rows=call_rows(), cuts=st.lists(st.integers(0, 60)), window=st.integers(1, 70), restored=st.booleans())
def test_equals_sorting_and_folding(rows: list[Row], cuts: list[int], window: int, restored: bool) -> None:
    fed = feed(rows, window, cuts, restored=restored)
    out = join([no_calls(), *fed.given_out])
    late = [int(n) for part in fed.late for n in part.origin]
    on_time = [row for n, row in enumerate(rows) if n not in set(late)]
    assert plain(out) == model(on_time)
    assert fed.window.repeated == len(on_time) - len(out)
    assert (np.diff(out.start) >= 0).all()
    if window >= len(rows):
        assert not late


@given(seed=st.integers(0, 10_000), window=st.integers(1, 50), chunk=st.integers(1, 120))
def test_disorder_less_than_the_window_is_put_right(seed: int, window: int, chunk: int) -> None:
    rng = np.random.default_rng(seed)
    # a row is before less than `window` rows that begin earlier
    order = np.argsort(np.arange(500) + rng.uniform(0, window, 500), kind="stable")
    rows: list[Row] = [(int(n) * 10, 1, None, None, 0) for n in order]
    fed = feed(rows, window, range(chunk, 500, chunk))
    assert not sum(len(part) for part in fed.late)
    assert fed.most <= 2 * window + chunk
    assert join(fed.given_out).start.tolist() == [n * 10 for n in range(500)]


def test_a_clock_far_ahead_waits() -> None:
    rows: list[Row] = [(n, 1, None, None, 0) for n in range(1, 400)]
    rows.insert(50, (10**15, 2, None, None, 0))
    fed = feed(rows, 20, range(30, 400, 30))
    assert not sum(len(part) for part in fed.late)
    assert join(fed.given_out).start.tolist() == [*range(1, 400), 10**15]


def test_what_other_files_may_hold_waits() -> None:
    reorder = Reorder(10)
    reorder.push(calls([(n, 1, None, None, 0) for n in range(100, 140)]))
    assert len(reorder.ready(safe=105, slack=40)) == 5
    assert reorder.watermark == 105
    reorder.push(calls([(104, 7, None, None, 0), (105, 7, None, None, 0)]))
    assert len(reorder) == 36, "one came too late"
    reorder.push(calls([(n, 1, None, None, 0) for n in range(140, 150)]))
    assert len(reorder.ready(safe=105, slack=20)) == 16, "but not without bound: 10 and 20 rows stay"


def test_what_comes_in_order_is_not_copied() -> None:
    reorder = Reorder(10)
    parts = [calls([(10 * n + k, 1, None, None, 0) for k in range(1, 11)], 10 * n) for n in range(3)]
    given = []
    for part in parts:
        assert not len(reorder.push(part))
        given.append(reorder.ready(NEVER))
    assert [part.start.tolist() for part in given] == [[], [*range(1, 11)], [*range(11, 21)]]
    assert np.shares_memory(given[1].words, parts[0].words)
    assert len(reorder) == 10


def test_an_instant_is_never_cut_apart() -> None:
    reorder = Reorder(4)
    starts = [[1, 2, 3, 3], [3, 4, 4, 5], [5, 5, 6, 7], [7, 8, 9, 10]]
    given = []
    for n, part in enumerate(starts):
        reorder.push(calls([(start, 9 - k, None, None, 0) for k, start in enumerate(part)], 4 * n))
        given.append(reorder.ready(NEVER))
    given.append(reorder.flush())
    assert [part.start.tolist() for part in given] == [
        [],
        [1, 2],
        [3, 3, 3, 4, 4],
        [5, 5, 5, 6],
        [7, 7, 8, 9, 10],
    ]
    for one in given:
        assert (np.diff(one.key)[np.diff(one.start) == 0] > 0).all()
    assert reorder.moved == reorder.repeated == 0


def test_what_repeated_rows_know_does_not_depend_on_when_they_came() -> None:
    rows: list[Row] = [(5, 1, 8, None, 0), (5, 1, None, 6, 0), (5, 1, 7, None, 0)]
    for cut in range(3):
        assert (
            plain(feed([*rows, (9, 1, None, None, 0), (9, 2, None, None, 0)], 1, [cut]).given_out[-1])[-1][0]
            == 9
        )
        fed = feed(rows, 1, [cut])
        assert plain(join([no_calls(), *fed.given_out])) == model(rows)


def test_rows_are_folded_whatever_they_know() -> None:
    early: Row = (5, 1, None, None, 0)
    whole: Row = (5, 1, 7, 9, 16)
    odd: Row = (5, 1, None, 6, 19)  # over before it was answered elsewhere
    for rows in ([early, whole], [whole, early]):
        assert plain(feed(rows, 10, []).given_out[-1]) == plain(calls([whole]))
    both = feed([odd, (5, 1, 8, None, 0)], 10, []).given_out[-1]
    assert both.end.tolist() == [8], "an end never comes before the answer"


@given(st.lists(st.none() | st.text(max_size=5)), st.integers(0, 3))
def test_texts_are_packed_and_unpacked(texts: list[str | None], cut: int) -> None:
    column = pa.array(texts, pa.string())[cut:]
    assert unpack_texts(pack_texts(column)).equals(column)


@pytest.mark.parametrize("window", [0, -3])
def test_the_smallest_window(window: int) -> None:
    assert Reorder(window).window == 1
    assert not len(Reorder(window).flush())
