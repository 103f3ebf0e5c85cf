"""HEP3 over UDP and TCP: packets are gathered for a moment and written together.

A datagram cannot be acknowledged. What the journal does not take is lost, and counted; what a connection brings waits instead, so that
the sender feels it.
"""

import asyncio
import hmac
import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from ringfence.ingest._hep3 import Hep3Error, auth_key, split
from ringfence.shell.service.decoders import HEP, pack
from ringfence.shell.service.intake import Append, insist
from ringfence.shell.service.journal import JournalError

GATHER_S: Final = 0.02
MOST_GATHERED: Final = 2_000
MOST_CONNECTIONS: Final = 256
_READ: Final = 1 << 16
Network = IPv4Network | IPv6Network


class HepSource:
    """Listens for HEP3.

    Args:
        name: of the source.
        append: takes what is to be written, see `Service.append`.
        clock: µs since 1970.
        udp, tcp: addresses to listen on, (host, port); None: not so.
        key: that agents must send; None: none.
        allow: networks they may send from; empty: any.
        buffer: bytes of the kernel's receive buffer.

    Attributes:
        refused: packets by reason (lost, key, network, not_hep); connections that were one too many, or of another network.
        ports: where it listens, once it does: ("udp", port), ("tcp", port).
    """

    def __init__(
        self,
        name: str,
        append: Append,
        clock: Callable[[], int],
        *,
        udp: tuple[str, int] | None = None,
        tcp: tuple[str, int] | None = None,
        key: bytes | None = None,
        allow: Sequence[Network] = (),
        buffer: int = 8 << 20,
    ) -> None:
        self.name = name
        self.has_position = False
        self.trouble: str | None = None
        self.refused = {"lost": 0, "key": 0, "network": 0, "not_hep": 0, "connections": 0}
        self.ports: dict[str, int] = {}
        self._note = {"source": name, "kind": HEP}
        self._append = append
        self._clock = clock
        self._udp, self._tcp = udp, tcp
        self._key, self._allow, self._buffer = key, allow, buffer
        self._gathered: list[tuple[int, bytes]] = []
        self._connections: set[asyncio.Task[Any]] = set()

    @property
    def counts(self) -> dict[str, int]:
        """Packets that were refused, by reason."""
        return self.refused

    async def run(self) -> None:
        """Listen until cancelled."""
        loop = asyncio.get_running_loop()
        transport, server = None, None
        try:
            if self._udp is not None:
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(self), sock=self._socket(self._udp)
                )
                self.ports["udp"] = transport.get_extra_info("sockname")[1]
            if self._tcp is not None:
                server = await asyncio.start_server(self._serve, *self._tcp)
                self.ports["tcp"] = server.sockets[0].getsockname()[1]
            while True:
                await asyncio.sleep(GATHER_S)
                self._write()
        finally:
            if transport is not None:
                transport.close()
            if server is not None:
                server.close()
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            self._write()

    def _socket(self, address: tuple[str, int]) -> socket.socket:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM)
        try:
            opened.setblocking(False)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer)
            opened.bind(address)
        except OSError:
            opened.close()
            raise
        return opened

    def take(self, packet: bytes, address: str) -> None:
        """Take a datagram."""
        if self._is_welcome(packet, address):
            self._gathered.append((self._clock(), packet))
            if len(self._gathered) >= MOST_GATHERED:
                self._write()

    def _is_welcome(self, packet: bytes, address: str) -> bool:
        if not self._may_send(address):
            self.refused["network"] += 1
            return False
        if self._key is None:
            return True
        try:
            given = auth_key(packet)
        except Hep3Error:
            self.refused["not_hep"] += 1
            return False
        if hmac.compare_digest(given, self._key):
            return True
        self.refused["key"] += 1
        return False

    def _may_send(self, address: str) -> bool:
        if not self._allow:
            return True
        asked = ip_address(address.partition("%")[0])
        if isinstance(asked, IPv6Address) and asked.ipv4_mapped is not None:
            asked = asked.ipv4_mapped
        return any(asked in network for network in self._allow if network.version == asked.version)

    def _write(self) -> None:
        """Write what was gathered; what cannot be taken is lost."""
        if not self._gathered:
            return
        packets, self._gathered = self._gathered, []
        count = len(packets)

        def done(_: int, error: JournalError | None) -> None:
            self.refused["lost"] += count if error is not None else 0

        try:
            self._append(self._note, pack(packets), done)
        except JournalError:
            self.refused["lost"] += count

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection: what it brought is on disk before more is read."""
        peer, task = writer.get_extra_info("peername"), asyncio.current_task()
        assert task is not None
        if not self._may_connect(peer):
            writer.close()
            return
        self._connections.add(task)
        try:
            rest = b""
            while data := await reader.read(_READ):
                packets, rest = split(rest + data)
                while packets:  # garbage behind them is told apart only when none come any more
                    welcome = [packet for packet in packets if self._is_welcome(packet, peer[0])]
                    if welcome:
                        await self._write_down(welcome)
                    packets, rest = split(rest)
        except Hep3Error:
            self.refused["not_hep"] += 1
        except (OSError, asyncio.CancelledError):
            pass  # the other side is gone, or we stop
        finally:
            self._connections.discard(task)
            writer.close()

    def _may_connect(self, peer: tuple[Any, ...] | None) -> bool:
        if peer is None or not self._may_send(peer[0]):
            self.refused["network"] += 1
            return False
        if len(self._connections) >= MOST_CONNECTIONS:
            self.refused["connections"] += 1
            return False
        return True

    async def _write_down(self, packets: list[bytes]) -> None:
        now = self._clock()
        await insist(self._append, self._note, pack((now, packet) for packet in packets))


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, source: HepSource) -> None:
        self._source = source

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._source.take(data, addr[0])
