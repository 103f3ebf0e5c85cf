"""From rows to integers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.ingest._hash import hash_words
from ringfence.ingest.format import Chunk, Rejected
from ringfence.ingest.normalise import ID_CHARS, ROW_BITS, calls_of
from ringfence.model.calls import COLUMNS, NEVER, Calls
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


@given(st.lists(st.none() | st.text(max_size=30)), st.integers(0, 4))
def test_words_are_hashed_alike_wherever_they_stand(words: list[str | None], cut: int) -> None:
    column = pa.array(words, pa.string())
    hashes = hash_words(column)
    assert ((hashes == 0) == np.array([not word for word in words], bool)).all()
    assert hash_words(column[cut:]).tolist() == hashes[cut:].tolist()
    assert hash_words(column.dictionary_encode()[cut:]).tolist() == hashes[cut:].tolist()
    assert len(set(hashes.tolist())) == len({word or "" for word in words})


@given(st.text("ab", min_size=1, max_size=40), st.data())
def test_a_hash_depends_on_every_byte_and_on_nothing_else(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(word) - 1))
    other = word[:place] + "c" + word[place + 1 :]
    hashes = hash_words(pa.array(["x" * place, word, other, word + "a", "b" + word]))
    assert len(set(hashes.tolist())) == 5
    assert hash_words(pa.array([word])).tolist() == [hashes[1]]


def test_hashes_stay_the_same_from_run_to_run() -> None:
    words = ["t1", "8 bytes!", "86138000000010123", ""]
    assert hash_words(pa.array(words)).tolist() == [
        3754360028908352858, -4134105762415088477, -2333210318621616579, 0,
    ]  # fmt: skip


def test_hashes_are_spread_over_all_bits() -> None:
    hashes = hash_words(pa.array([f"{n:016x}" for n in range(4096)])).view(np.uint64)
    for shift in (0, 26, 52):
        assert len(np.unique(hashes >> np.uint64(shift) & np.uint64(4095))) > 2400, "of 4096 (1 - 1/e) = 2589"


TEXTS = (
    "call_id",
    "caller",
    "callee",
    "released_by",
    "ingress",
    "trunk",
    "attestation",
    "caller_device",
    "callee_cell",
)


def test_a_dictionary_is_the_same_as_its_text() -> None:
    rows = [
        ROW | {"call_id": f"c{n}", "caller": None if n % 3 else "110", "trunk": None if n % 2 else "t"}
        for n in range(9)
    ]
    batch = pa.RecordBatch.from_pylist(rows, CALLS)
    coded = pa.RecordBatch.from_arrays(
        [batch[name].dictionary_encode() if name in TEXTS else batch[name] for name in batch.schema.names],
        batch.schema.names,
    )
    both = []
    for columns in (batch, coded, coded.slice(3)):
        chunk = Chunk(columns, np.arange(9)[9 - len(columns) :], len(columns))
        assert chunk.records.schema == CALLS
        calls, rejected = calls_of(chunk, 0, NumberPlan.of("CN"), Names())
        assert not rejected
        both.append([*(getattr(calls, name).tolist() for name in COLUMNS), calls.ids.to_pylist()])
    assert both[0] == both[1]
    assert [column[3:] for column in both[0]] == both[2]


@pytest.mark.parametrize("rows", [0, 1, 70_000])
def test_any_size(rows: int) -> None:
    batch = pa.RecordBatch.from_pylist([ROW], CALLS).take(pa.array(np.zeros(rows, np.int64)))
    calls, rejected = calls_of(Chunk(batch, np.arange(rows), rows), 0, NumberPlan.of("CN"), Names())
    assert len(calls) == rows
    assert not rejected
