"""The pass against plain Python, and where the time goes from a file to its alerts."""

import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from tests.reference import plain

from bench._calls import COUNTRY
from bench._calls import calls_in_order as in_order
from bench._tables import Table, figure, quantile
from ringfence.detect.detectors import DETECTORS
from ringfence.detect.engine import Engine
from ringfence.detect.evidence import OBSERVATION
from ringfence.detect.memory import CALL, LINE, PAIR, PROFILE
from ringfence.detect.moments import PLAN
from ringfence.ingest.format import Chunk, Settings, formats
from ringfence.ingest.normalise import calls_of
from ringfence.ingest.reorder import Reorder
from ringfence.model.calls import NEVER, Calls
from ringfence.model.numbers import Names, NumberPlan
from ringfence.simulate.attempts import table
from ringfence.simulate.town import busy_town

NAME = "speed"
TITLE = "Speed and memory"
LINES, DAYS = 2_000, 14
EPOCH = 1_767_225_600 * 1_000_000
REPEATS = 5
WANTED = 15
MEASURED = (
    f"One simulated town ({LINES:,} lines, {DAYS} days, 60 floods, 60 look-alikes). The pass (`Engine.process`, compiled before, state "
    "empty) and the plain-Python reference (`tests/reference/plain.py`, which gives the same outcomes: a test holds them "
    f"equal) take the same ready calls in turn, {REPEATS} times; CPU time of the process, calls kept out of the garbage collection. The stages are "
    "those of `ringfence scan` on the same calls as a file, one after the other, each timed over the whole file, least of "
    f"{REPEATS}, in turn for both formats; CPU time of all threads."
)
READING = (
    "The ratio is the median of the ratios of each turn; at least 15 is wanted. Figures in calls per CPU-second hold for this machine and "
    "this minute only. A table is 30 to 60 % full when it has just grown or is about to, so a line, pair or case takes 1.7 to 3.3 "
    "times its record."
)


def _cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def _town() -> pa.Table:
    return table(busy_town(np.random.default_rng(7), LINES, DAYS).attempts, EPOCH)


def pass_against_plain(calls: Calls) -> Table:
    """The pass and the reference in turn."""
    tuples = plain.rows_of(calls)
    Engine(["flood"]).process(calls.slice(0, 9), NEVER)  # loads the compiled code
    gc.freeze()  # the calls as tuples are no rubbish: Python need not look at them again and again
    fast, slow = [], []
    for _ in range(REPEATS):
        fast.append(_cpu(lambda: Engine(["flood"]).process(calls, NEVER))[0])
        slow.append(_cpu(lambda: plain.PlainPass().run(tuples))[0])
    gc.unfreeze()
    ratio = quantile([b / a for a, b in zip(fast, slow, strict=True)], 0.5)
    result = Table(
        f"The pass alone, {len(calls):,} calls",
        ("", "calls per CPU-second: median", "most", "ns a call: median", "least"),
    )
    for name, seconds in (("compiled pass", fast), ("plain Python", slow)):
        middle, least = quantile(seconds, 0.5) or 0.0, min(seconds)
        nanoseconds = [1e9 * part / len(calls) for part in (middle, least)]
        rates = [len(calls) / part for part in (middle, least)]
        result.add(name, *(figure(x) for x in (*rates, *nanoseconds)))
    result.add(f"ratio (wanted: at least {WANTED})", figure(ratio, 1), None, None, None)
    return result


def _stages(path: Path, name: str) -> dict[str, float]:
    """Seconds of each stage, from a file to outcomes."""
    spent = {}

    def read() -> list[Chunk]:
        with path.open("rb") as stream:
            return list(formats()[name].read(stream, Settings()))

    plan, names, window = NumberPlan.of(COUNTRY), Names(), Reorder()

    def order(parts: list[Calls]) -> Calls:
        for part in parts:
            window.push(part)
        return window.flush()

    spent["read"], chunks = _cpu(read)
    spent["normalise"], parts = _cpu(lambda: [calls_of(chunk, 0, plan, names)[0] for chunk in chunks])
    spent["order"], calls = _cpu(lambda: order(parts))
    spent["judge"], _ = _cpu(lambda: Engine(["flood"]).process(calls, NEVER))
    return spent


def _write(rows: pa.Table, folder: Path) -> dict[str, Path]:
    paths = {"parquet": folder / "calls.parquet", "csv_table": folder / "calls.csv"}
    pq.write_table(rows, paths["parquet"])
    pacsv.write_csv(rows, paths["csv_table"])
    return paths


def stages(rows: pa.Table, folder: Path) -> Table:
    """Where the time goes."""
    paths = _write(rows, folder)
    spent: dict[str, list[dict[str, float]]] = {name: [] for name in paths}
    for _ in range(REPEATS):
        for name, path in paths.items():
            spent[name].append(_stages(path, name))
    columns = ("ns a call", *paths)
    result = Table("From a file to outcomes, by stage", columns)
    least = {
        name: {stage: min(turn[stage] for turn in turns) for stage in turns[0]}
        for name, turns in spent.items()
    }
    for stage in least["parquet"]:
        result.add(stage, *(figure(1e9 * least[name][stage] / len(rows)) for name in paths))
    sums = {name: sum(parts.values()) for name, parts in least.items()}
    result.add("all", *(figure(1e9 * sums[name] / len(rows)) for name in paths))
    result.add("calls per CPU-second", *(figure(len(rows) / sums[name]) for name in paths))
    return result


def memory() -> Table:
    """Bytes of a record of each sort."""
    result = Table("Memory of a record", ("", "bytes"))
    sorts = {"line that is called": LINE, "pair": PAIR, "number that calls": PROFILE, "call that is up": CALL}
    sorts |= {f"case under suspicion ({detector.NAME})": detector.CASE for detector in DETECTORS}
    sorts |= {"later moments of a call that is up": PLAN, "observation in the notebook": OBSERVATION}
    for name, dtype in sorts.items():
        result.add(name, figure(dtype.itemsize))
    return result


def run() -> list[Table]:
    """Measure."""
    rows = _town()
    with tempfile.TemporaryDirectory() as folder:
        return [pass_against_plain(in_order(rows)), stages(rows, Path(folder)), memory()]
