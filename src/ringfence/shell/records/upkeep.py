"""Work on a store that goes on: compaction, retention, erasure. One piece of it at a time, in any thread."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from ringfence.shell.records.contents import Contents
from ringfence.shell.records.erasure import Erased, rewritten, touched
from ringfence.shell.records.errors import Damaged, told
from ringfence.shell.records.files import DAY_US, day_start, times, write_run
from ringfence.shell.records.held import Held, held_table, microseconds
from ringfence.shell.records.kinds import ERASED, HELD_SCHEMA, KINDS, Kind
from ringfence.shell.records.manifest import RUN, Erasure, File
from ringfence.shell.records.reading import EVER, of_number
from ringfence.shell.records.rewriting import Worker, chosen

KEEP_DAYS: Final = 30
"""How long ordinary records are kept where nothing else is said."""
_SETTLED_DAYS: Final = 2  # after that a day's runs become one


class Upkeep:
    """The work on a store's contents.

    Attributes:
        working: held during a piece of work.
    """

    def __init__(self, contents: Contents) -> None:
        self.working = threading.Lock()
        self._contents = contents
        self._held: pa.Table | None = None  # what cases hold, as told last

    def tidy(self, now: datetime, stop: Callable[[], bool] = lambda: False) -> int:
        """As `RecordStore.tidy`."""
        today, count, damaged = microseconds(now), 0, Damaged()
        for name, days in self._contents.disk.manifest.days.items():
            for day in days:
                if stop():
                    return count
                settled = day_start(day) + (1 + _SETTLED_DAYS) * DAY_US <= today
                with damaged.put_off():
                    count += self.compact(day, name, settled=settled)
        damaged.tell()
        return count

    def compact(self, day: str, table: str = "calls", *, settled: bool = False) -> bool:
        """As `RecordStore.compact`."""
        kind = KINDS[table]
        with self.working:
            files = self._contents.disk.manifest.days.get(table, {}).get(day, [])
            picked = chosen(files, settled=settled)
            if picked:
                with told(self._contents.disk.folder), self._contents.worker(None) as worker:
                    self._replace(worker, kind, picked, held_only=False)
        return bool(picked)

    def expire(
        self, now: datetime, held: Held = (), keep: Mapping[str, int | None] | None = None
    ) -> dict[str, int]:
        """As `RecordStore.expire`."""
        counts, damaged = dict.fromkeys(KINDS, 0), Damaged()
        longest = 0
        with self.working, told(self._contents.disk.folder):
            self._held = held_table(held)
            with self._contents.worker(self._held) as worker:
                for name, kind in KINDS.items():
                    days = (keep or {}).get(name, KEEP_DAYS)
                    if days is None:
                        longest = EVER[1]
                        continue
                    longest = max(longest, days)
                    cutoff = (microseconds(now) - days * DAY_US) // DAY_US * DAY_US
                    counts[name] = self._forget_old(worker, kind, cutoff, damaged)
                for erasure in self._contents.disk.manifest.erasures:
                    if erasure.number is not None:
                        with damaged.put_off(), told(self._contents.disk.folder):
                            self._finish(worker, erasure, erasure.number)
            oldest = microseconds(now) - (longest + 1) * DAY_US  # nothing comes from before that and stays
            kept = tuple(
                e for e in self._contents.disk.manifest.erasures if e.number is not None or e.before >= oldest
            )
            if kept != self._contents.disk.manifest.erasures:
                self._contents.disk.commit(erasures=kept)
        self._contents.disk.wait_until_gone()
        damaged.tell()
        return counts

    def _forget_old(self, worker: Worker, kind: Kind, cutoff: int, damaged: Damaged) -> int:
        """Delete the days before a moment (µs), but for what is held."""
        count = 0
        with self._contents.flushing:
            for batch in self._contents.batches():
                if batch.kind is kind and len(batch.rows) and times(batch.rows, kind.time).min() < cutoff:
                    old = pa.array(times(batch.rows, kind.time) < cutoff)
                    gone = batch.rows.filter(old)
                    held = worker.held(kind, gone)
                    rows = pa.concat_tables([batch.rows.filter(pc.invert(old)), held])
                    count += len(gone) - len(held)
                    self._contents.swap(batch, replace(batch, rows=rows))
        for day, files in list(self._contents.disk.manifest.days.get(kind.name, {}).items()):
            with damaged.put_off(), told(self._contents.disk.folder):
                if day_start(day) + DAY_US <= cutoff and worker.unheld(
                    kind, self._contents.disk.folder, files
                ):
                    kept = self._replace(worker, kind, files, held_only=True)
                    count += sum(f.records for f in files) - sum(f.records for f in kept)
        return count

    def _replace(self, worker: Worker, kind: Kind, files: list[File], *, held_only: bool) -> list[File]:
        """Put one run into the place of files of a day."""
        folder, new, run = self._contents.disk.folder, list[File](), self._contents.disk.number()
        seqs = min(file.first for file in files), max(file.last for file in files)
        try:
            with self._contents.disk.reading():
                batches = worker.run(kind, folder, files, held_only=held_only)
                new = write_run(folder, kind, files[0].day, run, batches, seqs)
            self._contents.disk.commit(files, new)
        except BaseException:
            for path in (folder / kind.name / files[0].day).glob(f"{RUN}-{run}-*"):
                path.unlink(missing_ok=True)
            raise
        return new

    def erase(self, number: str, before: datetime, held: Held = ()) -> Erased:
        """As `RecordStore.erase`."""
        if number in {"", ERASED}:
            raise ValueError(f"{number!r} is nobody's number; say whose records are to be erased")
        with self.working, told(self._contents.disk.folder):
            self._held = held_table(held)
            manifest = self._contents.disk.manifest
            digest, begin = manifest.digest(number), microseconds(before)
            same = [erasure.before for erasure in manifest.erasures if erasure.digest == digest]
            erasure = Erasure(digest, max([begin, *same]), number)
            others = tuple(e for e in manifest.erasures if e.digest != digest)
            self._contents.disk.commit(erasures=(*others, erasure))
            with self._contents.worker(self._held) as worker:
                erased = self._finish(worker, erasure, number)
        self._contents.disk.wait_until_gone()
        return erased

    def _finish(self, worker: Worker, erasure: Erasure, number: str) -> Erased:
        """Do what an erasure asks for, as far as no case holds the records."""
        erased, found = Erased(), dict[Kind, pa.Table]()
        with self._contents.flushing:
            for kind in KINDS.values():
                found[kind] = self._contents.of_number(kind, number, EVER[0], erasure.before, None)
                erased.records[kind.name] = worker.unheld_of(kind, found[kind], number, erasure.before)
                erased.held[kind.name] = len(found[kind]) - erased.records[kind.name]
            for batch in self._contents.batches():
                if len(of_number(batch.rows, batch.kind, number)):
                    rows = self._but_for_held(batch.kind, batch.rows, number, erasure.before)
                    self._contents.swap(batch, replace(batch, rows=rows))
            manifest = self._contents.disk.manifest
        for kind, rows in found.items():
            if erased.records[kind.name]:
                for files in touched(kind, rows, number, manifest):
                    self._rewrite(worker, kind, files, number, erasure.before)
        if not any(erased.held.values()):
            done = tuple(
                replace(e, number=None) if e.digest == erasure.digest else e
                for e in self._contents.disk.manifest.erasures
            )
            self._contents.disk.commit(erasures=done)
        return erased

    def _rewrite(self, worker: Worker, kind: Kind, files: list[File], number: str, before: int) -> None:
        """Put files without a number into the place of others."""
        new = list[File]()
        try:
            for file in files:
                without = rewritten(self._contents.disk, worker, kind, file, number, before)
                new += [] if without is None else [without]
            self._contents.disk.commit(files, new)
        except BaseException:
            self._contents.disk.discard(new)
            raise

    def without_erased(self, kind: Kind, rows: pa.Table) -> pa.Table:
        """Rows as they may be kept: numbers that were erased must not come back with rows that come late or again."""
        erasures = {erasure.digest: erasure for erasure in self._contents.disk.manifest.erasures}
        latest = max((erasure.before for erasure in erasures.values()), default=EVER[0])
        if not erasures or int(times(rows, kind.time).min()) >= latest:
            return rows
        old = rows.filter(pa.array(times(rows, kind.time) < latest))
        numbers = {
            text for end in kind.ends for text in pc.unique(old[end.column]).to_pylist() if text is not None
        }
        for number in sorted(numbers):
            erasure = erasures.get(self._contents.disk.manifest.digest(number))
            # while a case may hold it, only `expire` knows
            if erasure is not None and (erasure.number is None or self._held is not None):
                rows = self._but_for_held(kind, rows, number, erasure.before)
        return rows

    def _but_for_held(self, kind: Kind, rows: pa.Table, number: str, before: int) -> pa.Table:
        """Rows in memory without a number, but for what cases hold."""
        held = HELD_SCHEMA.empty_table() if self._held is None else self._held
        return self._contents.reader.without(kind, rows, number, before, held)
