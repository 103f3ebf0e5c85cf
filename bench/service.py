"""The live service: what it takes in a second, how soon an alert is there, what it holds, how fast it answers."""

import json
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench._load import Answers, request, send
from bench._service import served
from bench._tables import Table, figure, quantile
from ringfence.detect.engine import Engine
from ringfence.detect.screening import Arriving, Screen
from ringfence.shell.service.live_rows import told
from ringfence.simulate.city import City
from ringfence.simulate.write import tables

NAME = "service"
TITLE = "The live service"
LINES = 30_000
DAYS = 2.0
BATCH = 5_000
ASKED = 500.0
"""Questions a second of `/v1/screen`."""
QUESTIONS = 5_000
SETTINGS = "[limits]\nrequests_per_s = 100000.0\nburst = 100000\nrows_per_s = 100000000.0\n"
MEASURED = (
    f"A city of {LINES:,} lines for {DAYS:.0f} days is told live: a row when a call is set up, one when it is answered, one when it is over. "
    f"The rows go in requests of {BATCH:,}, one after the other, to `ringfence serve`, a process of its own with default settings, "
    "journal, record store and all detectors; the load is a process beside it on the same two processors. Event to alert: from the "
    "coming in of the record that raises it to its being stored, at half the rate that was reached. Questions come at a pace over sixteen "
    "connections and are measured from when they were due. Memory: resident, of the process."
)
READING = (
    "Wanted: 30,000 calls a second, an alert within 2 s (99 of 100) at half that rate, idle at most 400 MB, /v1/screen within 10 ms (99 of "
    "100) at 500 a second, the decision itself within 50 µs. The load takes its share of the two processors: trust calls per CPU-second of "
    "the service before calls a second."
)


def _bodies(form: str) -> tuple[list[bytes], int]:
    """The requests' bodies, and how many calls they tell."""
    calls = tables(City(LINES, DAYS, 31))[0]["calls"]
    rows = told(calls).drop_columns(["told"])
    parts = [rows.slice(first, BATCH) for first in range(0, len(rows), BATCH)]
    return [_arrow(part) if form == "Arrow" else _json(part) for part in parts], len(calls)


def _arrow(part: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, part.schema) as stream:
        stream.write_table(part)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def _json(part: pa.Table) -> bytes:
    def line(row: dict[str, Any]) -> str:
        plain = {k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in row.items() if v is not None}
        return json.dumps(plain)

    return "\n".join(map(line, part.to_pylist())).encode()


def _beside(port: int, requests: list[bytes], connections: int, rate: float = 0.0) -> Answers:
    """Send from a process of its own."""
    with get_context("fork").Pool(1) as pool:
        return pool.apply(send, (port, requests, connections, rate))


_KINDS = {"NDJSON": "application/x-ndjson", "Arrow": "application/vnd.apache.arrow.stream"}


def _taken(form: str, table: Table) -> float:
    """How many calls a second are taken and judged; returns it."""
    bodies, calls = _bodies(form)
    with tempfile.TemporaryDirectory() as name, served(Path(name), SETTINGS) as service:
        requests = [request("/v1/events", service.token, body, _KINDS[form]) for body in bodies]
        before, began = service.cpu(), time.perf_counter()
        answers = _beside(service.port, requests, 1)
        service.settle()
        seconds = time.perf_counter() - began
        rows = calls / seconds
        table.add(
            form, figure(rows), figure(calls / (service.cpu() - before)), figure(len(bodies) * BATCH / seconds),
            figure(1000 * (quantile(answers.took, 0.99) or 0)), sum(answers.refused.values()),
        )  # fmt: skip
    return rows


def _latency(rate: float) -> Table:
    bodies, calls = _bodies("Arrow")
    table = Table(
        "Event to alert at half that rate, s", ("calls a second", "alerts", "median", "99 of 100", "most")
    )
    with tempfile.TemporaryDirectory() as name, served(Path(name), SETTINGS) as service:
        requests = [request("/v1/events", service.token, body, _KINDS["Arrow"]) for body in bodies]
        a_request = calls / len(bodies)
        _beside(service.port, requests, 1, rate / a_request)
        service.settle()
        found = service.status()["alert_latency_s"]
        table.add(figure(rate), found["count"], *(figure(found[k], 2) for k in ("p50", "p99", "most")))
    return table


def _numbers(count: int) -> Iterator[bytes]:
    """Calls from ever-new numbers to ever-new lines, five thousand a second."""
    start = 1_780_000_000_000_000
    for first in range(0, count, BATCH):
        n = np.arange(first, first + BATCH)
        times = pa.array(start + n * 200, pa.timestamp("us", "UTC"))
        columns = {
            "call_id": pa.array([f"n{i}" for i in n]),
            "start_time": times,
            "caller": pa.array([f"+8613{i:09d}" for i in n]),
            "callee": pa.array([f"+8615{i:09d}" for i in n]),
        }
        yield _arrow(pa.table(columns))


def _memory() -> Table:
    table = Table("Memory, MB", ("", "resident"))
    with (
        tempfile.TemporaryDirectory() as name,
        served(Path(name), SETTINGS + "[detect]\nlines = 100000\n") as service,
    ):
        time.sleep(2)
        table.add("idle, nothing taken in yet", figure(service.resident()))
        requests = [
            request("/v1/events", service.token, body, _KINDS["Arrow"]) for body in _numbers(3_000_000)
        ]
        third = len(requests) // 3
        for place, title in enumerate(
            ("after one million calls of new numbers", "two million", "three million")
        ):
            _beside(service.port, requests[place * third : (place + 1) * third], 1)
            service.settle()
            table.add(title, figure(service.resident()))
    return table


def _questions() -> Table:
    table = Table("Questions about calls that arrive", ("", "median", "99 of 100", "refused"))
    with tempfile.TemporaryDirectory() as name, served(Path(name), SETTINGS) as service:
        bodies, _ = _bodies("Arrow")
        requests = [request("/v1/events", service.token, body, _KINDS["Arrow"]) for body in bodies[:50]]
        _beside(service.port, requests, 1)
        service.settle()
        calls = [{"caller": f"+8613{i:09d}", "callee": f"+8615{i * 7:09d}"} for i in range(QUESTIONS)]
        asked = [request("/v1/screen", service.token, json.dumps(call).encode()) for call in calls]
        answers = _beside(service.port, asked, 16, ASKED)
        table.add(
            f"POST /v1/screen at {ASKED:.0f} a second, ms",
            *(figure(1000 * (quantile(answers.took, share) or 0), 2) for share in (0.5, 0.99)),
            sum(answers.refused.values()),
        )
    table.add("the decision alone, µs", *(figure(1e6 * t, 1) for t in _decision()), 0)
    return table


def _decision() -> tuple[float, float]:
    screen, took = Screen(Engine()), []
    for i in range(20_000):
        call = Arriving(1_780_000_000_000_000 + i, 8_613_000_000_000 + i, 8_615_000_000_000 + i)
        began = time.perf_counter()
        screen.look(call)
        took.append(time.perf_counter() - began)
    return quantile(took, 0.5) or 0.0, quantile(took, 0.99) or 0.0


def run() -> list[Table]:
    """Measure."""
    taken = Table(
        "POST /v1/events", ("form", "calls a second", "calls per CPU-second", "rows a second", "answer, 99 of 100, ms", "refused")
    )  # fmt: skip
    rates = [_taken(form, taken) for form in _KINDS]
    return [taken, _latency(max(rates) / 2), _memory(), _questions()]
