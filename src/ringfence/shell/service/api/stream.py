"""Alerts as they come: server-sent events, from the feed; whoever was away goes on where it stopped."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse

from ringfence.model.alert import rfc3339
from ringfence.shell.service.api.context import ERRORS, Context, Here, needs
from ringfence.shell.store.outbox import StoredEvent
from ringfence.shell.store.tokens import Principal

router = APIRouter(prefix="/v1", tags=["alerts"], responses=ERRORS)
Reader = Annotated[Principal, Depends(needs("alerts:read"))]
PULSE_S: Final = 15.0
"""A comment so often keeps the connection up, and shows one that is dead."""
_PAGE: Final = 200


@router.get(
    "/stream", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}}
)
async def stream(
    request: Request,
    here: Here,
    who: Reader,
    last: Annotated[str | None, Header(alias="Last-Event-ID", max_length=32)] = None,
    since: Annotated[
        int | None, Query(ge=0, lt=2**62, description="Place in the feed; left out: from now on.")
    ] = None,
) -> StreamingResponse:
    """Events of alerts: raised, changed, closed, reopened, marked. `Last-Event-ID` goes on behind an event."""
    place = int(last) if last is not None and last.isascii() and last.isdigit() and len(last) < 19 else since
    begin = await asyncio.to_thread(here.service.store.outbox.latest) if place is None else place
    await here.audit(who, "alert.stream")
    return StreamingResponse(
        _events(request, here, begin), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _events(request: Request, here: Context, place: int) -> AsyncIterator[bytes]:
    woken = asyncio.Event()
    here.wakers.add(woken)
    try:
        yield b"retry: 2000\n\n"
        while not await request.is_disconnected() and not here.closing:
            woken.clear()
            found = await asyncio.to_thread(here.service.store.outbox.after, place, _PAGE)
            for event in found:
                place = event.id
                yield _sent(event)
            if found:
                continue
            try:
                await asyncio.wait_for(woken.wait(), PULSE_S)
            except TimeoutError:
                yield b": still here\n\n"
    finally:
        here.wakers.discard(woken)


def _sent(event: StoredEvent) -> bytes:
    body: dict[str, Any] = {
        "id": event.event_id,
        "type": event.type,
        "at": rfc3339(event.at),
        "alert": event.alert,
    }
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.id, event.type.encode(), orjson.dumps(body))
