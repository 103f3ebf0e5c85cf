"""What stands before the desk: only its own paths, only whoever is signed in, only from its own pages; and what a page may do."""

import re
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ringfence.desk.session import COOKIE, Door
from ringfence.shell.store.database import StoreError

ASSETS: Final = "/_nicegui/"
SOCKET: Final = "/_nicegui_ws/"
_SCRIPT: Final = re.compile(rb"<script(?=[\s>])")
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Scripts only from here: Vue compiles its templates with eval, but nothing that stands in a text can run, or call anybody."""


class Guard:
    """Before everything of NiceGUI.

    Args:
        app: NiceGUI.
        door: says who somebody is.
    """

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or take a connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refused = self._refusal(scope)
        if refused is None:
            page = scope["type"] == "http" and scope["path"] == "/"
            await self._app(scope, receive, _Page(send).send if page else send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4403})
        else:
            await refused(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        path, headers = scope["path"], Headers(scope=scope)
        if (path.startswith(ASSETS) and scope["type"] == "http") or path == "/favicon.ico":
            return None if scope["method"] in {"GET", "HEAD"} else _nothing()
        if path != "/" and not path.startswith(SOCKET):
            return _nothing()
        if path == "/" and (scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}):
            return _nothing()
        if path != "/" and not is_own(headers):
            return PlainTextResponse("another site's page has asked\n", 403)
        try:
            who = self._door.principal(cookie_of(headers))
        except StoreError as error:
            return JSONResponse({"detail": str(error)}, 503, {"Retry-After": "5"})
        if who is not None:
            return None
        return RedirectResponse("/sign-in", 303) if path == "/" else PlainTextResponse("sign in first\n", 401)


def _nothing() -> Response:
    return JSONResponse({"detail": "there is nothing here, or not by this method"}, 404)


def cookie_of(headers: Headers) -> str | None:
    """The session's cookie."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value


def is_own(headers: Headers) -> bool:
    """Whether a page of ours has asked. A browser always says which page opens a socket or posts a form."""
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


class _Page:
    """Gives every script of the page the nonce of this answer, and says what may run."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._nonce = secrets.token_urlsafe(16)
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        """Pass on a part of the answer; the body as one."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body" or self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        body = _SCRIPT.sub(f'<script nonce="{self._nonce}"'.encode(), self._body)
        headers = MutableHeaders(raw=list(self._start["headers"]))
        headers["content-length"] = str(len(body))
        headers["content-security-policy"] = _POLICY.format(nonce=self._nonce)
        headers["cache-control"] = "no-store"
        await self._send({**self._start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})
