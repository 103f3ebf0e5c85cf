"""The journal: whatever a source receives is on disk before it is acknowledged.

One thread writes. What waits meanwhile is written and forced to disk together (group commit), so that a slow disk makes larger groups, not
a longer queue. Readers follow the files, as they do after a crash: there is one way to read. What is not forced to disk is not
acknowledged; whoever sent it must send it again.
"""

import errno
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import structlog

from ringfence.shell.checkpoint import sync_folder
from ringfence.shell.service.segments import (
    LARGEST,
    Damage,
    Record,
    first_of,
    framed,
    name_of,
    note_bytes,
    read_all,
    segments,
    with_next,
)

GROUP_BYTES: Final = 16 << 20
"""Bytes that may wait to be written; whoever brings more is refused until there is room."""
RETRY_SECONDS: Final = 1.0
_log = structlog.get_logger("ringfence.journal")
_PROBE: Final = "probe"
_PROBED: Final = 64 << 10
_LOCK: Final = "lock"
_FULL: Final = {errno.ENOSPC, errno.EDQUOT}


class JournalError(Exception):
    """Nothing can be taken in now: one line, why; to be tried again."""


@dataclass(slots=True)
class _Waiting:
    received: int
    note: bytes
    payload: bytes
    done: Callable[[int, JournalError | None], None]


