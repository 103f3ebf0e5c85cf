"""Calls from ever-new numbers until memory is flat: what an attacker invents must not fill it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from bench._load import ARROW, arrow, beside, request
from bench._service import SETTINGS, served
from bench._tables import Table, figure
from ringfence.shell.service.wiring import limits_for

NAME = "new_numbers"
TITLE = "Ever-new numbers"
SOAK = True
MILLIONS = 16
LINES: Final = 100_000
FEW_LINES: Final = f"[detect]\nlines = {LINES}\n"
BATCH: Final = 5_000
MEASURED = (
    f"Each call from a number that never rang to one that was never rung, five thousand a second of their time, in requests of {BATCH:,} to `ringfence serve` with `detect.lines = {LINES}`. "
    "Tables: the bytes that the engine says its tables have (`ringfence_memory_bytes`); resident: of the process, once all is judged."
)
READING = (
    f"The tables are bounded at {limits_for(LINES).bytes_at_rest() / 1e6:,.0f} MB for so many lines (`Limits.bytes_at_rest`; a test holds them to it), "
    "an idle service takes 360 MB, and while a snapshot is written there is a copy of the tables. Wanted: flat in the end."
)


def new_numbers(first: int, count: int) -> Iterator[bytes]:
    """Bodies of requests: calls from ever-new numbers to ever-new lines, five thousand a second."""
    start = 1_780_000_000_000_000
    for begin in range(first, first + count, BATCH):
        n = np.arange(begin, begin + BATCH)
        columns = {
            "call_id": pa.array([f"n{i}" for i in n]),
            "start_time": pa.array(start + n * 200, pa.timestamp("us", "UTC")),
            "caller": pa.array([f"+8613{i:09d}" for i in n]),
            "callee": pa.array([f"+8615{i:09d}" for i in n]),
        }
        yield arrow(pa.table(columns))


def run() -> list[Table]:
    """Measure."""
    table = Table("Memory, MB", ("millions of calls", "tables", "resident"))
    with tempfile.TemporaryDirectory() as name, served(Path(name), SETTINGS + FEW_LINES) as service:
        for million in range(MILLIONS):
            bodies = new_numbers(million * 1_000_000, 1_000_000)
            beside(service.port, [request("/v1/events", service.token, body, ARROW) for body in bodies], 1)
            service.settle()
            table.add(
                million + 1,
                figure(service.metric("ringfence_memory_bytes") / 1e6),
                figure(service.resident()),
            )
    return [table]
