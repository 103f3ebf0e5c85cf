"""Ten minutes of load on the live service, killed every two: what it holds, how late it is, whether anything is missing."""

import os
import signal
import tempfile
from pathlib import Path

from bench._disk import Disk, watched
from bench._load import ARROW, arrow, request, send
from bench._service import SETTINGS, Process, served
from bench._tables import Table, figure
from ringfence.shell.service.live_rows import told
from ringfence.simulate.city import City
from ringfence.simulate.write import tables

NAME = "soak"
TITLE = "Ten minutes of load"
SOAK = True
MINUTES = 10
KILLED_AFTER = 2
DAYS = 10.5
RATE = 20.0
BATCH = 500
MEASURED = (
    f"A city of 60,000 lines is told live, {DAYS:g} days in ten minutes, {RATE * BATCH:,.0f} rows a second, for {MINUTES} minutes; every {KILLED_AFTER} minutes the "
    "service is killed (SIGKILL) and started again on the same folder, and the load goes on with the first batch that was not acknowledged. "
    "Beside it a thread forces 4 KB to the same disk five times a second: what that waits for, the service waits for too."
)
READING = "Memory must level off, nothing may be behind at the end of a stretch, and nothing may be missing: of the rows acknowledged since the beginning, over all kills, those that were not taken in."


def run() -> list[Table]:
    """Measure."""
    rows = told(tables(City(60_000, DAYS, 33))[0]["calls"]).drop_columns(["told"])
    bodies = [arrow(rows.slice(first, BATCH)) for first in range(0, len(rows), BATCH)]
    table = Table(
        "Stretches between two kills", ("minutes", "rows acknowledged", "refused", "p99 of an answer, ms", "behind", "missing so far", "resident, MB", "ready after, s", "longest fsync beside it, ms")
    )  # fmt: skip
    a_stretch, first = int(KILLED_AFTER * 60 * RATE), 0
    with tempfile.TemporaryDirectory() as name:
        for stretch in range(MINUTES // KILLED_AFTER):
            with served(Path(name), SETTINGS) as service, watched(Path(name)) as disk:
                first = _stretch(table, service, disk, bodies[first : first + a_stretch], stretch, first)
    return [table]


def _stretch(
    table: Table, service: Process, disk: Disk, bodies: list[bytes], stretch: int, before: int
) -> int:
    """Load one stretch, and kill the service; returns how many batches are acknowledged so far."""
    answers = send(service.port, [request("/v1/events", service.token, b, ARROW) for b in bodies], 1, RATE)
    status = service.status()
    taken = len(answers.took) - sum(answers.refused.values())
    service.settle()
    counted = service.status()["sources"]["events"]["rows"]
    p99 = sorted(answers.took)[int(len(answers.took) * 0.99)]
    table.add(
        f"{stretch * KILLED_AFTER} to {(stretch + 1) * KILLED_AFTER}", figure(taken * BATCH), sum(answers.refused.values()),
        figure(1000 * p99), status["behind"], (before + taken) * BATCH - counted, figure(service.resident()), figure(service.started_s, 1), figure(1000 * disk.longest),
    )  # fmt: skip
    os.kill(service.pid, signal.SIGKILL)
    return before + taken
