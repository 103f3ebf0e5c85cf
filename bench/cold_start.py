"""How long `ringfence scan` takes as a process of its own, on a small file, when its code has been compiled before."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench._tables import Table, figure
from ringfence.samples.salesman import write_sample

NAME = "cold_start"
TITLE = "Cold start"
REPEATS = 5
WANTED = 3.0
MEASURED = (
    f"`ringfence scan` on the sample of `make run` (Copenhagen's calls with the salesman's flood, some 5,700 rows of CSV), as a whole "
    f"process, after one run that compiles; median of {REPEATS}, wall time, in turn with a process that only imports the three large "
    "libraries. The parts are timed inside one more process: imports with the interpreter's start; a scan of a single call, which loads the compiled "
    "code and the number plan; then the scan of the sample, and the report alone."
)
READING = (
    "At most 3 s are wanted. The first run on a machine, which compiles, takes two minutes or so and is not in this table. Wall time "
    "feels other work on the machine: look at the distance to the bare imports of the same minute."
)

SCAN = "import sys; from ringfence.cli.main import run; run()"
IMPORTS = "import numba, pyarrow, numpy"
PARTS = """
import json, sys, time
began = float(sys.argv[1])
from pathlib import Path
import ringfence.cli.main
from ringfence.shell.scan import Options, render, scan
spent = {"interpreter and imports": time.time() - began}
def timed(name, work):
    start = time.time()
    result = work()
    spent[name] = time.time() - start
    return result
folder = Path(sys.argv[3])
timed("loading compiled code and number plan", lambda: scan(Options([Path(sys.argv[2])], folder / "one")))
sample = Options([folder / "calls.csv"], folder / "parts")
result = timed("scan", lambda: scan(sample))
timed("report", lambda: list(render(result.summary, result.stories)))
spent["scan"] -= spent["report"]
print(json.dumps(spent))
"""
ONE_CALL = (
    "start_time,answer_time,end_time,caller,callee\n"
    "2026-02-01T00:00:00Z,2026-02-01T00:00:05Z,2026-02-01T00:01:05Z,,+8613800000001\n"
)


def _wall(*arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", *arguments], check=True, capture_output=True)
    return time.perf_counter() - began


def _parts(folder: Path) -> dict[str, float]:
    one = folder / "one.csv"
    one.write_text(ONE_CALL, encoding="utf-8")
    command = [sys.executable, "-c", PARTS, str(time.time()), str(one), str(folder)]
    spent: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return spent


def _median(turns: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}


def run() -> list[Table]:
    """Measure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_sample(folder / "calls.csv")
        arguments = (SCAN, "scan", str(folder / "calls.csv"), "--out", str(folder / "out"))
        _wall(*arguments)
        scans, imports = [], []
        for _ in range(REPEATS):
            scans.append(_wall(*arguments))
            imports.append(_wall(IMPORTS))
        parts = _median([_parts(folder) for _ in range(3)])
    whole = Table(
        f"Wall time of a process, s (wanted: at most {WANTED:.0f})", ("", "median", "least", "most")
    )
    for title, times in (("ringfence scan, code compiled before", scans), (IMPORTS, imports)):
        whole.add(title, *(figure(x, 2) for x in (statistics.median(times), min(times), max(times))))
    where = Table("Where it goes, s (median of 3)", ("", "s"))
    for title, seconds in parts.items():
        where.add(title, figure(seconds, 2))
    return [whole, where]
