"""A webhook's receiver: a real HTTP server on loopback that answers as a test wants it to."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(frozen=True)
class Request:
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["ringfence-event"]

    @property
    def event(self) -> dict[str, Any]:
        return dict(orjson.loads(self.body))


Answer = Callable[[Request], "int | bytes | Awaitable[int | bytes]"]
"""The status, or the whole answer as bytes, after which the connection is closed."""


@dataclass
class Receiver:
    answer: Answer = lambda _: 204
    port: int = 0
    tls: bool = False
    requests: list[Request] = field(default_factory=list)
    arrived: list[str] = field(default_factory=list)
    """Ids that were answered with 2xx, in order."""

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                pairs = (line.split(":", 1) for line in head.split("\r\n")[1:] if ":" in line)
                headers = {name.lower(): value.strip() for name, value in pairs}
                request = Request(headers, await reader.readexactly(int(headers["content-length"])))
                self.requests.append(request)
                said = self.answer(request)
                status = said if isinstance(said, int | bytes) else await said
                if isinstance(status, bytes):
                    writer.write(status)
                    await writer.drain()
                    return
                if 200 <= status < 300:
                    self.arrived.append(request.id)
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(receiver: Receiver, context: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    connections: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await receiver.serve(reader, writer)
        finally:
            connections.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", receiver.port, ssl=context)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await server.wait_closed()
