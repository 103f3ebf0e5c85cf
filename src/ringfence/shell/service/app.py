"""The web application: the API, the desk, and the sources and webhooks that live in its loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from ringfence import __version__
from ringfence.shell.records import RecordsError
from ringfence.shell.service.api import routers
from ringfence.shell.service.api.context import Context
from ringfence.shell.service.guard import Guard
from ringfence.shell.service.running import AGAIN_S, Kept, Running
from ringfence.shell.service.webhooks import Webhooks
from ringfence.shell.store.alerts import AlertChange
from ringfence.shell.store.database import StoreError

_log = structlog.get_logger("ringfence.service")
LOOPBACK: Final = ["127.0.0.1", "localhost", "[::1]"]


def create_app(
    context: Context,
    sources: Sequence[Running] = (),
    *,
    body_bytes: int = 16_000_000,
    request_s: float = 30.0,
    on_ready: Callable[[FastAPI], None] = lambda _: None,
) -> FastAPI:
    """The application.

    Args:
        context: what requests may use; its service is started and stopped with the application.
        sources: run while it runs.
        body_bytes: of a request, at the most.
        request_s: seconds for its answer, at the most.
        on_ready: may add to it, such as the desk.
    """
    context.sources = {source.name: Kept(source) for source in sources}

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        loop = asyncio.get_running_loop()
        service = context.service

        def changed(changes: Sequence[AlertChange]) -> None:
            del changes
            loop.call_soon_threadsafe(context.wake)

        service.listen(changed)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(asyncio.to_thread, service.stop)
            started = asyncio.create_task(_start(context))
            stack.push_async_callback(_end, started)
            yield

    app = FastAPI(
        title="Ringfence",
        version=__version__,
        summary="Telephone crime, recognised while it is committed.",
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = context
    for (
        router
    ) in routers():  # their routes, not the routers: a router in a router is asked twice for every request
        app.router.routes.extend(router.routes)
    app.add_middleware(Guard, body_bytes=body_bytes, seconds=request_s)
    if context.is_open:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK)
    _add_errors(app)
    on_ready(app)
    return app


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(RecordsError)
    @app.exception_handler(StoreError)
    async def _store(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 503, {"Retry-After": "5"})

    @app.exception_handler(RequestValidationError)
    async def _wrong(_: Request, error: RequestValidationError) -> JSONResponse:
        # without what was sent: it may hold numbers
        details = [{"where": [str(at) for at in one["loc"]], "why": one["msg"]} for one in error.errors()]
        return JSONResponse({"detail": details}, 422)


async def _start(context: Context) -> None:
    """Come back to where it was, then go on; what nobody sends twice is taken down meanwhile."""
    service, sources = context.service, context.sources.values()
    async with asyncio.TaskGroup() as group:
        for source in sources:
            if not source.has_position:
                group.create_task(source.run())
        try:
            if context.webhooks is not None:
                context.webhooks.configure()
            await asyncio.to_thread(service.compile)
            await asyncio.to_thread(service.recover)
            service.start()
        except Exception as error:  # noqa: BLE001  (the service must say so, and not look well)
            service.fail(error)
            return
        if context.webhooks is not None:
            group.create_task(_send_on(context.webhooks))
        for source in sources:
            if source.has_position:
                group.create_task(source.run())


async def _send_on(webhooks: Webhooks) -> None:
    """Send, and go on after any failure: it must not end what comes in."""
    while True:
        try:
            await webhooks.run()
        except Exception:  # noqa: BLE001
            _log.exception("the sending of alerts has failed, and begins again")
        await asyncio.sleep(AGAIN_S)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
