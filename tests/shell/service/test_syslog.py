"""Syslog over UDP and TCP: messages in any framing become lines, whole and in order."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.shell.service.sources.syslog import HELD, LONGEST, Framer, FramingError, SyslogListener

MESSAGES = st.lists(st.binary(min_size=1, max_size=40).map(lambda raw: b"<13>" + raw.replace(b"\n", b"").replace(b"\0", b"")), max_size=8)  # fmt: skip


def framed(message: bytes, how: str) -> bytes:
    return {"count": b"%d %s" % (len(message), message), "lf": message + b"\n", "nul": message + b"\0"}[how]


@given(MESSAGES, st.data())
def test_messages_come_out_whole_wherever_the_stream_is_cut(
    messages: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(framed(each, data.draw(st.sampled_from(["count", "lf", "nul"]))) for each in messages)
    framer, found, place = Framer(), list[bytes](), 0
    while place < len(stream):
        size = data.draw(st.integers(1, 30))
        found += framer.feed(stream[place : place + size])
        place += size
    assert found == messages
    assert framer.rest() == b""


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_are_divided_or_refused(stream: bytes, size: int) -> None:
    framer = Framer()
    try:
        for place in range(0, len(stream), size):
            framer.feed(stream[place : place + size])
        framer.rest()
    except FramingError:
        assert any(byte in stream for byte in b"0123456789")


def test_a_counted_message_may_hold_line_ends() -> None:
    assert Framer().feed(b"7 <13>a\nb6 <13>cd") == [b"<13>a\nb", b"<13>cd"]


@pytest.mark.parametrize("counted", [True, False])
def test_a_message_too_long_is_cut_and_the_next_one_found(counted: bool) -> None:
    framer = Framer()
    long = b"<13>" + b"x" * (2 * LONGEST)
    stream = (b"%d " % len(long) + long if counted else long + b"\n") + b"<13>next\n"
    found = [
        message
        for place in range(0, len(stream), 1000)
        for message in framer.feed(stream[place : place + 1000])
    ]
    assert (found[0][:5], found[1]) == (b"<13>x", b"<13>next")
    assert len(found[0]) <= LONGEST + 1000
    assert framer.too_long == 1


def test_what_is_held_is_bounded() -> None:
    framer = Framer()
    for _ in range(100):
        framer.feed(b"x" * LONGEST)
        assert len(framer._held) <= LONGEST


def run(
    test: Callable[[SyslogListener, list[bytes]], Awaitable[None]], allow: tuple[str, ...] = ()
) -> SyslogListener:
    async def main() -> SyslogListener:
        lines: list[bytes] = []

        async def sink(data: bytes) -> None:
            assert data.endswith(b"\n")
            lines.extend(data.splitlines(keepends=True))

        listener = SyslogListener(sink, allow)
        await listener.start(udp=("127.0.0.1", 0), tcp=("127.0.0.1", 0))
        try:
            await asyncio.wait_for(test(listener, lines), 20)
        finally:
            await listener.stop()
        return listener

    return asyncio.run(main())


async def until(lines: list[bytes], count: int) -> None:
    while len(lines) < count:  # noqa: ASYNC110 - another task fills it
        await asyncio.sleep(0.001)


def test_datagrams_are_lines() -> None:
    async def test(listener: SyslogListener, lines: list[bytes]) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for text in (b"<13>one\n", b"", b"<13>two\nforged: ACC: x\r\n", b"three", b"<192>four"):
                sender.sendto(text, listener.addresses["udp"])
        await until(lines, 4)
        assert lines == [b"<13>one\n", b"<13>two forged: ACC: x\n", b"three\n", b"<192>four\n"]

    listener = run(test)
    assert (listener.messages, listener.malformed, listener.dropped) == (4, 2, 0)


def test_streams_are_lines_and_the_last_needs_no_end() -> None:
    async def test(listener: SyslogListener, lines: list[bytes]) -> None:
        _, writer = await asyncio.open_connection(*listener.addresses["tcp"])
        writer.write(b"<13>one\n10 <13>two\nx!<13>three")
        writer.close()
        await until(lines, 3)
        assert lines == [b"<13>one\n", b"<13>two x!\n", b"<13>three\n"]

    assert run(test).malformed == 0


def test_a_stream_beyond_all_framing_is_closed_and_counted() -> None:
    async def test(listener: SyslogListener, lines: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection(*listener.addresses["tcp"])
        writer.write(b"<13>one\n")
        await until(lines, 1)
        writer.write(b"99x nonsense")
        assert await reader.read() == b""
        writer.close()

    assert run(test).malformed == 1


def test_who_may_not_send_is_refused() -> None:
    async def test(listener: SyslogListener, lines: list[bytes]) -> None:
        reader, writer = await asyncio.open_connection(*listener.addresses["tcp"])
        assert await reader.read() == b""
        writer.close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"<13>one", listener.addresses["udp"])
        while listener.refused < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        assert lines == []

    assert run(test, ("10.0.0.0/8", "2001:db8::/32")).refused == 2


def test_datagrams_wait_for_the_sink_within_bounds() -> None:
    async def main() -> None:
        async def sink(data: bytes) -> None:
            taken.append(data)
            await release.wait()

        taken: list[bytes] = []
        release = asyncio.Event()
        listener = SyslogListener(sink)
        for _ in range(HELD // 1000 + 10):
            listener.received(b"<13>" + b"x" * 995, "127.0.0.1")
        assert listener.dropped >= 9
        release.set()
        await listener.stop()
        assert sum(map(len, taken)) <= HELD
        assert sum(each.count(b"\n") for each in taken) == listener.messages

    asyncio.run(main())


def test_a_sink_that_fails_costs_what_it_was_given() -> None:
    async def main() -> None:
        async def sink(data: bytes) -> None:
            raise OSError("disk full")

        listener = SyslogListener(sink)
        listener.received(b"<13>a", "::1")
        await listener.stop()
        assert (listener.messages, listener.dropped) == (1, 1)

    asyncio.run(main())
