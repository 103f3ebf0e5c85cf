"""HEP3 (EEP): the envelope in which SIP servers send copies of their messages to a monitor.

`"HEP3"`, uint16 total length, then chunks of uint16 vendor, uint16 type, uint16 length (its six header bytes included) and
payload, all big-endian. Source: "HEP/EEP encapsulation protocol", sipcapture, revision 37.
"""

import struct
import zlib
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final, NamedTuple

MAGIC: Final = b"HEP3"
SIP: Final = 1  # protocol type of a packet whose payload is a SIP message
UDP, TCP = 17, 6  # transports, as in the IP header
LONGEST_PAYLOAD: Final = 65_536  # decompressed
_HEADER: Final = 6
_CHUNK: Final = struct.Struct(">HHH")
_HEAD: Final = struct.Struct(">4sH")

_FAMILY, _TRANSPORT, _SOURCE4, _DEST4, _SOURCE6, _DEST6, _SOURCE_PORT, _DEST_PORT = range(1, 9)
_SECONDS, _MICROS, _PROTOCOL, _AGENT = range(9, 13)
_KEY, _PAYLOAD, _COMPRESSED, _CORRELATION, _NODE = 0x0E, 0x0F, 0x10, 0x11, 0x13
_WIDTHS: Final = {
    _FAMILY: 1, _TRANSPORT: 1, _SOURCE4: 4, _DEST4: 4, _SOURCE6: 16, _DEST6: 16, _SOURCE_PORT: 2, _DEST_PORT: 2,
    _SECONDS: 4, _MICROS: 4, _PROTOCOL: 1, _AGENT: 4,
}  # fmt: skip
_NAMES: Final = {
    _SOURCE4: "source", _DEST4: "destination", _SOURCE6: "source", _DEST6: "destination", _SOURCE_PORT: "source port",
    _DEST_PORT: "destination port", _SECONDS: "time", _PROTOCOL: "protocol type",
}  # fmt: skip
_AF_INET6: Final = 10  # as Linux numbers it, which is what agents send

# Nearly all agents write these ten chunks first, in this order (they share the C code of captagent): read at one go.
_USUAL: Final = struct.Struct(">4sH6sB6sB6s4s6s4s6sH6sH6sI6sI6sB6sI")
_USUAL_HEADS: Final = tuple(
    _CHUNK.pack(0, kind, _HEADER + _WIDTHS[kind])
    for kind in (
        _FAMILY, _TRANSPORT, _SOURCE4, _DEST4, _SOURCE_PORT, _DEST_PORT, _SECONDS, _MICROS, _PROTOCOL, _AGENT,
    )
)  # fmt: skip
_NOTHING: Final[tuple[Any, ...]] = ()


class Hep3Error(ValueError):
    """A packet cannot be used; the message is one line, and says nothing of its content."""


class Packet(NamedTuple):
    """One HEP3 packet.

    Attributes:
        time_us: when the agent saw the message, µs since 1970 in UTC, by the agent's clock.
        source: IP address the message came from, as text.
        source_port: its port.
        dest: IP address it went to.
        dest_port: its port.
        transport: protocol number of IP (17 UDP, 6 TCP); 0 if not told.
        protocol: what the payload is (1: SIP).
        agent: the capture agent's number; 0 if not told.
        node: the capture node's name; "" if not told.
        key: what the agent proves itself with; b"" if nothing. Compare with `hmac.compare_digest`.
        correlation: what joins packets of one call, as the agent sees it; "" if not told.
        payload: the message, decompressed.
    """

    time_us: int
    source: str
    source_port: int
    dest: str
    dest_port: int
    transport: int
    protocol: int
    agent: int
    node: str
    key: bytes
    correlation: str
    payload: bytes


def decode(packet: bytes) -> Packet:
    """Take a packet apart; chunks that are not known, and all of other vendors, are skipped.

    Raises:
        Hep3Error: it is malformed, or lacks what every packet must have.
    """
    size = len(packet)
    usual = _USUAL.unpack_from(packet) if size >= _USUAL.size else _NOTHING
    if usual[2::2] == _USUAL_HEADS and usual[0] == MAGIC and usual[1] == size:
        found = _walk(packet, _USUAL.size)
        transport, source, dest, source_port, dest_port, seconds, micros, protocol, agent = usual[5::2]
    else:
        found = _chunks(packet)
        from_bytes = int.from_bytes
        four = _SOURCE4 in found
        source, dest = _must(found, _SOURCE4 if four else _SOURCE6), _must(found, _DEST4 if four else _DEST6)
        source_port, dest_port = (
            from_bytes(_must(found, kind), "big") for kind in (_SOURCE_PORT, _DEST_PORT)
        )
        seconds, protocol = (from_bytes(_must(found, kind), "big") for kind in (_SECONDS, _PROTOCOL))
        transport, micros, agent = (
            from_bytes(found.get(kind, b""), "big") for kind in (_TRANSPORT, _MICROS, _AGENT)
        )
    if seconds == 0:
        raise Hep3Error("the time is zero; set the clock of the capture agent")
    if micros >= 1_000_000:
        raise Hep3Error("the microseconds are more than a second")
    return Packet(
        seconds * 1_000_000 + micros, _address(source), source_port, _address(dest), dest_port, transport, protocol, agent,
        _text(found, _NODE), found.get(_KEY, b""), _text(found, _CORRELATION), _payload(found),
    )  # fmt: skip


