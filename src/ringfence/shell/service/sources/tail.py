"""Follow a file that a switch goes on writing: over rotation, truncation, restarts of the switch and of ours.

A file is finished before its successor is begun: the old one stays open when it is renamed, and after a restart it is found again
by the bytes before our position, plain or compressed, under whatever name logrotate gave it; whole files rotated away in between
are read too. Where the bytes are nowhere to be found, that is counted (`lost`) and the present file is read from its beginning:
a row twice is folded, a row never read is gone.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final

from ringfence.ingest.format import UnreadableError
from ringfence.shell.files import open_input
from ringfence.shell.service.sources.tail_files import PIECE, SPAN, Live, Old

_COMPRESSED: Final = re.compile(r"\.(gz|zst)$")
_DIGITS: Final = re.compile(r"\d+")

Position = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of one file.

    Attributes:
        data: lines with their ends, at most 1 MiB; may be empty: only the position is new.
        position: where reading goes on after them, for JSON.
        head: the first line of their file, if asked for; it is not in `data`.
    """

    data: bytes
    position: Position
    head: bytes = b""


class Tail:
    """A followed file.

    Args:
        path: the file; it may appear later.
        from_start: what is in the file when it is met for the first time is read too.
        position: of the last piece that was dealt with before a restart.
        header: the first line of a file names its columns; it comes with every piece.

    Attributes:
        rotations, truncations: how often they happened; lost: how often what was left of an old file could not be read.
        trouble: why nothing can be read just now; None: it can.
    """

    def __init__(
        self, path: Path, *, from_start: bool = False, position: Position | None = None, header: bool = False
    ) -> None:
        self.path = path
        self.rotations = self.truncations = self.lost = 0
        self.trouble: str | None = None
        self._header = header
        self._from_start = from_start
        self._resumed = position
        self._skipping = bool(position and position.get("skipping"))
        self._now: Live | Old | None = None
        self._kept: Live | None = None  # truncated, to be read again once its copy is
        self._head = b""
        self._before = b""  # the bytes before the position

    async def pieces(self, poll_s: float = 0.25) -> AsyncIterator[Piece]:
        """Yield pieces as they come; files are read in a thread."""
        while True:
            piece = await asyncio.to_thread(self.read)
            if piece is None:
                await asyncio.sleep(poll_s)
            else:
                yield piece

    def read(self) -> Piece | None:
        """Return the next piece, or None if there is nothing to read just now. Trouble is told in `trouble`, not raised."""
        try:
            piece = self._read()
        except FileNotFoundError:
            self.trouble = f"{self.path}: is not there yet"
            self._from_start = True  # whatever it will hold is new
            return None
        except OSError as error:
            self.trouble = f"{self.path}: {error.strerror or error}"
            return None
        self.trouble = None
        return piece

    def behind(self) -> int:
        """Bytes of the present file that are not read yet."""
        try:
            return max(self.path.stat().st_size - (self._now.offset if isinstance(self._now, Live) else 0), 0)
        except OSError:
            return 0

    def close(self) -> None:
        """Let go of the file."""
        for now in (self._now, self._kept):
            if now is not None:
                now.file.close()
        self._now = self._kept = None

    # --- reading ----------------------------------------------------------------------------------------------------

    def _read(self) -> Piece | None:
        if self._now is None and not self._open():
            return None
        if self._resumed is None and self._now is not None:
            self._resumed = self._position()
            return Piece(b"", self._resumed, self._head)
        while self._now is not None:
            if isinstance(self._now, Live) and self._was_truncated(self._now):
                self._reopen_truncated(self._now)
                continue
            data = self._take(self._now)
            if data:
                return Piece(data, self._position(), self._head)
            if isinstance(self._now, Live) and not self._now.ended:
                if not self._was_replaced(self._now):
                    return None
                self._now.ended = True  # one more look: it may have grown until it was replaced
                continue
            self._finish(self._now)
        return None

    def _take(self, now: Live | Old) -> bytes:
        """Return whole lines, and at the end of a finished file the last one whether it is whole or not."""
        while True:
            try:
                data = now.peek()
            except UnreadableError:
                self.lost += 1
                return b""
            if self._skipping:
                end = data.find(b"\n") + 1
                self._skipping = end == 0
                self._use(now, data[: end or len(data)])
                if not data:
                    return b""
                continue
            cut = data.rfind(b"\n") + 1
            if cut == 0 and len(data) >= PIECE:  # whoever reads the line will reject it for its length
                self._skipping = True
                self._use(now, data)
                return data + b"\n"
            if cut == 0 and now.ended and data:
                self._use(now, data)
                return data + b"\n"
            self._use(now, data[:cut])
            return data[:cut]

    def _use(self, now: Live | Old, data: bytes) -> None:
        now.use(len(data))
        self._before = (self._before + data[-SPAN:])[-SPAN:]

    def _position(self) -> Position:
        now = self._now
        if now is None:
            return {}
        here = now.stat if isinstance(now, Old) else os.fstat(now.file.fileno())
        return {
            "inode": here.st_ino,
            "written": here.st_mtime_ns,
            "offset": now.offset,
            "digest": _digest(self._before),
            "skipping": self._skipping,
        }

    # --- which file -------------------------------------------------------------------------------------------------

    def _open(self) -> bool:
        """Open the file to go on with; returns whether there is one."""
        if self._resumed:
            return self._resume(self._resumed)
        live = Live(self.path)
        size = os.fstat(live.file.fileno()).st_size
        self._from_start |= size == 0
        if not self._begin(live):
            return False
        if not self._from_start:
            self._to_last_line(live, size)
        self._before = live.before()
        return True

    def _begin(self, now: Live | Old) -> bool:
        """Make this the file that is read, from its first line; returns false if its header is not written yet."""
        if self._header:
            begin = now.peek()
            end = begin.find(b"\n") + 1
            if end == 0 and not now.ended and len(begin) < PIECE:
                now.file.close()
                return False
            self._head = begin[: end or len(begin)]
            now.use(len(self._head))
        self._now, self._skipping = now, False
        self._before = self._head[-SPAN:]
        return True

    @staticmethod
    def _to_last_line(live: Live, size: int) -> None:
        start = max(size - PIECE, live.offset)
        end = os.pread(live.file.fileno(), size - start, start)
        live.offset = start + end.rfind(b"\n") + 1

    def _resume(self, position: Position) -> bool:
        offset, skipping = int(position["offset"]), self._skipping
        try:
            live = Live(self.path)
        except FileNotFoundError:
            live = None
        if live is not None:
            live.offset = offset
            same = os.fstat(live.file.fileno()).st_ino == position["inode"]
            # an inode number is soon given again, and an empty place has no bytes to tell it by
            same &= offset > 0 or not self._candidates(position)
            if same and _digest(live.before()) == position["digest"]:
                before = live.before()
                live.offset = 0
                if not self._begin(live):
                    return False
                live.offset, self._before, self._skipping = offset, before, skipping
                return True
            live.file.close()
        if self._find(position):
            self._skipping = skipping
            return True
        if live is None:
            raise FileNotFoundError(self.path)
        live.file.close()
        self.lost += offset > 0
        self._next(self.path.name + ".1", int(position["written"]))
        return self._now is not None

    def _find(self, position: Position) -> bool:
        """Go on in the file that was rotated away; returns whether it was found."""
        for path in self._candidates(position):
            try:
                old = Old(path)
            except (UnreadableError, OSError):
                continue
            try:
                before = old.skip_to(int(position["offset"]))
            except (UnreadableError, OSError):
                before = b""
            if old.offset == position["offset"] and _digest(before) == position["digest"]:
                self._go_on_in(old, before)
                return True
            old.file.close()
        return False

    def _candidates(self, position: Position) -> list[Path]:
        """The files that may hold our place, the likeliest first."""
        # It was written to after we read it, and compressing keeps the time of writing.
        written = int(position["written"])
        later = [(path, stat) for path, stat in self._siblings() if stat.st_mtime_ns >= written]
        if (
            int(position["offset"]) == 0
        ):  # it was empty: no bytes to know it by, but the next that was written to was it
            return self._rotated_after(self.path.name + ".1", written)
        later.sort(key=lambda each: each[1].st_ino != position["inode"])
        return [path for path, _ in later]

    def _go_on_in(self, old: Old, before: bytes) -> None:
        if self._header:
            with open_input(old.path) as again:
                self._head = again.readline(PIECE)
        self._now, self._before = old, before

    def _rotated_after(self, like: str, written: int, but: int = 0) -> list[Path]:
        """Whole files with names like that one's, written to after a time (ns), but for that inode. The oldest first."""
        return [
            path
            for path, stat in reversed(self._siblings())
            if _shape(path.name) == _shape(like) and stat.st_mtime_ns > written and stat.st_ino != but
        ]

    def _siblings(self) -> list[tuple[Path, os.stat_result]]:
        """Files that may once have had the name, the newest first."""
        stem, found = self.path.name.partition(".")[0], []
        for path in self.path.parent.glob("*"):
            if path.name.startswith(stem) and path.name != self.path.name:
                with suppress(FileNotFoundError):  # compressed and deleted just now
                    stat = path.stat()
                    if S_ISREG(stat.st_mode):
                        found.append((path, stat))
        return sorted(found, key=lambda each: each[1].st_mtime_ns, reverse=True)

    def _was_replaced(self, live: Live) -> bool:
        """Return whether another file has the name and something is written into it."""
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False
        here = os.fstat(live.file.fileno())
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino) and there.st_size > 0

    def _was_truncated(self, live: Live) -> bool:
        return live.before() != self._before[-min(live.offset, SPAN) :] if live.offset else False

    def _reopen_truncated(self, live: Live) -> None:
        self.truncations += 1
        position = self._position()
        live.offset = 0
        self._now = None
        # copytruncate: what we had not read yet may be in the copy
        if self._find({**position, "inode": 0, "written": 0}):
            self._kept = live
        else:
            self._begin(live)

    def _finish(self, now: Live | Old) -> None:
        """Go on to the file after this one."""
        if isinstance(now, Old):
            name, stat = now.path.name, now.stat
        else:
            self.rotations += 1
            stat = os.fstat(now.file.fileno())
            names = [path.name for path, other in self._siblings() if other.st_ino == stat.st_ino]
            name = names[0] if names else self.path.name + ".1"
        now.file.close()
        self._now = None
        if self._kept is not None:
            kept, self._kept = self._kept, None
            self._begin(kept)
        else:
            self._next(name, stat.st_mtime_ns, stat.st_ino)

    def _next(self, name: str, written: int, inode: int = 0) -> None:
        """Begin the file that was rotated away after one with that name, time of writing and inode, else the present one."""
        self._from_start, self._resumed = True, {}
        for path in self._rotated_after(name, written, inode):
            try:
                self._begin(Old(path))
            except (UnreadableError, OSError):
                self.lost += 1
            else:
                return
        self._begin(Live(self.path))


def _shape(name: str) -> str:
    """A name without its numbers and compression: rotated files of one log have the same."""
    return _DIGITS.sub("#", _COMPRESSED.sub("", name))


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()
