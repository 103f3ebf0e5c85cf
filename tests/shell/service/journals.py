"""Journals in tests: what was acknowledged, disks that fail, disks that are full."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ringfence.shell.service.follower import Follower
from ringfence.shell.service.journal import Journal, JournalError
from ringfence.shell.service.segments import Record, segments

NOTE = {"source": "told", "kind": "events"}


def all_of(follower: Follower, most: int = 1 << 20) -> list[Record]:
    """Everything there is to read now."""
    found: list[Record] = []
    while records := follower.read(most):
        found += records
    return found


def payloads(records: list[Record]) -> list[tuple[int, bytes]]:
    return [(record.seq, record.payload) for record in records]


def whole(journal: Journal, folder: Path, after: int = 0) -> list[tuple[int, bytes]]:
    """What a reader finds that begins now."""
    follower = Follower(journal, folder, after)
    found = payloads(all_of(follower))
    follower.close()
    return found


def put(journal: Journal, payload: bytes) -> tuple[int, bytes]:
    return journal.put(1, NOTE, payload), payload


def try_put(journal: Journal, payload: bytes) -> tuple[int, bytes] | None:
    """The record, or None where it is refused."""
    try:
        return put(journal, payload)
    except JournalError:
        return None


def insist(journal: Journal, payload: bytes) -> tuple[int, bytes]:
    """As a source does that can wait, without its waiting."""
    while (done := try_put(journal, payload)) is None:
        journal._retry_at = 0.0
    return done


def names(folder: Path) -> list[str]:
    return [path.name for path in segments(folder)]


class Disk:
    """Stands between the journal and the operating system, and fails when it is told to.

    Attributes:
        errno: of the next calls; 0: all is well.
        where: which calls fail: open, write, part (half of it is written first), short (half of it, without any error), sync.
        synced: how often data was forced to disk.
    """

    def __init__(self) -> None:
        self.errno = 0
        self.where = ""
        self.synced = 0
        self.before_sync: Callable[[], None] = lambda: None
        self._open, self._sync = Path.open, os.fdatasync

    def open(self, path: Path, mode: str = "r", *args: Any, **more: Any) -> Any:
        if (path.suffix != ".journal" and path.name != "probe") or "r" in mode:
            return self._open(path, mode, *args, **more)
        self._fail("open")
        return _File(self, self._open(path, mode, *args, **more))

    def fdatasync(self, descriptor: int) -> None:
        self.before_sync()
        self._fail("sync")
        self.synced += 1

    def _fail(self, where: str) -> None:
        if self.errno and self.where == where:
            raise OSError(self.errno, os.strerror(self.errno))


class _File:
    def __init__(self, disk: Disk, file: Any) -> None:
        self._disk, self._file = disk, file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, data: bytes) -> int:
        disk = self._disk
        if not disk.errno or disk.where in {"open", "sync"}:
            return int(self._file.write(data))
        if disk.where == "write":
            raise OSError(disk.errno, os.strerror(disk.errno))
        done = self._file.write(data[: (len(data) + 1) // 2])
        if disk.where == "short":
            return int(done)
        raise OSError(disk.errno, os.strerror(disk.errno))


@contextmanager
def failing_disk() -> Iterator[Disk]:
    """A disk that fails when it is told to, for all journals that are made meanwhile."""
    disk = Disk()

    def opened(path: Path, *args: Any, **more: Any) -> Any:
        return disk.open(path, *args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", opened)
        patch.setattr(os, "fdatasync", disk.fdatasync)
        yield disk


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A real file system of so many bytes; skips where nobody may mount one."""
    mount = shutil.which("mount")
    folder.mkdir()
    done = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], check=False, capture_output=True
    )
    if not done or done.returncode:
        pytest.skip("a small file system can be mounted by root only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
