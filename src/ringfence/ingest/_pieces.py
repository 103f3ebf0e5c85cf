"""Any text format while it is written: whole lines in, the chunks of those lines out.

Where a record is a line (all CSV formats, JSON Lines, FreeSWITCH's JSON one a line), the format's own reader reads every piece
as a small file; line numbers go on. Kamailio's accounting needs to remember calls between pieces: `_acc_lines`.

Of FreeSWITCH's JSON, a B leg is dropped only if its A leg is in the same piece; otherwise it comes with the A leg's call_id.
"""

import io
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa

from ringfence.ingest._acc_lines import FAILURE_HOLD, AccLines, is_acc
from ringfence.ingest.format import SCHEMAS, Chunk, Rejected, Settings, UnreadableError, formats

BINARY: Final = frozenset({"arrow_ipc", "parquet"})
"""Formats whose files are read whole: they have no lines."""


class Pieces(Protocol):
    """What reads a source's lines piece by piece."""

    def feed(self, data: bytes, head: bytes = b"") -> list[Chunk]:
        """Take in whole lines of a file whose first line is `head` (if the format has a header); returns what they give."""

    def advance(self, until: int) -> list[Chunk]:
        """Let log time go on to `until` (µs) without lines; returns what had waited for it."""

    def as_json(self) -> dict[str, Any]:
        """The state, for a snapshot."""

    def restore(self, state: dict[str, Any]) -> None:
        """Take the state of a snapshot."""


def pieces(name: str, settings: Settings, failure_hold: int = FAILURE_HOLD) -> Pieces:
    """Return a reader of a format's lines.

    Args:
        name: of the format.
        settings: country, zone and mapping, as for a file.
        failure_hold: µs, see `AccLines`; other formats do not use it.

    Raises:
        UnreadableError: there is no such format, it has no lines, or the zone is not known.
    """
    if name not in formats() or name in BINARY:
        raise UnreadableError(f"{name}: is no format that can be read line by line")
    return AccLines(name, settings, failure_hold) if is_acc(name) else PieceReader(name, settings)


def has_header(name: str, settings: Settings) -> bool:
    """Return whether the first line of a file of this format names its columns."""
    if name == "mapped_csv":
        try:
            return tomllib.loads(settings.mapping or "").get("header", True) is not False
        except tomllib.TOMLDecodeError:
            return True
    return name == "csv_table"


class PieceReader:
    """Lines of a format whose records are lines. Its only state is how many lines there were."""

    def __init__(self, name: str, settings: Settings) -> None:
        self._format = formats()[name]
        self._settings = settings
        self._lines = 0

    def feed(self, data: bytes, head: bytes = b"") -> list[Chunk]:
        """Take in whole lines; see `Pieces`. A piece that cannot be read at all is one of rejected lines."""
        # A header, or a blank line in its place, so that the bytes of a caller never stand first, where they could be
        # taken for another encoding.
        begin = head.rstrip(b"\r\n") + b"\n"
        try:
            read = list(self._format.read(io.BytesIO(begin + data), self._settings))
            found = [self._moved(chunk) for chunk in read]
        except UnreadableError as error:
            found = [self._refused(data, str(error))]
        self._lines += data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
        return found

    def advance(self, until: int) -> list[Chunk]:
        """Nothing waits here."""
        del until
        return []

    def as_json(self) -> dict[str, Any]:
        """The state, for a snapshot."""
        return {"row": self._lines}

    def restore(self, state: dict[str, Any]) -> None:
        """Take the state of a snapshot."""
        self._lines = int(state["row"])

    def _moved(self, chunk: Chunk) -> Chunk:
        by = self._lines - 1
        rejected = tuple(Rejected(each.row + by, each.reason) for each in chunk.rejected)
        return replace(chunk, rows=chunk.rows + by, rejected=rejected)

    def _refused(self, data: bytes, reason: str) -> Chunk:
        rejected = tuple(Rejected(self._lines + row, reason) for row in _rows_in(data))
        nothing = pa.RecordBatch.from_pylist([], schema=SCHEMAS["calls"])
        return Chunk(nothing, np.zeros(0, np.int64), len(rejected), rejected=rejected)


def _rows_in(data: bytes) -> Iterator[int]:
    return (row for row, line in enumerate(data.split(b"\n"), 1) if line.strip())
