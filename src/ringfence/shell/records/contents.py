"""What a store holds at one moment: files and memory together, for questions and for work on all of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from ringfence.shell.records.buffer import Batch, Buffer
from ringfence.shell.records.disk import Disk
from ringfence.shell.records.errors import told
from ringfence.shell.records.files import DAY_US, day_start
from ringfence.shell.records.kinds import HELD_SCHEMA, Kind
from ringfence.shell.records.reading import Reader, Rows, connect
from ringfence.shell.records.rewriting import Worker


class Contents:
    """The parts of an open store; arguments as in `RecordStore`.

    Attributes:
        disk: its files.
        buffer: what is in memory, guarded by `disk.lock`.
        reader: answers questions.
        flushing: held while what is in memory goes to the disk or is changed.
    """

    def __init__(self, folder: Path, memory: str, threads: int) -> None:
        self.disk = Disk(folder)
        self.buffer = Buffer()
        self.reader = Reader(self.disk.temporary, memory, threads)
        self.flushing = threading.Lock()
        self._work = connect(self.disk.temporary, memory, 1)  # leaves the other cores to the questions

    def close(self) -> None:
        """Let go of the folder."""
        self.reader.close()
        self._work.close()
        self.disk.close()

    def of_number(self, kind: Kind, number: str, begin: int, end: int, limit: int | None) -> pa.Table:
        """A number's records from `begin` on and before `end` (µs), newest first, at most `limit`."""
        with self.asking(kind, begin, end, number) as rows:
            return self.reader.of_number(rows, number, begin, end, limit)

    @contextmanager
    def asking(self, kind: Kind, begin: int, end: int, number: str | None = None) -> Iterator[Rows]:
        """Where rows of a time (and of a number) can be; the files stay until the block ends."""
        disk = self.disk
        with disk.reading(lambda: self.buffer.of(kind)) as (manifest, memory), told(disk.folder):
            files = [
                file
                for day, files in manifest.days.get(kind.name, {}).items()
                if begin - DAY_US < day_start(day) < end
                for file in files
                if number is None or file.may_hold(number)
            ]
            yield Rows.of_files(kind, disk.folder, files, memory)

    def batches(self) -> list[Batch]:
        """What is in memory."""
        with self.disk.lock:
            return self.buffer.batches()

    def swap(self, old: Batch, new: Batch) -> None:
        """Put a batch into the place of another; the caller is `flushing`."""
        with self.disk.lock:
            self.buffer.change(lambda batch: new if batch is old else batch)

    def worker(self, held: pa.Table | None) -> Worker:
        """For work on whole files; `held` is what cases hold."""
        return Worker(self._work, HELD_SCHEMA.empty_table() if held is None else held)
