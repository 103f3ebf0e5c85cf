"""Calls as whole columns of integers: what the engine works on."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

NEVER: Final = np.iinfo(np.int64).max
"""The time of what has not happened: no answer, or still up."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Calls:
    """Call attempts, one a row.

    Attributes:
        start: int64 µs since 1970 (UTC), set-up.
        answer: the same, or NEVER: not answered.
        end: the same, or NEVER: still up.
        caller: number as in `model.numbers`; 0: withheld.
        callee: number, never 0.
        key: names the call: a hash of its id, or of what it consists of where it has none; never 0.
        words: int64[n, 4], hashes of trunk, caller_device, callee_device, callee_cell; 0: null.
        codes: int16[n, 4], cause (Q.850), and the codes of released_by, ingress, attestation; 0: null.
        origin: where the row comes from, for messages (file and row, packed by the reader).
        ids: the ids as text (null where the source has none).
    """

    start: Ints
    answer: Ints
    end: Ints
    caller: Ints
    callee: Ints
    key: Ints
    words: Ints
    codes: npt.NDArray[np.int16]
    origin: Ints
    ids: pa.Array

    def __len__(self) -> int:
        return len(self.start)

    def take(self, index: Ints) -> "Calls":
        """The rows at `index` (int64), in that order."""
        columns = {name: getattr(self, name)[index] for name in COLUMNS}
        return Calls(**columns, ids=self.ids.take(pa.array(index)))

    def slice(self, first: int, last: int) -> "Calls":
        """The rows from `first` up to `last`, not copied."""
        columns = {name: getattr(self, name)[first:last] for name in COLUMNS}
        return Calls(**columns, ids=self.ids[first:last])


COLUMNS: Final = ("start", "answer", "end", "caller", "callee", "key", "words", "codes", "origin")
"""The NumPy columns of `Calls`, in order."""


def join(parts: list[Calls]) -> Calls:
    """Put batches behind one another."""
    if len(parts) == 1:
        return parts[0]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
    return Calls(**columns, ids=pa.concat_arrays([part.ids for part in parts]))


def no_calls() -> Calls:
    """An empty batch."""
    empty = np.zeros(0, np.int64)
    words, codes = np.zeros((0, 4), np.int64), np.zeros((0, 4), np.int16)
    return Calls(empty, empty, empty, empty, empty, empty, words, codes, empty, pa.array([], pa.string()))


def pack_texts(texts: pa.Array) -> dict[str, npt.NDArray[Any]]:
    """A text column as arrays of numbers, for a snapshot: all bytes, where each text ends, and which are not null."""
    if not len(texts):
        return {"bytes": np.zeros(0, np.uint8), "ends": np.zeros(0, np.int64), "valid": np.zeros(0, np.bool_)}
    wide = texts.cast(pa.large_string())
    _, offsets, data = wide.buffers()
    ends = np.frombuffer(offsets, np.int64)[wide.offset : wide.offset + len(wide) + 1]
    whole = np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8)
    return {
        "bytes": whole[ends[0] : ends[-1]],
        "ends": ends[1:] - ends[0],
        "valid": np.asarray(texts.is_valid()),
    }


def unpack_texts(arrays: dict[str, npt.NDArray[Any]]) -> pa.Array:
    """The text column that `pack_texts` took apart."""
    ends = np.concatenate([[0], arrays["ends"]]).astype(np.int64)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(arrays["bytes"]))]
    texts = pa.Array.from_buffers(pa.large_string(), len(ends) - 1, buffers)
    return pc.if_else(pa.array(arrays["valid"]), texts, None).cast(pa.string())
