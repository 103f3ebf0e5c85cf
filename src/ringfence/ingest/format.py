"""What a format is: the shape every reader has, and how readers are found.

A format is one file in this package that defines

- `NAME`: the name of `--format NAME`;
- `TITLE`: one line for the help and the documentation;
- `sniff(head)`: how sure the reader is, from the first 64 KiB (decompressed) of a file, that the file is its own:
  0 (not mine) to 100 (certain);
- `read(stream, settings)`: the chunks of the file;
- `NEEDS_MAPPING = True`, only if it reads nothing without a mapping file.

Adding a format is adding such a file: nothing else names it. Files whose name begins with `_`, and this one, are not
formats.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import BinaryIO, Protocol, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import ringfence.ingest
from ringfence.model.tables import CALLS, TEXTS, TRANSFERS

HEAD_BYTES = 64 * 1024
SCHEMAS = {"calls": CALLS, "texts": TEXTS, "transfers": TRANSFERS}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a reader cannot know from the file itself.

    Attributes:
        country: ISO 3166 code of the country whose national number form is used where no country code is shown.
        timezone: IANA zone of times that carry no zone.
        mapping: the TOML text of a mapping file, for `mapped_csv`.
    """

    country: str = "CN"
    timezone: str = "UTC"
    mapping: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was put aside. `row` counts from 1: the line of a text file, the record of a table.

    The reason never repeats a telephone number or other content of the row.
    """

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some thousand rows of a file.

    Attributes:
        columns: those of the `CALLS` schema (or `TEXTS`, `TRANSFERS`: see `table`) in its order, but text may be a dictionary
            of text; numbers as the file writes them (they are normalised later).
        rows: int64, for each record the row of the file it comes from.
        read: rows of the file used up by this chunk: calls, rejected, and rows that were understood but are no call of
            their own (`ignored`). Summed over the file: read = accepted + rejected, where accepted includes ignored.
        ignored: rows understood that are not a call of their own (a BYE record, a text message, a comment).
        rejected: rows put aside.
        notes: counts of repairs by name (`"dst_gap"`, `"dst_fold"`, `"clock_jump"`, …).
        table: the table these rows belong to: `"calls"`, `"texts"` or `"transfers"`.
    """

    columns: pa.RecordBatch
    rows: npt.NDArray[np.int64]
    read: int
    ignored: int = 0
    rejected: tuple[Rejected, ...] = ()
    notes: dict[str, int] = field(default_factory=dict)
    table: str = "calls"

    @property
    def records(self) -> pa.RecordBatch:
        """The columns in the schema of the table, which knows no dictionaries."""
        return self.columns.cast(SCHEMAS[self.table])


class UnreadableError(Exception):
    """A file cannot be read at all (not a bad row): one line, what is wrong and what to do."""


class Format(Protocol):
    """The module of a format."""

    NAME: str
    TITLE: str

    def sniff(self, head: bytes) -> int:
        """Return how sure this reader is that a file beginning with `head` is its own, 0 to 100."""

    def read(self, stream: BinaryIO, settings: Settings) -> Iterator[Chunk]:
        """Yield the chunks of a (decompressed) file.

        Raises:
            UnreadableError: the file as a whole is not of this format, or ends in the middle of its structure.
        """


@cache
def formats() -> dict[str, Format]:
    """All formats found, by name."""
    found: dict[str, Format] = {}
    for module in pkgutil.iter_modules([str(Path(path)) for path in ringfence.ingest.__path__]):
        if module.name.startswith("_"):
            continue
        loaded: ModuleType = importlib.import_module(f"{ringfence.ingest.__name__}.{module.name}")
        if hasattr(loaded, "sniff"):
            found[loaded.NAME] = cast("Format", loaded)
    return found


def recognise(head: bytes, settings: Settings | None = None) -> Format:
    """Return the format a file is in: from its first bytes, or, where a mapping is given, the one that needs a mapping.

    Raises:
        UnreadableError: no format knows it.
    """
    if settings is not None and settings.mapping is not None:
        return next(fmt for fmt in formats().values() if getattr(fmt, "NEEDS_MAPPING", False))
    sure, name = max((fmt.sniff(head), name) for name, fmt in formats().items())
    if sure == 0:
        raise UnreadableError(
            "the format is not recognised; name it with --format (one of "
            + ", ".join(sorted(formats()))
            + ")"
        )
    return formats()[name]
