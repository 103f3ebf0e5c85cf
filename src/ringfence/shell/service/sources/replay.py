"""`--replay FILE [--replay FILE …] --speed N`: any input of a scan, told live."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from ringfence.ingest.format import Settings
from ringfence.model.tables import CALLS, TEXTS, TRANSFERS
from ringfence.shell.service.sources.feed import Part
from ringfence.shell.sources import Merge, open_sources

WINDOW_ROWS: Final = 1 << 19
"""Calls that are held back to put disorder right, as in a scan."""
_NEVER: Final = 2**62


def parts_of(files: list[Path], name: str | None, settings: Settings) -> Iterator[Part]:
    """The rows of files in order of time.

    Raises:
        UnreadableError: the format of a file is not known.
    """
    merge = Merge(open_sources(files, name, settings))
    held: dict[str, list[pa.Table]] = {"calls": [], "texts": [], "transfers": []}
    rows = 0
    try:
        while (step := merge.next()) is not None:
            chunk = step[1]
            held[chunk.table].append(pa.Table.from_batches([chunk.records]))
            rows += len(chunk.rows)
            if rows >= 2 * WINDOW_ROWS:
                part = _before(held, min(merge.safe(), _oldest_kept(held)))
                rows = sum(len(table) for tables in held.values() for table in tables)
                yield part
    finally:
        merge.close()
    yield _before(held, _NEVER)


def _oldest_kept(held: dict[str, list[pa.Table]]) -> int:
    """Up to where calls are given out so that a window of them stays."""
    starts = (
        pa.concat_tables(held["calls"])["start_time"].cast(pa.int64()).to_numpy() if held["calls"] else []
    )
    if len(starts) <= WINDOW_ROWS:
        return _NEVER
    return int(np.partition(starts, len(starts) - WINDOW_ROWS)[len(starts) - WINDOW_ROWS])


def _before(held: dict[str, list[pa.Table]], until: int) -> Part:
    """Take out what lies before a time."""
    found = {}
    for name, schema in (("calls", CALLS), ("texts", TEXTS), ("transfers", TRANSFERS)):
        column = "start_time" if name == "calls" else "time"
        table = pa.concat_tables([schema.empty_table(), *held[name]]).sort_by(column)
        count = int(table[column].cast(pa.int64()).to_numpy().searchsorted(until))
        found[name], held[name] = table.slice(0, count), [table.slice(count)]
    return Part(found["calls"], found["texts"], found["transfers"], until)
