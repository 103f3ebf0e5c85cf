"""One engine: what a day raises in the live service is what a scan of its records raises."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.shell.service.made import NOW, finish, plan, put, records_of, scanned, serving, small_city, stored

from ringfence.detect.screening import Screen
from ringfence.shell.service.api.context import Context
from ringfence.shell.service.app import create_app
from ringfence.shell.service.service import Service


@pytest.fixture(scope="module")
def town() -> dict[str, pa.Table]:
    return small_city()


@pytest.fixture(scope="module")
def expected(
    town: dict[str, pa.Table], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    found = scanned(town, tmp_path_factory.mktemp("scan") / "s")
    assert {alert["kind"] for alert in found.values()} >= {
        "flood",
        "scam_call",
        "forged_caller",
        "extortion_text",
    }
    return found


def test_records_told_as_they_happen(
    town: dict[str, pa.Table], expected: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    service = Service(plan(tmp_path), clock=lambda: NOW)
    service.recover()
    service.start()
    seq = 0
    for table, batch in records_of(town, 3_600_000_000):
        seq = put(service, table, batch)
    finish(service, seq)
    assert stored(service) == expected
    service.stop()


def test_over_http_in_two_forms(
    town: dict[str, pa.Table], expected: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    service = Service(plan(tmp_path), clock=lambda: NOW)
    context = Context(service, Screen(service.pipeline.judge.engine), is_open=True)
    with serving(create_app(context)) as client:
        for place, (_, batch) in enumerate(records_of(town, 6 * 3_600_000_000)):
            body, kind = _as_json(batch) if place % 2 else _as_arrow(batch)
            answer = client.post("/v1/events", content=body, headers={"Content-Type": kind})
            assert answer.status_code == 200, answer.text
            assert answer.json()["accepted"] == len(batch)
        finish(service, answer.json()["seq"])
        assert stored(service) == expected


def _as_json(batch: pa.RecordBatch) -> tuple[bytes, str]:
    rows = [
        {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}
        for row in batch.to_pylist()
    ]
    return b"\n".join(json.dumps(row).encode() for row in rows), "application/x-ndjson"


def _as_arrow(batch: pa.RecordBatch) -> tuple[bytes, str]:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return sink.getvalue().to_pybytes(), "application/vnd.apache.arrow.stream"
