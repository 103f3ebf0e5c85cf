"""Fifty million calls of two million lines, and what follows for a nation."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from bench._tables import Table, figure
from ringfence.detect.shard import Limits
from ringfence.simulate.city import City
from ringfence.simulate.write import make

NAME: Final = "capacity"
TITLE: Final = "Capacity"
SOAK: Final = True
LINES, DAYS = 2_000_000, 7
WANTED_BYTES: Final = 6 << 30
MEASURED: Final = (
    f"`ringfence simulate` of {LINES:,} lines for {DAYS} days, then `Scan` on its `calls.parquet` with all detectors in a process of its own, as "
    "`ringfence scan` does it, pages and all. CPU time of all threads; the peak is the kernel's (`ru_maxrss`)."
)
READING: Final = (
    "At most 6 GiB are wanted. A line, a pair, a number take their share of a table that is 35 to 70 % full. What cities, provinces and nations take is worked out "
    "from these figures in docs/capacity.md."
)
_RUN: Final = """
import json, resource, sys, time
from pathlib import Path
from ringfence.shell.scan import Options, Scan
began = time.monotonic()
scan = Scan(Options([Path(sys.argv[1])], Path(sys.argv[2])))
result = scan.run()
used = resource.getrusage(resource.RUSAGE_SELF)
tables = {name: [int(t.count[0]), t.rows.nbytes] for shard in scan._engine.shards for name, t in shard._tables().items()}
print(json.dumps({
    "calls": result.summary.calls, "alerts": len(result.stories), "wall": time.monotonic() - began, "cpu": used.ru_utime + used.ru_stime,
    "peak": used.ru_maxrss * 1024, "tables": tables, "state": scan._engine.nbytes(),
}))
"""


def scanned(calls: Path, out: Path) -> dict[str, Any]:
    """Scan a file in a process of its own, and measure it."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(calls), str(out)], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def shown(found: dict[str, Any]) -> list[Table]:
    """What a scan took, as tables."""
    run = Table("The scan", ("", "measured"))
    run.add("calls", figure(found["calls"]))
    run.add("alerts", figure(found["alerts"]))
    run.add("CPU seconds", figure(found["cpu"]))
    run.add("seconds", figure(found["wall"]))
    run.add("calls per CPU-second", figure(found["calls"] / found["cpu"]))
    run.add("peak memory, GiB (wanted: at most 6)", figure(found["peak"] / 2**30, 2))
    run.add("state, GiB", figure(found["state"] / 2**30, 2))
    run.add("state at the most, whatever is invented, GiB", figure(Limits().bytes_at_rest() / 2**30, 2))
    run.add("the same while its largest table doubles, GiB", figure(Limits().bytes_at_most() / 2**30, 2))
    tables = Table("State", ("", "records", "MiB", "bytes a record"))
    for name, (count, size) in found["tables"].items():
        tables.add(name, figure(count), figure(size / 2**20), figure(size / count) if count else None)
    return [run, tables]


def run() -> list[Table]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        make(City(LINES, DAYS, seed=50), Path(folder))
        return shown(scanned(Path(folder) / "calls.parquet", Path(folder) / "out"))
