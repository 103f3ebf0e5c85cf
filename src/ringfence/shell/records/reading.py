"""Questions to the store, through DuckDB: files that the manifest names, and rows that are still in memory."""

# ruff: noqa: S608  what is put together here are names of columns; values are parameters

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.shell.records.kinds import Kind
from ringfence.shell.records.manifest import PART, RUN, File

EVER: Final = (-(1 << 60), 1 << 60)
"""µs since 1970: all times there can be."""


def connect(temporary: Path, memory: str, threads: int) -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own in memory, which spills to `temporary` and loads nothing from anywhere."""
    database = duckdb.connect(
        ":memory:",
        config={
            "threads": threads,
            "memory_limit": memory,
            "temp_directory": str(temporary),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,  # a query sees the relations it is given, never a variable
        },
    )
    database.execute("SET GLOBAL TimeZone = 'UTC'")
    return database


@dataclass(frozen=True, slots=True)
class Rows:
    """Where rows of one kind are.

    Attributes:
        kind: of the rows.
        parts: files of rows as they came.
        runs: compacted files.
        memory: rows that are not on the disk yet, in the columns of the kind.
    """

    kind: Kind
    parts: Sequence[str]
    runs: Sequence[str]
    memory: pa.Table | None

    @classmethod
    def of_files(cls, kind: Kind, folder: Path, files: Sequence[File], memory: pa.Table | None) -> "Rows":
        """Rows of some files and of memory."""
        parts = [str(file.path(folder)) for file in files if file.kind == PART]
        runs = [str(file.path(folder)) for file in files if file.kind == RUN]
        return cls(kind, parts, runs, memory if memory is not None and len(memory) else None)

    def empty(self) -> bool:
        """Whether there is no place to look at."""
        return not self.parts and not self.runs and self.memory is None

    def select(self, where: str, under: str | None = None) -> tuple[str, dict[str, Any]]:
        """SQL for the rows that fulfil a condition, with its parameters.

        Args:
            where: the condition on columns of the kind.
            under: what takes its place in compacted files, where each record stands under each of its numbers
                (default: `where`, for each record once).
        """
        sources, given = [], {}
        if self.runs:
            found = under or f"{where} AND {self.kind.once()}"
            sources.append(
                f"SELECT {self.kind.columns} FROM read_parquet($runs, hive_partitioning = false) WHERE {found}"
            )
            given["runs"] = list(self.runs)
        if self.parts:
            sources.append(
                f"SELECT {self.kind.columns} FROM read_parquet($parts, hive_partitioning = false) WHERE {where}"
            )
            given["parts"] = list(self.parts)
        if self.memory is not None:
            sources.append(f"SELECT {self.kind.columns} FROM memory WHERE {where}")
        return " UNION ALL ".join(sources), given


class Reader:
    """Answers questions from any thread.

    Args:
        temporary: folder that DuckDB may spill to.
        memory: the most it may take, such as "1GB".
        threads: for one question.
    """

    def __init__(self, temporary: Path, memory: str, threads: int) -> None:
        self._database = connect(temporary, memory, threads)
        self._lock = threading.Lock()

    def close(self) -> None:
        """No more questions."""
        with self._lock:
            self._database.close()

    def ask(self, query: str, given: dict[str, Any], **relations: pa.Table | None) -> pa.Table:
        """The answer as a table; `relations` are the tables that the query names."""
        with self._lock:
            cursor = self._database.cursor()
        with cursor:
            for name, table in relations.items():
                if table is not None:
                    cursor.register(name, table)
            return cursor.sql(query, params=given).to_arrow_table()

    def of_number(self, rows: Rows, number: str, begin: int, end: int, limit: int | None) -> pa.Table:
        """Records with a number at one of their ends, newest first, with the end at which it stands (`side`).

        Args:
            rows: where to look.
            number: as in the rows.
            begin: µs.
            end: µs, not included.
            limit: the most records.
        """
        kind = rows.kind
        if rows.empty():
            return nothing(kind)
        source, given = rows.select(
            f"{kind.of()} AND {kind.within()}", f"number = $number AND {kind.within()}"
        )
        order = ", ".join(
            [f"{kind.time} DESC", *(f"{name} NULLS FIRST" for name in kind.schema.names if name != kind.time)]
        )
        query = (
            f"WITH found AS ({source}), folded AS ({kind.fold('found')})"
            f" SELECT {kind.columns}, {kind.side()} AS side FROM folded ORDER BY {order}"
        )
        if limit is not None:
            query += " LIMIT $limit"
            given["limit"] = limit
        memory = None if rows.memory is None else of_number(rows.memory, kind, number)
        given |= {"number": number, "since": begin, "until": end}
        return self.ask(query, given, memory=memory).cast(answer_schema(kind))

    def of_call(self, rows: Rows, call_id: str, begin: int, end: int) -> pa.Table:
        """Calls with an id, newest first; arguments as in `of_number`."""
        kind = rows.kind
        if rows.empty():
            return nothing(kind).drop_columns(["side"])
        source, given = rows.select(f"call_id = $call_id AND {kind.within()}")
        query = f"WITH found AS ({source}) {kind.fold('found')} ORDER BY {kind.time} DESC, callee, caller"
        given |= {"call_id": call_id, "since": begin, "until": end}
        return self.ask(query, given, memory=rows.memory).cast(kind.schema)

    def between(self, rows: Rows, begin: int, end: int) -> pa.Table:
        """All records of a stretch of time, in order of time; arguments as in `of_number`."""
        kind = rows.kind
        if rows.empty():
            return kind.schema.empty_table()
        source, given = rows.select(kind.within())
        query = f"WITH found AS ({source}) {kind.fold('found')} ORDER BY {kind.time}"
        given |= {"since": begin, "until": end}
        return self.ask(query, given, memory=rows.memory).cast(kind.schema)

    def without(self, kind: Kind, rows: pa.Table, number: str, before: int, held: pa.Table) -> pa.Table:
        """Rows in memory without a number (`Kind.without`), but for what cases hold."""
        given = {"number": number, "since": EVER[0], "until": before}
        return self.ask(kind.without("memory", run=False), given, memory=rows, held=held).cast(kind.schema)


def answer_schema(kind: Kind) -> pa.Schema:
    """Columns of an answer."""
    return kind.schema.append(pa.field("side", pa.string()))


def nothing(kind: Kind) -> pa.Table:
    """An answer without rows."""
    return answer_schema(kind).empty_table()


def of_number(rows: pa.Table, kind: Kind, number: str) -> pa.Table:
    """Of rows in memory those with a number at one of their ends."""
    found = None
    for end in kind.ends:
        hit = pc.equal(rows[end.column], number)
        found = hit if found is None else pc.or_kleene(found, hit)
    return rows.filter(found)
