"""How the service is: for people, for supervisors, for Prometheus."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import PlainTextResponse

from ringfence import __version__
from ringfence.model.alert import rfc3339
from ringfence.shell.service.api.context import ERRORS, Here, needs
from ringfence.shell.service.metrics import exposition
from ringfence.shell.store.tokens import Principal

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz(here: Here) -> dict[str, Any]:
    """The state: starting, compiling, recovering, ok, degraded or stopping; and what is wrong, in words.

    It answers 200 as long as it can answer: a full disk is no reason to be started anew. `/readyz` says whether it takes events.
    """
    health, of_sources = here.service.health(), here.troubles()
    return {
        "state": "degraded" if of_sources and health.state == "ok" else health.state,
        "trouble": health.trouble + of_sources,
        "notes": health.notes,
        "version": __version__,
    }


@router.get("/readyz", responses={503: {"description": "Not ready."}})
async def readyz(here: Here, response: Response) -> dict[str, Any]:
    """200 where events are taken in, else 503."""
    health = here.service.health()
    if not health.is_ready:
        response.status_code = 503
    return {"state": health.state}


@router.get("/metrics", response_class=PlainTextResponse, responses=ERRORS)
async def metrics(here: Here, who: Annotated[Principal, Depends(needs("metrics"))]) -> Response:
    """Figures for Prometheus. No number, no text, no name of a person is in them."""
    del who
    body, kind = await asyncio.to_thread(exposition, here.service, here.webhooks, here.sources)
    return Response(body, media_type=kind)


@router.get("/v1/status", responses=ERRORS)
async def status(here: Here, who: Annotated[Principal, Depends(needs("metrics"))]) -> dict[str, Any]:
    """What every source brings, how far behind the service is, how much it holds."""
    del who
    service = here.service
    pipeline, now = service.pipeline, service.clock()
    latest = sorted(pipeline.latency.newest)
    return {
        "state": service.health().state,
        "now": rfc3339(pipeline.order.newest) if pipeline.order.newest else None,
        "judged": pipeline.judged,
        "behind": service.journal.last - pipeline.seq,
        "sources": {name: tally.as_dict(now) for name, tally in list(pipeline.tallies.items())},
        "listening": {
            name: {"trouble": kept.trouble, **kept.source.counts} for name, kept in here.sources.items()
        },
        "alert_latency_s": {
            "count": len(latest),
            "most": latest[-1] if latest else None,
            "p50": latest[len(latest) // 2] if latest else None,
            "p99": latest[int(len(latest) * 0.99)] if latest else None,
        },
        "rejected": [
            {"source": one.source, "at": rfc3339(one.at), "row": one.row, "reason": one.reason}
            for one in pipeline.aside[-100:]
        ],
        "memory_bytes": pipeline.judge.engine.nbytes(),
        "journal_bytes": service.journal.nbytes,
    }
