"""The store's folder: the manifest in force, who reads by it, and when a file that is no longer named may go.

Questions never wait for a change and a change never waits for questions: a question keeps the files of the manifest it
began with, and these are removed when the last such question has ended.
"""

import fcntl
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ringfence.shell.records.errors import RecordsError, StoreBusyError, told
from ringfence.shell.records.kinds import KINDS
from ringfence.shell.records.manifest import MANIFEST, Erasure, File, Manifest

TEMPORARY: Final = "tmp"
_LOCK: Final = "lock"


class Disk:
    """The folder of a store; one process at a time has it.

    Args:
        folder: made if it is not there.

    Raises:
        StoreBusyError: another process has it.
        StoreDamagedError: its manifest cannot be read.
        StoreFullError: it cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        if set("*?[") & set(str(folder)):
            raise RecordsError(
                f"{folder}: a folder of records must not have *, ? or [ in its path; choose another"
            )
        self.folder = folder
        self.temporary = folder / TEMPORARY
        with told(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._lock_file = (folder / _LOCK).open("ab")
            try:
                fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._lock_file.close()
                raise StoreBusyError(
                    f"{folder}: another process has these records open; ask the running service, or stop it"
                ) from None
            try:
                self.manifest = Manifest.load(folder)
                self._sweep()
            except BaseException:
                self._lock_file.close()
                raise
        self.lock = (
            threading.Lock()
        )  # guards everything in memory; nobody waits for the disk while holding it
        self._committing = threading.Lock()
        self._idle = threading.Condition(self.lock)
        self._version = 0
        self._readers: Counter[int] = Counter()
        self._gone: list[tuple[int, Path]] = []
        self._next = self.manifest.next

    def close(self) -> None:
        """Let go of the folder."""
        self._lock_file.close()

    def number(self) -> int:
        """A number for a file's name that was never used."""
        with self.lock:
            self._next += 1
            return self._next - 1

    @contextmanager
    def reading(self, also: Callable[[], Any] = lambda: None) -> Iterator[tuple[Manifest, Any]]:
        """The manifest in force, whose files stay until the block ends; `also` is asked at the same moment."""
        with self.lock:
            version, manifest, other = self._version, self.manifest, also()
            self._readers[version] += 1
        try:
            yield manifest, other
        finally:
            with self.lock:
                self._readers[version] -= 1
                self._readers += Counter()  # forget versions without readers
                self._idle.notify_all()
            self._remove_gone()

    def commit(
        self,
        remove: Collection[File] = (),
        add: Collection[File] = (),
        erasures: tuple[Erasure, ...] | None = None,
        also: Callable[[], None] = lambda: None,
    ) -> None:
        """Change the store as one; `also` is done at the moment when the change comes into force.

        Raises:
            OSError: nothing has changed.
        """
        with self._committing:
            with self.lock:
                manifest = replace(self.manifest.changed(remove, add), next=self._next)
            if erasures is not None:
                manifest = replace(manifest, erasures=erasures)
            manifest.save(self.folder)
            with self.lock:
                self.manifest = manifest
                also()
                self._gone += [(self._version, file.path(self.folder)) for file in remove]
                self._version += 1
        self._remove_gone()

    def discard(self, files: Collection[File]) -> None:
        """Remove files that were written for a change that did not come about."""
        for file in files:
            file.path(self.folder).unlink(missing_ok=True)

    def wait_until_gone(self) -> None:
        """Wait until nobody reads files that the manifest no longer names, and they are removed."""
        with self._idle:
            now = self._version
            self._idle.wait_for(lambda: all(version >= now for version in self._readers))
        self._remove_gone()

    def _remove_gone(self) -> None:
        with self.lock:
            oldest = min(self._readers, default=self._version)
            ready = [path for version, path in self._gone if version < oldest]
            self._gone = [(version, path) for version, path in self._gone if version >= oldest]
        for path in ready:
            try:
                path.unlink(missing_ok=True)
                path.parent.rmdir()  # the day, once its last file is gone
            except OSError:
                continue  # not empty; or swept away at the next start

    def _sweep(self) -> None:
        """Remove what a killed process left: files that the manifest does not name."""
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir(exist_ok=True)
        (self.folder / f"{MANIFEST}.new").unlink(missing_ok=True)
        named = {file.path(self.folder) for file in self.manifest.files}
        for name in KINDS:
            for path in self.folder.glob(f"{name}/*/*"):
                if path not in named:
                    path.unlink()
            for day in self.folder.glob(f"{name}/*"):
                if not any(day.iterdir()):
                    day.rmdir()
