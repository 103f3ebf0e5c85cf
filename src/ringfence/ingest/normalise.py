"""From rows as a reader gives them to calls as the engine takes them: numbers, times and words become integers."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.compiled import entry
from ringfence.ingest.format import Chunk, Rejected
from ringfence.model.calls import NEVER, Calls, Ints
from ringfence.model.numbers import Names, NumberPlan
from ringfence.model.tables import ATTESTATION, INGRESS, RELEASED_BY

ROW_BITS = 40
"""An origin is file << ROW_BITS | row."""


ID_CHARS = 128
"""Characters kept of a call's id: it names the call in alerts, and whoever rings may choose it."""


@entry
def _hash_text(offsets: npt.NDArray[np.int32], data: npt.NDArray[np.uint8], out: Ints) -> None:
    """FNV-1a (Fowler, Noll, Vo) of each string; empty strings stay 0."""
    for i in range(len(out)):
        if offsets[i] == offsets[i + 1]:
            continue
        h = np.uint64(0xCBF29CE484222325)
        for j in range(offsets[i], offsets[i + 1]):
            h = (h ^ np.uint64(data[j])) * np.uint64(0x100000001B3)
        h ^= h >> np.uint64(32)
        out[i] = np.int64(h) if h != 0 else 1


@entry
def _mix(columns: Ints, out: Ints) -> None:
    """One non-zero hash of a row of integers (steps of SplitMix64, Steele 2014)."""
    for i in range(len(out)):
        h = np.uint64(0x9E3779B97F4A7C15)
        for k in range(columns.shape[1]):
            h ^= np.uint64(columns[i, k])
            h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            h ^= h >> np.uint64(31)
        out[i] = np.int64(h) if h != 0 else 1


def hash_words(column: pa.Array) -> Ints:
    """Hash a string column; null and empty give 0."""
    out = np.zeros(len(column), np.int64)
    if column.null_count == len(column):
        return out
    column = pc.fill_null(column, "")
    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]
    data = column.buffers()[2]
    _hash_text(offsets, np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8), out)
    return out


def _micros(column: pa.Array) -> Ints:
    return np.asarray(pc.fill_null(column.cast(pa.int64()), NEVER), np.int64)


def _code(column: pa.Array, words: Sequence[str]) -> npt.NDArray[np.int16]:
    """The place of each word in its vocabulary, from 1; 0: null or none of them."""
    if column.null_count == len(column):
        return np.zeros(len(column), np.int16)
    index = pc.index_in(column, pa.array(words))
    return np.asarray(pc.fill_null(index, -1), np.int16) + np.int16(1)


def _short(ids: pa.Array) -> pa.Array:
    longest = pc.max(pc.binary_length(ids)).as_py() or 0
    return ids if longest <= ID_CHARS else pc.utf8_slice_codeunits(ids, 0, ID_CHARS)


def calls_of(chunk: Chunk, file: int, plan: NumberPlan, names: Names) -> tuple[Calls, list[Rejected]]:
    """Turn the calls of a chunk into integers.

    Args:
        chunk: a chunk of the table `calls`.
        file: number of the file, for the origin.
        plan: how numbers are written where no country is shown.
        names: takes the text of names that do not fit into an integer.

    Returns:
        The calls, in the order of the file, and the rows without a usable called number.
    """
    batch = chunk.records
    callee = plan.parse(batch["callee"], names)
    usable = callee != 0
    rejected = [Rejected(int(row), "no called number") for row in chunk.rows[~usable]]
    rows = chunk.rows
    if rejected:
        batch = batch.filter(pa.array(usable))
        callee, rows = callee[usable], rows[usable]
    caller = plan.parse(batch["caller"], names)
    start = _micros(batch["start_time"])
    columns = ("trunk", "caller_device", "callee_device", "callee_cell")
    words = np.column_stack([hash_words(batch[name]) for name in columns])
    codes = np.column_stack(
        [
            np.asarray(pc.fill_null(batch["cause"], 0), np.int16),
            _code(batch["released_by"], RELEASED_BY),
            _code(batch["ingress"], INGRESS),
            _code(batch["attestation"], ATTESTATION),
        ]
    )
    key = np.zeros(len(start), np.int64)
    _mix(np.column_stack([hash_words(batch["call_id"]), start, caller, callee]), key)
    origin = (np.int64(file) << ROW_BITS) | rows
    calls = Calls(
        start, _micros(batch["answer_time"]), _micros(batch["end_time"]), caller, callee, key, words, codes, origin,
        _short(batch["call_id"]),
    )  # fmt: skip
    return calls, rejected
