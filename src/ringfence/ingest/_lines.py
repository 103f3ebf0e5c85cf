"""A stream of bytes as blocks of whole physical lines.

A record of a text format is one physical line: a line that is damaged costs that record and no other. A line ends with
LF or CR LF (and at the end of the file). Lines with nothing but blanks, tabs and CR are skipped, and counted only in
the line numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from ringfence.compiled import entry, jit
from ringfence.ingest.format import Rejected, UnreadableError

# Some 30,000 calls: what a block costs by itself vanishes, and what was read is still in the processor's cache.
BLOCK_BYTES = 4 << 20
LINE_BYTES = 1 << 20

_GOOD, _BLANK, _LONG, _NUL, _NOT_UTF8 = range(5)
_REASONS = {
    _LONG: "the line is longer than 1 MiB",
    _NUL: "the line has a NUL byte",
    _NOT_UTF8: "the line is not UTF-8 text",
}


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that follow each other.

    Attributes:
        data: uint8, the bytes; parsers may write into it (to take escapes out in place).
        first: int64, where each good line begins in `data`.
        last: int64, where it ends, without its line end.
        rows: int64, the number of each good line in the file, from 1.
        rejected: lines that are no text or too long.
        read: how many lines these are, good and rejected, without blank ones.
    """

    data: npt.NDArray[np.uint8]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    rejected: tuple[Rejected, ...]
    read: int


@jit
def _is_utf8(data: npt.NDArray[np.uint8], i: int, end: int) -> bool:
    # The ranges are those of RFC 3629: no surrogates, nothing over U+10FFFF, no longer form than needed.
    while i < end:
        byte = data[i]
        if byte < 0x80:
            i += 1
            continue
        low, high = 0x80, 0xBF
        if 0xC2 <= byte <= 0xDF:
            more = 1
        elif 0xE0 <= byte <= 0xEF:
            more = 2
            if byte == 0xE0:
                low = 0xA0
            elif byte == 0xED:
                high = 0x9F
        elif 0xF0 <= byte <= 0xF4:
            more = 3
            if byte == 0xF0:
                low = 0x90
            elif byte == 0xF4:
                high = 0x8F
        else:
            return False
        if i + more >= end:
            return False
        if data[i + 1] < low or data[i + 1] > high:
            return False
        for k in range(2, more + 1):
            if data[i + k] & 0xC0 != 0x80:
                return False
        i += more + 1
    return True


@entry
def _judge(
    data: npt.NDArray[np.uint8],
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
    longest: int,
    plain: bool,
    verdict: npt.NDArray[np.uint8],
) -> None:
    for row in range(first.size):
        if last[row] > first[row] and data[last[row] - 1] == 13:
            last[row] -= 1
        if last[row] - first[row] > longest:
            verdict[row] = 2
            continue
        i = first[row]
        while i < last[row] and data[i] in (32, 9, 13):
            i += 1
        if i == last[row]:
            verdict[row] = 1
        elif not plain:
            for k in range(i, last[row]):
                if data[k] == 0:
                    verdict[row] = 3
                    break
            if verdict[row] == 0 and not _is_utf8(data, first[row], last[row]):
                verdict[row] = 4


def _block(buffer: bytearray, row: int) -> tuple[Block, int]:
    """Return the block in a buffer of whole lines whose first is line `row`, and the number of the line after it."""
    data = np.frombuffer(buffer, np.uint8)
    last = np.flatnonzero(data == 10)
    if data[-1] != 10:
        last = np.append(last, data.size)
    first = np.concatenate((np.zeros(1, np.int64), last[:-1] + 1))
    if row == 1 and buffer.startswith(b"\xef\xbb\xbf"):
        first[0] = 3
    verdict = np.zeros(first.size, np.uint8)
    plain = bool(
        data.min() > 0 and data.max() < 128
    )  # nearly always; asked of the whole block, which is quick
    _judge(data, first, last, LINE_BYTES, plain, verdict)
    rows = np.arange(row, row + first.size)
    good = verdict == _GOOD
    bad = np.flatnonzero(verdict > _BLANK)
    rejected = tuple(Rejected(int(rows[i]), _REASONS[int(verdict[i])]) for i in bad)
    after = row + first.size
    if not good.all():
        first, last, rows = first[good], last[good], rows[good]
    return Block(data, first, last, rows, rejected, first.size + len(rejected)), after


def blocks(stream: BinaryIO) -> Iterator[Block]:
    """Yield a stream's lines in blocks of about 4 MiB; how the stream portions its bytes makes no difference.

    A line of more than 1 MiB is rejected, and only its beginning is ever held.

    Raises:
        UnreadableError: the text is UTF-16 or UTF-32, or the stream broke; the whole lines before the break are yielded first.
    """
    row = 1
    held = bytearray()
    skipping = False  # in the middle of a line too long, of which enough is held already
    broken: UnreadableError | None = None
    ended = False
    while not ended:
        while len(held) < BLOCK_BYTES:
            try:
                piece = stream.read(BLOCK_BYTES - len(held))
            except UnreadableError as error:
                broken = error
            except (OSError, EOFError) as error:
                broken = UnreadableError(
                    f"the file cannot be read on after line {row + held.count(10) - 1}: {error}"
                )
            if broken or not piece:
                ended = True
                break
            if skipping:
                newline = piece.find(b"\n")
                if newline < 0:
                    continue
                piece = piece[newline:]
                skipping = False
            held += piece
        if row == 1 and bytes(held[:2]) in {b"\xff\xfe", b"\xfe\xff"}:
            raise UnreadableError("the text is UTF-16; save it as UTF-8")
        whole = len(held) if ended and not broken else held.rfind(b"\n") + 1
        rest = held[whole:]
        del held[whole:]
        if held:
            block, row = _block(held, row)
            if block.read:
                yield block
        if len(rest) > LINE_BYTES + 1:  # the one byte more is for the CR of a line end
            del rest[LINE_BYTES + 2 :]
            skipping = True
        held = rest
    if broken:
        raise broken
