"""The record store at its size: a hundred million calls in thirty days, and the look-up of a number's month.

Environment:
    RINGFENCE_BENCH_CALLS: how many calls (default 100,000,000; about 10 GB on the disk).
    RINGFENCE_BENCH_FOLDER: where (default: the folder for temporary files); what is made there is deleted afterwards.
"""

import os
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bench._tables import Table, figure
from ringfence.model.tables import CALLS
from ringfence.shell.records import RecordStore
from ringfence.shell.records.files import RUN_ROWS, write_run
from ringfence.shell.records.kinds import CALLS_KIND

NAME: Final = "records"
TITLE: Final = "The record store"
SOAK: Final = True
DAYS: Final = 30
LOOKED_UP: Final = 200
CALLS_A_LINE: Final = 50  # begun by each of the lines, in the month
BATCH: Final = 100_000
FIRST: Final = datetime(2026, 3, 1, tzinfo=UTC)
MEASURED: Final = (
    "Calls of 30 days with heavy-tailed numbers (the logarithm of a line's calls has the standard deviation 1.53 of Sichuan's), one called by every 300th "
    "caller; each row with a Call-ID of 32 characters, devices, cell and trunk. The first day comes as in a service, three rows a call in batches of 100,000 through "
    "`append` and `flush`, then `compact`; the other days are sorted in memory and written by the code that writes compacted files. Then `calls_of(number, since, until)` over the whole month for 200 numbers drawn "
    "at random from all lines; cold: after `posix_fadvise(DONTNEED)` on every file, which empties the page cache of them. Bytes are those on the disk."
)
READING: Final = (
    "At most 200 ms is wanted for a number's month among 100 million. A call stands under both of its numbers, so a look-up reads one small row group of one file a day; what it costs hardly "
    "depends on how many calls there are. Without a limit the busiest number's time is that of handing over its calls."
)


Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Lines:
    """Those who call and are called: their numbers, and how much of all calls each has."""

    numbers: pa.Array
    devices: pa.Array
    cumulated: npt.NDArray[np.float64]
    rank: Ints  # place of a line's number in the order of numbers

    @classmethod
    def made(cls, count: int, rng: np.random.Generator) -> "Lines":
        """Lines with heavy tails; the last one is the busiest."""
        scattered = np.arange(count) * 482_711_933 % 1_000_000_000  # each once: 10 does not divide the factor
        numbers = pa.array([f"+8613{n:09}" for n in scattered])
        devices = pa.array([f"{n:014x}" for n in rng.integers(0, 1 << 56, count)])
        weights = rng.lognormal(0, 1.53, count)
        weights[-1] = weights[:-1].sum() / 300
        return cls(numbers, devices, np.cumsum(weights) / weights.sum(), np.argsort(np.argsort(scattered)))

    def drawn(self, count: int, rng: np.random.Generator) -> Ints:
        """Which line, for each of some calls."""
        return np.minimum(np.searchsorted(self.cumulated, rng.random(count)), len(self.numbers) - 1)


