"""Listen for syslog over UDP (RFC 5426) and TCP (RFC 6587): datagrams and streams in, lines out.

A message is one line of what comes out, whatever is in it: a line end that somebody put into a display name begins no line of
its own. Headers (RFC 3164, RFC 5424) are left where they are; the readers of logs look for what they know.
"""

import asyncio
import contextlib
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

LONGEST: Final = 64 * 1024  # bytes of a message; RFC 5424 asks for 2 KiB at least
HELD: Final = 8 << 20  # bytes of datagrams that wait for the sink; more are dropped and counted
CONNECTIONS: Final = 256
RECEIVE_BUFFER: Final = 8 << 20

_PRIORITY: Final = re.compile(rb"<(?:0|[1-9]\d?|1[0-8]\d|19[01])>")
_COUNT: Final = re.compile(rb"([1-9]\d{0,6}) ")

Sink = Callable[[bytes], Awaitable[None]]


class FramingError(Exception):
    """The stream cannot be divided into messages any more."""


class Framer:
    """Divides one stream into messages: counted (`11 <13>message`) or ended by LF or NUL, told by each one's first byte.

    Attributes:
        too_long: messages of which only the beginning was given.
    """

    def __init__(self) -> None:
        self.too_long = 0
        self._held = b""
        self._skip = 0  # bytes of a counted message that are thrown away
        self._skipping = False  # in the middle of a line too long

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes in; returns the messages that are whole.

        Raises:
            FramingError: a number begins a message but no count.
        """
        self._held += data
        found = []
        while (message := self._next()) is not None:
            if message:
                found.append(message)
        return found

    def rest(self) -> bytes:
        """What the stream ended with: a last line without line end."""
        rest, self._held = self._held, b""
        return b"" if self._skipping or self._skip or rest[:1].isdigit() else rest

    def _next(self) -> bytes | None:
        if self._skip:
            gone = min(self._skip, len(self._held))
            self._skip -= gone
            self._held = self._held[gone:]
        if not self._held:
            return None
        return self._counted() if not self._skipping and self._held[:1].isdigit() else self._ended()

    def _counted(self) -> bytes | None:
        found = _COUNT.match(self._held)
        if found is None:
            if len(self._held) > 8 or not self._held.isdigit():
                raise FramingError("a message begins with a digit but not with its length")
            return None
        size, begin = int(found[1]), found.end()
        if size > LONGEST and len(self._held) - begin >= LONGEST:
            self.too_long += 1
            message = self._held[begin : begin + LONGEST]
            self._skip, self._held = size - LONGEST, self._held[begin + LONGEST :]
            return message
        if len(self._held) - begin < size:
            return None
        message, self._held = self._held[begin : begin + size], self._held[begin + size :]
        return message

    def _ended(self) -> bytes | None:
        ends = [place for end in (b"\n", b"\0") if (place := self._held.find(end)) >= 0]
        if not ends:
            if len(self._held) <= LONGEST:
                return None
            message, self._held = b"" if self._skipping else self._held[:LONGEST], b""
            self.too_long += not self._skipping
            self._skipping = True
            return message
        message, self._held = self._held[: min(ends)], self._held[min(ends) + 1 :]
        if self._skipping:
            self._skipping = False
            return b""
        return message


class SyslogListener:
    """Listens and hands lines on.

    Args:
        sink: takes whole lines; TCP senders wait while it does, datagrams are held, and dropped beyond 8 MiB. If it raises,
            a TCP connection is closed.
        allow: networks that may send; none: any.

    Attributes:
        messages: given on; malformed: without a priority (given on all the same) or beyond all framing; refused: from
            addresses that may not send; dropped: datagrams for which there was no room, or that the sink did not take.
        addresses: where it listens, once started: `udp`, `tcp`.
    """

    def __init__(self, sink: Sink, allow: Iterable[str] = ()) -> None:
        self.messages = self.malformed = self.refused = self.dropped = 0
        self.addresses: dict[str, tuple[str, int]] = {}
        self._sink = sink
        self._allow = [ipaddress.ip_network(network, strict=False) for network in allow]
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._came = asyncio.Event()
        self._transport: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, *, udp: tuple[str, int] | None = None, tcp: tuple[str, int] | None = None) -> None:
        """Open what is asked for.

        Raises:
            OSError: an address cannot be listened on.
        """
        if udp is not None:
            await self._start_udp(udp)
        if tcp is not None:
            self._server = await asyncio.start_server(self._connected, *tcp, limit=2 * LONGEST)
            self.addresses["tcp"] = self._server.sockets[0].getsockname()[:2]

    async def stop(self) -> None:
        """Close everything; what was received is handed on first."""
        if self._transport is not None:
            self._transport.close()
        if self._server is not None:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._hand_on()

    # --- datagrams --------------------------------------------------------------------------------------------------

    async def _start_udp(self, address: tuple[str, int]) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            sock.bind(address)
        except OSError:
            sock.close()
            raise
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=sock)
        self.addresses["udp"] = sock.getsockname()[:2]
        self._keep(asyncio.create_task(self._pump()))

    def received(self, data: bytes, sender: str) -> None:
        """Take in a datagram: one message (RFC 5426, 3.1)."""
        if not self._may_send(sender):
            self.refused += 1
        elif self._held_bytes + len(data) > HELD:
            self.dropped += 1
        elif line := self._line(data):
            self._held.append(line)
            self._held_bytes += len(line)
            self._came.set()

    async def _pump(self) -> None:
        while True:
            await self._came.wait()
            await self._hand_on()

    async def _hand_on(self) -> None:
        self._came.clear()
        lines, self._held, self._held_bytes = self._held, [], 0
        if not lines:
            return
        try:
            await self._sink(b"".join(lines))
        except asyncio.CancelledError:
            self._held = lines + self._held  # `stop` tries once more
            raise
        except Exception:  # noqa: BLE001 - whatever kept the sink from taking them, the next ones must still be taken in
            self.dropped += len(lines)

    # --- streams ----------------------------------------------------------------------------------------------------

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        task = asyncio.current_task()
        try:
            if peer is None or not self._may_send(peer[0]) or len(self._tasks) >= CONNECTIONS:
                self.refused += 1
                return
            if task is not None:
                self._keep(task)
            await self._read(reader)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the other side or we have gone; what was whole is handed on
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        framer = Framer()
        try:
            while data := await reader.read(LONGEST):
                await self._give(framer.feed(data))
            await self._give([framer.rest()])
        except FramingError:
            self.malformed += 1
        finally:
            self.malformed += framer.too_long

    async def _give(self, messages: list[bytes]) -> None:
        lines = b"".join(map(self._line, messages))
        if lines:
            await self._sink(lines)

    # --- both -------------------------------------------------------------------------------------------------------

    def _line(self, message: bytes) -> bytes:
        message = message.strip(b"\r\n\0 ")
        if not message:
            return b""
        self.messages += 1
        self.malformed += _PRIORITY.match(message) is None
        return message[:LONGEST].replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"

    def _may_send(self, sender: str) -> bool:
        if not self._allow:
            return True
        address = ipaddress.ip_address(sender.partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._allow)

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, listener: SyslogListener) -> None:
        self._listener = listener

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._listener.received(data, addr[0])
