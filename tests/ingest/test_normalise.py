"""From rows to integers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.ingest.format import Chunk, Rejected
from ringfence.ingest.normalise import ID_CHARS, ROW_BITS, calls_of, hash_words
from ringfence.model.calls import NEVER, Calls
from ringfence.model.numbers import Names, NumberPlan, to_text
from ringfence.model.tables import CALLS

START = datetime(2026, 3, 5, 2, 11, 9, 120_000, UTC)
ROW: dict[str, Any] = {
    "call_id": "c1", "start_time": START, "answer_time": START + timedelta(seconds=5), "end_time": None,
    "caller": "010-62770001", "callee": "13800000001", "cause": 16, "released_by": "callee", "ingress": "international",
    "trunk": "t1", "attestation": "B", "caller_device": "d1", "callee_device": None, "callee_cell": "",
}  # fmt: skip


def convert(rows: list[dict[str, Any]], file: int = 0) -> tuple[Calls, list[Rejected], Names]:
    batch = pa.RecordBatch.from_pylist([ROW | row for row in rows], CALLS)
    names = Names()
    calls, rejected = calls_of(
        Chunk(batch, np.arange(11, 11 + len(rows)), len(rows)), file, NumberPlan.of("CN"), names
    )
    return calls, rejected, names


def test_every_column() -> None:
    calls, rejected, names = convert([{}], file=3)
    assert not rejected
    assert calls.start.tolist() == [1_772_676_669_120_000]
    assert calls.answer.tolist() == [1_772_676_674_120_000]
    assert calls.end.tolist() == [NEVER]
    assert to_text(int(calls.caller[0]), names) == "+861062770001"
    assert to_text(int(calls.callee[0]), names) == "+8613800000001"
    assert calls.codes.tolist() == [[16, 2, 3, 2]]
    assert (calls.words[0] != 0).tolist() == [True, True, False, False]
    assert calls.origin.tolist() == [(3 << ROW_BITS) | 11]
    assert calls.ids.to_pylist() == ["c1"]


def test_what_is_null() -> None:
    nothing = dict.fromkeys(ROW) | {"start_time": START, "callee": "110"}
    calls, _, _ = convert([nothing])
    assert calls.answer.tolist() == calls.end.tolist() == [NEVER]
    assert calls.caller.tolist() == [0]
    assert calls.codes.tolist() == [[0] * 4]
    assert calls.words.tolist() == [[0] * 4]
    assert calls.key[0] != 0
    assert calls.ids.to_pylist() == [None]
    assert len(convert([])[0]) == 0


def test_no_called_number_is_put_aside() -> None:
    calls, rejected, _ = convert([{}, {"callee": "anonymous"}, {"callee": " "}, {"call_id": "c9"}])
    assert [row.row for row in rejected] == [12, 13]
    assert {row.reason for row in rejected} == {"no called number"}
    assert calls.ids.to_pylist() == ["c1", "c9"]
    assert calls.origin.tolist() == [11, 14]


CHANGES: list[dict[str, Any]] = [
    {"call_id": "c2"}, {"call_id": None}, {"start_time": START + timedelta(microseconds=1)}, {"caller": "13800000009"},
    {"caller": None}, {"callee": "13800000002"},
]  # fmt: skip


def test_the_key_tells_calls_apart() -> None:
    calls, _, _ = convert([{}, *CHANGES])
    assert len(set(calls.key.tolist())) == len(CHANGES) + 1
    same, _, _ = convert(
        [{}, {"answer_time": None, "cause": None, "trunk": None, "callee": "+86 138 0000 0001"}], file=2
    )
    assert set(same.key.tolist()) == {int(calls.key[0])}


def test_a_long_id_is_cut_but_tells_calls_apart() -> None:
    calls, _, _ = convert([{"call_id": "呼" * 5000}, {"call_id": "呼" * 4999}])
    assert calls.ids.to_pylist() == ["呼" * ID_CHARS] * 2
    assert len(set(calls.key.tolist())) == 2


@given(st.lists(st.none() | st.text(max_size=8)), st.integers(0, 4))
def test_words_are_hashed_alike_wherever_they_stand(words: list[str | None], cut: int) -> None:
    column = pa.array(words, pa.string())
    hashes = hash_words(column)
    assert ((hashes == 0) == np.array([not word for word in words], bool)).all()
    assert hash_words(column[cut:]).tolist() == hashes[cut:].tolist()
    assert len(set(hashes.tolist())) == len({word or "" for word in words})


@pytest.mark.parametrize("rows", [0, 1, 70_000])
def test_any_size(rows: int) -> None:
    batch = pa.RecordBatch.from_pylist([ROW], CALLS).take(pa.array(np.zeros(rows, np.int64)))
    calls, rejected = calls_of(Chunk(batch, np.arange(rows), rows), 0, NumberPlan.of("CN"), Names())
    assert len(calls) == rows
    assert not rejected
