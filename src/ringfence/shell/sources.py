"""The files of a scan, read side by side in the order of their times."""

import heapq
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from ringfence.ingest._buffers import fixed
from ringfence.ingest.format import Chunk, Format, Rejected, Settings, UnreadableError, formats, recognise
from ringfence.shell.files import head, open_input

KEPT_ROWS: Final = 1_000
"""A file of up to so many rows is read whole when it is looked at, so that it need not stay open."""

AHEAD_ROWS: Final = 1 << 20
"""Rows of all files that are kept from looking at them; files beyond that are read again when their time has come."""

AHEAD_FILES: Final = 64
"""Files that stay open after they were looked at."""

UNREAD: Final = -1


class Nothing:
    """The format of an empty file, such as a log that was just rotated: no rows."""

    NAME = "empty"
    TITLE = "An empty file"

    @staticmethod
    def sniff(head: bytes) -> int:
        """Return 100 for nothing at all."""
        return 0 if head else 100

    @staticmethod
    def read(stream: BinaryIO, settings: Settings) -> Iterator[Chunk]:
        """Yield nothing."""
        del stream, settings
        yield from ()


@dataclass(slots=True)
class Source:
    """A file, and how far it has been read.

    Attributes:
        size: bytes on disk; signature: tells whether the file is still the same.
        frontier: µs, rows still to be read begin about there or later: the median set-up of the newest chunk (one row
            with a clock far ahead must not move it); before the first chunk, the earliest of that chunk.
        chunks: chunks given out; largest: rows of the largest; latest: µs, the last set-up in the newest.
        rows: rows used up; calls, ignored, rejected: what became of them.
        broken: why the file could not be read to its end.
    """

    path: Path
    format: Format
    settings: Settings
    size: int = 0
    signature: list[Any] = field(default_factory=list)
    frontier: int = UNREAD
    chunks: int = 0
    largest: int = 0
    latest: int = 0
    rows: int = 0
    calls: int = 0
    ignored: int = 0
    rejected: int = 0
    finished: bool = False
    broken: str | None = None
    _skip: int = 0
    _stream: BinaryIO | None = None
    _reader: Iterator[Chunk] | None = None
    _ahead: list[Chunk] = field(default_factory=list)
    _coming: "Future[Chunk | None] | None" = None
    _position: int = 0

    @property
    def name(self) -> str:
        """The path as text that can be written anywhere (a file name need not be UTF-8)."""
        return name_of(self.path)

    @property
    def open(self) -> bool:
        """Whether the file is held open."""
        return self._stream is not None

    def look(self) -> int:
        """Find out when the file begins; returns how many rows are kept for it."""
        first = self._read()
        self.frontier = 0
        if first is not None:
            self._ahead.append(first)
            if len(first.rows):
                self.frontier = int(_times(first).min())
            if first.read <= KEPT_ROWS and (second := self._read()) is not None:
                self._ahead.append(second)
        return sum(chunk.read for chunk in self._ahead)

    def put_back(self) -> None:
        """Forget what was looked at."""
        self._ahead.clear()
        self._close()
        self.broken = None

    def read_on(self, pool: ThreadPoolExecutor) -> None:
        """Begin to read the next chunk meanwhile: decompressing leaves the other processor free to judge."""
        if not (self._ahead or self._coming or self.finished):
            self._coming = pool.submit(self._read)

    def _chunk(self) -> Chunk | None:
        if self._ahead:
            return self._ahead.pop(0)
        coming, self._coming = self._coming, None
        return coming.result() if coming else self._read()

    def next(self) -> Chunk | None:
        """The next chunk; None at the end."""
        chunk = self._chunk()
        self._position = self._tell()
        if chunk is None:
            self.finished = True
            return None
        self.chunks += 1
        self.largest = max(self.largest, len(chunk.rows))
        self.rows += chunk.read
        self.ignored += chunk.ignored + (len(chunk.rows) if chunk.table != "calls" else 0)
        if len(chunk.rows):
            times = _times(chunk)
            self.latest = int(times.max())
            self.frontier = max(self.frontier, _median(times))
        return chunk

    def position(self) -> int:
        """Bytes of the file (as it lies on disk) that the chunks given out so far take, about."""
        return self.size if self.finished else self._position

    def _tell(self) -> int:
        if self._stream is None:
            return self._position
        raw = getattr(self._stream, "file", self._stream)
        try:
            return min(int(raw.tell()), self.size)
        except (OSError, ValueError):
            return 0

    def _read(self) -> Chunk | None:
        if self._reader is None:
            self._reader = self._chunks()
            for _ in range(self._skip):
                next(self._reader, None)
        chunk = next(self._reader, None)
        if chunk is None:
            self._close_stream()  # the reader stays: it is at its end
        return chunk

    def _chunks(self) -> Iterator[Chunk]:
        try:
            self._stream = open_input(self.path)
            yield from self.format.read(self._stream, self.settings)
        except (UnreadableError, OSError) as error:
            self.broken = _said(self.path, error)

    def _close_stream(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    def _close(self) -> None:
        self._reader = None
        self._close_stream()

    def close(self) -> None:
        """Let go of the file, which nobody may be reading any more."""
        self._coming = None
        self._close()

    def as_json(self) -> dict[str, Any]:
        """The state, for a snapshot."""
        return {name: getattr(self, name) for name in _STATE}

    def restore(self, state: dict[str, Any]) -> None:
        """Take the state of a snapshot: what was read then is skipped."""
        for name in _STATE:
            setattr(self, name, state[name])
        self._skip = self.chunks


_STATE: Final = (
    "frontier", "chunks", "largest", "latest", "rows", "calls", "ignored", "rejected", "finished", "broken",
)  # fmt: skip


def _times(chunk: Chunk) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The times of a chunk's rows, µs."""
    name = "start_time" if chunk.table == "calls" else "time"
    return fixed(chunk.columns[name], np.int64)


def _median(times: np.ndarray[Any, np.dtype[np.int64]]) -> int:
    """The upper median; nearly all chunks are in order already."""
    middle = len(times) // 2
    in_order = bool((times[1:] >= times[:-1]).all())
    return int(times[middle] if in_order else np.partition(times, middle)[middle])


def name_of(path: Path) -> str:
    """A path as text that can be written anywhere."""
    return os.fsencode(path).decode("utf-8", "replace")


def _said(path: Path, error: Exception) -> str:
    """An error as one line that names the file."""
    text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    name = name_of(path)
    text = text.replace(str(path), name)
    return text if name in text else f"{name}: {text}"


def open_sources(paths: list[Path], name: str | None, settings: Settings) -> list[Source]:
    """Recognise every file; one that cannot be opened is told of as broken, an empty one has no rows.

    Args:
        paths: the files.
        name: of the format of all of them; None: each is recognised by its content.
        settings: for the readers.

    Raises:
        UnreadableError: the format of a file is not known.
    """
    return [_open_source(path, name, settings) for path in paths]


def _open_source(path: Path, name: str | None, settings: Settings) -> Source:
    try:
        begun = head(path)
        status = path.stat()
    except (UnreadableError, OSError) as error:
        return Source(path, Nothing(), settings, finished=True, broken=_said(path, error), frontier=0)
    try:
        fmt = (formats()[name] if name else recognise(begun, settings)) if begun else Nothing()
    except UnreadableError as error:
        raise UnreadableError(_said(path, error)) from error
    signature = [str(path), status.st_size, status.st_mtime_ns]
    return Source(path, fmt, settings, status.st_size, signature)


class Merge:
    """Takes chunks from the file that is furthest behind.

    Attributes:
        done: bytes of all files read so far, about.
    """

    def __init__(self, sources: list[Source]) -> None:
        self.sources = sources
        self._pool = ThreadPoolExecutor(1, "reader")
        if len(sources) > 1:
            self._look()
        self.done = sum(source.position() for source in sources)
        self._left = [(source.frontier, place) for place, source in enumerate(sources) if not source.finished]
        heapq.heapify(self._left)
        self._ended = [source for source in sources if source.finished]

    def _look(self) -> None:
        rows = files = 0
        for source in self.sources:
            if source.frontier != UNREAD:
                continue
            kept = source.look()
            if rows + kept > AHEAD_ROWS or (source.open and files == AHEAD_FILES):
                source.put_back()
            else:
                rows += kept
                files += source.open

    def safe(self) -> int:
        """µs: what is still to be read begins about here or later."""
        return self._left[0][0] if self._left else 2**62

    def slack(self) -> int:
        """Rows that may have been read beyond `safe` where every file is in order: a file's last two chunks."""
        safe = self.safe()
        self._ended = [source for source in self._ended if source.latest >= safe]
        places = (self.sources[place] for _, place in self._left)
        return sum(2 * source.largest for source in (*places, *self._ended))

    def next(self) -> tuple[int, Chunk] | None:
        """The next chunk and the place of its file; None when all are read."""
        while self._left:
            place = self._left[0][1]
            source = self.sources[place]
            before = source.position()
            chunk = source.next()
            self.done += source.position() - before
            if chunk is None:
                heapq.heappop(self._left)
                self._ended.append(source)
                continue
            heapq.heapreplace(self._left, (source.frontier, place))
            self.sources[self._left[0][1]].read_on(self._pool)
            return place, chunk
        return None

    def close(self) -> None:
        """Let go of all files."""
        self._pool.shutdown()
        for source in self.sources:
            source.close()


def rejected_row(source: Source, rejected: Rejected) -> dict[str, Any]:
    """A line of rejected.jsonl."""
    return {"file": source.name, "row": rejected.row, "reason": rejected.reason}
