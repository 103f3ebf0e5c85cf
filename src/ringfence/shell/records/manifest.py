"""The manifest: which files the store consists of. What it does not name is not there.

Every change of the store (a flush, a compaction, an erasure) writes its files under new names, forces them to disk and
then replaces the manifest as one. So whoever is killed at any moment leaves the store before the change or after it;
files that no manifest names are swept away at the next start.
"""

import hashlib
import os
import secrets
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import orjson

from ringfence.shell.checkpoint import sync_folder
from ringfence.shell.records.errors import StoreDamagedError

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
PART: Final = "part"
RUN: Final = "run"


@dataclass(frozen=True, slots=True)
class File:
    """One Parquet file.

    Attributes:
        table: its table.
        day: of all its rows, UTC, such as 2026-03-05.
        name: in the folder of table and day.
        kind: "part" (rows as they came) or "run" (a piece of a compacted run).
        run: files of one run have the same.
        rows: in the file; a record has a row under each of its numbers in a run.
        records: of those, how many records begin here (a run's are unique).
        size: bytes.
        first: sequence number of the earliest record of the journal in it.
        last: of the latest.
        low: lowest number in it; "" in a part.
        high: highest number in it.
    """

    table: str
    day: str
    name: str
    kind: str
    run: int
    rows: int
    records: int
    size: int
    first: int
    last: int
    low: str = ""
    high: str = ""

    def path(self, folder: Path) -> Path:
        """Where it lies."""
        return folder / self.table / self.day / self.name

    def may_hold(self, number: str) -> bool:
        """Whether rows of a number can be in it."""
        return self.kind == PART or self.low <= number <= self.high


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure that was asked for.

    Attributes:
        digest: keyed hash of the number, so that rows that come late can be told without keeping the number.
        before: µs; what began earlier is erased.
        number: as long as there is something left to erase (a case holds it, or the work was interrupted), else null.
    """

    digest: str
    before: int
    number: str | None = None


@dataclass(frozen=True)
class Manifest:
    """What the store consists of at one moment.

    Attributes:
        files: all of them.
        erasures: that rows still to come must know of.
        salt: key of the digests, hexadecimal.
        next: the next unused number for a file's name.
    """

    files: tuple[File, ...] = ()
    erasures: tuple[Erasure, ...] = ()
    salt: str = field(default_factory=lambda: secrets.token_hex(16))
    next: int = 1

    @cached_property
    def days(self) -> dict[str, dict[str, list[File]]]:
        """Files by table and day, days in order."""
        found: dict[str, dict[str, list[File]]] = {}
        for file in sorted(self.files, key=lambda file: file.day):
            found.setdefault(file.table, {}).setdefault(file.day, []).append(file)
        return found

    def digest(self, number: str) -> str:
        """The keyed hash of a number."""
        return hashlib.blake2b(number.encode(), key=bytes.fromhex(self.salt), digest_size=16).hexdigest()

    def changed(self, remove: Collection[File], add: Collection[File]) -> "Manifest":
        """The manifest after a change of files."""
        gone = {file.path(Path()) for file in remove}
        kept = [file for file in self.files if file.path(Path()) not in gone] if gone else self.files
        return replace(self, files=(*kept, *add))

    def save(self, folder: Path) -> None:
        """Replace the manifest on disk.

        Raises:
            OSError: it cannot be written; the one before is still there.
        """
        content = {
            "format": FORMAT,
            "salt": self.salt,
            "next": self.next,
            "erasures": [asdict(erasure) for erasure in self.erasures],
            "files": [asdict(file) for file in self.files],
        }
        new = folder / f"{MANIFEST}.new"
        with new.open("wb") as file:
            file.write(orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))
            file.flush()
            os.fsync(file.fileno())
        new.replace(folder / MANIFEST)
        with suppress(OSError):  # it is in force now, whatever becomes of this
            sync_folder(folder)

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """The manifest of a folder; a new one, saved at once, where there are no records yet.

        Raises:
            StoreDamagedError: it cannot be read, or is missing although there are files.
        """
        path = folder / MANIFEST
        if not path.exists():
            if any(folder.glob("*/*/*.parquet")):
                raise StoreDamagedError(
                    f"{path} is missing, but there are records; put it back from a backup, or move the folder away"
                )
            manifest = cls()
            manifest.save(folder)
            return manifest
        try:
            content: dict[str, Any] = orjson.loads(path.read_bytes())
            found = content["format"]
            if found == FORMAT:
                return cls(
                    tuple(File(**file) for file in content["files"]),
                    tuple(Erasure(**erasure) for erasure in content["erasures"]),
                    content["salt"],
                    content["next"],
                )
        except (ValueError, KeyError, TypeError) as error:
            raise StoreDamagedError(f"{path} cannot be read ({error}); put it back from a backup") from error
        raise StoreDamagedError(
            f"{path} has format {found}, this version reads {FORMAT}; install the newer version"
        )
