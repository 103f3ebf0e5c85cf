"""The record store: rows in, in micro-batches; a number's records out, whether they are on the disk yet or not.

Who calls what from where: the pipeline's thread `append`, `flush` and, at the start, `recover`; any thread the questions;
one thread in the background `tidy` and `expire`; whoever is asked to, `export` and `erase`.
"""

import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

import pyarrow as pa
import pyarrow.compute as pc

from ringfence.shell.records.buffer import Batch, prepared
from ringfence.shell.records.contents import Contents
from ringfence.shell.records.erasure import Erased, write_export
from ringfence.shell.records.errors import told
from ringfence.shell.records.files import DAY_US, by_day, day_start, write_part
from ringfence.shell.records.held import Held, microseconds
from ringfence.shell.records.kinds import CALLS_KIND, KINDS, TEXTS_KIND, TRANSFERS_KIND, Kind
from ringfence.shell.records.manifest import PART, File
from ringfence.shell.records.reading import EVER
from ringfence.shell.records.upkeep import Upkeep

_NEWEST_DAYS: Final = (1, 8, 1 << 30)
"""How many days a question with a limit looks at, step by step, until it has enough: a busy number fills it in one."""


@dataclass(frozen=True, slots=True)
class TableStats:
    """One table on the disk.

    Attributes:
        records: about how many; what was not compacted yet counts once for every row that told of it.
        size: bytes.
        files: of all sorts.
        parts: files that were not compacted yet.
        days: with records.
        oldest: the first of them, such as 2026-03-05; None: none.
    """

    records: int
    size: int
    files: int
    parts: int
    days: int
    oldest: str | None


@dataclass(frozen=True, slots=True)
class Stats:
    """The store, for health and metrics.

    Attributes:
        tables: by name.
        waiting: rows in memory that are not on the disk yet.
        unfinished: erasures of which something is left to do: a case holds records, or the work was interrupted.
    """

    tables: dict[str, TableStats]
    waiting: int
    unfinished: int


