"""Arrow columns as the arrays they lie in, for compiled code: no copy, no pass over the rows."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.compiled import jit

_U3 = np.uint64(3)
Bytes = npt.NDArray[np.uint8]


class Present(NamedTuple):
    """Which rows of a column are not null.

    Attributes:
        bits: uint8, bit n & 7 of byte n >> 3 for row n - first; empty: no row is null.
        first: the bit of the first row.
    """

    bits: Bytes
    first: int


@jit
def is_null(bits: Bytes, bit: int) -> bool:
    """Return whether the row of a bit is null; see `Present`."""
    return bits.size > 0 and bits[np.uint64(bit) >> _U3] >> (bit & 7) & 1 == 0


def present(column: pa.Array) -> Present:
    """Return which rows of a column are not null."""
    bits = column.buffers()[0]
    if bits is None or column.null_count == 0:
        return Present(_array(None, np.uint8), 0)
    return Present(_array(bits, np.uint8), column.offset)


def fixed(column: pa.Array, kind: type[Any]) -> npt.NDArray[Any]:
    """Return the values of a column of fixed width; those of null rows mean nothing."""
    return _array(column.buffers()[1], kind)[column.offset : column.offset + len(column)]


def text(column: pa.Array) -> tuple[Bytes, npt.NDArray[np.int32]]:
    """Return the bytes of a string column, and (n + 1,) where its rows begin and end."""
    _, offsets, data = column.buffers()
    if len(column) == 0:
        return _array(data, np.uint8), np.zeros(1, np.int32)
    return _array(data, np.uint8), _array(offsets, np.int32)[column.offset : column.offset + len(column) + 1]


def dictionary(places: pa.Array, values: pa.Array) -> pa.DictionaryArray:
    """Return a dictionary column whose places were those of another with as many values: they need no check."""
    return pa.DictionaryArray.from_arrays(places, values, safe=False)


def _array(buffer: pa.Buffer | None, kind: type[Any]) -> npt.NDArray[Any]:
    # Always read-only, so that compiled code is compiled once only.
    array = (
        np.zeros(0, kind)
        if buffer is None
        else np.frombuffer(buffer, kind, buffer.size // np.dtype(kind).itemsize)
    )
    array.flags.writeable = False
    return array
