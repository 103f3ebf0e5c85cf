"""A tap that sends HEP3: what a scan of the same calls finds, and nothing of what strangers send."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.ingest.sip_made import Call, packet, replace_packet
from tests.shell.service.made import finish, scanned, stored

from ringfence.ingest._hep3 import SIP, UDP, Packet, decode, encode
from ringfence.ingest._hep_calls import HepCalls
from ringfence.model.tables import CALLS, TEXTS, TRANSFERS
from ringfence.samples.salesman import sample
from ringfence.shell.service.decoders import HepPackets, unpack
from ringfence.shell.service.intake import Append
from ringfence.shell.service.journal import JournalError
from ringfence.shell.service.service import Plan, Service
from ringfence.shell.service.sources.hep import HepSource

TOLD_BY_SIP = ("call_id", "start_time", "answer_time", "end_time", "caller", "callee")
PHONE, PROXY = ("192.0.2.1", 5060), ("192.0.2.2", 5060)


@pytest.fixture(scope="module")
def calls() -> pa.Table:
    """A weekend of the salesman's, as far as SIP tells of it: nothing of trunks, devices or cells, and causes as SIP has them."""
    rows = []
    for n, row in enumerate(sample().to_pylist()):
        if not 9 <= row["start_time"].day <= 13 or row["end_time"] is None:
            continue
        known = dict.fromkeys(CALLS.names) | {name: row[name] for name in TOLD_BY_SIP}
        start = known["start_time"] = known["start_time"] + timedelta(milliseconds=n % 1000)
        if row["answer_time"] is not None:
            known["answer_time"] = max(row["answer_time"], start + timedelta(milliseconds=50))
        known["end_time"] = max(row["end_time"], (known["answer_time"] or start) + timedelta(milliseconds=50))
        rows.append(known | {"call_id": f"{n}@pbx.example", "cause": 16, "released_by": "caller"})
    return pa.Table.from_pylist(rows, CALLS)


