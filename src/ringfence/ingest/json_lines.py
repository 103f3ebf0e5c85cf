"""JSON Lines with the contract's names: one object a line, calls, texts or transfers.

The first line that has the names of a table's required columns decides which table it is (`caller` may be left out where
it is withheld). Unknown names are ignored at any depth, missing optional ones are null; of a name given twice in one
object the last counts, as in Python and JavaScript. Text and numbers are both taken for telephone numbers, times
(RFC 3339 text, or a count since 1970) and codes; a truth value, array or object is not. A line that is no JSON object is
rejected. Times are told in `_timestamps`, repairs and rejections in `_rows`.
"""

import json
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from ringfence.compiled import borrowed, entry, jit
from ringfence.ingest._cells import NULL, Cells
from ringfence.ingest._digits import digit
from ringfence.ingest._lines import Block, blocks
from ringfence.ingest._rows import REQUIRED, Column, Source, table
from ringfence.ingest.format import SCHEMAS, Chunk, Rejected, Settings, UnreadableError

NAME = "json_lines"
TITLE = "JSON Lines, with the names of calls, texts or transfers"

_NEEDED = {
    name: tuple(column for column in columns if column != "caller") for name, columns in REQUIRED.items()
}
_DEPTH = 60  # of nested arrays and objects: one bit each in the scanner's stack


@jit
def _string(data: npt.NDArray[np.uint8], i: int, end: int) -> tuple[int, int]:
    """Read the JSON string whose text begins at i, taking escapes out in place.

    Returns:
        Where its text ends now, and the place after the closing mark; the latter -1: it is no string.
    """
    write = i
    high = 0  # the first half of a surrogate pair
    while i < end:
        byte = data[i]
        if byte == 34:
            return write, (i + 1 if high == 0 else -1)
        if byte < 32:
            return write, -1
        if byte != 92:
            if high:
                return write, -1
            data[write] = byte
            write += 1
            i += 1
            continue
        if i + 1 >= end:
            return write, -1
        kind = data[i + 1]
        i += 2
        if kind != 117:
            if high:
                return write, -1
            if kind in (34, 92, 47):
                plain = kind
            elif kind == 98:
                plain = np.uint8(8)
            elif kind == 102:
                plain = np.uint8(12)
            elif kind == 110:
                plain = np.uint8(10)
            elif kind == 114:
                plain = np.uint8(13)
            elif kind == 116:
                plain = np.uint8(9)
            else:
                return write, -1
            data[write] = plain
            write += 1
            continue
        if i + 4 > end:
            return write, -1
        code = 0
        for k in range(i, i + 4):
            four = digit(data, k)
            if four > 9:
                four = ((four + 48) | 32) - 87
                if four < 10:
                    return write, -1
            if four < 0 or four > 15:
                return write, -1
            code = code * 16 + four
        i += 4
        if high:
            if code < 0xDC00 or code > 0xDFFF:
                return write, -1
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
            high = 0
        elif 0xD800 <= code <= 0xDBFF:
            high = code
            continue
        elif 0xDC00 <= code <= 0xDFFF:
            return write, -1
        # UTF-8 is never longer than the escape it stands for, so writing stays behind reading.
        if code < 0x80:
            data[write] = code
            write += 1
        elif code < 0x800:
            data[write] = 0xC0 | code >> 6
            data[write + 1] = 0x80 | code & 0x3F
            write += 2
        elif code < 0x10000:
            data[write] = 0xE0 | code >> 12
            data[write + 1] = 0x80 | code >> 6 & 0x3F
            data[write + 2] = 0x80 | code & 0x3F
            write += 3
        else:
            data[write] = 0xF0 | code >> 18
            data[write + 1] = 0x80 | code >> 12 & 0x3F
            data[write + 2] = 0x80 | code >> 6 & 0x3F
            data[write + 3] = 0x80 | code & 0x3F
            write += 4
    return write, -1


@jit
def _digits(data: npt.NDArray[np.uint8], i: int, end: int) -> int:
    while i < end and 48 <= data[i] <= 57:
        i += 1
    return i


@jit
def _number(data: npt.NDArray[np.uint8], i: int, end: int) -> int:
    """Return the place after the JSON number at i, or -1."""
    if i < end and data[i] == 45:
        i += 1
    start = i
    i = _digits(data, i, end)
    if i == start or (data[start] == 48 and i > start + 1):
        return -1
    if i < end and data[i] == 46:
        start = i + 1
        i = _digits(data, start, end)
        if i == start:
            return -1
    if i < end and data[i] | 32 == 101:
        i += 1
        if i < end and data[i] in (43, 45):
            i += 1
        start = i
        i = _digits(data, i, end)
        if i == start:
            return -1
    return i


@jit
def _word(data: npt.NDArray[np.uint8], i: int, end: int, word: npt.NDArray[np.uint8]) -> int:
    if i + word.size > end:
        return -1
    for k in range(word.size):
        if data[i + k] != word[k]:
            return -1
    return i + word.size


@jit
def _blanks(data: npt.NDArray[np.uint8], i: int, end: int) -> int:
    while i < end and data[i] in (32, 9, 13):
        i += 1
    return i


_TRUE, _FALSE, _NONE = (np.frombuffer(word, np.uint8) for word in (b"true", b"false", b"null"))


@jit
def _scalar(data: npt.NDArray[np.uint8], i: int, end: int) -> tuple[int, int, int]:
    """Read the string, number or word at i: its first, its last (first -1: null, -2: a truth value), the place after (-1: none)."""
    byte = data[i]
    if byte == 34:
        stop, after = _string(data, i + 1, end)
        return i + 1, stop, after
    if byte == 45 or 48 <= byte <= 57:
        after = _number(data, i, end)
        return i, after, after
    if byte == 110:
        return -1, 0, _word(data, i, end, _NONE)
    return -2, 0, _word(data, i, end, _TRUE if byte == 116 else _FALSE)


