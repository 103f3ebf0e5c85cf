"""CSV with a header that has the contract's names: calls, texts or transfers.

The delimiter (comma, semicolon, tab or bar) is the one with which the header makes sense. Columns may come in any order;
unknown ones are ignored, missing optional ones are null; an empty cell is null. A record is one physical line: a quoted
line end is not possible. Quotation is told in `_csv`, times in `_timestamps`, repairs and rejections in `_rows`.
"""

from collections.abc import Iterator
from typing import BinaryIO

from ringfence.ingest import _csv
from ringfence.ingest._lines import Block, blocks
from ringfence.ingest._rows import Source, table, which
from ringfence.ingest.format import SCHEMAS, Chunk, Settings, UnreadableError

NAME = "csv_table"
TITLE = "CSV with a header, with the columns of calls, texts or transfers"

_DELIMITERS = ",;\t|"


def _header(line: bytes) -> tuple[str, list[str], str] | None:
    """Return table, column names and delimiter of a header line; None if it is none of ours."""
    for delimiter in _DELIMITERS:
        names = _csv.fields(line, delimiter)
        name = which(set(names))
        if name is not None:
            return name, names, delimiter
    return None


def sniff(head: bytes) -> int:
    """Return 100 if the first line has the names of a table's required columns."""
    first = next((line for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 64) if line.strip()), b"")
    return 100 if _header(first.rstrip(b"\r")) else 0


def read(stream: BinaryIO, settings: Settings) -> Iterator[Chunk]:
    """Yield a chunk for each 4 MiB of lines.

    Raises:
        UnreadableError: the header has not the names needed, or a name twice; or the stream broke.
    """
    known: tuple[str, list[str], list[int], int, str] | None = None
    for block in blocks(stream):
        lines: Block = block
        if known is None:
            line, lines = _csv.take_header(block)
            header = _header(line)
            if header is None:
                raise UnreadableError(
                    "the header has not the columns of calls (start_time, caller, callee), texts (time, recipient)"
                    " or transfers (time, subscriber); name another --format or give a mapping"
                )
            name, names, delimiter = header
            fields = [field for field in SCHEMAS[name].names if field in names]
            double = next((field for field in fields if names.count(field) > 1), None)
            if double is not None:
                raise UnreadableError(f"the header has the column {double!r} twice")
            known = name, fields, [names.index(field) for field in fields], len(names), delimiter
        name, fields, places, count, delimiter = known
        split = _csv.split(lines, delimiter, places, count, count)
        columns = dict(zip(fields, split.columns, strict=True))
        yield table(name, columns, Source(split.rows, split.read, split.rejected), settings)
    if known is None:
        raise UnreadableError("the file is empty; a table needs a header at least")
