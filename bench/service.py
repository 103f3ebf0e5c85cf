"""The live service: what it takes in a second, how soon an alert is there, what it holds, how fast it answers."""

import json
import os
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench._load import ARROW, arrow, beside, request
from bench._service import SETTINGS, demo, served
from bench._tables import Table, figure, quantile
from bench.hep import load
from bench.new_numbers import FEW_LINES, new_numbers
from ringfence.detect.engine import Engine
from ringfence.detect.screening import Arriving, Screen
from ringfence.model.tables import CALLS
from ringfence.shell.service.live_rows import told
from ringfence.simulate.city import City
from ringfence.simulate.write import tables

NAME = "service"
TITLE = "The live service"
LINES = 30_000
DAYS = 2.0
BATCH = 5_000
TIMES = 3
ASKED = 500.0
"""Questions a second of `/v1/screen`."""
QUESTIONS = 5_000
HEP_PORT = 18_481
HEP_RATES = (5_000, 10_000)
HEP_SECONDS = 10.0
MEASURED = (
    f"A city of {LINES:,} lines for {DAYS:.0f} days is told live: a row when a call is set up, one when it is answered, one when it is over. "
    f"The rows go in requests of {BATCH:,}, one after the other, to `ringfence serve`, a process of its own with default settings, "
    "journal, record store and all detectors; the load is a process beside it on the same two processors. Event to alert: from the "
    "coming in of the record that raises it to its being stored, at half the rate that was reached. Questions come at a pace over sixteen "
    "connections and are measured from when they were due. Memory: resident, of the process, with `detect.lines = 100000`. "
    "Stolen: the share of the time that the host gave the machine's processors to others."
)
READING = (
    "Wanted: 30,000 calls a second, an alert within 2 s (99 of 100) at half that rate, idle at most 400 MB, /v1/screen within 10 ms (99 of "
    "100) at 500 a second, the decision itself within 50 µs; 5,000 SIP messages a second; the first alert of `make run` within 20 s. The load takes its share of the two processors: trust calls per CPU-second of "
    "the service before calls a second. The tables of the state are bounded at 1.5 GB for these 100,000 lines (`Limits.bytes_at_rest`), and memory levels off towards that (`python -m bench new_numbers`)."
)


def _bodies(form: str, *, whole: bool = False) -> tuple[list[bytes], int]:
    """The requests' bodies, and how many calls they tell; `whole`: each in one row, when it is over."""
    calls = tables(City(LINES, DAYS, 31))[0]["calls"]
    rows = calls.select(CALLS.names).sort_by("start_time") if whole else told(calls).drop_columns(["told"])
    parts = [rows.slice(first, BATCH) for first in range(0, len(rows), BATCH)]
    return [arrow(part) if form == "Arrow" else _json(part) for part in parts], len(calls)


def _json(part: pa.Table) -> bytes:
    def line(row: dict[str, Any]) -> str:
        plain = {k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in row.items() if v is not None}
        return json.dumps(plain)

    return "\n".join(map(line, part.to_pylist())).encode()


_KINDS = {"NDJSON": "application/x-ndjson", "Arrow": ARROW}


def _taken(form: str, table: Table, *, whole: bool = False) -> float:
    """How many calls a second are taken and judged, the best of `TIMES`; returns it."""
    bodies, calls = _bodies(form, whole=whole)
    rates, spent, took, refused, stolen = [], [], [], 0, []
    for _ in range(TIMES):
        with tempfile.TemporaryDirectory() as name, served(Path(name), SETTINGS) as service:
            requests = [request("/v1/events", service.token, body, _KINDS[form]) for body in bodies]
            before, began, lost = service.cpu(), time.perf_counter(), _stolen()
            answers = beside(service.port, requests, 1)
            service.settle()
            seconds = time.perf_counter() - began
            rates.append(calls / seconds)
            spent.append(calls / (service.cpu() - before))
            stolen.append(100 * (_stolen() - lost) / seconds)
            took.append(1000 * (quantile(answers.took, 0.99) or 0))
            refused += sum(answers.refused.values())
    rows = len(bodies) * BATCH / calls
    best = rates.index(max(rates))
    table.add(
        f"{form}, {'one row' if whole else 'up to three rows'} a call", figure(rates[best]), figure(min(rates)),
        figure(spent[best]), figure(rates[best] * rows), figure(took[best]), refused, f"{stolen[best]:.0f}, {max(stolen):.0f}",
    )  # fmt: skip
    return rates[best]