@jit
def _nested(data: npt.NDArray[np.uint8], i: int, end: int) -> int:
    """Return the place after the array or object at i, or -1; its strings are unescaped on the way, which harms nothing."""
    stack, depth = 0, 0  # a bit for each level: 1 is an object
    fresh = False  # nothing stands in this level yet
    value = True  # a value is due
    while True:
        i = _blanks(data, i, end)
        if i >= end:
            return -1
        byte = data[i]
        if value:
            if byte in (91, 123):
                if depth == _DEPTH:
                    return -1
                stack = stack << 1 | (1 if byte == 123 else 0)
                depth += 1
                fresh = True
                i += 1
                value = byte == 91
                if value:
                    j = _blanks(data, i, end)
                    if j < end and data[j] == 93:  # an empty array
                        value = False
                        i = j
                continue
            _, _, i = _scalar(data, i, end)
            if i < 0:
                return -1
            value = fresh = False
        elif byte == (125 if stack & 1 else 93):
            i += 1
            stack >>= 1
            depth -= 1
            fresh = False
            if depth == 0:
                return i
            continue
        elif fresh or byte == 44:
            if not fresh:
                i += 1
            fresh = False
            if stack & 1:
                i = _blanks(data, i, end)
                if i >= end or data[i] != 34:
                    return -1
                _, i = _string(data, i + 1, end)
                if i < 0:
                    return -1
                i = _blanks(data, i, end)
                if i >= end or data[i] != 58:
                    return -1
                i += 1
            value = True
        else:
            return -1


@entry
def _scan(
    data: npt.NDArray[np.uint8],
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
    names: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    begin: npt.NDArray[np.int64],
    finish: npt.NDArray[np.int64],
    good: npt.NDArray[np.bool_],
) -> None:
    data = borrowed(data)  # the compiler gives it its first argument
    columns = offsets.size - 1
    for row in range(first.size):
        good[row] = False
        end = last[row]
        i = _blanks(data, first[row], end)
        if i >= end or data[i] != 123:
            continue
        i = _blanks(data, i + 1, end)
        guess = 0  # writers keep the order of names: look first where the last one was found
        if i < end and data[i] == 125:
            good[row] = _blanks(data, i + 1, end) == end
            continue
        while True:
            if i >= end or data[i] != 34:
                break
            start = i + 1
            stop, i = _string(data, start, end)
            if i < 0:
                break
            i = _blanks(data, i, end)
            if i >= end or data[i] != 58:
                break
            i = _blanks(data, i + 1, end)
            if i >= end:
                break
            if data[i] in (91, 123):
                value, value_end = -2, 0
                i = _nested(data, i, end)
            else:
                value, value_end, i = _scalar(data, i, end)
            if i < 0:
                break
            for step in range(columns):
                column = (guess + step) % columns
                if offsets[column + 1] - offsets[column] != stop - start:
                    continue
                same = True
                for k in range(stop - start):
                    if data[start + k] != names[offsets[column] + k]:
                        same = False
                        break
                if same:
                    begin[column, row] = value
                    finish[column, row] = value_end
                    guess = column + 1
                    break
            i = _blanks(data, i, end)
            if i >= end:
                break
            if data[i] == 125:
                good[row] = _blanks(data, i + 1, end) == end
                break
            if data[i] != 44:
                break
            i = _blanks(data, i + 1, end)


def _table_of(line: bytes) -> str | None:
    """Return the table one line is of, None if it does not tell."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    return next(
        (name for name, needed in _NEEDED.items() if all(column in record for column in needed)), None
    )


def sniff(head: bytes) -> int:
    """Return 95 if the first line is an object with the names of a table's required columns."""
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 64)
    first = next((line for line in lines if line.strip()), b"")
    return 95 if first.lstrip()[:1] == b"{" and _table_of(first) else 0


def _decide(block: Block) -> str:
    for start, stop in zip(block.first, block.last, strict=True):
        name = _table_of(block.data[start:stop].tobytes())
        if name is not None:
            return name
    raise UnreadableError(
        "no line is a JSON object with the names of calls (start_time, callee, caller), texts (time, recipient)"
        " or transfers (time, subscriber)"
    )


def read(stream: BinaryIO, settings: Settings) -> Iterator[Chunk]:
    """Yield a chunk for each 4 MiB of lines.

    Raises:
        UnreadableError: none of the first 4 MiB of lines tells which table this is; or the stream broke.
    """
    name: str | None = None
    for block in blocks(stream):
        name = name or _decide(block)
        fields = SCHEMAS[name].names
        size = block.first.size
        begin = np.full((len(fields), size), NULL, np.int64)
        finish = np.zeros((len(fields), size), np.int64)
        good = np.empty(size, np.bool_)
        names = np.frombuffer("".join(fields).encode(), np.uint8)
        offsets = np.cumsum([0, *map(len, fields)])
        _scan(block.data, block.first, block.last, names, offsets, begin, finish, good)
        rows, rejected = block.rows, block.rejected
        cells = [Cells(block.data, begin[k], finish[k]) for k in range(len(fields))]
        if not good.all():
            rejected += tuple(
                Rejected(int(rows[i]), "the line is not one JSON object") for i in np.flatnonzero(~good)
            )
            rows = rows[good]
            cells = [column.only(good) for column in cells]
        columns: dict[str, Column] = dict(zip(fields, cells, strict=True))
        yield table(name, columns, Source(rows, block.read, rejected), settings)
