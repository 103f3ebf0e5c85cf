"""Small floods, told to a service: enough for an alert, and quick."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from ringfence.model.tables import CALLS

SECOND = 1_000_000
BEGIN = 1_770_000_000 * SECOND
VICTIM = "+8613800000001"


def call(
    start: int,
    caller: str | None,
    callee: str,
    *,
    answer: int | None = None,
    end: int | None = None,
    call_id: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A row of a call; times in µs."""
    row = dict.fromkeys(CALLS.names) | {"start_time": start, "answer_time": answer, "end_time": end}
    return row | {"call_id": call_id, "caller": caller, "callee": callee} | more


def flood(
    victim: str = VICTIM, begin: int = BEGIN, count: int = 12, every_s: int = 40
) -> Iterator[dict[str, Any]]:
    """Calls by ever new strangers, each dropped as soon as it is answered; whole, one a row."""
    for n in range(count):
        start = begin + n * every_s * SECOND
        yield call(
            start, f"+86139{victim[-4:]}{n:04d}", victim, answer=start + 5 * SECOND, end=start + 6 * SECOND,
            call_id=f"{victim[-4:]}-{n}", cause=16, released_by="caller",
        )  # fmt: skip


def told_live(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Whole calls as up to three rows each, in the order in which they happen."""
    found = []
    for row in rows:
        later = dict.fromkeys(("answer_time", "end_time", "cause", "released_by"))
        found.append((row["start_time"], row | later))
        if row["answer_time"] is not None:
            found.append((row["answer_time"], row | later | {"answer_time": row["answer_time"]}))
        if row["end_time"] is not None:
            found.append((row["end_time"], row))
    return [row for _, row in sorted(found, key=lambda each: each[0])]


def batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    """Rows as a source tells them."""
    return pa.RecordBatch.from_pylist(rows, CALLS)