def _stolen() -> float:
    """Seconds that other guests of the host have taken from this machine's processors, mean of a processor."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()
    return int(fields[8]) / os.sysconf("SC_CLK_TCK") / (os.cpu_count() or 1)


def _latency(rate: float) -> Table:
    bodies, calls = _bodies("Arrow")
    table = Table(
        "Event to alert at half that rate, s", ("calls a second", "alerts", "median", "99 of 100", "most")
    )
    with tempfile.TemporaryDirectory() as name, served(Path(name), SETTINGS) as service:
        requests = [request("/v1/events", service.token, body, ARROW) for body in bodies]
        a_request = calls / len(bodies)
        beside(service.port, requests, 1, rate / a_request)
        service.settle()
        found = service.status()["alert_latency_s"]
        table.add(figure(rate), found["count"], *(figure(found[k], 2) for k in ("p50", "p99", "most")))
    return table


def _tapped() -> Table:
    """SIP messages by HEP3 over UDP, at a pace: how many are judged, and what that costs."""
    table = Table(
        "HEP3 over UDP", ("messages a second, sent", "lost", "messages per CPU-second", "behind after 1 s")
    )
    packets = load(query=False)
    for rate in HEP_RATES:
        settings = f'{SETTINGS}[window]\nahead_s = 86400.0\n[sources.tap]\nkind = "hep"\nudp = "127.0.0.1:{HEP_PORT}"\n'
        with tempfile.TemporaryDirectory() as name, served(Path(name), settings) as service:
            before = service.cpu()
            sent, seconds = _pour(packets, rate)
            time.sleep(1.0)
            behind = service.status()["behind"]
            service.settle()
            tap = service.status()["sources"]["tap"]
            spent = service.cpu() - before
            table.add(figure(sent / seconds), sent - tap["rows"], figure(tap["rows"] / spent), behind)
    return table


def _pour(packets: list[bytes], rate: int) -> tuple[int, float]:
    """Send datagrams at a pace for some seconds; returns how many, and how long it took."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", HEP_PORT))
        began, sent = time.perf_counter(), 0
        while (passed := time.perf_counter() - began) < HEP_SECONDS:
            while sent < passed * rate:
                sender.send(packets[sent % len(packets)])
                sent += 1
            time.sleep(0.002)
    return sent, passed


def _first_alert() -> Table:
    """From the start of `serve --demo` to its first alert, on a machine where everything is compiled."""
    table = Table("From the start of `make run` to its first alert, s (set up before)", ("", "s"))
    with tempfile.TemporaryDirectory() as name:
        began = time.perf_counter()
        with demo(Path(name)) as client:
            table.add("the desk answers", figure(time.perf_counter() - began, 1))
            while client.get("/v1/alerts/counts").json()["all"] == 0:
                time.sleep(0.1)
            table.add("the first alert is there", figure(time.perf_counter() - began, 1))
            client.get("/").raise_for_status()
    return table


def _memory() -> Table:
    table = Table("Memory, MB", ("", "resident"))
    with tempfile.TemporaryDirectory() as name, served(Path(name), SETTINGS + FEW_LINES) as service:
        time.sleep(2)
        table.add("idle, nothing taken in yet", figure(service.resident()))
        requests = [request("/v1/events", service.token, body, ARROW) for body in new_numbers(0, 1_000_000)]
        beside(service.port, requests, 1)
        service.settle()
        table.add("after one million calls of new numbers", figure(service.resident()))
    return table


def _questions() -> Table:
    table = Table("Questions about calls that arrive", ("", "median", "99 of 100", "refused"))
    with tempfile.TemporaryDirectory() as name, served(Path(name), SETTINGS) as service:
        bodies, _ = _bodies("Arrow")
        requests = [request("/v1/events", service.token, body, ARROW) for body in bodies[:50]]
        beside(service.port, requests, 1)
        service.settle()
        calls = [{"caller": f"+8613{i:09d}", "callee": f"+8615{i * 7:09d}"} for i in range(QUESTIONS)]
        asked = [request("/v1/screen", service.token, json.dumps(call).encode()) for call in calls]
        answers = beside(service.port, asked, 16, ASKED)
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
        f"POST /v1/events, best of {TIMES}",
        ("form", "calls a second", "worst", "calls per CPU-second", "rows a second", "answer, 99 of 100, ms", "refused", "stolen, %: then, most"),
    )  # fmt: skip
    rates = [_taken(form, taken) for form in _KINDS]
    for form in _KINDS:
        _taken(form, taken, whole=True)
    return [taken, _latency(max(rates) / 2), _tapped(), _memory(), _questions(), _first_alert()]