class Journal:
    """The journal in a folder.

    Args:
        folder: made if it is absent.
        segment_bytes: after so many a new segment begins.
        most_bytes: of all segments; what comes beyond is refused.
        min_free_bytes: of the disk, below which everything is refused.
        fsync_s: how long a group may wait for others.
        keep_s: how long a segment stays when nobody needs it any more, unless its room is needed.
        since: number of the last record that is known elsewhere (a snapshot): numbers go on behind it in any case.

    Attributes:
        damage: what could not be read so far.
        trouble: why nothing can be written at present; None: all is well.

    Raises:
        OSError: the folder cannot be used, or another process does.
    """

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int = 64 << 20,
        most_bytes: int = 8 << 30,
        min_free_bytes: int = 0,
        fsync_s: float = 0.0,
        keep_s: float = 0.0,
        since: int = 0,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._most_bytes = most_bytes
        self._min_free = min_free_bytes
        self._fsync_s = fsync_s
        self._keep_s = keep_s
        self.damage = Damage()
        self.trouble: str | None = None
        self._retry_at = 0.0
        self._file: BinaryIO | None = None
        self._path = folder
        self._size = 0
        self._held = 0
        self._needed = 0
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._change = threading.Condition()
        self._closing = False
        self._lock = _locked(folder)
        self._next = max(self._recover(), since) + 1
        self._durable = self._next - 1
        self._thread = threading.Thread(target=self._write_on, name="journal", daemon=True)
        self._thread.start()

    @property
    def last(self) -> int:
        """The number of the last record that is on disk."""
        return self._durable

    @property
    def first(self) -> int:
        """The number of the first record that it still holds, or, where it holds none, that it will hold."""
        found = segments(self._folder)
        return first_of(found[0]) if found else self._next

    @property
    def nbytes(self) -> int:
        """Bytes of all segments."""
        return self._held

    @property
    def is_full(self) -> bool:
        """Whether it holds so much that nothing more is taken in."""
        return self._held + self._waiting_bytes > self._most_bytes

    def append(
        self,
        received: int,
        note: dict[str, Any],
        payload: bytes,
        done: Callable[[int, JournalError | None], None],
    ) -> None:
        """Have a record written.

        Args:
            received: µs since 1970.
            note: source, kind, position.
            payload: what was received.
            done: told from the writer's thread when it is on disk (its number), or that it could not be written.

        Raises:
            JournalError: it cannot be taken in now, or is too large ever to be.
            TypeError, ValueError: JSON cannot hold the note.
        """
        told = note_bytes(note)
        size = len(told) + len(payload)
        if size > LARGEST:
            raise JournalError(f"a record of {size:,} bytes is too large; send it in parts")
        with self._change:
            if self._closing:
                raise JournalError("the service is stopping")
            if self.is_full:
                raise JournalError("the journal is full: what it holds is not judged fast enough")
            if self.trouble is not None and time.monotonic() < self._retry_at:
                raise JournalError(self.trouble)
            if self._waiting_bytes > GROUP_BYTES:
                raise JournalError("more comes in than the disk takes")
            self._waiting.append(_Waiting(received, told, payload, done))
            self._waiting_bytes += size
            self._change.notify_all()

    def put(self, received: int, note: dict[str, Any], payload: bytes) -> int:
        """Have a record written, and wait until it is on disk; returns its number.

        Raises:
            JournalError: it could not be written.
        """
        told = threading.Event()
        found: list[tuple[int, JournalError | None]] = []

        def done(seq: int, error: JournalError | None) -> None:
            found.append((seq, error))
            told.set()

        self.append(received, note, payload, done)
        told.wait()
        seq, error = found[0]
        if error is not None:
            raise error
        return seq

    def wait(self, seq: int, seconds: float) -> bool:
        """Wait until there are records behind `seq`, for so long at the most; says whether there are."""
        with self._change:
            return self._change.wait_for(lambda: self._durable > seq or self._closing, seconds)

    def read(self, after: int) -> Iterator[Record]:
        """The records behind a number, as far as they are on disk."""
        until = self._durable
        for path, following in with_next(segments(self._folder)):
            if following is not None and following <= after + 1:
                continue
            for _, record in read_all(path, Damage()):
                if record.seq > until:
                    return
                if record.seq > after:
                    after = record.seq
                    yield record

    def release(self, seq: int) -> None:
        """Let go of segments that hold nothing behind a number: of those that are old enough now, of the others in time or for room."""
        self._needed = max(self._needed, seq + 1)
        self._let_go()

    def _let_go(self) -> None:
        for path, following in with_next(segments(self._folder)):
            if following is None or following > self._needed:
                return
            with self._change:
                has_room = self._held + self._segment_bytes <= self._most_bytes
            with suppress(FileNotFoundError):
                status = path.stat()
                if has_room and time.time() - status.st_mtime < self._keep_s:
                    return
                path.unlink()
                with self._change:
                    self._held -= status.st_size

    def close(self) -> None:
        """Write what waits, then stop. May be called again."""
        with self._change:
            self._closing = True
            self._change.notify_all()
        self._thread.join()
        if self._file is not None:
            self._file.close()
            self._file = None
        self._lock.close()

    # --- the writer ----------------------------------------------------------------------------------------------------

    def _write_on(self) -> None:
        while True:
            with self._change:
                pause = RETRY_SECONDS if self.trouble is not None else None
                called = self._change.wait_for(lambda: self._waiting or self._closing, pause)
                if called and not self._waiting:
                    return
                if self._fsync_s:
                    self._change.wait_for(lambda: self._closing, self._fsync_s)
                group, self._waiting = self._waiting, []
                self._waiting_bytes = 0
            if not group:
                self._look_for_room()
                continue
            error = self._write_group(group)
            with self._change:
                if error is None:
                    self._durable = self._next - 1
                self._change.notify_all()
            first = self._next - len(group)
            for place, one in enumerate(group):
                _tell(one, first + place, error)

    def _write_group(self, group: list[_Waiting]) -> JournalError | None:
        """Write a group and force it to disk; their numbers are used up in any case."""
        first = self._next
        self._next += len(group)
        data = b"".join(
            framed(first + place, one.received, one.note, one.payload) for place, one in enumerate(group)
        )
        try:
            self._look_at_space(len(data))
            file = self._open(first)
            _write_all(file, data)
            os.fdatasync(file.fileno())
        except OSError as error:
            self._give_up_segment()
            self.trouble = _said(error)
            self._retry_at = time.monotonic() + RETRY_SECONDS
            return JournalError(self.trouble)
        self._size += len(data)
        self._held += len(data)
        self.trouble = None
        return None

    def _look_for_room(self) -> None:
        """Whether the disk takes something again: nobody may send anything until this is known."""
        path = self._folder / _PROBE
        try:
            self._look_at_space(_PROBED)
            file = path.open("wb", buffering=0)
            try:
                _write_all(file, bytes(_PROBED))
                os.fdatasync(file.fileno())
            finally:
                file.close()
        except OSError as error:
            self.trouble = _said(error)
        else:
            self.trouble = None
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _look_at_space(self, wanted: int) -> None:
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize < self._min_free + wanted:
            raise OSError(errno.ENOSPC, "")

    def _open(self, first: int) -> BinaryIO:
        if self._file is not None and self._size >= self._segment_bytes:
            self._file.close()
            self._file = None
        if self._file is None:
            self._path = self._folder / name_of(first)
            self._size = 0
            self._file = self._path.open("xb", buffering=0)
            sync_folder(self._folder)
            self._let_go()
        return self._file

    def _give_up_segment(self) -> None:
        """After an error nobody knows what is on disk: cut off what was not acknowledged, and begin a new segment."""
        file, self._file = self._file, None
        if file is None:
            return
        # where even this fails it will be read again after a crash: more than was acknowledged, never less
        with suppress(OSError):
            os.ftruncate(file.fileno(), self._size)
            if self._size == 0:  # one a try, and a full disk would be full of them
                self._path.unlink()
        file.close()

    def _recover(self) -> int:
        """Cut off what was being written; returns the number of the last record.

        Only the last segment is read: a day of others may lie before it, of which a start needs few. Whoever reads those tells of damage.
        """
        found = segments(self._folder)
        if not found:
            return 0
        path = found[-1]
        last, end = first_of(path) - 1, 0
        for offset, record in read_all(path, self.damage, is_last=True):
            end = offset
            last = max(last, record.seq)
        if end < path.stat().st_size:
            os.truncate(path, end)
        self._held = sum(one.stat().st_size for one in found)
        if end == 0:
            path.unlink()  # its name may be needed again
        return last


def _locked(folder: Path) -> BinaryIO:
    """The folder for this process alone: what is being written looks like what a crash has torn off, and would be cut off."""
    file = (folder / _LOCK).open("ab", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise OSError(f"{folder}: another service is using it; end that one first") from error
    return file


def _tell(one: _Waiting, seq: int, error: JournalError | None) -> None:
    try:
        one.done(seq, error)
    except Exception as failure:  # noqa: BLE001  (whoever is gone must not keep the next one from being told)
        _log.warning("nobody could be told of a record", seq=seq, exc_info=failure)


def _write_all(file: BinaryIO, data: bytes) -> None:
    """Write all of it: a disk that is nearly full takes a part, and says so by the count alone."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _said(error: OSError) -> str:
    if error.errno in _FULL:
        return "the disk is full: nothing can be taken in until there is room"
    if error.errno == errno.EROFS:
        return "the disk can only be read: nothing can be taken in"
    return f"the journal cannot be written: {error.strerror or error}"
