"""Questions that must be answered at once: about a call that is arriving, and about a payer."""

from datetime import datetime
from typing import Annotated, Any, Literal

import pyarrow as pa
from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from ringfence.detect import scam_call
from ringfence.detect.screening import Arriving
from ringfence.ingest._hash import hash_words
from ringfence.model.numbers import NumberPlan, to_text
from ringfence.model.tables import ATTESTATION, INGRESS
from ringfence.respond.influence import influence
from ringfence.shell.service.api.context import ERRORS, Context, Here, needs
from ringfence.shell.service.api.numbers import micros, parsed
from ringfence.shell.store.tokens import Principal

router = APIRouter(prefix="/v1", tags=["questions"], responses=ERRORS)


class Call(BaseModel):
    """A call that is arriving."""

    model_config = ConfigDict(extra="forbid")
    caller: str | None = Field(None, description="The number shown, E.164; null: withheld.", max_length=64)
    callee: str = Field(max_length=64)
    at: datetime | None = Field(None, description="Left out: now, as the service knows it.")
    trunk: str | None = Field(None, max_length=128)
    ingress: Literal["subscriber", "domestic", "international"] | None = None
    attestation: Literal["A", "B", "C"] | None = None


class Payer(BaseModel):
    """Whom a bank asks about."""

    model_config = ConfigDict(extra="forbid")
    number: str = Field(description="Of the payer, E.164.", max_length=64)


def now_of(here: Context) -> int:
    """µs: the time of the network, as far as it is judged."""
    pipeline = here.service.pipeline
    return max(pipeline.judge.engine.until, pipeline.order.newest) or here.service.clock()


def arriving(here: Context, call: Call) -> Arriving:
    """A call as the engine knows it."""
    plan = here.service.pipeline.judge.plan
    at = micros(call.at)
    return Arriving(
        now_of(here) if at is None else at,
        _shown(plan, call.caller),
        parsed(plan, call.callee),
        0 if call.trunk is None else int(hash_words(pa.array([call.trunk]))[0]),
        0 if call.ingress is None else INGRESS.index(call.ingress) + 1,
        0 if call.attestation is None else ATTESTATION.index(call.attestation) + 1,
    )


def _shown(plan: NumberPlan, caller: str | None) -> int:
    """The number shown; 0 where it is withheld, or no number at all."""
    try:
        return 0 if caller is None else plan.parse_one(caller)
    except ValueError:
        return 0


@router.post("/screen")
async def screen(
    call: Call, here: Here, who: Annotated[Principal, Depends(needs("screen"))]
) -> dict[str, Any]:
    """The verdict on a call that is arriving: pass, suspect (the line is under attack: ask first) or refuse (forged)."""
    del who
    asked = arriving(here, call)
    with here.service.pipeline.lock:
        found = here.screen.look(asked)
    return found.as_dict()


@router.post("/influence")
async def under_influence(
    payer: Payer, here: Here, who: Annotated[Principal, Depends(needs("influence"))]
) -> dict[str, Any]:
    """The bank's question at a payment: how probable it is that the payer is being scammed on the phone, now."""
    judge = here.service.pipeline.judge
    number = parsed(judge.plan, payer.number)
    await here.audit(who, "influence", to_text(number, judge.names))
    with here.service.pipeline.lock:
        case = judge.engine.case_of(scam_call.NAME, number)
        return influence(case, now_of(here)).as_dict()
