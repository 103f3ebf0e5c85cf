"""Lines of separated values to columns of cells, in one compiled pass.

A field is plain, or begins with a quotation mark (blanks before it are skipped) and ends with one; a doubled mark inside
stands for one. A quotation mark within a plain field is an ordinary character. Nothing reaches over the end of a line:
a line whose quotation is not closed, or that has text after a closed one, or the wrong number of columns, is rejected
and the next one is read as if nothing had happened.

(`pyarrow.csv` is not used: it gives no row numbers for what it drops, and one bad byte fails its whole block.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ringfence.compiled import borrowed, entry
from ringfence.ingest._cells import NULL, Cells
from ringfence.ingest._lines import Block
from ringfence.ingest.format import Rejected, UnreadableError


@dataclass(frozen=True, slots=True)
class Split:
    """The wanted columns of a block.

    Attributes:
        columns: one for each wanted column; a cell the line does not reach is null.
        counts: int64, how many columns each good line has.
        rows: int64, their numbers in the file.
        rejected: lines put aside so far.
        read: how many lines these are.
    """

    columns: tuple[Cells, ...]
    counts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    rejected: tuple[Rejected, ...]
    read: int


@entry
def _split(
    data: npt.NDArray[np.uint8],
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
    delimiter: int,
    slots: npt.NDArray[np.int64],
    begin: npt.NDArray[np.int64],
    finish: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
) -> None:
    # counts: columns of the line; -1: a quotation is not closed, -2: there is text after one
    data = borrowed(data)  # the compiler gives it its first argument
    for row in range(first.size):
        base = first[row]
        line = data[
            base : last[row]
        ]  # places counted from 0 are quicker: the compiler sees that none is negative
        i, end = 0, line.size
        column = 0
        while True:
            start = i
            while start < end and line[start] == 32:
                start += 1
            if start < end and line[start] == 34:
                start += 1
                i = start
                while i < end and line[i] != 34:
                    i += 1
                write = i
                closed = False
                while i < end:
                    byte = line[i]
                    if byte == 34:
                        if i + 1 < end and line[i + 1] == 34:
                            i += 1
                        else:
                            closed = True
                            i += 1
                            break
                    line[write] = byte  # the field is closed up in place: it only gets shorter
                    write += 1
                    i += 1
                if not closed:
                    column = -1
                    break
                while i < end and line[i] == 32 and delimiter != 32:
                    i += 1
                if i < end and line[i] != delimiter:
                    column = -2
                    break
                stop = write
            else:
                start = i
                while i < end and line[i] != delimiter:
                    i += 1
                stop = i
            if column < slots.size and slots[column] >= 0:
                begin[slots[column], row] = base + start
                finish[slots[column], row] = base + stop
            column += 1
            if i >= end:
                break
            i += 1
        counts[row] = column


def _reason(count: int, least: int, most: int) -> str:
    if count == -1:
        return "a quotation mark is not closed on its line"
    if count == -2:
        return "there is text after a closing quotation mark"
    due = str(least) if least == most else f"{least} to {most}"
    return f"the line has {count} columns, not {due}"


def split(block: Block, delimiter: str, wanted: Sequence[int], least: int, most: int) -> Split:
    """Split a block's lines (whose bytes may be changed by it).

    Args:
        block: whole lines.
        delimiter: one ASCII character.
        wanted: the columns to give back, from 0, each at most once.
        least: how many columns a line must have.
        most: how many it may have.
    """
    size = block.first.size
    slots = np.full(max(wanted, default=0) + 1, -1, np.int64)
    slots[list(wanted)] = np.arange(len(wanted))
    begin = np.full((len(wanted), size), NULL, np.int64)
    finish = np.zeros((len(wanted), size), np.int64)
    counts = np.empty(size, np.int64)
    _split(block.data, block.first, block.last, ord(delimiter), slots, begin, finish, counts)
    columns = tuple(Cells(block.data, begin[k], finish[k]) for k in range(len(wanted)))
    good = (counts >= least) & (counts <= most)
    if good.all():
        return Split(columns, counts, block.rows, block.rejected, block.read)
    bad = np.flatnonzero(~good)
    rejected = tuple(Rejected(int(block.rows[i]), _reason(int(counts[i]), least, most)) for i in bad)
    return Split(
        tuple(column.only(good) for column in columns),
        counts[good],
        block.rows[good],
        block.rejected + rejected,
        block.read,
    )


def fields(line: bytes, delimiter: str) -> list[str]:
    """Return the fields of one line, without blanks around them; empty if its quotation is broken."""
    data = np.frombuffer(bytearray(line), np.uint8)
    most = line.count(delimiter.encode()) + 1
    begin, finish = np.zeros((2, most, 1), np.int64)
    counts = np.empty(1, np.int64)
    ends = np.array([data.size])
    _split(data, np.zeros(1, np.int64), ends, ord(delimiter), np.arange(most), begin, finish, counts)
    raw = data.tobytes()
    return [
        raw[begin[k, 0] : finish[k, 0]].decode(errors="replace").strip() for k in range(max(counts[0], 0))
    ]


def take_header(block: Block) -> tuple[bytes, Block]:
    """Return the first line of a file's first block, and the block without it.

    Raises:
        UnreadableError: the first line cannot be read.
    """
    if block.first.size == 0 or any(bad.row < block.rows[0] for bad in block.rejected):
        raise UnreadableError("the header line cannot be read; it must be UTF-8 text with the columns' names")
    line = block.data[block.first[0] : block.last[0]].tobytes()
    return line, Block(
        block.data, block.first[1:], block.last[1:], block.rows[1:], block.rejected, block.read - 1
    )
