"""Nothing of a person leaves by logs or figures, whatever comes in and whatever goes wrong."""

import asyncio
import io
import json
import logging
import re
import socket
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from tests.ingest.sip_made import Call, packet
from tests.shell.service.floods import BEGIN, SECOND, VICTIM, call, flood, told_live
from tests.shell.service.made import NOW, serving
from tests.shell.service.test_faults import ndjson, until

from ringfence.detect.screening import Screen
from ringfence.ingest._hep_calls import HepCalls
from ringfence.ingest._pieces import pieces
from ringfence.ingest.format import Settings
from ringfence.shell.service import running
from ringfence.shell.service.api.context import Context
from ringfence.shell.service.app import create_app
from ringfence.shell.service.decoders import EVENTS, HepPackets, Lines, Makers
from ringfence.shell.service.logs import Pseudonyms, configure
from ringfence.shell.service.service import Plan, Service
from ringfence.shell.service.sources.hep import HepSource
from ringfence.shell.service.sources.tail import Tail
from ringfence.shell.service.sources.written import SyslogSource, TailSource
from ringfence.shell.store.tokens import SCOPES

STRANGER = "+8613955550001"
IN_SIP = "+8613800000900"
IN_LOG = "+8613766660001"
WORDS = "转账五百元到卡号"
ACCOUNT = "6222021234567890123"
FORGED = "rf_" + "Zq9" * 14 + "Z"
PERSONS = (VICTIM, STRANGER, IN_SIP, IN_LOG, ACCOUNT, "13877770001")


class Broken:
    """A source whose error tells of somebody."""

    name = "broken"
    has_position = True
    counts: dict[str, int] = {}  # noqa: RUF012
    trouble: str | None = None

    async def run(self) -> None:
        raise ValueError(f"cannot parse {STRANGER!r}")


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """All that is logged in the process, at its most talkative."""
    root, before = logging.getLogger(), list(logging.getLogger().handlers)
    level, hooks = root.level, (sys.excepthook, sys.unraisablehook, threading.excepthook)
    stream = io.StringIO()
    with warnings.catch_warnings():
        configure(Pseudonyms(bytes(range(32))), level="debug", stream=stream)
        yield stream
    root.handlers[:] = before
    root.setLevel(level)
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    logging.captureWarnings(False)
    structlog.reset_defaults()


@contextmanager
def busy(folder: Path) -> Iterator[tuple[Service, httpx.Client, dict[str, Any]]]:
    """A service with a source of every kind."""
    lines = folder / "acc.log"
    lines.write_bytes(b"")
    settings = Settings()
    makers: Makers = {
        "tap": lambda: HepPackets(HepCalls()),
        "syslog": lambda: Lines(pieces("json_lines", settings)),
        "tail": lambda: Lines(pieces("json_lines", settings)),
    }
    service = Service(Plan(folder / "data", makers=makers), clock=lambda: NOW)
    context = Context(service, Screen(service.pipeline.judge.engine))
    tap = HepSource("tap", service.append, service.clock, udp=("127.0.0.1", 0), key=b"secret-of-the-tap")
    heard = SyslogSource("syslog", service.append, (), ("127.0.0.1", 0), None)
    tail = TailSource(
        "tail", service.append, lambda at: Tail(lines, from_start=True, position=at), service.positions, 0.01
    )
    with serving(create_app(context, [tap, heard, tail, Broken()])) as client:
        assert until(lambda: bool(tap.ports and heard.listener.addresses))
        yield service, client, {"tap": tap, "syslog": heard, "tail": lines}


