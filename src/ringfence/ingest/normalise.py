"""From rows as a reader gives them to calls as the engine takes them: numbers, times and words become integers."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.compiled import borrowed, entry
from ringfence.ingest import _buffers
from ringfence.ingest._buffers import is_null
from ringfence.ingest._hash import finished, hash_words, spread, stirred
from ringfence.ingest.format import Chunk, Rejected
from ringfence.model.calls import NEVER, Calls, Ints
from ringfence.model.numbers import Names, NumberPlan
from ringfence.model.tables import ATTESTATION, INGRESS, RELEASED_BY

ROW_BITS = 40
"""An origin is file << ROW_BITS | row."""


ID_CHARS = 128
"""Characters kept of a call's id: it names the call in alerts, and whoever rings may choose it."""


@entry
def _keys(ids: Ints, start: Ints, caller: Ints, callee: Ints) -> Ints:
    """One non-zero hash of each row."""
    out = np.empty(start.size, np.int64)
    for i in range(out.size):
        h = stirred(np.uint64(ids[i]), np.uint64(start[i]))
        h = stirred(h, np.uint64(caller[i]))
        out[i] = finished(stirred(h, np.uint64(callee[i])))
    return out


@entry
def _filled(values: Ints, bits: npt.NDArray[np.uint8], first: int, instead: int) -> Ints:
    """The values, and `instead` where the row is null."""
    bits = borrowed(bits)
    out = np.empty(values.size, np.int64)
    for i in range(out.size):
        value = values[i]  # read in any case: nulls come too irregularly to be guessed
        out[i] = instead if is_null(bits, first + i) else value
    return out


def _micros(column: pa.Array) -> Ints:
    return _filled(_buffers.fixed(column, np.int64), *_buffers.present(column), NEVER)


def _code(column: pa.Array, words: Sequence[str]) -> npt.NDArray[np.int16]:
    """The place of each word in its vocabulary, from 1; 0: null or none of them."""
    if isinstance(column, pa.DictionaryArray):
        return spread(_code(column.dictionary, words), column)
    if column.null_count == len(column):
        return np.zeros(len(column), np.int16)
    index = pc.fill_null(pc.index_in(column, pa.array(words, pa.string())), -1)
    return _buffers.fixed(index, np.int32).astype(np.int16) + np.int16(1)


def _plain(ids: pa.Array) -> pa.Array:
    return ids.dictionary_decode() if isinstance(ids, pa.DictionaryArray) else ids


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
    batch = chunk.columns
    callee = plan.parse(batch["callee"], names)
    rejected: list[Rejected] = []
    rows = chunk.rows
    if not callee.all():
        usable = callee != 0
        rejected = [Rejected(int(row), "no called number") for row in rows[~usable]]
        batch = batch.filter(pa.array(usable))
        callee, rows = callee[usable], rows[usable]
    caller = plan.parse(batch["caller"], names)
    start = _micros(batch["start_time"])
    words = np.empty((len(start), 4), np.int64)
    for place, name in enumerate(("trunk", "caller_device", "callee_device", "callee_cell")):
        words[:, place] = hash_words(batch[name])
    codes = np.empty((len(start), 4), np.int16)
    codes[:, 0] = _buffers.fixed(pc.fill_null(batch["cause"], 0), np.int16)
    codes[:, 1] = _code(batch["released_by"], RELEASED_BY)
    codes[:, 2] = _code(batch["ingress"], INGRESS)
    codes[:, 3] = _code(batch["attestation"], ATTESTATION)
    ids = _plain(batch["call_id"])
    key = _keys(hash_words(ids), start, caller, callee)
    origin = (np.int64(file) << ROW_BITS) | rows
    calls = Calls(
        start, _micros(batch["answer_time"]), _micros(batch["end_time"]), caller, callee, key, words, codes, origin,
        _short(ids),
    )  # fmt: skip
    return calls, rejected
