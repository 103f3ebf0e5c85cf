"""The HEP3 envelope: the specification's layout, damage, streams, and packets a real Kamailio sent."""

import contextlib
import gzip
import struct
import zlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ingest.sip_made import recorded

from ringfence.ingest._hep3 import Hep3Error, Packet, auth_key, decode, encode, split

PLAIN = Packet(1_700_000_000_123_456, "192.0.2.1", 5060, "192.0.2.2", 5080, 17, 1, 7, "", b"", "", b"OPTIONS")
FULL = Packet(
    1, "2001:db8::1", 1, "2001:db8::2", 65535, 6, 1, 2**32 - 1, "nœud", b"secret", "call-7", b"\x00\xff" * 99
)
FULL = FULL._replace(time_us=4_102_444_799_999_999)


def chunk(kind: int, value: bytes, vendor: int = 0) -> bytes:
    return struct.pack(">HHH", vendor, kind, 6 + len(value)) + value


def wrap(*chunks: bytes) -> bytes:
    body = b"".join(chunks)
    return b"HEP3" + struct.pack(">H", 6 + len(body)) + body


# As the specification lists them, not in the order agents use.
PARTS = {
    0x0F: b"hello", 0x0B: b"\x01", 0x09: struct.pack(">I", 1_700_000_000), 0x0A: struct.pack(">I", 123_456),
    0x01: b"\x02", 0x02: b"\x11", 0x03: bytes([192, 0, 2, 1]), 0x04: bytes([192, 0, 2, 2]), 0x07: struct.pack(">H", 5060),
    0x08: struct.pack(">H", 5080), 0x0C: struct.pack(">I", 7),
}  # fmt: skip


def with_parts(**changes: bytes | None) -> bytes:
    parts: dict[int, bytes | None] = {
        **PARTS,
        **{int(name[1:], 16): value for name, value in changes.items()},
    }
    return wrap(*(chunk(kind, value) for kind, value in parts.items() if value is not None))


@pytest.mark.parametrize("made", [PLAIN, FULL, PLAIN._replace(payload=b"")])
@pytest.mark.parametrize("compress", [False, True])
def test_what_is_written_is_read(made: Packet, compress: bool) -> None:
    assert decode(encode(made, compress=compress)) == made


def test_the_order_of_chunks_does_not_matter() -> None:
    expected = PLAIN._replace(payload=b"hello")
    assert decode(with_parts()) == expected
    kinds = sorted(PARTS)
    assert decode(wrap(*(chunk(kind, PARTS[kind]) for kind in kinds))) == expected
    assert decode(wrap(*(chunk(kind, PARTS[kind]) for kind in kinds[::-1]))) == expected


def test_strange_chunks_are_skipped() -> None:
    packet = wrap(
        chunk(0x7777, b"?"), chunk(0x0F, b"of a vendor", vendor=2), chunk(0x12, b""), chunk(0x03, b"?", vendor=9),
        *(chunk(kind, value) for kind, value in PARTS.items()), chunk(0x15, b"vlan"), chunk(0x0F, b"twice"),
    )  # fmt: skip
    assert decode(packet) == PLAIN._replace(payload=b"hello")


def test_the_key_is_found_without_the_rest() -> None:
    assert auth_key(encode(FULL)) == b"secret"
    assert auth_key(encode(PLAIN)) == b""


