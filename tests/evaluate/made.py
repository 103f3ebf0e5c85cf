"""Small truths and alerts with known answers, written as the files they come in."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ringfence.model.tables import ALERTS, TIME

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
VICTIM, OTHER, COURIER, ABROAD = "+8613800000001", "+8613800000002", "+8613800000003", "+448000000001"


def at(seconds: float | None) -> str | None:
    """So many seconds after the records begin."""
    if seconds is None:
        return None
    return (BEGIN + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def episode(
    name: str,
    crime: str | None,
    subject: str | None,
    begins: float,
    ends: float,
    shape: str = "withheld",
    **more: Any,
) -> dict[str, Any]:
    return {
        "id": name,
        "crime": crime,
        "shape": shape,
        "subject": subject,
        "begins": at(begins),
        "ends": at(ends),
        "calls": 1,
        **more,
    }


def scam(
    name: str, subject: str, begins: float, grip: float, transfer: float | None, behind: str
) -> dict[str, Any]:
    ends = transfer or grip + HOUR
    times = {"grip_began": at(grip), "transfer_at": at(transfer)}
    return episode(name, "scam_call", subject, begins, ends, "cold_call_centre", behind=behind, **times)


def alert(
    kind: str,
    subject: str,
    raised: float,
    *again: float,
    call: str | None = None,
    probability: float | None = 0.97,
    closed: float | None = None,
    last: float | None = None,
) -> dict[str, Any]:
    """An alert as a scan writes it; `again`: when later episodes of its story were raised."""
    times = (raised, *again)
    episodes = [
        {
            "raised_at": at(time),
            "call_id": call,
            "began_at": at(time),
            "last_call_at": at(time if last is None else last),
            "closed_at": at(closed if time == times[-1] else time + MINUTE),
            "quiet_s": None,
            "calls": 3,
            "calls_at_alert": 3,
        }
        for time in times
    ]
    return {
        "alert_id": f"{kind}-{subject}-{raised}",
        "kind": kind,
        "subject": subject,
        "raised_at": at(raised),
        "closed_at": at(closed),
        "call_id": call,
        "bits": 21.4,
        "probability": probability,
        "hypothesis": "hang up",
        "calls": 3,
        "quiet_s": None,
        "episodes": episodes,
        "ledger": [],
    }


Labelled = tuple[str, float, str | None, str]
"""call_id, seconds, episode, role."""


def attack(name: str, begins: float, step: float, count: int, role: str = "attack") -> list[Labelled]:
    return [(f"{name}-{n}", begins + n * step, name, role) for n in range(count)]


def write_truth(
    folder: Path,
    episodes: Sequence[dict[str, Any]],
    calls: Sequence[Labelled] = (),
    *,
    days: float = 10,
    lines: dict[str, int] | None = None,
    special: dict[str, str] | None = None,
    shown: dict[str, str | None] | None = None,
) -> Path:
    """truth.json and truth_calls.parquet; with `shown` (call_id: number) calls.parquet too."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "format": "ringfence-truth/1",
        "made_by": {"program": "by hand", "country": "CN"},
        "begins": at(0),
        "ends": at(days * DAY),
        "lines": lines or {"person": 100, "courier": 10},
        "special_lines": special or {COURIER: "courier"},
        "episodes": list(episodes),
        "calls": "truth_calls.parquet",
    }
    (folder / "truth.json").write_text(json.dumps(told), "utf-8")
    times = [BEGIN + timedelta(seconds=seconds) for _, seconds, _, _ in calls]
    table = pa.table(
        {
            "call_id": pa.array([call for call, *_ in calls], pa.string()),
            "start_time": pa.array(times, TIME),
            "episode": pa.array([name for _, _, name, _ in calls], pa.string()),
            "role": pa.array([role for *_, role in calls], pa.string()),
        }
    )
    pq.write_table(table, folder / "truth_calls.parquet")
    if shown is not None:
        rows = {
            "call_id": pa.array(list(shown), pa.string()),
            "caller": pa.array(list(shown.values()), pa.string()),
        }
        pq.write_table(pa.table(rows), folder / "calls.parquet")
    return folder


def write_alerts(path: Path, alerts: Sequence[dict[str, Any]]) -> Path:
    """As alerts.jsonl or, by the name, as Parquet."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist([_typed(row) for row in alerts], schema=ALERTS), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in alerts), "utf-8")
    return path


def _typed(value: Any) -> Any:
    if isinstance(value, list):
        return [_typed(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: datetime.fromisoformat(each) if key.endswith("_at") and each else _typed(each)
        for key, each in value.items()
    }
