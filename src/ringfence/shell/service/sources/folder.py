"""A folder into which whole files are put: each is read once, the oldest first.

A file is whole when its size and time of writing have stayed the same for a while. Names that begin with a dot or end with .tmp,
.part, .partial or .filepart are still being written, whatever their size; who renames into the folder is safe with `settled_s` = 0.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final, Literal

from ringfence.ingest.format import UnreadableError

UNFINISHED: Final = (".tmp", ".part", ".partial", ".filepart")
Position = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A whole file. It is the same one as long as name, size and time of writing (ns) are."""

    written: int
    name: str
    size: int
    path: Path


class WatchedFolder:
    """The folder; who reads the files is the caller.

    Args:
        path: the folder; pattern: names of files to read.
        after: what becomes of a file that was read: it stays, goes to done/, or is deleted.
        settled_s: how long a file must stay the same to be whole.
        position: what `position` was before a restart.
        clock: seconds, for tests.

    Attributes:
        read, failed: how many files; waiting: whole files not read yet, at the last look.
        trouble: why nothing can be read just now; None: it can.
    """

    def __init__(
        self,
        path: Path,
        *,
        pattern: str = "*",
        after: Literal["keep", "move", "delete"] = "move",
        settled_s: float = 2.0,
        position: Position | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self.read = self.failed = self.waiting = 0
        self.trouble: str | None = None
        self._pattern, self._after, self._settled_s, self._clock = pattern, after, settled_s, clock
        self._done = {
            (str(name), int(size), int(written)) for name, size, written in (position or {}).get("done", [])
        }
        self._since: dict[tuple[str, int, int], float] = {}  # how long a file has been the same

    async def watch(self, sink: Callable[[Found], Awaitable[None]], poll_s: float = 1.0) -> None:
        """Hand every file to `sink`, one after the other; one that raises `UnreadableError` goes to failed/."""
        while True:
            for found in await asyncio.to_thread(self.look):
                try:
                    await sink(found)
                except UnreadableError as error:
                    await asyncio.to_thread(self.put_aside, found, str(error))
                else:
                    await asyncio.to_thread(self.finish, found)
            await asyncio.sleep(poll_s)

    def look(self) -> list[Found]:
        """The files that are whole and not read yet, the oldest first."""
        try:
            there = self._files()
        except OSError as error:
            self.trouble = f"{self.path}: {error.strerror or error}"
            return []
        self.trouble = None
        now = self._clock()
        names = {_key(found): found for found in there}
        self._since = {key: self._since.get(key, now) for key in names}
        self._done &= set(names)  # what is gone need not be remembered
        for key in self._done:
            self._tidy_up(names[key])  # it was read before a restart that came too soon to move it
        whole = [
            found
            for key, found in names.items()
            if key not in self._done and now - self._since[key] >= self._settled_s
        ]
        self.waiting = len(whole)
        return sorted(whole)

    def position(self, also: Found | None = None) -> Position:
        """What must be known after a restart.

        Args:
            also: a file that counts as read: its rows and this position are to be kept as one.
        """
        done = self._done | ({_key(also)} if also else set())
        return {"done": [list(key) for key in sorted(done)]}

    def finish(self, found: Found) -> None:
        """A file was read: it stays, is moved to done/ or deleted."""
        self.read += 1
        self._done.add(_key(found))
        self._tidy_up(found)

    def put_aside(self, found: Found, reason: str) -> None:
        """A file cannot be read: it goes to failed/, with the reason beside it."""
        self.failed += 1
        self._done.add(_key(found))
        try:
            moved = _move(found.path, self.path / "failed")
            moved.with_name(moved.name + ".reason").write_text(reason.rstrip() + "\n", "utf-8")
        except OSError as error:
            self.trouble = f"{found.path}: cannot be moved to failed/: {error.strerror or error}"

    def _files(self) -> list[Found]:
        found = []
        for path in self.path.glob(self._pattern):
            if path.name.startswith(".") or path.name.endswith(UNFINISHED) or path.parent != self.path:
                continue
            try:
                stat = path.lstat()
            except FileNotFoundError:
                continue
            if S_ISREG(stat.st_mode):  # no folder, no link to somewhere else
                found.append(Found(stat.st_mtime_ns, path.name, stat.st_size, path))
        if not found and not self.path.is_dir():
            raise FileNotFoundError(2, "is no folder; make it", str(self.path))
        return found

    def _tidy_up(self, found: Found) -> None:
        try:
            if self._after == "move":
                _move(found.path, self.path / "done")
            elif self._after == "delete":
                found.path.unlink(missing_ok=True)
        except FileNotFoundError:
            pass
        except OSError as error:  # it is remembered as read, so it is not read again
            self.trouble = f"{found.path}: cannot be {self._after}d: {error.strerror or error}"


def _key(found: Found) -> tuple[str, int, int]:
    return found.name, found.size, found.written


def _move(path: Path, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    goal, number = folder / path.name, 0
    while goal.exists():
        number += 1
        goal = folder / f"{path.name}.{number}"
    return path.rename(goal)
