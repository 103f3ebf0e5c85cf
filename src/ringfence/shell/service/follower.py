"""Reads the journal as it grows."""

import os
from pathlib import Path
from typing import BinaryIO

from ringfence.shell.service.journal import Journal
from ringfence.shell.service.segments import Record, next_record, read_one, segments, with_next


class Follower:
    """Reads a journal as it grows: keeps its place in the file.

    Args:
        journal: to follow.
        after: number of the last record that is known already.
    """

    def __init__(self, journal: Journal, folder: Path, after: int) -> None:
        self._journal = journal
        self._folder = folder
        self.seq = after
        self._file: BinaryIO | None = None
        self._name = ""

    def read(self, most_bytes: int) -> list[Record]:
        """The next records that are on disk, up to so many bytes (one at the least)."""
        found: list[Record] = []
        until, size = self._journal.last, 0
        while self.seq < until and size < most_bytes:
            record = self._next(until)
            if record is None:
                break
            if record.seq <= self.seq:
                continue
            self.seq = record.seq
            found.append(record)
            size += len(record.payload)
        if not found:
            self.seq = max(self.seq, until)  # numbers that were never acknowledged
        return found

    def _next(self, until: int) -> Record | None:
        """The next record up to a number that is known to be on disk."""
        while True:
            if self._file is not None:
                begin = self._file.tell()
                record = read_one(self._file) or self._behind_damage(begin)
                if record is not None:
                    if record.seq > until:
                        self._file.seek(begin)
                        return None
                    return record
            if not self._open_next():
                return None

    def _open_next(self) -> bool:
        """Go on to the segment behind the present one; says whether there is one."""
        for path, following in with_next(segments(self._folder)):
            if path.name <= self._name or (following is not None and following <= self.seq + 1):
                continue
            if self._file is not None:
                begin = self._file.tell()
                size = os.fstat(self._file.fileno()).st_size
                self._journal.damage.note(self._folder / self._name, begin, size - begin)
            self.close()
            # without a buffer: what it had read ahead might since have been cut off, for it was never acknowledged
            self._file, self._name = path.open("rb", buffering=0), path.name
            return True
        return False

    def _behind_damage(self, begin: int) -> Record | None:
        assert self._file is not None
        if next_record(self._file, begin + 1) is None:
            self._file.seek(begin)
            return None
        damage = self._journal.damage
        damage.note(self._folder / self._name, begin, self._file.tell() - begin)
        return read_one(self._file)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
