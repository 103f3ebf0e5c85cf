"""Files as streams of what is in them: plain, gzip or Zstandard, told by their first bytes."""

import io
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from ringfence.ingest.format import HEAD_BYTES, UnreadableError

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"  # after a byte 0x50 to 0x5f (RFC 8878, 3.1.2)
_PIECE = 256 * 1024


class _Stream(io.BufferedIOBase):
    """A readable stream made of pieces; at a break everything before it is handed out first, then the error is raised."""

    def __init__(self, file: io.BufferedReader, name: str) -> None:
        super().__init__()
        self.file, self.name = file, name
        self.held = b""
        self.total = 0
        self.broken: UnreadableError | None = None
        self.ended = False

    def next_piece(self) -> bytes:
        """Return more decompressed bytes; none at the end."""
        raise NotImplementedError

    def fail(self, kind: str, what: str) -> UnreadableError:
        return UnreadableError(
            f"{self.name}: the {kind} stream {what} after {self.total} decompressed bytes; copy or make the file again"
        )

    def _fill(self) -> None:
        while not self.held and not self.ended and self.broken is None:
            try:
                self.held = self.next_piece()
            except UnreadableError as error:
                self.broken = error
            else:
                self.ended = not self.held
                self.total += len(self.held)
        if not self.held and self.broken is not None:
            raise self.broken

    def readable(self) -> bool:
        return True

    def peek(self, size: int = 0, /) -> bytes:
        """Return what is at hand without using it up (this makes reading by line quick)."""
        del size
        self._fill()
        return self.held

    def read1(self, size: int | None = -1, /) -> bytes:
        """Return at most `size` bytes, as many as are at hand."""
        self._fill()
        if size is None or size < 0 or size >= len(self.held):
            given, self.held = self.held, b""
        else:
            given, self.held = self.held[:size], self.held[size:]
        return given

    def read(self, size: int | None = -1, /) -> bytes:
        """Return `size` bytes; fewer at the end or before a break, which the next call raises."""
        pieces: list[bytes] = []
        left = -1 if size is None else size
        while left:
            try:
                piece = self.read1(left)
            except UnreadableError:
                if pieces:
                    break
                raise
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece) if left > 0 else 0
        return b"".join(pieces)

    def close(self) -> None:
        self.file.close()
        super().close()


class _Gzip(_Stream):
    """Any number of gzip members one after the other (RFC 1952, 2.2); zero bytes after the last one are padding."""

    def __init__(self, file: io.BufferedReader, name: str) -> None:
        super().__init__(file, name)
        self.inflate = zlib.decompressobj(wbits=31)
        self.rest = b""
        self.begun = False  # within a member

    def next_piece(self) -> bytes:
        while True:
            if not self.rest:
                self.rest = self.file.read1(_PIECE)
            if not self.rest:
                if self.begun:
                    raise self.fail("gzip", "ends in the middle")
                return b""
            if not self.begun:
                self.rest = self.rest.lstrip(b"\0") if self.total else self.rest
                if not self.rest:
                    continue
                self.begun = True
            try:
                piece = self.inflate.decompress(self.rest, _PIECE)
            except zlib.error as error:
                raise self.fail("gzip", "is damaged") from error
            self.rest = self.inflate.unconsumed_tail
            if self.inflate.eof:
                self.rest = self.inflate.unused_data
                self.inflate = zlib.decompressobj(wbits=31)
                self.begun = False
            if piece:
                return piece


class _Zstd(_Stream):
    """Zstandard frames, decompressed by Arrow (which brings the library); handed out by its blocks, of at most 128 KiB."""

    def __init__(self, file: io.BufferedReader, name: str) -> None:
        super().__init__(file, name)
        self.source = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")

    def next_piece(self) -> bytes:
        try:
            return cast("bytes", self.source.read(32 * 1024))
        except (pa.ArrowException, OSError) as error:
            truncated = "runcated" in str(error)
            raise self.fail("Zstandard", "ends in the middle" if truncated else "is damaged") from error


def open_input(path: Path | str) -> BinaryIO:
    """Open a file for reading, decompressed; memory stays bounded whatever its size.

    A plain file can be sought in, a compressed one cannot. At the point where a compressed file is cut off or damaged,
    `read` raises `UnreadableError`; all before it has been handed out by then.

    Raises:
        UnreadableError: the file cannot be opened.
    """
    name = str(path)
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - the caller closes it
        magic = file.peek(4)[:4]
    except OSError as error:
        raise UnreadableError(f"{name}: {error.strerror or error}") from error
    if magic[:2] == _GZIP:
        return cast("BinaryIO", _Gzip(file, name))
    if magic == _ZSTD or (len(magic) == 4 and 0x50 <= magic[0] <= 0x5F and magic[1:] == _ZSTD_SKIPPABLE):
        return cast("BinaryIO", _Zstd(file, name))
    return cast("BinaryIO", file)


def head(path: Path | str, size: int = HEAD_BYTES) -> bytes:
    """Return the first bytes of a file, decompressed; fewer if it is shorter or breaks before.

    Raises:
        UnreadableError: the file cannot be opened, or breaks before its first byte.
    """
    begun = b""
    with open_input(path) as stream:
        while len(begun) < size:
            try:
                piece = stream.read(size - len(begun))
            except UnreadableError:
                if begun:
                    break
                raise
            except OSError as error:
                raise UnreadableError(f"{path}: {error.strerror or error}") from error
            if not piece:
                break
            begun += piece
    return begun