class RecordStore:
    """A folder of records.

    At the start: open it, `recover` to the pipeline's snapshot, `expire` (which also finishes what a crash interrupted), then
    `append` what the journal gives again.

    Args:
        folder: of the store; made if it is not there.
        spill_rows: rows in memory beyond which they are written before the next `flush`, while up to as many again come in.
        memory: the most DuckDB may take for all questions together, and again for the work in the background.
        threads: for one question.

    Raises:
        StoreBusyError: another process has the folder.
        StoreDamagedError: the manifest cannot be read.
        StoreFullError: nothing can be written.
    """

    def __init__(
        self, folder: Path, *, spill_rows: int = 1 << 19, memory: str = "1GB", threads: int = 2
    ) -> None:
        self._contents = Contents(folder, memory, threads)
        self._upkeep = Upkeep(self._contents)
        self._spill_rows = spill_rows
        self._spiller = ThreadPoolExecutor(1, "spill")
        self._spilling: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder, after the work at hand; what was not flushed is not kept."""
        self._spiller.shutdown()
        with self._upkeep.working, self._contents.flushing:
            self._contents.close()

    # ---- the pipeline

    def append(self, table: str, rows: pa.Table | pa.RecordBatch, seq: int) -> None:
        """Take rows; they are found at once, and on the disk after the next `flush`.

        Args:
            table: "calls", "texts" or "transfers".
            rows: columns as in `model.tables`; those that may be null may be missing. Rows of one call fold.
            seq: of the last record of the journal that they come from.

        Raises:
            ValueError: the rows are not of this table.
            StoreFullError: memory is full and they cannot be written; the rows were not taken.
        """
        kind = KINDS[table]
        given = prepared(kind, rows)
        if not len(given):
            return
        if self._contents.buffer.rows + len(given) > self._spill_rows:
            self._spill(seq)
        while True:
            with self._contents.disk.lock:
                erasures = self._contents.disk.manifest.erasures
            batch = Batch(kind, self._upkeep.without_erased(kind, given), seq)
            with self._contents.disk.lock:
                if self._contents.disk.manifest.erasures == erasures:
                    self._contents.buffer.add(batch)
                    return

    def _spill(self, seq: int) -> None:
        """Have memory written while more rows come; at twice the limit they wait for it.

        Raises:
            StoreFullError: it cannot be written, and there is no more room.
        """
        if self._spilling is None or self._spilling.done():
            self._spilling = self._spiller.submit(self.flush, seq)
        if self._contents.buffer.rows >= 2 * self._spill_rows:
            self._spilling.result()

    def flush(self, seq: int) -> None:
        """Write what is in memory. All of it is on the disk when this returns: a snapshot at `seq` may follow.

        Args:
            seq: of the last record of the journal that was dealt with.

        Raises:
            StoreFullError: it cannot be written; it is in memory as before, try again.
        """
        folder, files = self._contents.disk.folder, list[File]()
        with self._contents.flushing, told(folder):
            with self._contents.disk.lock:
                batches = self._contents.buffer.batches()
            if not batches:
                return
            try:
                for kind in KINDS.values():
                    mine = [batch for batch in batches if batch.kind is kind and len(batch.rows)]
                    if mine:
                        rows = pa.concat_tables([batch.rows for batch in mine]).combine_chunks()
                        seqs = min(batch.seq for batch in mine), max(seq, *(batch.seq for batch in mine))
                        for day, part in by_day(rows, kind.time):
                            files.append(
                                write_part(folder, kind, day, self._contents.disk.number(), part, seqs)
                            )
                self._contents.disk.commit(add=files, also=lambda: self._contents.buffer.forget(len(batches)))
            except BaseException:
                self._contents.disk.discard(files)
                raise

    def recover(self, seq: int) -> int:
        """Go back to a snapshot: forget what came from records of the journal after `seq`, which come again.

        What was compacted meanwhile stays; the same rows, appended again, fold into it.

        Returns:
            How many rows were forgotten.
        """
        with self._upkeep.working, self._contents.flushing, told(self._contents.disk.folder):
            later = [
                file for file in self._contents.disk.manifest.files if file.kind == PART and file.first > seq
            ]
            with self._contents.disk.lock:
                count = self._contents.buffer.rows
                self._contents.buffer.forget(len(self._contents.buffer))
            if later:
                self._contents.disk.commit(remove=later)
            return count + sum(file.rows for file in later)

    # ---- questions

    def calls_of(
        self, number: str, since: datetime | None, until: datetime | None, limit: int | None = None
    ) -> pa.Table:
        """Calls with a number at one of their ends, newest first.

        Args:
            number: as in the records: E.164 with "+", or a name.
            since: the earliest set-up; None: from the beginning.
            until: not included; None: to the end.
            limit: the most calls, the newest.

        Returns:
            The columns of `model.tables.CALLS`, and `side`: "caller" or "callee", the end at which the number stands.
        """
        return self._of(CALLS_KIND, number, since, until, limit)

    def texts_of(
        self, number: str, since: datetime | None, until: datetime | None, limit: int | None = None
    ) -> pa.Table:
        """Texts that a number sent or got; as `calls_of`, `side` is "sender" or "recipient"."""
        return self._of(TEXTS_KIND, number, since, until, limit)

    def transfers_of(
        self, number: str, since: datetime | None, until: datetime | None, limit: int | None = None
    ) -> pa.Table:
        """Transfers of a subscriber; as `calls_of`, `side` is "subscriber"."""
        return self._of(TRANSFERS_KIND, number, since, until, limit)

    def call(self, call_id: str, around: datetime, number: str | None = None) -> pa.Table:
        """Calls with an id that began within a day of a moment (more than one where sources gave the same id).

        Args:
            call_id: as in the records.
            around: about when it began.
            number: one of its ends, if known: finds it in milliseconds instead of reading three days.
        """
        day = timedelta(days=1)
        if number is not None:
            found = self.calls_of(number, around - day, around + day).drop_columns(["side"])
            return found.filter(pc.equal(found["call_id"], call_id))
        begin, end = microseconds(around - day), microseconds(around + day)
        with self._contents.asking(CALLS_KIND, begin, end) as rows:
            return self._contents.reader.of_call(rows, call_id, begin, end)

    def _of(
        self, kind: Kind, number: str, since: datetime | None, until: datetime | None, limit: int | None
    ) -> pa.Table:
        begin = EVER[0] if since is None else microseconds(since)
        end = EVER[1] if until is None else microseconds(until)
        if limit is None:
            return self._contents.of_number(kind, number, begin, end, None)
        days = [
            first
            for day in self._contents.disk.manifest.days.get(kind.name, {})
            if begin - DAY_US < (first := day_start(day)) < end
        ]
        found: list[pa.Table] = []
        for newest in _NEWEST_DAYS:
            middle = max(begin, days[-newest]) if newest < len(days) else begin
            found.append(self._contents.of_number(kind, number, middle, end, limit))
            limit, end = limit - len(found[-1]), middle
            if limit == 0 or middle == begin:
                break
        return pa.concat_tables(found)

    def days(self, table: str = "calls") -> list[tuple[int, int]]:
        """The days on the disk that have records: when each begins (µs, UTC), and about how many; in order."""
        days = self._contents.disk.manifest.days.get(table, {})
        return [(day_start(day), sum(file.records for file in files)) for day, files in days.items()]

    def between(self, table: str, begin: int, end: int) -> pa.Table:
        """All records of a stretch of time, each once, in order of time.

        Args:
            table: which.
            begin: µs, included.
            end: µs, not included.

        Returns:
            The columns of the table in `model.tables`.
        """
        kind = KINDS[table]
        with self._contents.asking(kind, begin, end) as rows:
            return self._contents.reader.between(rows, begin, end)

    @property
    def last(self) -> int:
        """Number of the last record of the journal of which anything is on the disk; 0: of none."""
        return max((file.last for file in self._contents.disk.manifest.files), default=0)

    # ---- in the background

    def tidy(self, now: datetime, stop: Callable[[], bool] = lambda: False) -> int:
        """Compact whatever is worth it; to be called again and again. Returns how many days of a table it compacted.

        Args:
            now: the time.
            stop: asked between two days.

        Raises:
            StoreFullError: there is no room; everything is as before.
            StoreDamagedError: a file of a day cannot be read; the other days are done.
        """
        return self._upkeep.tidy(now, stop)

    def compact(self, day: str, table: str = "calls", *, settled: bool = False) -> bool:
        """Fold and sort the rows of a day, so that a number is found by reading little. Nobody waits for it.

        Args:
            day: UTC, such as 2026-03-05.
            table: which.
            settled: nothing much is expected for the day: make one run of it.

        Returns:
            Whether there was anything to do.

        Raises:
            StoreFullError: there is no room; everything is as before.
        """
        return self._upkeep.compact(day, table, settled=settled)

    def expire(
        self, now: datetime, held: Held = (), keep: Mapping[str, int | None] | None = None
    ) -> dict[str, int]:
        """Delete what is too old, whole days of it, except what cases hold; and finish erasures that are not finished.

        Args:
            now: the time.
            held: what open and kept cases hold: number, since, until (None: for ever).
            keep: days by table (None: for ever); `KEEP_DAYS` for those that are not named. A day goes when its last
                moment is so long ago.

        Returns:
            How many records went, by table (as `TableStats` counts them).

        Raises:
            StoreFullError: what a case holds cannot be written; nothing is deleted that has not been so far.
            StoreDamagedError: a file of a day cannot be read, which therefore stays; the other days are done.
        """
        return self._upkeep.expire(now, held, keep)

    # ---- a person's data

    def export(self, number: str, path: Path) -> dict[str, int]:
        """Write all records of a number into a ZIP: Parquet and JSON Lines of each table. Returns how many, by table.

        Raises:
            StoreFullError: it cannot be written.
        """
        tables = {name: self._of(kind, number, None, None, None) for name, kind in KINDS.items()}
        with told(path):
            write_export(path, number, tables)
        return {name: len(rows) for name, rows in tables.items()}

    def erase(self, number: str, before: datetime, held: Held = ()) -> Erased:
        """Erase a number from all records that began before a moment, however late they come.

        A call that others took part in stays as theirs, with `kinds.ERASED` in the number's place; a record of nobody
        else goes (docs/records.md). When this returns, no file of the store holds the number, but for what cases hold.
        If it is interrupted, the next `expire` goes on.

        Args:
            number: as in the records.
            before: usually now.
            held: what open and kept cases hold; it is left as it is until a later `expire` is told that none does.

        Raises:
            StoreFullError: there is no room to write the files anew; the next `expire` goes on.
            StoreDamagedError: a file cannot be read; the next `expire` goes on.
            ValueError: that is nobody's number.
        """
        return self._upkeep.erase(number, before, held)

    # ---- the store as a whole

    def stats(self) -> Stats:
        """How much there is."""
        manifest = self._contents.disk.manifest
        tables = {}
        for name in KINDS:
            days = manifest.days.get(name, {})
            files = [file for found in days.values() for file in found]
            parts = sum(file.kind == PART for file in files)
            records, size = sum(file.records for file in files), sum(file.size for file in files)
            tables[name] = TableStats(records, size, len(files), parts, len(days), min(days, default=None))
        unfinished = sum(erasure.number is not None for erasure in manifest.erasures)
        return Stats(tables, self._contents.buffer.rows, unfinished)

    def copy_to(self, folder: Path) -> None:
        """Copy what is on the disk into an empty folder, as one moment of it, while the store works on.

        Raises:
            StoreFullError: there is no room.
        """
        with told(folder), self._contents.disk.reading() as (manifest, _):
            for file in manifest.files:
                target = file.path(folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.path(self._contents.disk.folder), target)
            manifest.save(folder)
