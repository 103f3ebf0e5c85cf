"""Events in: rows of calls, texts and transfers, acknowledged when they are on disk."""

import asyncio
from collections.abc import Iterable
from io import BytesIO
from typing import Annotated, Any, Final

import numpy as np
import pyarrow as pa
from fastapi import APIRouter, Depends, Header, HTTPException, Request

from ringfence.ingest import arrow_ipc, json_lines
from ringfence.ingest._arrow import DAMAGE, damaged
from ringfence.ingest.format import Chunk, Rejected, Settings, UnreadableError
from ringfence.model.numbers import Names, NumberPlan
from ringfence.shell.service.api.context import ERRORS, Context, Here, needs, refused
from ringfence.shell.service.arrow_body import check
from ringfence.shell.service.decoders import EVENTS, rejected_note, to_payload
from ringfence.shell.service.intake import put
from ringfence.shell.service.journal import JournalError
from ringfence.shell.store.tokens import Principal

router = APIRouter(prefix="/v1", tags=["events"], responses=ERRORS)
Writer = Annotated[Principal, Depends(needs("events:write"))]
ARROW: Final = "application/vnd.apache.arrow.stream"
NDJSON: Final = "application/x-ndjson"
MOST_TOLD: Final = 100
"""Rejected rows that an answer lists; all are counted."""
MOST_BAD: Final = 100_000
"""Rows of a body that may be unusable; a body with more is something else."""
_CALLED: Final = {"calls": "callee", "texts": "recipient", "transfers": "subscriber"}
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            NDJSON: {
                "schema": {"type": "string", "description": "One object a line, with the names of a table."}
            },
            ARROW: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.post(
    "/events",
    openapi_extra=_BODY,
    responses={
        400: refused("The body cannot be read."),
        413: refused("The body is too large."),
    },
)
async def take_events(
    request: Request,
    here: Here,
    who: Writer,
    key: Annotated[
        str | None,
        Header(alias="Idempotency-Key", max_length=128, description="The same key again changes nothing."),
    ] = None,
) -> dict[str, Any]:
    """Hand in rows of one table (`calls`, `texts` or `transfers`), as JSON Lines or as an Arrow stream.

    A call may be told in up to three rows: when it is set up, when it is answered, when it is over; `call_id`, `start_time`, `caller` and
    `callee` are the same in all, and what is not known yet is left out. The answer comes when the rows are on disk. Rows that cannot be
    used are told by number and reason, and the others are taken.
    """
    body, kind = await request.body(), request.headers.get("content-type", "")
    if key is None:
        return await _take(here, who, kind, body, None)
    key = f"{who.name}:{key}"
    while (known := here.answers.get(key)) is not None and not isinstance(known, dict):
        await asyncio.wait([known])
    known = known or here.service.pipeline.keys.get(key)
    if known is not None:
        return {**known, "repeated": True}
    if here.service.is_recovering:
        raise HTTPException(503, "not all keys are known again yet", {"Retry-After": "1"})
    # nothing may be waited for since the key was looked up: another request with it must find this
    told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    here.answers[key] = told
    try:
        answer = await _take(here, who, kind, body, key)
    except BaseException:
        here.answers.pop(key, None)
        raise
    finally:
        told.set_result(None)
    here.remember(key, _short(answer))
    return answer


def _short(answer: dict[str, Any]) -> dict[str, Any]:
    """What is kept of an answer under its key: there are many, and reasons can be long."""
    return {**answer, "reasons": []}


async def _take(here: Context, who: Principal, kind: str, body: bytes, key: str | None) -> dict[str, Any]:
    plan = here.service.pipeline.judge.plan
    try:
        table, rows, payload, rejected = await asyncio.to_thread(_read, body, kind, here.timezone, plan)
    except UnreadableError as error:
        raise HTTPException(400, str(error)) from error
    wait = here.rows.take(who.name, asyncio.get_running_loop().time(), rows + len(rejected))
    if wait:
        raise HTTPException(429, "too many rows", {"Retry-After": str(int(wait) + 1)})
    answer = {
        "seq": None,
        "table": table,
        "accepted": rows,
        "rejected": len(rejected),
        "reasons": [{"row": row.row, "reason": row.reason} for row in rejected[:MOST_TOLD]],
        "repeated": False,
    }
    if rows:
        note = {"source": EVENTS, "kind": EVENTS, "table": table, "by": who.name, **rejected_note(rejected)}
        if key is not None:
            note |= {"key": key, "answer": _short(answer)}
        answer = {**answer, "seq": await _put(here, note, payload)}
    return answer


async def _put(here: Context, note: dict[str, Any], payload: bytes) -> int:
    try:
        return await put(here.service.append, note, payload)
    except JournalError as error:
        raise HTTPException(503, str(error), {"Retry-After": "1"}) from error


def _read(body: bytes, kind: str, timezone: str, plan: NumberPlan) -> tuple[str, int, bytes, list[Rejected]]:
    """The table of a body, how many usable rows it has, these as the journal keeps them, and the others.

    Raises:
        UnreadableError: it is not of the kind that was said.
    """
    settings = Settings(timezone=timezone)
    if not kind.startswith(ARROW):
        return _rows(json_lines.read(BytesIO(body), settings), plan)
    check(body)
    try:
        return _rows(arrow_ipc.read(BytesIO(body), settings), plan)
    except DAMAGE as error:
        raise damaged("Arrow", error) from error


def _rows(chunks: Iterable[Chunk], plan: NumberPlan) -> tuple[str, int, bytes, list[Rejected]]:
    batches, rejected, tables = [], list[Rejected](), set[str]()
    for chunk in chunks:
        rejected += chunk.rejected
        if len(rejected) > MOST_BAD:
            raise UnreadableError(
                f"more than {MOST_BAD:,} rows cannot be used; nothing of the body was taken"
            )
        batch = _with_number(chunk, plan, rejected)
        if len(batch):
            batches.append(batch)
            tables.add(chunk.table)
    rejected.sort(key=lambda row: row.row)
    if len(tables) > 1:
        raise UnreadableError("rows of several tables; send each table in a request of its own")
    if not batches and not rejected:
        raise UnreadableError("the body holds no rows")
    if not batches:
        return "calls", 0, b"", rejected
    rows = pa.Table.from_batches(batches).combine_chunks()
    return tables.pop(), len(rows), to_payload(rows.to_batches()[0]), rejected


def _with_number(chunk: Chunk, plan: NumberPlan, rejected: list[Rejected]) -> pa.RecordBatch:
    """The rows that say whom they are about."""
    records = chunk.records
    numbers = plan.parse(records[_CALLED[chunk.table]], Names())
    if numbers.all():
        return records
    rejected += [Rejected(int(row), "no number to tell whom it is about") for row in chunk.rows[numbers == 0]]
    return records.filter(pa.array(np.asarray(numbers != 0)))
