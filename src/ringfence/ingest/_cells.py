"""A column of text as byte ranges of a buffer, and what can be made of it in one compiled pass.

A reader of text finds where the fields lie; nothing is copied until the kind of a column is known. An Arrow text column
is the same thing already: a buffer and offsets.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.compiled import borrowed, entry
from ringfence.ingest import _buffers
from ringfence.ingest._buffers import is_null
from ringfence.ingest._digits import digit

NULL = -1  # `first` of a cell that is not there
UNFIT = -2  # `first` of a cell that is there but is neither text nor a number (an object, a truth value)


@dataclass(frozen=True, slots=True)
class Cells:
    """One column: cell i is `data[first[i]:last[i]]`.

    Attributes:
        data: uint8, valid UTF-8 within each cell.
        first: int64, or `NULL` or `UNFIT`.
        last: int64.
    """

    data: npt.NDArray[np.uint8]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.first.size

    def only(self, keep: npt.NDArray[np.bool_]) -> "Cells":
        """Return the rows where `keep` is true."""
        return Cells(self.data, self.first[keep], self.last[keep])


def from_arrow(array: pa.Array) -> Cells:
    """Return the cells of an Arrow text or binary column (valid UTF-8 is the caller's care)."""
    kind = (
        pa.large_binary()
        if pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
        else pa.binary()
    )
    array = array.cast(kind)
    _, offsets, data = array.buffers()
    width: type[np.int64 | np.int32] = np.int64 if kind == pa.large_binary() else np.int32
    if len(array) == 0:
        return Cells(np.zeros(0, np.uint8), np.zeros(0, np.int64), np.zeros(0, np.int64))
    ends = np.frombuffer(offsets, width)[array.offset : array.offset + len(array) + 1].astype(np.int64)
    first, last = ends[:-1], ends[1:]
    if array.null_count:
        first = np.where(np.asarray(array.is_null()), NULL, first)
    return Cells(np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8), first, last)


@entry
def _measure(
    data: npt.NDArray[np.uint8],
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
    begin: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int32],
) -> int:
    total = 0
    for row in range(first.size):
        i, end = first[row], last[row]
        if i < 0:
            i = end = 0
        while i < end and data[i] in (32, 9):
            i += 1
        while end > i and data[end - 1] in (32, 9):
            end -= 1
        begin[row] = i
        total += end - i
        offsets[row + 1] = total
    return total


@entry
def _gather(
    data: npt.NDArray[np.uint8],
    begin: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int32],
    out: npt.NDArray[np.uint8],
) -> None:
    data, out = borrowed(data), borrowed(out)  # the compiler gives it its first argument
    for row in range(begin.size):
        size = offsets[row + 1] - offsets[row]
        source = data[begin[row] : begin[row] + size]
        target = out[offsets[row] : offsets[row + 1]]
        for i in range(size):
            target[i] = source[i]


def text(cells: Cells) -> pa.Array:
    """Return the column as Arrow text, without blanks around it; an empty cell is null."""
    size = len(cells)
    begin = np.empty(size, np.int64)
    offsets = np.zeros(
        size + 1, np.int32
    )  # a block is a few MiB, a batch of a table is made small: no overflow
    total = _measure(cells.data, cells.first, cells.last, begin, offsets)
    out = np.empty(total, np.uint8)
    _gather(cells.data, begin, offsets, out)
    filled = offsets[1:] > offsets[:-1]
    valid = None if filled.all() else pa.py_buffer(np.packbits(filled, bitorder="little"))
    return pa.Array.from_buffers(pa.string(), size, [valid, pa.py_buffer(offsets), pa.py_buffer(out)])


@entry
def _is_tidy(
    data: npt.NDArray[np.uint8], ends: npt.NDArray[np.int32], bits: npt.NDArray[np.uint8], first: int
) -> bool:
    data, bits = borrowed(data), borrowed(bits)
    for row in range(ends.size - 1):
        i, end = ends[row], ends[row + 1]
        if is_null(bits, first + row):
            continue
        if i == end or data[i] in (32, 9) or data[end - 1] in (32, 9):
            return False
    return True


def is_tidy(column: pa.Array) -> bool:
    """Return whether no text of a string column is empty or has blanks around it: `text` would change nothing."""
    return _is_tidy(*_buffers.text(column), *_buffers.present(column))


ABSENT, GOOD, BAD = 0, 1, 2  # what `scaled` says of a cell


@entry
def _scaled(
    data: npt.NDArray[np.uint8],
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
    places: int,
    values: npt.NDArray[np.int64],
    status: npt.NDArray[np.uint8],
) -> None:
    scale = 10**places
    for row in range(first.size):
        i, end = first[row], last[row]
        values[row] = 0
        status[row] = 0
        if i < 0:
            status[row] = 2 if i == -2 else 0
            continue
        while i < end and data[i] in (32, 9):
            i += 1
        while end > i and data[end - 1] in (32, 9):
            end -= 1
        if i == end:
            continue
        status[row] = 2
        negative = data[i] == 45
        if negative or data[i] == 43:
            i += 1
        whole = 0
        digits = 0
        while i < end and 48 <= data[i] <= 57 and digits < 20:
            whole = whole * 10 + digit(data, i)
            if whole > 9_000_000_000_000_000_000 // scale // 10:
                digits = 20
                break
            digits += 1
            i += 1
        if digits in (0, 20):
            continue
        value = whole * scale
        if i < end and data[i] == 46:
            i += 1
            unit = scale
            while i < end and 48 <= data[i] <= 57:
                unit //= 10  # digits beyond the last place are cut off
                value += digit(data, i) * unit
                i += 1
        if i == end:
            values[row] = -value if negative else value
            status[row] = 1


def scaled(cells: Cells, places: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Read decimal numbers as integers of 10^-`places`; further digits are cut off.

    Returns:
        The numbers (int64; 0 where there is none) and for each `ABSENT`, `GOOD` or `BAD`.
    """
    values = np.empty(len(cells), np.int64)
    status = np.empty(len(cells), np.uint8)
    _scaled(cells.data, cells.first, cells.last, places, values, status)
    return values, status


def matches(column: pa.Array, words: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Return for each cell of a text column its place in `words`, from 0; -1: null; len(words): none of them."""
    place = pc.index_in(column, value_set=pa.array(words, pa.string()))
    found = _buffers.fixed(pc.fill_null(place, len(words)), np.int32).astype(np.int64)
    if column.null_count:
        found[np.asarray(column.is_null())] = -1
    return found
