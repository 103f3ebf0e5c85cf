"""Parquet files of the store: written whole and forced to disk, or not there."""

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringfence.shell.checkpoint import sync_folder
from ringfence.shell.records.kinds import ERASED, Kind
from ringfence.shell.records.manifest import PART, RUN, File

DAY_US: Final = 86_400_000_000

# Measured in docs/decisions/0012-record-store.md: what a look-up costs is the footers and the row groups it opens.
RUN_ROWS: Final = 65_536
GROUP_ROWS: Final = 4_096
PART_GROUP_ROWS: Final = 122_880
_FEW_VALUES: Final = {
    "number",
    "side",
    "cause",
    "released_by",
    "ingress",
    "trunk",
    "attestation",
    "callee_cell",
    "currency",
}


def day_of(time: int) -> str:
    """The UTC day of a moment in µs since 1970, such as 2026-03-05."""
    return datetime.fromtimestamp(time // DAY_US * 86_400, UTC).strftime("%Y-%m-%d")


def day_start(day: str) -> int:
    """When a day begins, in µs since 1970."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000


def times(rows: pa.Table, column: str) -> npt.NDArray[np.int64]:
    """A column of times, in µs since 1970."""
    return np.asarray(rows[column].combine_chunks().cast(pa.int64()), np.int64)


def by_day(rows: pa.Table, column: str) -> Iterator[tuple[str, pa.Table]]:
    """Rows by the UTC day of a column, in their order."""
    days = times(rows, column) // DAY_US
    found = np.unique(days)
    for day in found:
        yield day_of(int(day) * DAY_US), rows if len(found) == 1 else rows.filter(pa.array(days == day))


def write_part(
    folder: Path, kind: Kind, day: str, number: int, rows: pa.Table, seqs: tuple[int, int]
) -> File:
    """Write rows as they came.

    Args:
        folder: of the store.
        kind: of the rows.
        day: of all of them.
        number: for the file's name, never used before.
        rows: at least one.
        seqs: sequence numbers of the first and the last record of the journal in it.

    Raises:
        OSError: it cannot be written.
    """
    name = f"part-{seqs[0]:012}-{seqs[1]:012}-{number}.parquet"
    size = _write(folder / kind.name / day / name, rows, PART_GROUP_ROWS)
    return File(kind.name, day, name, PART, number, len(rows), len(rows), size, *seqs)


def write_run(
    folder: Path, kind: Kind, day: str, number: int, batches: Iterable[pa.Table], seqs: tuple[int, int]
) -> list[File]:
    """Write rows in the order of their numbers as the files of one run; arguments as in `write_part`."""
    found = []
    for place, rows in enumerate(batches):
        name = f"run-{number}-{place:04}.parquet"
        found.append(run_file(folder, kind, day, name, number, rows, seqs))
    return found


def run_file(
    folder: Path, kind: Kind, day: str, name: str, run: int, rows: pa.Table, seqs: tuple[int, int]
) -> File:
    """Write one file of a run; `rows` are in the order of their numbers, at least one."""
    size = _write(folder / kind.name / day / name, rows, GROUP_ROWS)
    return File(
        kind.name, day, name, RUN, run, len(rows), _records(kind, rows), size, *seqs,
        low=rows["number"][0].as_py(), high=rows["number"][-1].as_py(),
    )  # fmt: skip


def _records(kind: Kind, rows: pa.Table) -> int:
    """Of how many records this is the row that comes once (`Kind.once`)."""
    first = kind.ends[0].column
    return int(pc.sum(pc.or_(pc.equal(rows["side"], first), pc.equal(rows[first], ERASED))).as_py() or 0)


def _write(path: Path, rows: pa.Table, group: int) -> int:
    """Write a file and force it to disk; returns its size in bytes."""
    moments = [name for name in rows.column_names if pa.types.is_timestamp(rows.schema.field(name).type)]
    options: dict[str, Any] = {
        "compression": "zstd",
        "compression_level": 1,
        "row_group_size": group,
        "use_dictionary": [name for name in rows.column_names if name in _FEW_VALUES],
        "column_encoding": dict.fromkeys(moments, "DELTA_BINARY_PACKED"),
        "write_statistics": ["number", *moments[:1]],
    }
    file = _create(path)
    try:
        with file:
            pq.write_table(rows, file, **options)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        sync_folder(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return size


def _create(path: Path) -> BinaryIO:
    """A new file; its folder may be removed by another thread at the same moment, because the day was empty."""
    day = path.parent
    while True:
        if not day.exists():
            day.mkdir(parents=True, exist_ok=True)
            sync_folder(day.parent)  # the day's name, and that of a table's first day
            sync_folder(day.parent.parent)
        try:
            return path.open("wb")
        except FileNotFoundError:
            continue


def cut(batches: Iterable[pa.RecordBatch], rows: int = RUN_ROWS) -> Iterator[pa.Table]:
    """Batches of any size as tables of `rows` rows; the last one may be smaller."""
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        held.append(batch)
        count += len(batch)
        if count >= rows:
            whole = pa.Table.from_batches(held)
            full = count - count % rows
            for begin in range(0, full, rows):
                yield whole.slice(begin, rows).combine_chunks()
            held = whole.slice(full).to_batches()
            count -= full
    if count:
        yield pa.Table.from_batches(held).combine_chunks()