def _hex(count: int, digits: int, rng: np.random.Generator) -> pa.Array:
    text = pa.py_buffer(rng.bytes(count * digits // 2).hex().encode())
    ends = pa.py_buffer(np.arange(0, (count + 1) * digits, digits, dtype=np.int32))
    return pa.StringArray.from_buffers(count, ends, text)


def _some(words: tuple[str | None, ...], count: int, rng: np.random.Generator) -> pa.Array:
    return pa.array(words, pa.string()).take(pa.array(rng.integers(0, len(words), count)))


def calls(
    lines: Lines, begin: int, span: int, caller: Ints, callee: Ints, rng: np.random.Generator
) -> pa.Table:
    """Calls between lines that begin from `begin` on within `span` (µs), in order, as their folded rows."""
    count = len(caller)
    start = np.sort(begin + rng.integers(0, span, count))
    answer = start + rng.integers(2_000_000, 20_000_000, count)
    end = answer + (rng.lognormal(3.2, 1.4, count) * 1e6).astype(np.int64)
    unanswered, withheld = rng.random(count) < 0.27, rng.random(count) < 0.02
    cells = pa.array([f"460-00-{n}" for n in range(4_000)])
    when = CALLS.field("start_time").type
    columns = {
        "call_id": _hex(count, 32, rng),
        "start_time": pa.array(start).cast(when),
        "answer_time": pa.array(answer, mask=unanswered).cast(when),
        "end_time": pa.array(end).cast(when),
        "caller": lines.numbers.take(pa.array(caller, mask=withheld)),
        "callee": lines.numbers.take(pa.array(callee)),
        "cause": pa.array(np.where(unanswered, 19, 16).astype(np.int16)),
        "released_by": _some(("caller", "callee", "network"), count, rng),
        "ingress": _some(("subscriber", "subscriber", "domestic", "international"), count, rng),
        "trunk": _some(tuple(f"trunk-{n}" for n in range(40)), count, rng),
        "attestation": _some(("A", "B", "C", None), count, rng),
        "caller_device": lines.devices.take(pa.array(caller)),
        "callee_device": lines.devices.take(pa.array(callee)),
        "callee_cell": cells.take(pa.array(callee % 4_000)),
    }
    return pa.table([columns[name] for name in CALLS.names], schema=CALLS)


def append_day(store: RecordStore, rows: pa.Table) -> dict[str, float]:
    """A day through the front door, as three rows a call; returns seconds by what they went into."""
    nothing = {
        name: pa.nulls(len(rows), CALLS.field(name).type) for name in ("answer_time", "end_time", "cause")
    }
    taken, seq = {"append and flush": 0.0, "compact": 0.0}, 0
    for first in range(0, len(rows), BATCH):
        whole = rows.slice(first, BATCH)
        for known in (("answer_time", "end_time", "cause"), ("end_time", "cause"), ()):
            live = whole
            for name in known:
                empty = nothing[name].slice(0, len(whole))
                live = live.set_column(live.schema.get_field_index(name), CALLS.field(name), empty)
            seq += 1
            began = time.perf_counter()
            store.append("calls", live, seq)
            taken["append and flush"] += time.perf_counter() - began
    began = time.perf_counter()
    store.flush(seq)
    taken["append and flush"] += time.perf_counter() - began
    began = time.perf_counter()
    store.compact(f"{FIRST:%Y-%m-%d}", settled=True)
    taken["compact"] = time.perf_counter() - began
    return taken


def legs(lines: Lines, rows: pa.Table, caller: Ints, callee: Ints) -> Iterator[pa.Table]:
    """Folded calls under each of their numbers, in the order of these, as compaction gives them."""
    twice = np.flatnonzero(
        rows["caller"].combine_chunks().is_valid().to_numpy(zero_copy_only=False) & (caller != callee)
    )
    place = np.concatenate([np.arange(len(rows)), twice])
    line = np.concatenate([callee, caller[twice]])
    order = np.lexsort((place, lines.rank[line]))  # rows are in the order of time
    for first in range(0, len(order), RUN_ROWS):
        some = order[first : first + RUN_ROWS]
        number = lines.numbers.take(pa.array(line[some]))
        side = pa.array(["callee", "caller"]).take(pa.array((some >= len(rows)).astype(np.int8)))
        columns = [number, side, *rows.take(pa.array(place[some])).columns]
        yield pa.table(columns, schema=CALLS_KIND.run_schema).combine_chunks()


def fill(store: RecordStore, lines: Lines, total: int, rng: np.random.Generator) -> dict[str, float]:
    """Fill the store: one day through the front door, the others as compaction would have left them."""
    taken, count = dict[str, float](), total // DAYS
    disk = store._contents.disk  # noqa: SLF001  the code that writes, without the sort on the disk
    for day in range(DAYS):
        at = FIRST + timedelta(days=day)
        caller, callee = lines.drawn(count, rng), lines.drawn(count, rng)
        rows = calls(lines, int(at.timestamp()) * 1_000_000, 86_400_000_000, caller, callee, rng)
        if day == 0:
            taken = append_day(store, rows)
        else:
            batches = legs(lines, rows, caller, callee)
            disk.commit(
                add=write_run(disk.folder, CALLS_KIND, f"{at:%Y-%m-%d}", disk.number(), batches, (day, day))
            )
    return taken


def forget_pages(folder: Path) -> None:
    """Drop the files' pages from the system's cache."""
    for path in folder.rglob("*.parquet"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def looked_up(
    store: RecordStore, numbers: list[str], cold: Path | None, limit: int | None = None
) -> list[Any]:
    """Look numbers up; returns a row of the table: calls found at the median, then milliseconds, then those of CPU."""
    taken, worked, found = [], [], []
    until = FIRST + timedelta(days=DAYS)
    for number in numbers:
        if cold is not None:
            forget_pages(cold)
        began, cpu = time.perf_counter(), time.process_time()
        found.append(store.calls_of(number, FIRST, until, limit).num_rows)
        taken.append(1e3 * (time.perf_counter() - began))
        worked.append(1e3 * (time.process_time() - cpu))
    return [
        figure(float(np.median(found))),
        figure(float(np.median(taken))),
        figure(float(np.quantile(taken, 0.99))),
        figure(max(taken)),
        figure(float(np.median(worked))),
    ]


def run() -> list[Table]:
    """Measure."""
    total = int(os.environ.get("RINGFENCE_BENCH_CALLS", "100000000"))
    rng = np.random.default_rng(5)
    lines = Lines.made(max(total // CALLS_A_LINE, 1_000), rng)
    with tempfile.TemporaryDirectory(dir=os.environ.get("RINGFENCE_BENCH_FOLDER")) as name:
        folder = Path(name)
        with RecordStore(folder) as store:
            return measured(store, lines, total, folder, rng)


def measured(
    store: RecordStore, lines: Lines, total: int, folder: Path, rng: np.random.Generator
) -> list[Table]:
    """Fill a store and ask it."""
    taken = fill(store, lines, total, rng)
    stats = store.stats().tables["calls"]
    size = Table("Writing", ("", "measured"))
    size.add("calls", figure(stats.records))
    size.add("numbers", figure(len(lines.numbers)))
    day = total // DAYS
    size.add("rows appended and flushed a second", figure(3 * day / taken["append and flush"]))
    size.add("calls of a day", figure(day))
    size.add("seconds to compact them (three rows each)", figure(taken["compact"]))
    size.add("bytes a call", figure(stats.size / stats.records))
    size.add("on the disk, GiB", figure(stats.size / 2**30, 2))
    size.add("files", figure(stats.files))
    size.add("peak memory, GiB", figure(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2))

    asked = Table("A number's month", ("", "calls", "ms: median", "p99", "most", "CPU: median"))
    some = lines.numbers.take(pa.array(rng.choice(len(lines.numbers), LOOKED_UP, replace=False))).to_pylist()
    busiest = [lines.numbers[-1].as_py()] * 10
    looked_up(store, some[:5], None)
    asked.add("a line, cold", *looked_up(store, some, folder))
    asked.add("a line, again", *looked_up(store, some, None))
    asked.add("a line, its newest 100", *looked_up(store, some, None, 100))
    asked.add("the busiest number, its newest 1,000, cold", *looked_up(store, busiest, folder, 1_000))
    asked.add("the busiest number, its newest 1,000", *looked_up(store, busiest, None, 1_000))
    asked.add("the busiest number, all", *looked_up(store, busiest[:3], None))
    last = int((FIRST + timedelta(days=DAYS - 1)).timestamp()) * 1_000_000
    for part in range(3):  # an hour of the last day as it comes, a third of it still in memory
        caller, callee = lines.drawn(day // 24 + 1, rng), lines.drawn(day // 24 + 1, rng)
        store.append("calls", calls(lines, last, 3_600_000_000, caller, callee, rng), total + part)
        if part < 2:
            store.flush(total + part)
    asked.add("a line, with an hour of rows not compacted yet", *looked_up(store, some, None))
    began = time.perf_counter()
    erased = store.erase(some[0], FIRST + timedelta(days=DAYS))
    wiped = Table("A person erased", ("calls", "seconds"))
    wiped.add(figure(erased.records["calls"]), figure(time.perf_counter() - began))
    return [size, asked, wiped]