def send(port: int, *messages: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for message in messages:
            udp.sendto(message, ("127.0.0.1", port))


def line(callee: str) -> bytes:
    return json.dumps({"start_time": "2026-03-05T02:11:09Z", "caller": STRANGER, "callee": callee}).encode()


def test_nothing_of_a_person_is_in_logs_or_figures(
    tmp_path: Path, logs: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "AGAIN_S", 0.05)
    with busy(tmp_path) as (service, client, sources):
        token = service.store.tokens.create("all", SCOPES, at=NOW)
        header = {"Authorization": f"Bearer {token}"}

        def post(body: bytes, kind: str = "application/x-ndjson") -> httpx.Response:
            return client.post("/v1/events", content=body, headers={**header, "Content-Type": kind})

        # what is right
        for row in told_live(list(flood())):
            post(ndjson([row]))
        text = {
            "time": "2026-02-02T02:50:00Z",
            "sender": STRANGER,
            "recipient": VICTIM,
            "body": f"{WORDS} {ACCOUNT}",
        }
        assert post(json.dumps(text).encode()).status_code == 200
        invite = packet(
            (1, "192.0.2.1:5060", "192.0.2.2:5060", Call().request("INVITE", "a")), key=b"secret-of-the-tap"
        )
        wrong = packet(
            (1, "192.0.2.1:5060", "192.0.2.2:5060", Call().request("INVITE", "a")), key=b"wrong-13877770001"
        )
        send(sources["tap"].ports["udp"], invite, wrong, f"INVITE sip:{IN_SIP}@x".encode())
        send(sources["syslog"].listener.addresses["udp"][1], line(IN_LOG), b"<13>" + IN_LOG.encode())
        with sources["tail"].open("ab") as file:
            file.write(line(IN_LOG) + b"\n" + f"no row {IN_LOG} {WORDS}\n".encode())
        # what is wrong
        post(f'{{"start_time": "{STRANGER}", "callee": "{VICTIM}"}}'.encode())
        post(f"{WORDS} {STRANGER}".encode(), "application/vnd.apache.arrow.stream")
        post(ndjson([call(BEGIN + 450 * SECOND, STRANGER, VICTIM, call_id=STRANGER)] * 2))
        for path in (
            f"/v1/numbers/{STRANGER}/none",
            f"/none/{STRANGER}",
            f"/v1/numbers/{STRANGER}?since={VICTIM}",
        ):
            client.get(path, headers=header)
        client.get("/v1/status", headers={"Authorization": f"Bearer {FORGED}"})
        client.get(f"/v1/numbers/{STRANGER}", headers={**header, "X-Number": VICTIM})
        client.post("/v1/screen", headers=header, json={"callee": STRANGER, "at": WORDS})
        client.post("/v1/screen", headers=header, content=f"{WORDS}{STRANGER}")
        # what fails within
        service.put({"source": "tap", "kind": "hep"}, STRANGER.encode())
        service.put({"source": "events", "kind": EVENTS, "table": "calls"}, f"{STRANGER}{WORDS}".encode())
        service.put({"source": "gone", "kind": "lines"}, STRANGER.encode())

        def fails(*_: Any) -> Any:
            raise RuntimeError(f"no such row: {STRANGER} Bearer {token}")

        with monkeypatch.context() as patch:
            patch.setattr(service.store.alerts, "search", fails)
            # the connection is closed behind such an answer
            close = {**header, "Connection": "close"}
            answer = client.get("/v1/alerts", params={"subject": VICTIM}, headers=close)
            assert answer.status_code == 500
            assert not found_in(answer.text, token)
        last = service.put({"source": "events", "kind": EVENTS}, b"")
        assert service.settled(last, 60)
        assert until(lambda: service.pipeline.tallies["tail"].rows >= 2)
        assert until(lambda: service.pipeline.tallies["syslog"].rows >= 2)
        assert until(lambda: sources["tap"].refused["key"] >= 1)
        assert until(lambda: "broken" in client.get("/healthz").text)
        for path in ("/metrics", "/v1/status", "/healthz", "/readyz"):
            assert not found_in(client.get(path, headers=header).text, token), path
        service.fail(RuntimeError(STRANGER))

        async def unforeseen() -> None:
            raise RuntimeError(f"nobody looks at this: {STRANGER}")

        asyncio.run(_forgotten(unforeseen))
    said = logs.getvalue()
    assert "record cannot be read" in said
    assert "a source has failed" in said
    assert "the service has failed" in said
    assert "RuntimeError" in said
    assert not found_in(said, token)


async def _forgotten(task: Any) -> None:
    """A task whose error nobody asks for."""
    asyncio.ensure_future(task())  # noqa: RUF006
    await asyncio.sleep(0.01)


def found_in(text: str, token: str) -> list[str]:
    """What of persons and secrets is in a text, and any other long run of digits that is no time."""
    found = [who for who in PERSONS if who.lstrip("+")[-8:] in text]
    found += [
        secret
        for secret in (WORDS, token, token[3:20], FORGED, "secret-of-the-tap", "wrong-1387")
        if secret in text
    ]
    plain = re.sub(
        r"\d{4}-\d\d-\d\dT[\d:.]+Z|\d+\.\d+(e[+-]\d+)?|\"\w*(bytes|seq|thread|lineno)\w*\": \d+", "", text
    )
    return found + re.findall(r"(?<![\w.])\+?\d{9,}", plain)
