"""The desk within the application: NiceGUI at `/`, its doors, its pulse. Nothing is fetched from anywhere but here."""

import asyncio
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from nicegui import Client, app, ui

from ringfence.desk import render
from ringfence.desk.board import Board
from ringfence.desk.guard import Guard, cookie_of
from ringfence.desk.hub import Hub
from ringfence.desk.page import Page, head
from ringfence.desk.session import Door, OpenDoor, Sessions, key_in
from ringfence.desk.sign_in import doors, files, language_of
from ringfence.desk.words import fill
from ringfence.shell.service.api.context import Context
from ringfence.shell.service.sources.city import SPEED

MOST_PAGES: Final = 200
"""Pages that may be open at once."""
_RECONNECT_S: Final = 10.0


def mount(application: FastAPI, context: Context, data: Path, language: str = "en") -> None:
    """Put the desk at `/` of the application. NiceGUI is one for the process, so this may be done once.

    Args:
        application: with the API; its paths come first.
        context: what the desk may use.
        data: the folder in which the key of the sessions is kept.
        language: `en` or `zh`, until somebody chooses.

    Raises:
        OSError: the key can be neither read nor written.
    """
    speed = SPEED if context.is_open else None
    board = Board(context, speed)
    hub = Hub(context, board)
    door: Door = OpenDoor()
    application.include_router(files())
    if not context.is_open:
        sessions = Sessions(key_in(data), context.service.store.tokens, context.service.clock)
        application.include_router(doors(context, sessions, language))
        door = sessions
    app.add_middleware(Guard, door=door)
    app.on_startup(hub.start)
    app.on_shutdown(hub.stop)

    @ui.page("/", title=fill("desk_title").en, dark=None)
    async def first(request: Request, client: Client) -> Any:
        cookie, chosen = cookie_of(request.headers), language_of(request, language)
        who = door.principal(cookie)
        if who is None or len(Client.instances) > MOST_PAGES:
            return HTMLResponse(render.full(chosen), 503, {"Retry-After": "60"})
        await context.audit(who, "desk.open")
        if not len(hub):  # nobody has looked meanwhile
            await asyncio.to_thread(board.refresh)
        head(chosen)
        page = Page(context, hub, door, cookie, client, chosen, board.clock, speed)
        page.build(render.figures(board.figures(), board.clock), board.view)
        client.on_connect(lambda: hub.add(page))
        client.on_disconnect(lambda: hub.remove(page))
        return None

    ui.run_with(
        application,
        mount_path="/",
        title=fill("desk_title").en,
        dark=None,
        tailwind=False,
        binding_refresh_interval=None,
        reconnect_timeout=_RECONNECT_S,
        message_history_length=100,
        show_welcome_message=False,
    )
