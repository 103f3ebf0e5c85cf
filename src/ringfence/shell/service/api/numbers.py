"""What is known of a number: in bits, and why; and its records. Every look is written into the audit log."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Path, Query

from ringfence.model.alert import rfc3339
from ringfence.model.numbers import NumberPlan
from ringfence.shell.service.api.context import ERRORS, Context, Here, needs
from ringfence.shell.service.standing import standing
from ringfence.shell.store.search import Wanted
from ringfence.shell.store.tokens import Principal

router = APIRouter(prefix="/v1/numbers", tags=["numbers"], responses=ERRORS)
Reader = Annotated[Principal, Depends(needs("numbers:read"))]
Number = Annotated[str, Path(description="E.164 with +, or the country's national form.", max_length=64)]
MOST: Final = 10_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def parsed(plan: NumberPlan, text: str) -> int:
    """A number as the engine knows it.

    Raises:
        HTTPException: it is none.
    """
    try:
        number = plan.parse_one(text)
    except ValueError:
        number = 0
    if number == 0:
        raise HTTPException(422, "this is no telephone number")
    return number


def micros(time: datetime | None) -> int | None:
    """µs since 1970; a time without a zone is UTC."""
    if time is None:
        return None
    return (_zoned(time) - _EPOCH) // timedelta(microseconds=1)


def _zoned(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


@router.get("/{number}")
async def read_number(number: Number, here: Here, who: Reader) -> dict[str, Any]:
    """What is known of a number: habits as a line, behaviour as a caller, what speaks for and against, its alerts."""
    judge = here.service.pipeline.judge
    known = parsed(judge.plan, number)
    found = await asyncio.to_thread(_standing, here, known)
    await here.audit(who, "number.read", found["number"])
    wanted = Wanted(text=found["number"], limit=20)
    page = await asyncio.to_thread(here.service.store.alerts.search, wanted)
    found["alerts"] = [
        {
            "alert_id": one.alert_id,
            **{k: one.document[k] for k in ("kind", "subject", "raised_at", "closed_at")},
        }
        for one in page.alerts
    ]
    return found


def _standing(here: Context, number: int) -> dict[str, Any]:
    with here.service.pipeline.lock:
        return standing(here.service.pipeline.judge, number)


@router.get("/{number}/calls")
async def read_calls(
    number: Number,
    here: Here,
    who: Reader,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 1000,
) -> dict[str, Any]:
    """Calls of a number, the newest first, as the record store keeps them."""
    text = _text(here, number)
    now = here.service.pipeline.order.newest or here.service.clock()
    first = _EPOCH + timedelta(microseconds=now, days=-31) if since is None else _zoned(since)
    last = None if until is None else _zoned(until)
    await here.audit(who, "number.calls", text)
    table = await asyncio.to_thread(here.service.records.calls_of, text, first, last, limit)
    return {"number": text, "calls": [_row(row) for row in table.to_pylist()]}


def _text(here: Context, number: str) -> str:
    from ringfence.model.numbers import to_text

    judge = here.service.pipeline.judge
    return to_text(parsed(judge.plan, number), judge.names) or number


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: rfc3339(micros(value)) if isinstance(value, datetime) else value for name, value in row.items()
    }
