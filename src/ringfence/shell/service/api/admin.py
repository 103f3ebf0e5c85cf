"""Webhooks and their dead letters; a person's data, exported or erased."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from ringfence.shell.service.api.context import ERRORS, Here, needs, refused
from ringfence.shell.store.tokens import Principal

router = APIRouter(prefix="/v1", tags=["administration"], responses=ERRORS)
Admin = Annotated[Principal, Depends(needs("admin"))]


class Again(BaseModel):
    """Which dead letters are to be sent again."""

    model_config = ConfigDict(extra="forbid")
    webhook: str = Field(max_length=64)
    place: int | None = Field(None, description="Of one event in the feed; left out: all.", ge=0, lt=2**62)


@router.get("/webhooks")
async def webhooks(here: Here, who: Admin) -> list[dict[str, Any]]:
    """How each receiver of alerts does."""
    del who
    found = await asyncio.to_thread(here.service.store.deliveries.standing)
    return [asdict(one) for one in found]


@router.post("/webhooks/{name}/enable", responses={404: refused("There is no such webhook.")})
async def enable(name: str, here: Here, who: Admin) -> dict[str, Any]:
    """Send a receiver that said it was gone (410) what waits for it, and what happens from now on."""
    if await asyncio.to_thread(_standing, here, name) is None:
        raise HTTPException(404, "there is no such webhook")
    await here.audit(who, "webhook.enable", about=name)
    await asyncio.to_thread(here.service.store.deliveries.enable, name)
    here.wake()
    return await asyncio.to_thread(_standing, here, name) or {}


def _standing(here: Here, name: str) -> dict[str, Any] | None:
    found = here.service.store.deliveries.standing()
    return next((asdict(one) for one in found if one.name == name), None)


@router.get("/dead-letters")
async def dead_letters(
    here: Here, who: Admin, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> list[dict[str, Any]]:
    """Events that a receiver would not take, the newest first."""
    del who
    found = await asyncio.to_thread(here.service.store.deliveries.dead_letters, limit=limit)
    return [asdict(one) for one in found]


@router.post("/dead-letters/requeue")
async def requeue(again: Again, here: Here, who: Admin) -> dict[str, int]:
    """Send dead letters again."""
    await here.audit(who, "dead_letters.requeue")
    deliveries = here.service.store.deliveries
    count = await asyncio.to_thread(deliveries.requeue, again.webhook, again.place, now=here.service.clock())
    here.wake()
    return {"requeued": count}
