"""What stands before the application: bodies no larger, and requests no longer, than was said."""

import asyncio
from typing import Final

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ENDLESS: Final = ("/v1/stream",)
"""Answers that go on for ever."""


HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)


class TooLargeError(Exception):
    """A body is larger than was allowed."""


class Guard:
    """Limits of every request.

    Args:
        app: what is guarded.
        body_bytes: of a request, at the most.
        seconds: for its answer, at the most; a stream and the desk's connection are exempt.
    """

    def __init__(self, app: ASGIApp, body_bytes: int, seconds: float) -> None:
        self._app = app
        self._bytes = body_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not _is_api(scope["path"]):
            await self._app(scope, receive, _hardened(send))
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._bytes:
            await _refuse(send, 413, f"the body is larger than {self._bytes:,} bytes; send it in parts")
            return
        begun, read, hardened, too_large = False, 0, _hardened(send), False

        async def limited() -> Message:
            nonlocal read, too_large
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._bytes:
                too_large = True
                raise TooLargeError
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            if too_large:  # whatever was made of the error
                raise TooLargeError
            begun = True
            await hardened(message)

        try:
            async with asyncio.timeout(None if scope["path"] in ENDLESS else self._seconds):
                await self._app(scope, limited, noted)
        except TooLargeError:
            if not begun:
                await _refuse(send, 413, f"the body is larger than {self._bytes:,} bytes; send it in parts")
        except TimeoutError:
            if not begun:
                await _refuse(send, 504, f"it took longer than {self._seconds:g} s")


def _hardened(send: Send) -> Send:
    async def hardened(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *HEADERS]}
        await send(message)

    return hardened


def _is_api(path: str) -> bool:
    return path.startswith("/v1/") or path in {"/healthz", "/readyz", "/metrics"}


async def _refuse(send: Send, status: int, why: str) -> None:
    body = orjson.dumps({"detail": why})
    length = str(len(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
