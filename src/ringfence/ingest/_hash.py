"""Text to 64 bits: names of calls, devices, cells and trunks become keys of fixed size.

Eight bytes at a time, each mixed in by a step that can be undone (so texts of up to eight bytes never collide), then the
steps of SplitMix64 (Steele, Lea, Flood 2014), so that every bit of the hash depends on every bit of the text. The hash
is the same in every run, because a scan may be resumed. It is no secret: whoever chooses a text may find another with the same hash,
and gains what he would gain by sending the same text twice.
"""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from ringfence.compiled import borrowed, entry, jit
from ringfence.ingest import _buffers
from ringfence.ingest._buffers import is_null

Ints = npt.NDArray[np.int64]
_Number = TypeVar("_Number", bound=np.generic)

_SEED, _STEP = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_U8, _U27, _U30, _U31, _U32 = (np.uint64(places) for places in (8, 27, 30, 31, 32))


@intrinsic  # type: ignore[untyped-decorator]
def _eight(typing: Any, data: types.Array, at: types.Integer) -> Any:
    """The eight bytes from `at` on as one integer; they must lie within the array."""
    del typing

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = context.cast(builder, arguments[1], signature.args[1], types.intp)
        byte = builder.gep(view.data, [place])
        word = builder.load(builder.bitcast(byte, ir.IntType(64).as_pointer()))
        word.align = 1
        return word

    return types.uint64(data, at), code


@jit
def stirred(value: np.uint64, more: np.uint64) -> np.uint64:
    """Mix eight bytes more into a value."""
    value = (value ^ more) * _STEP
    return value ^ (value >> _U32)


@jit
def finished(value: np.uint64) -> int:
    """Return the hash, never 0."""
    value = (value ^ (value >> _U30)) * _MIX_1
    value = (value ^ (value >> _U27)) * _MIX_2
    value ^= value >> _U31
    return np.int64(value) if value != 0 else np.int64(1)  # type: ignore[return-value]


@jit
def _hash(data: npt.NDArray[np.uint8], at: int, end: int) -> int:
    size = end - at
    value = _SEED ^ np.uint64(size)
    if size >= 8:
        while end - at > 8:
            value = stirred(value, _eight(data, at))
            at += 8
        return finished(stirred(value, _eight(data, end - 8)))  # some bytes twice; the size is mixed in
    word = np.uint64(0)
    for i in range(at, end):
        word = word << _U8 | np.uint64(data[i])
    return finished(stirred(value, word))


@entry
def _hash_all(
    data: npt.NDArray[np.uint8],
    ends: npt.NDArray[np.int32],
    bits: npt.NDArray[np.uint8],
    first: int,
    out: Ints,
) -> None:
    data, bits = borrowed(data), borrowed(bits)
    for row in range(out.size):
        at: int = ends[row] + 0  # as a 64-bit integer
        end: int = ends[row + 1] + 0
        out[row] = 0 if at == end or is_null(bits, first + row) else _hash(data, at, end)


@entry
def _spread(
    values: Any, places: npt.NDArray[np.int32], bits: npt.NDArray[np.uint8], first: int, out: Any
) -> None:
    bits = borrowed(bits)
    for row in range(out.size):
        place = values.size - 1 if is_null(bits, first + row) else places[row]
        out[row] = values[place]


def spread(values: npt.NDArray[_Number], column: pa.DictionaryArray) -> npt.NDArray[_Number]:
    """Return for each row of a dictionary column what belongs to its value; 0 where it is null."""
    places = column.indices.cast(pa.int32())
    out = np.empty(len(column), values.dtype)
    _spread(
        np.append(values, values.dtype.type(0)),
        _buffers.fixed(places, np.int32),
        *_buffers.present(places),
        out,
    )
    return out


def hash_words(column: pa.Array) -> Ints:
    """Hash a column of text, or a dictionary of text; null and empty give 0, nothing else does."""
    if isinstance(column, pa.DictionaryArray):
        return spread(hash_words(column.dictionary), column)
    if column.null_count == len(column):
        return np.zeros(len(column), np.int64)
    out = np.empty(len(column), np.int64)
    _hash_all(*_buffers.text(column), *_buffers.present(column), out)
    return out