def messages_of(row: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """The messages of a call between a telephone and its proxy, each with its time, µs."""
    caller = (
        "<sip:anonymous@anonymous.invalid>" if row["caller"] is None else f"<sip:{row['caller']}@pbx.example>"
    )
    call = Call(row["call_id"], caller=caller, callee=row["callee"])
    start, answer, end = (
        None if row[name] is None else int(pa.scalar(row[name], CALLS.field(name).type).value)
        for name in ("start_time", "answer_time", "end_time")
    )
    assert start is not None
    assert end is not None
    yield start, call.request("INVITE", "phone")
    if answer is not None:
        yield answer, call.response(200, "phone")
        yield answer + 1, call.request("ACK", "ack", inside=True)
        yield end, call.request("BYE", "bye", cseq=2, inside=True)
        yield end + 1, call.response(200, "bye", method="BYE", cseq=2)
    else:
        yield end - 1, call.request("CANCEL", "phone")
        yield end, call.response(487, "phone")
    yield end + 2, call.request("OPTIONS", "phone", cseq=9)


def packets_of(calls: pa.Table, key: bytes = b"") -> list[tuple[int, bytes]]:
    """All messages in order of time, as a tap sends them."""
    found = sorted(each for row in calls.to_pylist() for each in messages_of(row))
    return [
        (at, encode(Packet(at, *PHONE, *PROXY, UDP, SIP, 1, "", key, "", text.encode())))
        for at, text in found
    ]


def nothing_else(calls: pa.Table) -> dict[str, pa.Table]:
    return {"calls": calls, "texts": TEXTS.empty_table(), "transfers": TRANSFERS.empty_table()}


class Times:
    """A clock by which every packet comes in the moment it was sent."""

    def __init__(self, packets: Iterable[tuple[int, bytes]]) -> None:
        self._times = iter([at for at, _ in packets])
        self.now = 0

    def __call__(self) -> int:
        self.now = next(self._times, self.now)
        return self.now

    def has_come_to(self, time: int) -> bool:
        return self.now >= time


def listening(
    append: Append,
    clock: Callable[[], int],
    body: Callable[[HepSource], Awaitable[None]],
    **more: Any,
) -> HepSource:
    """Let a source listen while something is sent to it."""
    source = HepSource("tap", append, clock, udp=("127.0.0.1", 0), tcp=("127.0.0.1", 0), **more)

    async def whole() -> None:
        task = asyncio.ensure_future(source.run())
        await until(lambda: len(source.ports) == 2)
        try:
            await body(source)
        finally:
            task.cancel()
            await asyncio.wait([task])

    asyncio.run(whole())
    return source


async def until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to this"
        await asyncio.sleep(0.002)


class Taken:
    """A journal in memory."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.refuses = False

    def append(
        self, note: dict[str, Any], payload: bytes, done: Callable[[int, JournalError | None], None]
    ) -> None:
        if self.refuses:
            raise JournalError("the disk is full")
        assert note == {"source": "tap", "kind": "hep"}
        self.packets += unpack(payload)[1]
        done(1, None)


def one(n: int, key: bytes = b"") -> bytes:
    return packet((n, "192.0.2.1:5060", "192.0.2.2:5060", Call(f"{n}@pbx").request("INVITE", "a")), key=key)


# --- the same alerts ----------------------------------------------------------------------------------------------------


def test_over_udp_what_a_scan_finds(calls: pa.Table, tmp_path: Path) -> None:
    expected = scanned(nothing_else(calls), tmp_path / "scan")
    assert [alert["kind"] for alert in expected.values()].count("flood") == 1
    packets = packets_of(calls)
    service = Service(Plan(tmp_path / "s", makers={"tap": lambda: HepPackets(HepCalls())}), Times([]))
    clock = Times(packets)
    service.clock = lambda: clock.now
    service.recover()
    service.start()

    async def send(source: HepSource) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            for place, (_, data) in enumerate(packets, 1):
                udp.sendto(data, ("127.0.0.1", source.ports["udp"]))
                if place % 20 == 0:  # no faster than the receive buffer of a machine that is not tuned
                    await until(partial(clock.has_come_to, packets[place - 1][0]))
        await until(partial(clock.has_come_to, packets[-1][0]))

    source = listening(service.append, clock, send)
    assert sum(source.refused.values()) == 0
    finish(service, service.put({"source": "events", "kind": "events"}, b""))
    assert service.pipeline.tallies["tap"].rejected == {}
    assert service.pipeline.tallies["tap"].rows == len(packets)
    assert stored(service) == expected
    service.stop()


def test_over_tcp_what_a_scan_finds(calls: pa.Table, tmp_path: Path) -> None:
    flooded = calls.filter(pc.equal(calls["callee"], "130")).slice(0, 60)
    expected = scanned(nothing_else(flooded), tmp_path / "scan")
    assert [alert["kind"] for alert in expected.values()] == ["flood"]
    packets = packets_of(flooded)
    now = packets[0][0]
    service = Service(Plan(tmp_path / "s", makers={"tap": lambda: HepPackets(HepCalls())}), lambda: now)
    service.recover()
    service.start()

    async def send(source: HepSource) -> None:
        nonlocal now
        _, writer = await asyncio.open_connection("127.0.0.1", source.ports["tcp"])
        for at, data in packets:
            now, before = at, service.journal.last
            writer.write(data[:7])
            await writer.drain()
            await asyncio.sleep(0)
            writer.write(data[7:])
            await writer.drain()
            await until(lambda: service.journal.last > before)  # noqa: B023
        writer.close()

    listening(service.append, lambda: now, send)
    finish(service, service.put({"source": "events", "kind": "events"}, b""))
    assert stored(service) == expected
    service.stop()


# --- what must not come in ----------------------------------------------------------------------------------------------


async def send_udp(source: HepSource, *packets: bytes, host: str = "127.0.0.1") -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        for data in packets:
            udp.sendto(data, (host, source.ports["udp"]))


async def send_tcp(source: HepSource, *pieces: bytes) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", source.ports["tcp"])
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.005)
    return writer


def test_only_the_key_opens(tmp_path: Path) -> None:
    journal = Taken()
    good, wrong, none = one(1, b"secret"), one(2, b"secreT"), one(3)

    async def body(source: HepSource) -> None:
        await send_udp(source, wrong, none, b"garbage", good)
        await until(lambda: len(journal.packets) == 1)
        writer = await send_tcp(source, wrong + none + good)
        await until(lambda: len(journal.packets) == 2)
        writer.close()

    source = listening(journal.append, lambda: 0, body, key=b"secret")
    assert journal.packets == [good, good]
    assert source.counts == {"lost": 0, "key": 4, "network": 0, "not_hep": 1, "connections": 0}


def test_only_networks_that_may_send() -> None:
    journal = Taken()

    async def body(source: HepSource) -> None:
        await send_udp(source, one(1))
        writer = await send_tcp(source, one(2))
        await until(lambda: source.refused["network"] >= 2)
        writer.close()

    source = listening(journal.append, lambda: 0, body, allow=[ip_network("10.0.0.0/8")])
    assert journal.packets == []
    assert source.refused["network"] == 2


def test_strangers_cannot_take_the_places_of_those_who_may_send(monkeypatch: pytest.MonkeyPatch) -> None:
    from ringfence.shell.service.sources import hep

    monkeypatch.setattr(hep, "MOST_CONNECTIONS", 2)

    async def body(source: HepSource) -> None:
        strangers = [await asyncio.open_connection("127.0.0.1", source.ports["tcp"]) for _ in range(4)]
        for reader, writer in strangers:
            assert await asyncio.wait_for(reader.read(), 10) == b"", "closed at once"
            writer.close()

    source = listening(Taken().append, lambda: 0, body, allow=[ip_network("10.0.0.0/8")])
    assert source.counts["network"] == 4
    assert source.counts["connections"] == 0


def test_more_connections_than_there_are_places_for_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    from ringfence.shell.service.sources import hep

    monkeypatch.setattr(hep, "MOST_CONNECTIONS", 2)
    journal = Taken()

    async def body(source: HepSource) -> None:
        held = [await send_tcp(source, one(n)) for n in range(2)]
        await until(lambda: len(journal.packets) == 2)
        held.append(await send_tcp(source))
        await until(lambda: source.counts["connections"] == 1)
        for writer in held:
            writer.close()
        await until(lambda: not source._connections)
        held = [await send_tcp(source, one(9))]
        await until(lambda: len(journal.packets) == 3)
        held[0].close()

    listening(journal.append, lambda: 0, body)


def test_networks_of_ipv4_hold_where_it_listens_for_both() -> None:
    journal = Taken()
    source = HepSource("tap", journal.append, lambda: 0, allow=[ip_network("10.0.0.0/8")])
    source.take(one(1), "::ffff:10.1.2.3")
    source.take(one(2), "::ffff:11.1.2.3")
    source.take(one(3), "10.1.2.3")
    assert source.refused["network"] == 1


def test_garbage_ends_its_own_connection_only() -> None:
    journal = Taken()

    async def body(source: HepSource) -> None:
        slow = await send_tcp(source, one(1)[:100])
        reader, writer = await asyncio.open_connection("127.0.0.1", source.ports["tcp"])
        writer.write(one(2) + b"GET / HTTP/1.0\r\n\r\n")
        await writer.drain()
        writer.write(b"more of it")
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
        slow.write(one(1)[100:])
        await slow.drain()
        await until(lambda: len(journal.packets) == 2)
        slow.close()

    source = listening(journal.append, lambda: 0, body)
    assert journal.packets == [one(2), one(1)]
    assert source.refused["not_hep"] == 1


def test_what_is_no_hep_is_put_aside_by_its_reader_and_counted() -> None:
    calls = HepCalls()
    chunk = calls.feed([b"garbage", one(1), b"", encode(replace_packet(decode(one(2)), payload=b"\x00\x01"))])
    assert [row.row for row in chunk.rejected] == [1, 3, 4]
    assert len(chunk.rows) == 1


def test_a_burst_that_the_disk_refuses_is_counted_as_lost() -> None:
    journal = Taken()
    source = HepSource("tap", journal.append, lambda: 0)
    packets = [one(n) for n in range(10_000)]
    journal.refuses = True
    for each in packets[:5_000]:
        source.take(each, "127.0.0.1")
    source._write()
    journal.refuses = False
    for each in packets[5_000:]:
        source.take(each, "127.0.0.1")
    source._write()
    assert source.counts["lost"] == 5_000
    assert journal.packets == packets[5_000:]


def test_a_write_that_fails_later_is_counted_as_lost() -> None:
    def append(_: dict[str, Any], payload: bytes, done: Callable[[int, JournalError | None], None]) -> None:
        done(0, JournalError("the disk is full"))

    source = HepSource("tap", append, lambda: 0)
    for n in range(7):
        source.take(one(n), "127.0.0.1")
    source._write()
    assert source.counts["lost"] == 7


def test_over_tcp_nothing_is_lost_while_the_disk_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.shell.service.intake.AGAIN_S", 0.01)
    journal = Taken()
    journal.refuses = True

    async def body(source: HepSource) -> None:
        writer = await send_tcp(source, *[one(n) for n in range(20)])
        assert journal.packets == []
        journal.refuses = False
        await until(lambda: len(journal.packets) == 20)
        writer.close()

    source = listening(journal.append, lambda: 0, body)
    assert journal.packets == [one(n) for n in range(20)]
    assert source.counts["lost"] == 0


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        source = HepSource("tap", Taken().append, lambda: 0, udp=other.getsockname())
        with pytest.raises(OSError, match="in use"):
            asyncio.run(source.run())
