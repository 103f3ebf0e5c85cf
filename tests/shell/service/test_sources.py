"""Sources beside one another: what one of them meets is told, and silences no other."""

import asyncio
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.shell.service.made import NOW, plan, serving
from tests.shell.service.test_faults import until

from ringfence.detect.screening import Screen
from ringfence.shell.service import app as application
from ringfence.shell.service import running as module
from ringfence.shell.service.api.context import Context
from ringfence.shell.service.app import create_app
from ringfence.shell.service.service import Service
from ringfence.shell.service.sources.hep import HepSource
from ringfence.shell.service.sources.written import SyslogSource


class Made:
    """A source that does as it is told."""

    def __init__(self, name: str, *, has_position: bool = True) -> None:
        self.name = name
        self.has_position = has_position
        self.counts = {"lost": 0}
        self.trouble: str | None = None
        self.error: Exception | None = None
        self.begun = 0

    async def run(self) -> None:
        self.begun += 1
        if self.error is not None:
            raise self.error
        await asyncio.Event().wait()


def test_one_that_fails_is_told_and_tried_again_while_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.02)
    well, ill = Made("well"), Made("ill")
    ill.error = OSError(98, "Address already in use")
    service = Service(plan(tmp_path), clock=lambda: NOW)
    context = Context(service, Screen(service.pipeline.judge.engine), is_open=True)
    with serving(create_app(context, [well, ill])) as client:
        assert until(lambda: ill.begun > 2)
        assert well.begun == 1
        health = client.get("/healthz").json()
        assert health["state"] == "degraded"
        assert [one for one in health["trouble"] if "ill" in one and "Address already in use" in one]
        assert client.get("/readyz").status_code == 200, "events are taken in all the same"
        ill.error = ValueError("unforeseen")
        assert until(lambda: "ValueError" in " ".join(client.get("/healthz").json()["trouble"]))
        ill.error = None
        assert until(lambda: client.get("/healthz").json()["state"] == "ok")
        well.trouble, ill.counts["lost"] = "/var/log/cdr.csv: is not there yet", 7
        assert client.get("/healthz").json()["trouble"] == ["source well: /var/log/cdr.csv: is not there yet"]
        assert client.get("/v1/status").json()["listening"]["ill"] == {"trouble": None, "lost": 7}
        families = text_string_to_metric_families(client.get("/metrics").text)
        samples = {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}
        assert samples["ringfence_source_met_total", "ill", "lost"] == 7
        assert samples["ringfence_source_up", "well"] == 0
        assert samples["ringfence_source_up", "ill"] == 1


def test_what_nobody_sends_twice_is_taken_down_before_memory_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(plan(tmp_path), clock=lambda: NOW)
    go_on, recover = threading.Event(), service.recover
    monkeypatch.setattr(service, "recover", lambda: (go_on.wait(20), recover()))
    followed, heard = Made("followed"), Made("heard", has_position=False)
    tap = HepSource("tap", service.append, lambda: NOW, udp=("127.0.0.1", 0))
    app = create_app(
        Context(service, Screen(service.pipeline.judge.engine), is_open=True), [followed, heard, tap]
    )
    try:
        with serving(app, is_ready=False) as client:
            assert until(lambda: "udp" in tap.ports)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.sendto(b"HEP3", ("127.0.0.1", tap.ports["udp"]))
            assert until(lambda: service.journal.last == 1)
            assert client.get("/readyz").status_code == 503
            assert (heard.begun, followed.begun, service.pipeline.seq) == (1, 0, 0)
            go_on.set()
            assert until(lambda: followed.begun == 1 and service.pipeline.seq == 1)
            assert heard.begun == 1
    finally:
        go_on.set()


def test_where_it_cannot_come_back_it_says_so_and_goes_on_listening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unforeseen() -> None:
        raise OverflowError

    service = Service(plan(tmp_path), clock=lambda: NOW)
    monkeypatch.setattr(service, "recover", unforeseen)
    followed, heard = Made("followed"), Made("heard", has_position=False)
    app = create_app(Context(service, Screen(service.pipeline.judge.engine), is_open=True), [followed, heard])
    with serving(app, is_ready=False) as client:
        assert until(lambda: "OverflowError" in " ".join(client.get("/healthz").json()["trouble"]))
        assert client.get("/readyz").status_code == 503
        assert (heard.begun, followed.begun) == (1, 0)


def test_webhooks_that_fail_end_no_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "AGAIN_S", 0.02)
    begun: list[int] = []

    class Broken:
        def configure(self) -> None: ...
        def wake(self) -> None: ...
        async def run(self) -> None:
            begun.append(1)
            raise OverflowError("unforeseen")

    source = Made("well")
    service = Service(plan(tmp_path), clock=lambda: NOW)
    broken: Any = Broken()
    context = Context(service, Screen(service.pipeline.judge.engine), broken, is_open=True)
    with serving(create_app(context, [source])) as client:
        assert until(lambda: len(begun) > 2)
        assert client.get("/healthz").json()["state"] == "ok"
        assert source.begun == 1


def test_syslog_comes_back_when_its_other_port_is_free(tmp_path: Path) -> None:
    """Of two addresses the second was taken: the first must not stay taken by the try."""

    async def test() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            source = SyslogSource("s", lambda *_: None, (), ("127.0.0.1", port), ("127.0.0.1", port))
            for _ in range(2):
                with pytest.raises(OSError, match="in use"):
                    await source.run()
        running = asyncio.create_task(source.run())
        await asyncio.sleep(0.2)
        assert not running.done()
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(test())
