"""From a Parquet file to outcomes, all detectors on, against a query that only counts."""

import resource
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import duckdb

from bench._calls import COUNTRY
from bench._tables import Table, figure, quantile
from ringfence.detect.engine import Engine
from ringfence.ingest.format import Settings
from ringfence.ingest.normalise import calls_of
from ringfence.ingest.reorder import Reorder
from ringfence.model.calls import NEVER
from ringfence.model.numbers import Names, NumberPlan
from ringfence.shell.sources import Merge, open_sources
from ringfence.simulate.city import City
from ringfence.simulate.write import make

NAME: Final = "throughput"
TITLE: Final = "Throughput, all detectors on"
LINES, DAYS = 50_000, 14
REPEATS: Final = 5
_WINDOW: Final = "order by start_time range between interval 10 minutes preceding and current row"
QUERIES: Final = {
    "DuckDB: calls to the line in 10 minutes": f"count(*) over (partition by callee {_WINDOW}) as n, 0 as m",
    "DuckDB: calls to the line and by the caller in 10 minutes": (
        f"count(*) over (partition by callee {_WINDOW}) as n, count(*) over (partition by caller {_WINDOW}) as m"
    ),
}
MEASURED: Final = (
    f"`ringfence simulate` of {LINES:,} lines for {DAYS} days, one file `calls.parquet`. Ringfence: read, check, order and judge with all detectors, "
    "from an empty state, code compiled before, until every outcome is known (no pages written). DuckDB (one thread): one query that gives for each call "
    "how many there were in the ten minutes before, nothing else, and returns their maximum and sum. All three in turn on the same "
    f"file, {REPEATS} times; CPU time of all threads of the process, user and system."
)
READING: Final = (
    "The ratio is the median over the turns: above 1 Ringfence is faster. The first query counts one end of each call and reads two columns; a detector "
    "needs both ends and reads fourteen."
)


def _cpu(work: Callable[[], int]) -> float:
    """CPU seconds for a call."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    calls = work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) / calls


def judged(path: Path) -> int:
    """Read and judge a file, as `ringfence scan` does; returns how many calls."""
    plan, names, window, engine = NumberPlan.of(COUNTRY), Names(), Reorder(), Engine()
    merge = Merge(open_sources([path], None, Settings(country=COUNTRY)))
    count = 0
    while (step := merge.next()) is not None:
        place, chunk = step
        window.push(calls_of(chunk, place, plan, names)[0])
        calls = window.ready(merge.safe(), merge.slack())
        engine.process(calls, window.watermark)
        count += len(calls)
    calls = window.flush()
    engine.process(calls, NEVER)
    merge.close()
    return count + len(calls)


def counted(path: Path, columns: str) -> int:
    """Run a query; returns how many calls."""
    with duckdb.connect(config={"threads": 1}) as database:
        row = database.execute(
            f"select count(*), max(n), sum(n), max(m), sum(m) from (select {columns} from read_parquet(?))",
            [str(path)],
        ).fetchone()
    assert row is not None
    return int(row[0])


def against(path: Path) -> Table:
    """All in turn."""
    works: dict[str, Callable[[], int]] = {"Ringfence": partial(judged, path)}
    for name, columns in QUERIES.items():
        works[name] = partial(counted, path, columns)
    for work in works.values():
        work()  # compiled code is loaded, the file is in memory
    spent: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(REPEATS):
        for name, work in works.items():
            spent[name].append(_cpu(work))
    result = Table(
        f"{works['Ringfence']():,} calls",
        ("", "calls per CPU-second: median", "most", "us a call: median", "Ringfence's rate / this"),
    )
    for name, times in spent.items():
        middle = quantile(times, 0.5) or 0.0
        ratio = quantile([theirs / ours for ours, theirs in zip(spent["Ringfence"], times, strict=True)], 0.5)
        result.add(
            name, figure(1 / middle), figure(1 / min(times)), figure(1e6 * middle, 2), figure(ratio, 2)
        )
    return result


def run() -> list[Table]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        make(City(LINES, DAYS, seed=50), Path(folder))
        return [against(Path(folder) / "calls.parquet")]