def test_gzip_is_a_compressed_payload_too() -> None:
    assert decode(with_parts(xf=None, x10=gzip.compress(b"hello"))).payload == b"hello"


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (b"", "not a HEP3 packet"),
        (b"HEP3", "not a HEP3 packet"),
        (b"SIP/2.0 200 OK\r\n", "not a HEP3 packet"),
        (b"\x02\x10\x02\x11" + bytes(30), "version 1 or 2"),
        (with_parts() + b"\0", "longer than the length"),
        (with_parts()[:-1], "shorter than the length"),
        (wrap(chunk(0x0F, b"hello"), b"\0\0\0"), "last chunk is cut off"),
        (wrap(struct.pack(">HHH", 0, 15, 5)), "its length is wrong"),
        (wrap(struct.pack(">HHH", 0, 15, 7)), "a chunk is cut off"),
        (with_parts(xf=None), "no payload"),
        (with_parts(x9=None), "does not tell the time"),
        (with_parts(x9=bytes(4)), "the time is zero"),
        (with_parts(xa=struct.pack(">I", 1_000_000)), "more than a second"),
        (with_parts(x9=b"\1\2\3"), "another length"),
        (with_parts(x3=None), "does not tell the source"),
        (with_parts(x4=None), "does not tell the destination"),
        (with_parts(x7=None), "does not tell the source port"),
        (with_parts(xb=None), "does not tell the protocol type"),
        (with_parts(xf=None, x10=b"not compressed"), "damaged"),
        (with_parts(xf=None, x10=zlib.compress(b"hello" * 99)[:-5]), "cut off"),
        (with_parts(xf=None, x10=zlib.compress(bytes(20_000_000))), "longer than 64 KiB"),
    ],
)
def test_what_is_malformed_is_refused_with_its_reason(packet: bytes, reason: str) -> None:
    with pytest.raises(Hep3Error, match=reason):
        decode(packet)


def test_too_much_cannot_be_written() -> None:
    with pytest.raises(Hep3Error, match="65,535"):
        encode(PLAIN._replace(payload=bytes(65_536)))
    with pytest.raises(Hep3Error, match="no IP address"):
        encode(PLAIN._replace(source="proxy.example"))


@given(st.lists(st.sampled_from([PLAIN, FULL]), max_size=6), st.lists(st.integers(0, 900), max_size=9))
def test_a_stream_is_cut_the_same_however_it_arrives(packets: list[Packet], cuts: list[int]) -> None:
    stream = b"".join(map(encode, packets))
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    found, rest = [], b""
    for first, last in pairwise(places):
        more, rest = split(rest + stream[first:last])
        found += more
    assert rest == b""
    assert [decode(one) for one in found] == packets


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n", b"H", b"HEX", b"HEP3\0\5", b"HEP2\0\x10"])
def test_garbage_ends_a_stream_after_what_came_before(garbage: bytes) -> None:
    whole = encode(PLAIN)
    packets, rest = split(whole + garbage)
    assert packets == [whole]
    if garbage == b"H":  # it may still become a packet
        assert split(rest) == ([], b"H")
        return
    with pytest.raises(Hep3Error):
        split(rest)


@given(st.data())
def test_damage_is_an_error_of_its_own_or_none(data: st.DataObject) -> None:
    packet = bytearray(encode(data.draw(st.sampled_from([PLAIN, FULL])), compress=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 4))):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(packet[: data.draw(st.integers(0, len(packet)))])
    for read in (decode, split, auth_key):
        with contextlib.suppress(Hep3Error):
            read(damaged)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_error_of_its_own_or_none(data: bytes) -> None:
    for packet in (data, b"HEP3" + struct.pack(">H", 6 + len(data)) + data):
        with contextlib.suppress(Hep3Error):
            decode(packet)


def test_what_kamailio_sent_is_read(shared_data: Path) -> None:
    packets = recorded((shared_data / "sip" / "hep3_kamailio.bin").read_bytes())
    found = [decode(packet) for packet in packets]
    assert len(found) == 178
    assert {(one.source, one.dest, one.protocol, one.agent) for one in found} == {
        ("127.0.0.1", "127.0.0.1", 1, 2001)
    }
    assert {one.source_port for one in found} == {5060, 5180, 5190, 5191}
    assert all(b"Call-ID: " in one.payload for one in found)
    assert [encode(one) for one in found] == packets  # byte for byte, as siptrace writes them
    assert split(b"".join(packets)) == (packets, b"")
