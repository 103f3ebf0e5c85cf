"""The files that `tail` reads: the one that may still grow, and those that were rotated away."""

import io
import os
from pathlib import Path
from typing import BinaryIO, Final

from ringfence.shell.files import open_input

PIECE: Final = (1 << 20) + 2  # bytes; a line of that length is longer than any reader takes
SPAN: Final = 1024  # bytes before the position by which a file is known again


class Live:
    """The file under its name, which may still grow."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: BinaryIO = path.open("rb", buffering=0)
        self.offset = 0
        self.ended = False  # another file has taken the name: nothing is awaited any more

    def peek(self) -> bytes:
        """What follows the place, up to `PIECE` bytes."""
        return os.pread(self.file.fileno(), PIECE, self.offset)

    def use(self, size: int) -> None:
        """Move the place on."""
        self.offset += size

    def before(self) -> bytes:
        """The bytes before the place, as they are now."""
        span = min(self.offset, SPAN)
        return os.pread(self.file.fileno(), span, self.offset - span)


class Old:
    """A file that was rotated away: what is left of it is read to the end."""

    ended = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stat = path.stat()  # it may be renamed or compressed while we read it
        self.file = open_input(path)
        self.offset = 0
        self._held = b""

    def peek(self) -> bytes:
        """What follows the place, `PIECE` bytes or up to the end.

        Raises:
            UnreadableError: a compressed file is damaged here.
        """
        while len(self._held) < PIECE and (more := self.file.read(PIECE - len(self._held))):
            self._held += more
        return self._held

    def use(self, size: int) -> None:
        """Move the place on."""
        self._held = self._held[size:]
        self.offset += size

    def skip_to(self, offset: int) -> bytes:
        """Go to a place; returns the bytes before it (fewer than there should be: the file is shorter)."""
        before = b""
        if isinstance(self.file, io.BufferedReader):  # a plain file
            span = min(offset, SPAN)
            self.file.seek(offset - span)
            before = self.file.read(span)
            self.offset = offset - span + len(before)
            return before
        while self.offset < offset:
            held = self.peek()[: offset - self.offset]
            if not held:
                return b""
            before = (before + held)[-SPAN:]
            self.use(len(held))
        return before
