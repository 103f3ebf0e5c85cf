"""Alerts: found, read, marked; and what people said of them, to learn from."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from ringfence.model.alert import rfc3339
from ringfence.model.numbers import to_text
from ringfence.shell.service.api.context import ERRORS, Context, Here, needs, refused
from ringfence.shell.service.api.numbers import micros, parsed
from ringfence.shell.store.alerts import StoredAlert
from ringfence.shell.store.marks import ChangedMeanwhileError, NoSuchAlertError, NotAllowedError
from ringfence.shell.store.search import MOST, CursorError, Wanted
from ringfence.shell.store.tokens import Principal

router = APIRouter(prefix="/v1/alerts", tags=["alerts"], responses=ERRORS)
Reader = Annotated[Principal, Depends(needs("alerts:read"))]
Writer = Annotated[Principal, Depends(needs("alerts:write"))]
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: refused("There is no such alert.")}


class Said(BaseModel):
    """What somebody says of an alert."""

    model_config = ConfigDict(extra="forbid")
    status: str = Field(description="acknowledged, confirmed, closed or not_an_attack", max_length=32)
    version: int = Field(
        description="Of the alert as it was read; another one, and somebody was quicker.", ge=0, lt=2**31
    )
    reason: str | None = Field(
        None, description="Why it is no attack; needed for not_an_attack.", max_length=2000
    )
    note: str | None = Field(None, max_length=2000)


def shown(alert: StoredAlert, *, whole: bool = False) -> dict[str, Any]:
    """An alert in the form of the contract, with what people said of it."""
    found = {
        **alert.document,
        "status": alert.status,
        "version": alert.version,
        "label": alert.label,
        "reason": alert.reason,
        "marked_at": rfc3339(alert.marked_at),
        "marked_by": alert.marked_by,
    }
    return {**found, "observations": alert.observations} if whole else found


@router.get("", responses={422: refused("What is asked for makes no sense.")})
async def find_alerts(
    here: Here,
    who: Reader,
    kind: Annotated[list[str], Query(max_length=20)] = [],  # noqa: B006  (read only)
    status: Annotated[list[str], Query(max_length=20)] = [],  # noqa: B006
    subject: Annotated[str | None, Query(max_length=64)] = None,
    case: Annotated[str | None, Query(max_length=64)] = None,
    trunk: Annotated[str | None, Query(max_length=128)] = None,
    text: Annotated[
        str | None, Query(max_length=64, description="The beginning of a number, or of an id.")
    ] = None,
    since: datetime | None = None,
    until: datetime | None = None,
    is_open: bool | None = None,
    probability: Annotated[float | None, Query(ge=0, le=1)] = None,
    cursor: Annotated[str | None, Query(max_length=256)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> dict[str, Any]:
    """Alerts by what is known of them, the newest first; `cursor` of the answer gives the next page."""
    wanted = Wanted(
        kinds=kind, statuses=status, subject=subject, case=case, trunk=trunk, text=text, since=micros(since),
        until=micros(until), is_open=is_open, probability=probability, cursor=cursor, limit=limit,
    )  # fmt: skip
    try:
        page = await asyncio.to_thread(here.service.store.alerts.search, wanted)
    except CursorError as error:
        raise HTTPException(422, str(error)) from error
    await here.audit(who, "alert.search", None if subject is None else _written(here, subject))
    return {"alerts": [shown(alert) for alert in page.alerts], "cursor": page.cursor}


def _written(here: Context, subject: str) -> str:
    """A number as records and audit log write it, so that it is found there when its person asks."""
    judge = here.service.pipeline.judge
    try:
        return to_text(parsed(judge.plan, subject), judge.names) or subject
    except HTTPException:
        return subject


@router.get("/labels", response_class=Response, responses={200: {"content": {"application/x-ndjson": {}}}})
async def read_labels(here: Here, who: Reader) -> Response:
    """All alerts of which somebody said what they were, as JSON Lines to learn from (docs/alert_store.md)."""
    lines = await asyncio.to_thread(lambda: b"".join(here.service.store.marks.label_lines()))
    await here.audit(who, "alert.labels")
    return Response(lines, media_type="application/x-ndjson")


@router.get("/counts")
async def count_alerts(here: Here, who: Reader) -> dict[str, Any]:
    """How many there are, by kind and status."""
    del who
    counts = await asyncio.to_thread(here.service.store.alerts.counts)
    return {"all": counts.all, "open": counts.open, "by_kind": counts.by_kind}


@router.get("/{alert_id}", responses=NOT_FOUND)
async def read_alert(alert_id: str, here: Here, who: Reader) -> dict[str, Any]:
    """One alert with its ledger and all observations that are kept."""
    alert = await asyncio.to_thread(here.service.store.alerts.get, alert_id)
    if alert is None:
        raise HTTPException(404, "there is no such alert")
    await here.audit(who, "alert.read", alert.document["subject"], alert_id)
    return shown(alert, whole=True)


@router.get("/{alert_id}/history")
async def read_history(alert_id: str, here: Here, who: Reader) -> list[dict[str, Any]]:
    """What was said of it, the first first."""
    marks = await asyncio.to_thread(here.service.store.marks.history, alert_id)
    await here.audit(who, "alert.history", None, alert_id if marks else None)
    names = ("version", "who", "before", "after", "label", "reason", "note")
    return [{**{name: getattr(mark, name) for name in names}, "at": rfc3339(mark.at)} for mark in marks]


@router.post(
    "/{alert_id}/status",
    responses=NOT_FOUND | {409: refused("Somebody was quicker."), 422: refused("This cannot be said of it.")},
)
async def say(alert_id: str, said: Said, here: Here, who: Writer) -> dict[str, Any]:
    """Say what an alert is: acknowledge, confirm, close it, or say that it is no attack."""
    found = await asyncio.to_thread(here.service.store.alerts.get, alert_id)
    if found is None:
        raise HTTPException(404, "there is no such alert")
    await here.audit(who, "alert.mark", found.document["subject"], alert_id)
    marks, at = here.service.store.marks, here.service.clock()
    try:
        alert = await asyncio.to_thread(
            marks.mark, alert_id, said.status, who=who.name, at=at, version=said.version, reason=said.reason, note=said.note
        )  # fmt: skip
    except NoSuchAlertError as error:
        raise HTTPException(404, "there is no such alert") from error
    except ChangedMeanwhileError as error:
        raise HTTPException(409, str(error)) from error
    except NotAllowedError as error:
        raise HTTPException(422, str(error)) from error
    here.wake()
    return shown(alert)