def auth_key(packet: bytes) -> bytes:
    """The key a packet carries, b"" if none: all that a receiver needs before it keeps the packet.

    Raises:
        Hep3Error: the packet is malformed.
    """
    return _chunks(packet).get(_KEY, b"")


def split(buffer: bytes | memoryview) -> tuple[list[bytes], bytes]:
    """Cut what a TCP connection has brought into packets.

    Returns:
        The whole packets, and what is left: the beginning of the next one (at most 65,535 bytes).

    Raises:
        Hep3Error: the buffer begins with something else, and the connection cannot be read on. Packets before such a
            place are returned first; call again with the rest until there are none.
    """
    data, at, packets = bytes(buffer), 0, list[bytes]()
    while len(data) - at >= _HEADER:
        magic, length = _HEAD.unpack_from(data, at)
        if magic != MAGIC or length < _HEADER:
            if packets:
                break
            raise Hep3Error(_what_it_is(data))
        if len(data) - at < length:
            break
        packets.append(data[at : at + length])
        at += length
    rest = data[at:]
    if not packets and not MAGIC.startswith(rest[:4]):
        raise Hep3Error(_what_it_is(rest))
    return packets, rest


def encode(packet: Packet, *, compress: bool = False) -> bytes:
    """Write a packet, as an agent sends it.

    Raises:
        Hep3Error: an address is none, or the packet would be longer than its length can tell.
    """
    try:
        source, dest = ip_address(packet.source), ip_address(packet.dest)
    except ValueError as error:
        raise Hep3Error("the source or the destination is no IP address") from error
    six = source.version == 6
    seconds, micros = divmod(packet.time_us, 1_000_000)
    chunks = [
        (_FAMILY, bytes([_AF_INET6 if six else 2])),
        (_TRANSPORT, bytes([packet.transport])),
        (_SOURCE6 if six else _SOURCE4, source.packed),
        (_DEST6 if six else _DEST4, dest.packed),
        (_SOURCE_PORT, packet.source_port.to_bytes(2, "big")),
        (_DEST_PORT, packet.dest_port.to_bytes(2, "big")),
        (_SECONDS, seconds.to_bytes(4, "big")),
        (_MICROS, micros.to_bytes(4, "big")),
        (_PROTOCOL, bytes([packet.protocol])),
        (_AGENT, packet.agent.to_bytes(4, "big")),
        (_NODE, packet.node.encode()),
        (_KEY, packet.key),
        (_CORRELATION, packet.correlation.encode()),
        (_COMPRESSED, zlib.compress(packet.payload)) if compress else (_PAYLOAD, packet.payload),
    ]
    try:
        body = b"".join(
            _CHUNK.pack(0, kind, _HEADER + len(value)) + value
            for kind, value in chunks
            if value or kind in {_PAYLOAD, _COMPRESSED}
        )
        return _HEAD.pack(MAGIC, _HEADER + len(body)) + body
    except struct.error as error:
        raise Hep3Error("the packet would be longer than 65,535 bytes") from error


def _chunks(packet: bytes) -> dict[int, bytes]:
    """The chunks of no vendor in particular, by type."""
    size = len(packet)
    if size < _HEADER or not packet.startswith(MAGIC):
        raise Hep3Error(_what_it_is(packet))
    if (told := int.from_bytes(packet[4:6], "big")) != size:
        raise Hep3Error(f"the packet is {'longer' if told < size else 'shorter'} than the length it tells")
    return _walk(packet, _HEADER)


def _walk(packet: bytes, at: int) -> dict[int, bytes]:
    """The chunks from a place on; of a type that stands twice the first."""
    found: dict[int, bytes] = {}
    size, unpack = len(packet), _CHUNK.unpack_from
    while at < size:
        if size - at < _HEADER:
            raise Hep3Error("the last chunk is cut off")
        vendor, kind, length = unpack(packet, at)
        end = at + length
        if length < _HEADER or end > size:
            raise Hep3Error("a chunk is cut off, or its length is wrong")
        if vendor == 0:
            if _WIDTHS.get(kind, length - _HEADER) != length - _HEADER:
                raise Hep3Error("a chunk has another length than its type must have")
            found.setdefault(kind, packet[at + _HEADER : end])
        at = end
    return found


def _what_it_is(data: bytes) -> str:
    if data[:1] in {b"\x01", b"\x02"}:
        return "not a HEP3 packet but perhaps HEP version 1 or 2; set the agent to version 3"
    return "not a HEP3 packet"


def _must(found: dict[int, bytes], kind: int) -> bytes:
    try:
        return found[kind]
    except KeyError:
        raise Hep3Error(f"the packet does not tell the {_NAMES[kind]}") from None


def _text(found: dict[int, bytes], kind: int) -> str:
    value = found.get(kind)
    return value.decode(errors="replace") if value else ""


@lru_cache(maxsize=4096)
def _address(packed: bytes) -> str:
    return str(IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed))


def _payload(found: dict[int, bytes]) -> bytes:
    if (plain := found.get(_PAYLOAD)) is not None:
        return plain
    if (packed := found.get(_COMPRESSED)) is None:
        raise Hep3Error("the packet has no payload")
    unpacker = zlib.decompressobj(wbits=47)  # zlib or gzip, by its head
    try:
        plain = unpacker.decompress(packed, LONGEST_PAYLOAD)
    except zlib.error as error:
        raise Hep3Error("the compressed payload is damaged") from error
    if not unpacker.eof:
        raise Hep3Error("the compressed payload is cut off, or longer than 64 KiB")
    return plain
