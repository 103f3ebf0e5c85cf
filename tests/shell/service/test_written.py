"""Followed files, watched folders and syslog bring everything to the journal, though they are interrupted anywhere."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shell.service.test_feed import Taken

from ringfence.ingest.format import Settings
from ringfence.shell.service.decoders import Lines
from ringfence.shell.service.sources import written as module
from ringfence.shell.service.sources.folder import WatchedFolder
from ringfence.shell.service.sources.tail import Tail
from ringfence.shell.service.sources.written import FolderSource, SyslogSource, TailSource

SETTINGS = Settings()


class Journal(Taken):
    """What was written, and what a service would know of it after a restart."""

    def positions(self) -> dict[str, Any]:
        kept = [record.note["position"] for record in self.records if "position" in record.note]
        return {"source": kept[-1]} if kept else {}

    def lines(self) -> list[bytes]:
        return b"".join(record.payload for record in self.records).splitlines()

    def callees(self) -> list[str]:
        return [str(row[5]) for row in self.rows("calls")]

    def rejected(self) -> list[tuple[int, str]]:
        return [tuple(one) for record in self.records for one in record.note.get("rejected", [])]


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(5_000):
        if holds():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it never came to this")


async def run_until(source: Any, holds: Callable[[], bool]) -> None:
    """Let a source run until something holds, or until its journal ends the service."""
    task = asyncio.ensure_future(source.run())
    await until(lambda: holds() or task.done())
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def run(source: Any, holds: Callable[[], bool]) -> None:
    asyncio.run(run_until(source, holds))


@settings(max_examples=25)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("write"), st.integers(1, 5)),
            st.tuples(st.just("restart"), st.integers(0, 3)),
            st.tuples(st.just("rotate"), st.just(0)),
        ),
        max_size=8,
    )
)
def test_a_followed_file(steps: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("tail") / "acc.log"
    journal, written, rotated = Journal(), list[bytes](), 0

    def is_told() -> bool:
        return journal.lines() == written

    def follow(most: int, holds: Callable[[], bool]) -> None:
        journal.most = len(journal.records) + most

        def make(position: Any) -> Tail:
            return Tail(path, from_start=True, position=position)

        run(TailSource("source", journal.append, make, journal.positions, 0.002), holds)

    for what, count in [("write", 1), *steps]:
        if what == "write":
            lines = [b"line %d" % (len(written) + n) for n in range(count)]
            with path.open("ab") as file:
                file.writelines(line + b"\n" for line in lines)
            written.extend(lines)
        elif what == "rotate":
            follow(1 << 30, is_told)
            rotated += 1
            path.rename(path.with_name(f"acc.log.{rotated}"))
            path.write_bytes(b"")
        else:
            follow(count, is_told)
    follow(1 << 30, is_told)


def csv(callees: list[str]) -> str:
    return "start_time,caller,callee\n" + "".join(
        f"2026-03-05T02:11:{n:02d}Z,,{callee}\n" for n, callee in enumerate(callees)
    )


@pytest.mark.parametrize("after", ["keep", "move", "delete"])
@pytest.mark.parametrize("stop", range(7))
def test_a_watched_folder(tmp_path: Path, after: Any, stop: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 2)
    files = [["+8613800000001", "+8613800000002", "nobody", "+8613800000003"], ["+8613800000004"]]
    for n, callees in enumerate(files):
        path = tmp_path / f"{n}.csv"
        path.write_text(csv(callees))
        os.utime(path, (n, n))
    journal = Journal(most=stop)
    for most in (stop, 1 << 30):
        journal.most = most
        source = FolderSource(
            "source",
            journal.append,
            lambda position: WatchedFolder(tmp_path, after=after, settled_s=0, position=position),
            journal.positions,
            None,
            SETTINGS,
            0.002,
        )
        run(source, lambda: _is_idle(journal) and (after == "keep" or not list(tmp_path.glob("*.csv"))))
    assert list(dict.fromkeys(journal.callees())) == [each for file in files for each in file]
    rest = {path.name for path in tmp_path.glob("*.csv")}
    assert rest == ({"0.csv", "1.csv"} if after == "keep" else set())
    assert len(list((tmp_path / "done").glob("*.csv"))) == (2 if after == "move" else 0)
    if stop == 0:
        assert len(journal.callees()) == 5, "each file once"


def _is_idle(journal: Journal) -> bool:
    return "+8613800000004" in journal.callees() and "position" in journal.records[-1].note


def test_a_file_that_cannot_be_read_is_put_aside_and_those_behind_it_are_read(tmp_path: Path) -> None:
    (tmp_path / "0.csv").write_bytes(b"\x00\x01 no table")
    (tmp_path / "1.csv").write_text(csv(["+8613800000001"]))
    for n in range(2):
        os.utime(tmp_path / f"{n}.csv", (n, n))
    journal = Journal()
    source = FolderSource(
        "source", journal.append, lambda position: WatchedFolder(tmp_path, settled_s=0, position=position),
        journal.positions, None, SETTINGS, 0.002,
    )  # fmt: skip
    run(source, lambda: source.counts.get("read") == 1)
    assert journal.callees() == ["+8613800000001"]
    assert (tmp_path / "failed" / "0.csv.reason").read_text()
    assert source.counts == {"read": 1, "failed": 1}


# --- syslog -------------------------------------------------------------------------------------------------------------


def listening(journal: Journal, body: Callable[[SyslogSource], Awaitable[None]]) -> SyslogSource:
    source = SyslogSource("source", journal.append, ("127.0.0.0/8",), ("127.0.0.1", 0), ("127.0.0.1", 0))

    async def whole() -> None:
        task = asyncio.ensure_future(source.run())
        await until(lambda: "tcp" in source.listener.addresses)
        try:
            await body(source)
        finally:
            task.cancel()
            done, _ = await asyncio.wait([task], timeout=10)
            assert done, "it does not stop"

    asyncio.run(whole())
    return source


async def send(source: SyslogSource, *messages: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for message in messages:
            udp.sendto(message, source.listener.addresses["udp"])
            await asyncio.sleep(0)


def test_syslog_lines_come_to_the_journal(tmp_path: Path) -> None:
    journal = Journal()

    async def body(source: SyslogSource) -> None:
        await send(source, b"<13>one\ntwo", b"no priority")
        _, writer = await asyncio.open_connection(*source.listener.addresses["tcp"])
        writer.write(b"<13>three\n8 <13>four")
        await writer.drain()
        writer.close()
        await until(lambda: len(journal.lines()) == 4)

    source = listening(journal, body)
    assert set(journal.lines()) == {b"<13>one two", b"no priority", b"<13>three", b"<13>four"}
    assert source.counts == {"messages": 4, "malformed": 1, "refused": 0, "dropped": 0}
    assert all(record.note == {"source": "source", "kind": "lines"} for record in journal.records)


def test_syslog_waits_for_a_disk_that_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.shell.service.intake.AGAIN_S", 0.001)
    journal = Journal(refuse=lambda asked: asked % 4 != 0)

    async def body(source: SyslogSource) -> None:
        for n in range(20):
            await send(source, b"<13>%d" % n)
        await until(lambda: len(journal.lines()) == 20)

    listening(journal, body)
    assert journal.lines() == [b"<13>%d" % n for n in range(20)]


def test_syslog_stops_though_the_disk_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.shell.service.intake.AGAIN_S", 0.001)
    journal = Journal(refuse=lambda _: True)

    async def body(source: SyslogSource) -> None:
        await send(source, b"<13>one")
        await until(lambda: source.listener.messages == 1)
        await send(source, b"<13>two")
        await until(lambda: source.listener.messages == 2)

    source = listening(journal, body)
    assert source.counts["dropped"] == 2, "what is lost is counted"


def test_lines_of_a_format_give_rows() -> None:
    from ringfence.ingest._pieces import pieces
    from ringfence.shell.service.segments import Record

    line = b'{"start_time": "2026-03-05T02:11:09Z", "caller": null, "callee": "+8613800000001"}\n'
    decoder = Lines(pieces("json_lines", SETTINGS))
    (chunk,) = decoder.decode(Record(1, 0, {"source": "source", "kind": "lines"}, line))
    assert chunk.records["callee"].to_pylist() == ["+8613800000001"]
