"""Services and what is told to them, in tests."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import uvicorn
from fastapi import FastAPI

from ringfence.shell.scan import Options, scan
from ringfence.shell.service.decoders import EVENTS, Events, to_payload
from ringfence.shell.service.live_rows import stretches, told, with_time
from ringfence.shell.service.server import Server
from ringfence.shell.service.service import Plan, Service
from ringfence.shell.store.search import Wanted
from ringfence.simulate.city import City
from ringfence.simulate.write import tables

MINUTE = 60_000_000
NOW = 1_900_000_000_000_000  # later than all rows


def small_city(seed: int = 5, lines: int = 500, days: float = 7) -> dict[str, pa.Table]:
    """The tables of a city with some crime."""
    return tables(City(lines, days, seed, intensity={"crime": 3.0}))[0]


def plan(folder: Path, **more: Any) -> Plan:
    """A plan for a service in a folder."""
    return Plan(folder, makers={"told": Events}, **more)


@contextmanager
def running(folder: Path, clock: Callable[[], int] = lambda: NOW, **more: Any) -> Iterator[Service]:
    """A service that has come back to where it was."""
    service = Service(plan(folder, **more), clock=clock)
    service.recover()
    service.start()
    try:
        yield service
    finally:
        service.stop()


def scanned(found: dict[str, pa.Table], folder: Path, **more: Any) -> dict[str, dict[str, Any]]:
    """The alerts that a scan of the tables raises, by id."""
    folder.mkdir(parents=True)
    paths = []
    for name in ("calls", "texts", "transfers"):
        if len(found[name]):
            paths.append(folder / f"{name}.parquet")
            pq.write_table(found[name], paths[-1])
    scan(Options(paths, folder / "out", **more))
    lines = (folder / "out" / "alerts.jsonl").read_text("utf-8").splitlines()
    return {alert["alert_id"]: alert for alert in map(json.loads, lines)}


def records_of(found: dict[str, pa.Table], span: int = MINUTE) -> Iterator[tuple[str, pa.RecordBatch]]:
    """What a source would tell, in order: (table, rows)."""
    tables = {name: with_time(found[name]) for name in ("texts", "transfers")}
    for _, parts in stretches({**tables, "calls": told(found["calls"])}, span):
        yield from parts


def put(service: Service, table: str, batch: pa.RecordBatch, **note: Any) -> int:
    """Have rows written."""
    return service.put({"source": "told", "kind": EVENTS, "table": table, **note}, to_payload(batch))


def stored(service: Service) -> dict[str, dict[str, Any]]:
    """All alerts of the store, by id."""
    found: dict[str, dict[str, Any]] = {}
    cursor = None
    while True:
        page = service.store.alerts.search(Wanted(cursor=cursor, limit=1000))
        found |= {alert.alert_id: alert.document for alert in page.alerts}
        cursor = page.cursor
        if cursor is None:
            return found


def finish(service: Service, seq: int) -> None:
    """Let everything be judged, as if nothing came any more, and stop."""
    assert service.settled(seq, 120)
    service.halt()
    service.pipeline.finish()


@contextmanager
def serving(app: FastAPI, *, is_ready: bool = True) -> Iterator[httpx.Client]:
    """An application on a free port of this machine, and a client of it; `is_ready`: when it has come back to where it was."""
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, loop="uvloop", http="httptools")
    server = Server(config, app.state.context)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            while is_ready and client.get("/readyz").json()["state"] in {"starting", "recovering"}:
                time.sleep(0.01)
            yield client
    finally:
        server.should_exit = True
        thread.join()
