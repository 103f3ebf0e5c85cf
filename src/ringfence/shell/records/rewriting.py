"""Work on whole files: fold and sort (compaction), keep what cases hold (retention), leave a person out (erasure).

All of it reads files that stay as they are and gives new rows; what becomes of them is the store's business.
"""

# ruff: noqa: S608  what is put together here are names of columns; values are parameters

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Self

import duckdb
import pyarrow as pa

from ringfence.shell.records.files import DAY_US, cut, day_start
from ringfence.shell.records.kinds import HELD, Kind
from ringfence.shell.records.manifest import PART, RUN, File
from ringfence.shell.records.reading import EVER, Rows

SLICE_ROWS: Final = 2_000_000
"""Rows folded at once: the sums of a GROUP BY over texts do not spill, so a day is folded in slices of its time."""


class Worker:
    """One piece of work, on a DuckDB beside that of the questions.

    Args:
        database: of its own thread; only one piece of work at a time uses it.
        held: what cases hold.
    """

    def __init__(self, database: duckdb.DuckDBPyConnection, held: pa.Table) -> None:
        self._database = database.cursor()
        self._database.register(HELD, held)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def run(self, kind: Kind, folder: Path, files: Sequence[File], *, held_only: bool) -> Iterator[pa.Table]:
        """The records of a day's files, folded, under each of their numbers and in the order of these.

        Args:
            kind: of the files.
            folder: of the store.
            files: all of one day.
            held_only: only what a case holds.

        Yields:
            Rows for one file each.
        """
        rows = Rows.of_files(kind, folder, files, None)
        where = kind.within() + (f" AND {kind.held()}" if held_only else "")
        source, given = rows.select(where)
        slices = max(1, -(-_rows(files) // SLICE_ROWS))
        begin = day_start(files[0].day)
        bounds = [begin + DAY_US * place // slices for place in range(slices + 1)]
        self._database.execute("DROP TABLE IF EXISTS legs")
        for place, (since, until) in enumerate(itertools.pairwise(bounds)):
            legs = f"WITH found AS ({source}), folded AS ({kind.fold('found')}) {kind.legs('folded')}"
            into = "INSERT INTO legs" if place else "CREATE TEMP TABLE legs AS"
            self._database.execute(f"{into} {legs}", given | {"since": since, "until": until})
        ordered = self._database.sql(f"SELECT * FROM legs ORDER BY number, {kind.time}")
        for table in cut(ordered.to_arrow_reader(65_536)):
            yield table.cast(kind.run_schema)
        self._database.execute("DROP TABLE legs")

    def unheld(self, kind: Kind, folder: Path, files: Sequence[File]) -> int:
        """How many rows of these files no case holds."""
        return sum(
            self._count(
                f"SELECT count(*) FROM read_parquet($files, hive_partitioning = false) WHERE NOT {kind.held()}",
                {"files": [str(file.path(folder)) for file in files]},
            )
            for files in ([file for file in files if file.kind == which] for which in (PART, RUN))
            if files
        )

    def unheld_of(self, kind: Kind, rows: pa.Table, number: str, before: int) -> int:
        """How many of these rows an erasure of a number touches."""
        self._database.register("rows_given", rows)
        given = {"number": number, "since": EVER[0], "until": before}
        return self._count(f"SELECT count(*) FROM rows_given WHERE {kind.goes()}", given)

    def held(self, kind: Kind, rows: pa.Table) -> pa.Table:
        """Of these rows those that a case holds."""
        self._database.register("rows_given", rows)
        return self._table(f"SELECT * FROM rows_given WHERE {kind.held()}", {}).cast(rows.schema)

    def without(self, kind: Kind, path: Path, number: str, before: int, *, run: bool) -> pa.Table:
        """The rows of a file without a number (`Kind.without`), in their order."""
        query = kind.without("read_parquet($file, hive_partitioning = false)", run=run)
        given = {"number": number, "since": EVER[0], "until": before, "file": str(path)}
        return self._table(query, given).cast(kind.run_schema if run else kind.schema)

    def _table(self, query: str, given: dict[str, object]) -> pa.Table:
        return self._database.sql(query, params=given).to_arrow_table()

    def _count(self, query: str, given: dict[str, object]) -> int:
        return int(self._table(query, given).column(0)[0].as_py())


def chosen(files: Sequence[File], *, settled: bool) -> list[File]:
    """Which files of a day to compact into one run: parts, and runs that are not much larger than what is merged.

    So a row is written a few times at most (each time into a run at least half as large again), and a day has few runs.

    Args:
        files: of one table and day.
        settled: nothing much is expected for the day: its runs become one, where that is worth the writing.
    """
    parts = [file for file in files if file.kind == PART]
    runs: dict[int, list[File]] = {}
    for file in files:
        if file.kind == RUN:
            runs.setdefault(file.run, []).append(file)
    by_size = sorted(runs.values(), key=_rows)
    if settled and len(by_size) > 1:
        largest = _rows(by_size[-1])
        if len(by_size) > 3 or (_rows(files) - largest) * 20 >= largest:
            return list(files)
    picked, merged = list(parts), 0
    for run in by_size:
        if _rows(run) > 2 * _rows(picked):
            break
        picked += run
        merged += 1
    return picked if parts or merged > 1 else []


def _rows(files: Sequence[File]) -> int:
    return sum(file.rows for file in files)
