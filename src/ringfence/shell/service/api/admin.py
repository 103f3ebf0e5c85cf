"""Webhooks and their dead letters; a person's data, exported or erased."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from ringfence.shell.service.api.context import ERRORS, Here, needs
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
    deliveries = here.service.store.deliveries
    count = await asyncio.to_thread(deliveries.requeue, again.webhook, again.place, now=here.service.clock())
    await here.audit(who, "dead_letters.requeue")
    here.wake()
    return {"requeued": count}
