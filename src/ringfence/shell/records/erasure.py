"""A person's data: what leaves the store for the person, and how it leaves the store for good."""

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringfence.shell.records.disk import Disk
from ringfence.shell.records.files import by_day, run_file, write_part
from ringfence.shell.records.kinds import Kind
from ringfence.shell.records.manifest import PART, File, Manifest
from ringfence.shell.records.rewriting import Worker


@dataclass(slots=True)
class Erased:
    """What became of a number.

    Attributes:
        records: how many records it was erased from, by table.
        held: how many keep it because a case holds them, by table; these are erased once the case lets them go.
    """

    records: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)


def write_export(path: Path, number: str, tables: Mapping[str, pa.Table]) -> None:
    """Write a person's records as a ZIP of Parquet and JSON Lines, replaced as one.

    Args:
        path: of the archive.
        number: whose records they are.
        tables: by name.

    Raises:
        OSError: it cannot be written; what was there before still is.
    """
    new = path.with_name(path.name + ".new")
    counts = {name: len(rows) for name, rows in tables.items()}
    try:
        with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("about.json", orjson.dumps({"number": number, "records": counts}))
            for name, rows in tables.items():
                with archive.open(f"{name}.parquet", "w", force_zip64=True) as file:
                    pq.write_table(rows, file, compression="zstd")
                with archive.open(f"{name}.jsonl", "w", force_zip64=True) as file:
                    for batch in rows.to_batches(max_chunksize=10_000):
                        file.write(b"".join(map(_line, batch.to_pylist())))
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _line(row: dict[str, Any]) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)


def touched(kind: Kind, found: pa.Table, number: str, manifest: Manifest) -> Iterator[list[File]]:
    """The files in which a number's records lie, day by day: under the number, and under those it spoke with.

    Args:
        kind: of the records.
        found: the number's records.
        number: whose.
        manifest: the files.
    """
    for day, rows in by_day(found, kind.time):
        ends = [pc.unique(rows[end.column].combine_chunks()) for end in kind.ends]
        numbers = {text for column in ends for text in column.to_pylist() if text is not None} | {number}
        files = manifest.days.get(kind.name, {}).get(day, [])
        held = [file for file in files if file.kind == PART or any(map(file.may_hold, numbers))]
        if held:
            yield held


def rewritten(disk: Disk, worker: Worker, kind: Kind, file: File, number: str, before: int) -> File | None:
    """A new file without a number, or None where nothing is left; the old one stays.

    Raises:
        OSError: it cannot be written.
    """
    run = file.kind != PART
    rows = worker.without(kind, file.path(disk.folder), number, before, run=run)
    if not len(rows):
        return None
    seqs, new = (file.first, file.last), disk.number()
    if run:
        name = f"run-{file.run}-without-{new}.parquet"
        return run_file(disk.folder, kind, file.day, name, file.run, rows, seqs)
    return write_part(disk.folder, kind, file.day, new, rows, seqs)
