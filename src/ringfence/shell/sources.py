"""The files of a scan, read side by side in the order of their times."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow.compute as pc

from ringfence.ingest.format import Chunk, Format, Rejected, Settings, UnreadableError, formats, recognise
from ringfence.shell.files import head, open_input

KEPT_ROWS = 1_000
"""A file of up to so many rows is kept in memory once it has been looked at, a larger one is opened again when its time has come."""

UNREAD = -1


@dataclass(slots=True)
class Source:
    """A file, and how far it has been read.

    Attributes:
        frontier: µs, the latest set-up read so far; before the first chunk, the earliest of that chunk.
        chunks: chunks given out.
        broken: why the file could not be read to its end.
    """

    path: Path
    format: Format
    settings: Settings
    size: int
    frontier: int = UNREAD
    chunks: int = 0
    rows: int = 0
    calls: int = 0
    rejected: int = 0
    finished: bool = False
    broken: str | None = None
    _skip: int = 0
    _stream: BinaryIO | None = None
    _reader: Iterator[Chunk] | None = None
    _kept: list[Chunk] = field(default_factory=list)

    def look(self) -> None:
        """Find out when the file begins, without holding it open."""
        reader = self._chunks()
        first = next(reader, None)
        if first is None or len(first.rows) > KEPT_ROWS:
            self._close()
        else:
            second = next(reader, None)
            self._kept = [first] if second is None else []
            self._close()
        self.broken = None
        times = (
            first.records.column(0)
            if first is None or first.table != "calls"
            else first.records["start_time"]
        )
        self.frontier = _earliest(times) if first is not None else 0

    def next(self) -> Chunk | None:
        """The next chunk; None at the end."""
        if self._kept:
            chunk = self._kept.pop(0)
            self.finished = True
        else:
            self._reader = self._reader or self._chunks()
            for _ in range(self._skip):
                next(self._reader, None)
            self._skip = 0
            following = next(self._reader, None)
            if following is None:
                self.finished = True
                self._close()
                return None
            chunk = following
        self.chunks += 1
        self.rows += chunk.read
        self.rejected += len(chunk.rejected)
        return chunk

    def position(self) -> int:
        """Bytes of the file read so far, about."""
        if self.finished:
            return self.size
        if self._stream is None:
            return 0
        raw = getattr(self._stream, "file", self._stream)
        try:
            return int(raw.tell())
        except (OSError, ValueError):
            return 0

    def _chunks(self) -> Iterator[Chunk]:
        try:
            self._stream = open_input(self.path)
            yield from self.format.read(self._stream, self.settings)
        except UnreadableError as error:
            self.broken = str(error)

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = self._reader = None

    def as_json(self) -> dict[str, Any]:
        """The state, for a snapshot."""
        names = ("frontier", "chunks", "rows", "calls", "rejected", "finished", "broken")
        return {name: getattr(self, name) for name in names}

    def restore(self, state: dict[str, Any]) -> None:
        """Take the state of a snapshot: what was read then is skipped."""
        for name, value in state.items():
            setattr(self, name, value)
        self._skip = self.chunks
        if self._skip:
            self._kept = []

    def signature(self) -> list[Any]:
        """What tells whether the file is still the same."""
        status = self.path.stat()
        return [str(self.path), status.st_size, status.st_mtime_ns]


def _earliest(times: Any) -> int:
    earliest = pc.min(times).cast("int64").as_py()
    return int(earliest) if earliest is not None else 0


def open_sources(paths: list[Path], name: str | None, settings: Settings) -> list[Source]:
    """Recognise every file.

    Raises:
        UnreadableError: one cannot be opened, or its format is not known.
    """
    sources = []
    for path in paths:
        try:
            fmt = formats()[name] if name else recognise(head(path))
        except UnreadableError as error:
            raise UnreadableError(str(error) if str(path) in str(error) else f"{path}: {error}") from error
        sources.append(Source(path, fmt, settings, path.stat().st_size))
    return sources


class Merge:
    """Takes chunks from the file that is furthest behind."""

    def __init__(self, sources: list[Source]) -> None:
        self.sources = sources
        if len(sources) > 1:
            for source in sources:
                if source.frontier == UNREAD:
                    source.look()

    def safe(self) -> int:
        """µs: what is still to be read begins about here or later."""
        left = [source.frontier for source in self.sources if not source.finished]
        return min(left) if left else 2**62

    def next(self) -> tuple[int, Chunk] | None:
        """The next chunk and the place of its file; None when all are read."""
        while True:
            left = [(s.frontier, place) for place, s in enumerate(self.sources) if not s.finished]
            if not left:
                return None
            place = min(left)[1]
            chunk = self.sources[place].next()
            if chunk is not None:
                return place, chunk

    def advance(self, place: int, latest: int) -> None:
        """Note the latest set-up read from a file."""
        self.sources[place].frontier = max(self.sources[place].frontier, latest)


def rejected_row(source: Source, rejected: Rejected) -> dict[str, Any]:
    """A line of rejected.jsonl."""
    return {"file": str(source.path), "row": rejected.row, "reason": rejected.reason}
