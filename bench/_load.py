"""A load on a service of this machine: requests over a few connections, as fast as they are answered or at a pace. Loopback only."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Final

import pyarrow as pa

ARROW: Final = "application/vnd.apache.arrow.stream"


@dataclass(slots=True)
class Answers:
    """What came back: the time that each answer took (s), and the codes that were not 200."""

    took: list[float] = field(default_factory=list)
    refused: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0


def arrow(part: pa.Table) -> bytes:
    """Rows as the body of a request."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, part.schema) as stream:
        stream.write_table(part)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def request(path: str, token: str, body: bytes, kind: str = "application/json") -> bytes:
    """A request as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def send(port: int, requests: Sequence[bytes], connections: int, rate: float = 0.0) -> Answers:
    """Send requests.

    Args:
        port: of 127.0.0.1.
        requests: in this order.
        connections: side by side; each has one request at a time.
        rate: requests a second in all; 0: as fast as they are answered. A late one is measured from when it was due.
    """
    return asyncio.run(_send(port, requests, connections, rate))


def beside(port: int, requests: Sequence[bytes], connections: int, rate: float = 0.0) -> Answers:
    """The same from a process of its own."""
    with get_context("fork").Pool(1) as pool:
        return pool.apply(send, (port, requests, connections, rate))


async def _send(port: int, requests: Sequence[bytes], connections: int, rate: float) -> Answers:
    answers, began = Answers(), time.perf_counter()

    async def line(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for place in range(first, len(requests), connections):
            due = began + place / rate if rate else time.perf_counter()
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            writer.write(requests[place])
            code = await _answer(reader)
            answers.took.append(time.perf_counter() - due)
            if code != 200:
                answers.refused[code] = answers.refused.get(code, 0) + 1
        writer.close()

    await asyncio.gather(*(line(first) for first in range(connections)))
    answers.seconds = time.perf_counter() - began
    return answers


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length")
    )
    await reader.readexactly(length)
    return int(head[9:12])
