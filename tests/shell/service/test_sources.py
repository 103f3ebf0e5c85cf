"""Sources beside one another: what one of them meets is told, and silences no other."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.shell.service.made import NOW, plan, serving
from tests.shell.service.test_faults import until

from ringfence.detect.screening import Screen
from ringfence.shell.service import running as module
from ringfence.shell.service.api.context import Context
from ringfence.shell.service.app import create_app
from ringfence.shell.service.service import Service


class Made:
    """A source that does as it is told."""

    def __init__(self, name: str) -> None:
        self.name = name
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
