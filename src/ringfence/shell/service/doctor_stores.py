"""What is wrong with what the service keeps on disk: journal, database, records. Nothing is changed, and the service may be running."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ringfence.shell.records.errors import RecordsError
from ringfence.shell.records.manifest import MANIFEST, Manifest
from ringfence.shell.service.findings import Finding, Patient
from ringfence.shell.service.segments import Damage, read_all, segments
from ringfence.shell.store.database import FILE


def journal(patient: Patient) -> Iterator[Finding]:
    """Read every segment, as a start would."""
    found = segments(patient.config.service.data / "journal")
    if not found:
        return
    damage, records = Damage(), 0
    for path in found:
        records += sum(1 for _ in read_all(path, damage, is_last=path is found[-1]))
    if damage.gaps:
        places = "; ".join(damage.places)
        yield Finding("bad", (f"journal: {damage.bytes:,} bytes cannot be read ({places})", f"日志段：{damage.bytes:,} 字节无法读取（{places}）"), ("the rest is used; look into the disk, what is lost must be sent again", "其余部分仍可使用；请检查磁盘，丢失的数据须重新发送"))  # fmt: skip
    else:
        size = sum(path.stat().st_size for path in found)
        yield Finding("ok", (f"journal: {records:,} records, {size / 1e6:,.1f} MB", f"日志段：{records:,} 条记录，{size / 1e6:,.1f} MB"))  # fmt: skip


def database(patient: Patient) -> Iterator[Finding]:
    """Have SQLite look through its file."""
    path = patient.config.service.data / FILE
    if not path.exists():
        return
    # without a log nobody has it open, and SQLite need not make files of its own beside it to read it
    how = "mode=ro" if path.with_name(f"{FILE}-wal").exists() else "immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True)) as connection:
            (told,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        told = str(error)
    if told == "ok":
        yield Finding("ok", (f"{FILE}: sound", f"{FILE}：完好"))
    else:
        yield Finding("bad", (f"{path}: is damaged", f"{path}：已损坏"), ("stop the service and put it back from a copy; the journal brings back what came after", "请停止服务并从备份恢复；此后的数据由日志段补回"))  # fmt: skip


def records(patient: Patient) -> Iterator[Finding]:
    """Look whether every file that the store names is there, as long as it should be."""
    folder = patient.config.service.data / "records"
    if not (folder / MANIFEST).exists():
        return
    try:
        missing = [path for path, size in _named(folder) if not _has(path, size)]
        if missing:  # a running service replaces files: they are gone for good only if they are still named
            missing = [path for path, size in _named(folder) if not _has(path, size)]
    except RecordsError as error:
        yield Finding("bad", (str(error), str(error)), ("put it back from a copy", "请从备份恢复"))
        return
    if missing:
        first = missing[0]
        yield Finding("bad", (f"records: {len(missing)} files are missing or cut off, first {first}", f"通话记录：{len(missing)} 个文件缺失或不完整，首个为 {first}"), ("put them back from a copy of the folder", "请从目录备份中恢复"))  # fmt: skip
    else:
        yield Finding("ok", ("records: every file is there", "通话记录：文件齐全"))


def _named(folder: Path) -> list[tuple[Path, int]]:
    return [(file.path(folder), file.size) for file in Manifest.load(folder).files]


def _has(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False
