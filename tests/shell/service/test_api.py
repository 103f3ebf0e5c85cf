"""The API as its clients meet it: who may do what, how much at once, and what comes back."""

import gzip
import io
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.shell.service.floods import BEGIN, SECOND, VICTIM, call, flood, told_live
from tests.shell.service.made import NOW, plan, serving
from tests.shell.service.test_faults import ndjson, until

from ringfence.detect.screening import Screen
from ringfence.ingest.format import UnreadableError
from ringfence.model.numbers import NumberPlan
from ringfence.shell.service.api import events as events_module
from ringfence.shell.service.api import persons as persons_module
from ringfence.shell.service.api.context import Context
from ringfence.shell.service.app import create_app
from ringfence.shell.service.limits import Limits
from ringfence.shell.service.service import Service
from ringfence.shell.store import database
from ringfence.shell.store.tokens import SCOPES

OPEN = {"/healthz", "/readyz", "/v1/openapi.json"}
FRIEND = "+8613700000001"
NDJSON = {"Content-Type": "application/x-ndjson"}
ARROW = {"Content-Type": "application/vnd.apache.arrow.stream"}


class Served:
    """A service behind its API, and tokens for it."""

    def __init__(self, service: Service, context: Context, client: httpx.Client) -> None:
        self.service, self.context, self.client = service, context, client
        self.all = self.token("all", *SCOPES)

    def token(self, name: str, *scopes: str) -> dict[str, str]:
        secret = self.service.store.tokens.create(name, scopes, at=NOW)
        return {"Authorization": f"Bearer {secret}"}

    def post(self, rows: list[dict[str, Any]], **headers: str) -> httpx.Response:
        return self.send(ndjson(rows), NDJSON, **headers)

    def send(self, body: Any, kind: dict[str, str] = NDJSON, **headers: str) -> httpx.Response:
        return self.client.post("/v1/events", content=body, headers={**self.all, **kind, **headers})

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.client.get(path, headers=self.all, params=params)

    def ask(self, path: str, **body: Any) -> httpx.Response:
        return self.client.post(path, headers=self.all, json=body)

    def settle(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, answer.text
        assert self.service.settled(answer.json()["seq"], 60)


@contextmanager
def served(folder: Path, *, limits: dict[str, Any] | None = None, **app: Any) -> Iterator[Served]:
    service = Service(plan(folder), clock=lambda: NOW)
    context = Context(service, Screen(service.pipeline.judge.engine), **(limits or {}))
    with serving(create_app(context, **app)) as client:
        yield Served(service, context, client)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A line that has a friend, and is being flooded."""
    with served(tmp_path_factory.mktemp("town")) as town:
        talk = call(
            BEGIN - 86_400 * SECOND, VICTIM, FRIEND, answer=BEGIN - 86_390 * SECOND, end=BEGIN - 86_300 * SECOND, call_id="talk",
            cause=16, released_by="caller",
        )  # fmt: skip
        town.settle(town.post(told_live([talk])))
        for row in told_live(list(flood())):
            answer = town.post([row])
        town.settle(answer)
        yield town


# --- who may ------------------------------------------------------------------------------------------------------------


def routes(client: httpx.Client) -> list[tuple[str, str]]:
    """Every method of every path that the document tells of, with something in the place of its parameters."""
    paths = client.get("/v1/openapi.json").json()["paths"]
    return [
        (method.upper(), path.replace("{number}", VICTIM).replace("{alert_id}", "none"))
        for path, methods in paths.items()
        for method in methods
    ]


def test_every_route_needs_a_token_and_its_scope(town: Served) -> None:
    found = routes(town.client)
    assert len(found) > 12
    scopes = {name: town.token(f"only-{name.replace(':', '-')}", name) for name in SCOPES}
    may: dict[str, set[str]] = {}
    for method, path in found:
        if path in OPEN:
            assert town.client.request(method, path).status_code in {200, 503}
            continue
        for wrong in ({}, {"Authorization": "Bearer rf_" + "A" * 43}, {"Authorization": "Basic QTpC"}):
            answer = town.client.request(method, path, headers=wrong)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        if path == "/v1/stream":  # whoever may would wait for ever
            may["alerts:read"].add(path)
            continue
        for scope, header in scopes.items():
            status = town.client.request(method, path, headers=header).status_code
            if status != 403:
                may.setdefault(scope, set()).add(path)
                assert status != 500, (method, path)
    for method, path in found:
        owners = [scope for scope, paths in may.items() if path in paths]
        assert path in OPEN or len(owners) == 1, (method, path, owners)
    assert may["events:write"] == {"/v1/events"}
    assert may["screen"] == {"/v1/screen"}
    assert may["influence"] == {"/v1/influence"}


def test_a_revoked_token_opens_nothing(town: Served) -> None:
    header = town.token("revoked", "metrics")
    assert town.client.get("/metrics", headers=header).status_code == 200
    town.service.store.tokens.revoke("revoked", NOW)
    assert town.client.get("/metrics", headers=header).status_code == 401


def test_nobody_waits_for_a_token_that_the_database_is_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_S", 3.0)
    with served(tmp_path) as town:
        holder = sqlite3.connect(tmp_path / database.FILE, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        answers: list[httpx.Response] = []
        asking = threading.Thread(target=lambda: answers.append(town.get("/metrics")))
        asking.start()
        with httpx.Client(base_url=town.client.base_url, timeout=2, trust_env=False) as other:
            for _ in range(10):
                assert other.get("/healthz").status_code == 200
        assert asking.is_alive(), "it should have been waiting"
        holder.execute("ROLLBACK")
        holder.close()
        asking.join()
        assert answers[0].status_code == 200


def test_the_open_demonstration_answers_no_foreign_name(tmp_path: Path) -> None:
    with served(tmp_path, limits={"is_open": True}) as town:
        port = town.client.base_url.port
        for name in ("127.0.0.1", "localhost", f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"):
            assert town.client.get("/v1/status", headers={"Host": name}).status_code == 200, name
        for name in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "", "localhost.evil"):
            assert town.client.get("/v1/status", headers={"Host": name}).status_code == 400, name


# --- how much -----------------------------------------------------------------------------------------------------------


def test_too_many_requests_or_rows(tmp_path: Path) -> None:
    limits = {"requests": Limits(0.5, 5), "rows": Limits(1, 10)}
    with served(tmp_path, limits=limits) as town:
        rows = [call(BEGIN + n, None, VICTIM) for n in range(8)]
        assert town.post(rows).status_code == 200
        answer = town.post(rows)
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 10
        assert town.send(b'{"start_time": "then", "callee": "+8613800000001"}\n' * 8).status_code == 429, (
            "rows that cannot be used cost as much"
        )
        answers = [town.get("/v1/status") for _ in range(5)]
        assert [answer.status_code for answer in answers].count(429) == 3
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 3
        other = town.token("other", "metrics")
        assert town.client.get("/v1/status", headers=other).status_code == 200, "each has its own"


@pytest.mark.parametrize("path", ["/v1/events", "/v1/screen", "/v1/influence", "/v1/dead-letters/requeue"])
def test_a_body_that_is_too_large(tmp_path: Path, path: str) -> None:
    with served(tmp_path, body_bytes=10_000) as town:
        body = json.dumps({"number": VICTIM, "padding": "x" * 20_000}).encode()
        headers = {**town.all, "Content-Type": "application/json"}

        def chunked() -> Iterator[bytes]:
            for first in range(0, len(body), 1000):
                yield body[first : first + 1000]

        assert town.client.post(path, content=body, headers=headers).status_code == 413
        answer = town.client.post(path, content=chunked(), headers=headers)
        assert answer.status_code == 413
        assert "10,000" in answer.json()["detail"]
        assert town.client.get("/healthz").status_code == 200


def test_a_request_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(tmp_path, request_s=0.2) as town:
        go_on = threading.Event()
        counts = town.service.store.alerts.counts
        monkeypatch.setattr(town.service.store.alerts, "counts", lambda: (go_on.wait(20), counts())[1])
        answer = town.get("/v1/alerts/counts")
        go_on.set()
        assert answer.status_code == 504
        assert "0.2 s" in answer.json()["detail"]


# --- events -------------------------------------------------------------------------------------------------------------


def test_bad_rows_are_told_by_number_and_never_repeated(town: Served) -> None:
    rows = [
        ndjson([call(BEGIN + 450 * SECOND, None, "+8613800000077")]),
        b'{"start_time": "yesterday", "callee": "+8613812345678"}',
        b'{"start_time": "2026-03-05T02:11:09Z"',
        b'{"start_time": "2026-03-05T02:11:09Z", "callee": "", "caller": "+8613812345678"}',
        b"\xff\xfe 13812345678",
    ]
    answer = town.send(b"\n".join(rows))
    assert answer.status_code == 200
    told = answer.json()
    assert (told["accepted"], told["rejected"], told["table"]) == (1, 4, "calls")
    assert [one["row"] for one in told["reasons"]] == [2, 3, 4, 5]
    assert "12345678" not in answer.text
    town.settle(answer)
    assert town.service.pipeline.tallies["events"].rejected.total() >= 4


@pytest.mark.parametrize(
    "body",
    [b"", b"\n\n", b"nonsense", gzip.compress(b'{"start_time": 1, "callee": "+8613800000001"}' * 1000)],
    ids=["empty", "blank", "text", "gzip"],
)
def test_bodies_without_a_row(town: Served, body: bytes) -> None:
    before = town.service.journal.last
    for headers in ({}, {"Content-Encoding": "gzip"}):
        answer = town.send(body, NDJSON, **headers)
        assert answer.status_code in {200, 400}
        if answer.status_code == 200:
            assert answer.json()["accepted"] == 0
            assert answer.json()["rejected"] > 0
    assert town.service.journal.last == before or town.service.pipeline.waits


def test_rows_of_several_tables_are_refused_whole(town: Served) -> None:
    call_row = ndjson([call(BEGIN, None, VICTIM)])
    text = b'{"time": "2026-03-05T02:11:09Z", "sender": null, "recipient": "+8613800000001", "body": null}'
    answer = town.send(b"\n".join([call_row] * 3 + [text] * 3))
    assert answer.status_code in {200, 400}
    if answer.status_code == 200:  # those of the other table are told as what they are
        assert (answer.json()["accepted"], answer.json()["rejected"]) == (3, 3)


def stream(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue()


def some_calls(count: int = 3, **more: Any) -> pa.Table:
    times = pa.array(np.arange(count) + BEGIN).cast(pa.timestamp("us", "UTC"))
    return pa.table(
        {
            "start_time": times,
            "caller": pa.nulls(count, pa.string()),
            "callee": ["+8613800000077"] * count,
            **more,
        }
    )


def test_arrow_that_is_no_table_of_ours_or_damaged(town: Served) -> None:
    good = stream(some_calls())
    bad = {
        "columns": stream(pa.table({"a": [1]})),
        "cut": good[: len(good) // 2],
        "text": b"no arrow",
        "file": b"ARROW1\0\0" + good,
        "nothing": b"",
        "json": ndjson([call(BEGIN, None, VICTIM)]),
    }
    for name, body in bad.items():
        answer = town.send(body, ARROW)
        assert answer.status_code == 400, (name, answer.text)
    answer = town.send(good, ARROW)
    assert answer.json()["accepted"] == 3


def test_arrow_that_is_damaged_anywhere_is_refused_in_words() -> None:
    dictionary = pa.DictionaryArray.from_arrays(pa.array([0, 0, 1], pa.int32()), pa.array(["gw1", "gw2"]))
    good, numbers = stream(some_calls(3, trunk=dictionary)), NumberPlan.of("CN")
    for at in range(len(good)):
        for flip in (0xFF, 0x01, 0x80):
            with suppress(UnreadableError):
                body = good[:at] + bytes([good[at] ^ flip]) + good[at + 1 :]
                events_module._read(body, ARROW["Content-Type"], "UTC", numbers)


def test_a_small_body_cannot_stand_for_more_than_memory_holds(town: Served) -> None:
    dictionary = pa.DictionaryArray.from_arrays(pa.array([0] * 5000, pa.int32()), pa.array(["x" * 100_000]))
    bombs = {
        "compressed": stream(some_calls(100_000), compression="zstd"),
        "compressed dictionary": stream(some_calls(5000, trunk=dictionary), compression="lz4"),
        "dictionary": stream(some_calls(5000, trunk=dictionary)),
        "rows of nothing": stream(
            pa.table({name: pa.nulls(50_000_000) for name in ("start_time", "caller", "callee")})
        ),
    }
    for name, body in bombs.items():
        assert len(body) < 4_000_000
        answer = town.send(body, ARROW)
        assert answer.status_code == 400, name
    assert town.send(b"1\n" * 150_000).status_code == 400
    small = pa.DictionaryArray.from_arrays(pa.array([0, 0, 1], pa.int32()), pa.array(["gw1", "gw2"]))
    assert town.send(stream(some_calls(3, trunk=small)), ARROW).status_code == 200


# --- the same key again -------------------------------------------------------------------------------------------------


def test_the_same_key_again_changes_nothing(tmp_path: Path) -> None:
    row = call(BEGIN, None, VICTIM)
    with served(tmp_path) as town:
        first = town.post([row], **{"Idempotency-Key": "k"})
        before = town.service.journal.last
        again = town.post([row], **{"Idempotency-Key": "k"})
        assert again.json() == first.json() | {"repeated": True}
        assert first.json()["repeated"] is False
        assert town.service.journal.last == before
        other = town.token("other", "events:write")
        answer = town.client.post(
            "/v1/events", content=ndjson([row]), headers={**other, **NDJSON, "Idempotency-Key": "k"}
        )
        assert answer.json()["repeated"] is False, "another's key is another key"
        assert town.send(b"", NDJSON, **{"Idempotency-Key": "later"}).status_code == 400
        assert town.post([row], **{"Idempotency-Key": "later"}).json()["repeated"] is False
        header = town.all
    with served_again(tmp_path) as (client, service):
        seq = service.journal.last
        answer = client.post(
            "/v1/events", content=ndjson([row]), headers={**header, **NDJSON, "Idempotency-Key": "k"}
        )
        assert answer.json() == first.json() | {"repeated": True}, "after a restart, too"
        assert service.journal.last == seq or service.pipeline.waits


@contextmanager
def served_again(folder: Path) -> Iterator[tuple[httpx.Client, Service]]:
    service = Service(plan(folder), clock=lambda: NOW)
    with serving(create_app(Context(service, Screen(service.pipeline.judge.engine)))) as client:
        yield client, service


def test_the_same_key_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(tmp_path) as town:
        begun, go_on = threading.Semaphore(0), threading.Event()
        read = events_module._read
        bodies: list[httpx.Response] = []

        def slowly(*args: Any) -> Any:
            begun.release()
            assert go_on.wait(20)
            return read(*args)

        monkeypatch.setattr(events_module, "_read", slowly)

        def pieces() -> Iterator[bytes]:
            body = ndjson([call(BEGIN, None, VICTIM)])
            yield body[:10]
            sent.release()
            assert both.wait(20)
            yield body[10:]

        sent, both = threading.Semaphore(0), threading.Event()

        def post() -> None:
            with httpx.Client(base_url=town.client.base_url, timeout=60, trust_env=False) as client:
                headers = {**town.all, **NDJSON, "Idempotency-Key": "k"}
                bodies.append(client.post("/v1/events", content=pieces(), headers=headers))

        threads = [threading.Thread(target=post) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert sent.acquire(timeout=20)
        both.set()
        assert begun.acquire(timeout=20)
        go_on.set()
        for thread in threads:
            thread.join()
        assert sorted(answer.json()["repeated"] for answer in bodies) == [False, True, True, True]
        assert len({answer.json()["seq"] for answer in bodies}) == 1
        assert town.service.settled(bodies[0].json()["seq"], 60)
        assert town.service.pipeline.tallies["events"].records == 1


def test_a_key_while_it_recovers_is_to_be_tried_again(town: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(town.service, "_state", "recovering")
    answer = town.post([call(BEGIN, None, VICTIM)], **{"Idempotency-Key": "unknown yet"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"


# --- what is asked ------------------------------------------------------------------------------------------------------


def test_alerts_are_found_page_by_page(town: Served) -> None:
    (alert,) = town.get("/v1/alerts", kind="flood").json()["alerts"]
    assert (alert["subject"], alert["status"], alert["version"]) == (VICTIM, "new", 0)
    assert town.get("/v1/alerts", kind="scam_call").json() == {"alerts": [], "cursor": None}
    assert town.get("/v1/alerts", text=VICTIM[:9]).json()["alerts"] == [alert]
    assert town.get("/v1/alerts", since="2026-03-01T00:00:00Z").json()["alerts"] == []
    assert town.get("/v1/alerts", cursor="no cursor").status_code == 422
    whole = town.get(f"/v1/alerts/{alert['alert_id']}").json()
    assert len(whole["observations"]) >= len(whole["ledger"]) > 3
    assert all(one["what_zh"] for one in whole["observations"])
    assert town.get("/v1/alerts/none").status_code == 404
    assert town.get("/v1/alerts/counts").json()["by_kind"]["flood"] == {"new": 1}


def test_who_is_slower_is_told(tmp_path: Path) -> None:
    with served(tmp_path) as town:
        for row in told_live(list(flood())):
            answer = town.post([row])
        town.settle(answer)
        alert_id = town.get("/v1/alerts").json()["alerts"][0]["alert_id"]
        path = f"/v1/alerts/{alert_id}/status"
        assert town.ask(path, status="acknowledged", version=0).json()["version"] == 1
        assert town.ask(path, status="confirmed", version=0).status_code == 409
        assert town.ask(path, status="not_an_attack", version=1).status_code == 422, "it needs a reason"
        assert town.ask(path, status="nonsense", version=1).status_code == 422
        assert town.ask("/v1/alerts/none/status", status="confirmed", version=0).status_code == 404
        said = town.ask(path, status="not_an_attack", version=1, reason="a competition on the radio").json()
        assert (said["status"], said["label"], said["marked_by"]) == ("not_an_attack", "not_an_attack", "all")
        assert [mark["after"] for mark in town.get(f"/v1/alerts/{alert_id}/history").json()] == [
            "acknowledged",
            "not_an_attack",
        ]
        (label,) = town.get("/v1/alerts/labels").text.splitlines()
        assert "not_an_attack" in label
        marked = [one for one in town.service.store.audit.entries() if one["what"] == "alert.mark"]
        assert len(marked) >= 2
        assert {(one["object"], one["number"], one["who"]) for one in marked} == {(alert_id, VICTIM, "all")}


def test_what_is_known_of_a_number(town: Served) -> None:
    known = town.get(f"/v1/numbers/{VICTIM}").json()
    assert known["number"] == VICTIM
    assert known["alerts"][0]["kind"] == "flood"
    (flooded,) = [one for one in known["evidence"] if one["kind"] == "flood"]
    assert flooded["state"] == "open"
    assert flooded["bits"] >= flooded["threshold"]
    assert len(flooded["why"]) > 3
    assert town.get("/v1/numbers/13800000001").json()["number"] == VICTIM, "in the country's own form, too"
    assert town.get("/v1/numbers/+8613799999999").json()["evidence"] == []
    calls = town.get(f"/v1/numbers/{VICTIM}/calls", since="2026-01-01T00:00:00Z").json()["calls"]
    assert calls
    assert all(VICTIM in {row["caller"], row["callee"]} for row in calls)
    assert town.get("/v1/numbers/%20/calls").status_code in {404, 422}


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        ({"caller": "+8613912345678", "callee": VICTIM}, "suspect"),
        ({"caller": None, "callee": VICTIM}, "suspect"),
        ({"caller": FRIEND, "callee": VICTIM}, "pass"),
        ({"caller": "+8613912345678", "callee": "+8613700000099"}, "pass"),
        ({"caller": "+8613912345678", "callee": "110"}, "pass"),
        ({"caller": None, "callee": "120", "ingress": "international"}, "pass"),
        ({"caller": "+86110", "callee": VICTIM, "ingress": "international"}, "refuse"),
        ({"caller": "+8613912345678", "callee": VICTIM, "at": "0001-01-01T00:00:00Z"}, "suspect"),
        ({"caller": "+8613912345678", "callee": VICTIM, "at": "9999-12-31T23:59:59Z"}, "suspect"),
        ({"caller": "\x00 no number", "callee": VICTIM}, "suspect"),
    ],
)
def test_a_call_that_is_arriving(town: Served, asked: dict[str, Any], verdict: str) -> None:
    at = {"at": "2026-02-02T02:50:00Z"}
    answer = town.ask("/v1/screen", **{**at, **asked})
    assert answer.status_code == 200, answer.text
    assert answer.json()["verdict"] == verdict, answer.json()
    assert bool(answer.json()["why"]) == (verdict != "pass")


def test_what_a_question_must_look_like(town: Served) -> None:
    for body in ({}, {"callee": ""}, {"callee": VICTIM, "more": 1}, {"callee": VICTIM, "at": "soon"}):
        answer = town.ask("/v1/screen", **body)
        assert answer.status_code == 422
        assert VICTIM not in answer.text, "what was sent is not repeated"


def test_the_banks_question(town: Served) -> None:
    answer = town.ask("/v1/influence", number=VICTIM)
    assert answer.status_code == 200
    assert town.ask("/v1/influence", number="").status_code == 422
    entries = town.service.store.audit
    assert entries is not None


# --- administration -----------------------------------------------------------------------------------------------------


def said(town: Served) -> list[tuple[Any, Any]]:
    return [(entry["what"], entry["object"]) for entry in town.service.store.audit.entries()]


def test_a_webhook_that_was_gone_is_enabled(tmp_path: Path) -> None:
    with served(tmp_path) as town:
        deliveries = town.service.store.deliveries
        deliveries.configure(["desk"], NOW)
        deliveries.disable("desk", "it answered that it is gone (HTTP 410)", NOW)
        assert town.get("/v1/webhooks").json()[0]["disabled_at"] == NOW
        woken: list[None] = []
        town.context.webhooks = SimpleNamespace(wake=lambda: woken.append(None))  # type: ignore[assignment]
        try:
            assert town.ask("/v1/webhooks/other/enable").status_code == 404
            assert said(town) == []
            assert not woken
            answer = town.ask("/v1/webhooks/desk/enable")
        finally:
            town.context.webhooks = None
        assert answer.status_code == 200
        assert (answer.json()["name"], answer.json()["disabled_at"]) == ("desk", None)
        assert not deliveries.is_disabled("desk")
        assert said(town) == [("webhook.enable", "desk")]
        assert len(woken) == 1


def test_what_cannot_be_written_down_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise database.StoreError("the disk is full")

    def never(*_: object, **__: object) -> None:
        raise AssertionError("it was done")

    with served(tmp_path) as town:
        town.service.store.deliveries.configure(["desk"], NOW)
        monkeypatch.setattr(town.service.store.audit, "append", refuse)
        for name in ("requeue", "enable"):
            monkeypatch.setattr(town.service.store.deliveries, name, never)
        monkeypatch.setattr(persons_module, "erase", never)
        for path, body in (
            ("/v1/dead-letters/requeue", {"webhook": "desk"}),
            ("/v1/webhooks/desk/enable", {}),
            ("/v1/persons/erase", {"number": VICTIM}),
            ("/v1/persons/export", {"number": VICTIM}),
        ):
            assert town.ask(path, **body).status_code == 503, path


def test_a_person_is_a_number_unless_a_name_is_meant(tmp_path: Path) -> None:
    with served(tmp_path) as town:
        for what in ("export", "erase"):
            refused = town.ask(f"/v1/persons/{what}", number="Zhang")
            assert refused.status_code == 422
            assert "no telephone number" in refused.text
            assert said(town) == []
        assert town.ask("/v1/persons/erase", number="Zhang", name=True).status_code == 200
        assert town.ask("/v1/persons/erase", number="10086").status_code == 200
        assert town.ask("/v1/persons/export", number=VICTIM).status_code == 200
        assert [what for what, _ in said(town)] == ["person.erase", "person.erase", "person.export"]


# --- the feed -----------------------------------------------------------------------------------------------------------


def events_of(
    town: Served, enough: Callable[[list[dict[str, Any]]], bool], **headers: str
) -> list[dict[str, Any]]:
    """Events of the stream until there are enough."""
    found: list[dict[str, Any]] = []
    path, headers = "/v1/stream?since=0", {**town.all, **headers}
    with (
        httpx.Client(base_url=town.client.base_url, timeout=20, trust_env=False) as client,
        client.stream("GET", path, headers=headers) as answer,
    ):
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        known: dict[str, Any] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if line == "" and "data" in known:
                found.append({**known, "data": json.loads(known["data"])})
                known = {}
                if enough(found):
                    return found
            elif name:
                known[name] = value
    return found


def test_the_feed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with served(tmp_path) as town:
        victims = [f"+861380000010{n}" for n in range(4)]
        for victim in victims:
            for row in told_live(list(flood(victim, BEGIN + int(victim[-1]) * 3600 * SECOND))):
                answer = town.post([row])
        town.settle(answer)

        def all_raised(found: list[dict[str, Any]]) -> bool:
            return [one["event"] for one in found].count("alert.raised") == len(victims)

        whole = events_of(town, all_raised)
        ids = [int(one["id"]) for one in whole]
        assert ids == sorted(set(ids))
        assert len({one["data"]["id"] for one in whole}) == len(whole)
        raised = [one["data"]["alert"]["subject"] for one in whole if one["event"] == "alert.raised"]
        assert raised == victims
        for place, one in enumerate(whole[:-1]):
            rest = events_of(
                town, lambda found: int(found[-1]["id"]) >= ids[-1], **{"Last-Event-ID": one["id"]}
            )
            assert [each["id"] for each in rest] == [str(n) for n in ids[place + 1 :]]


def test_a_listener_that_goes_is_forgotten_and_one_that_stays_is_told_at_once(tmp_path: Path) -> None:
    with served(tmp_path) as town:
        found: list[dict[str, Any]] = []
        listening = threading.Thread(target=lambda: found.extend(events_of(town, bool)))
        listening.start()
        assert until(lambda: len(town.context.wakers) == 1)
        with httpx.Client(base_url=town.client.base_url, trust_env=False) as other:
            for row in told_live(list(flood())):
                answer = other.post("/v1/events", content=ndjson([row]), headers={**town.all, **NDJSON})
        town.settle(answer)
        listening.join(20)
        assert [one["event"] for one in found] == ["alert.raised"]
        assert until(lambda: not town.context.wakers)


def test_open_streams_do_not_keep_it_from_stopping(tmp_path: Path) -> None:
    with served(tmp_path) as town:
        ended = threading.Event()

        def listen() -> None:
            events_of(town, lambda _: False)
            ended.set()

        listening = threading.Thread(target=listen)
        listening.start()
        assert until(lambda: len(town.context.wakers) == 1)
    assert ended.wait(20)
    listening.join()


# --- figures ------------------------------------------------------------------------------------------------------------


def test_the_figures_can_be_read_and_hold_nobody(town: Served) -> None:
    text = town.get("/metrics").text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["ringfence_calls_judged"].samples[0].value > 10
    (alerts,) = families["ringfence_alerts"].samples
    assert (alerts.labels, alerts.value) == ({"kind": "flood", "status": "new"}, 1)
    digits = {VICTIM, FRIEND, *(row["caller"] for row in flood())}
    for path in ("/metrics", "/v1/status", "/healthz"):
        shown = town.get(path).text
        assert not [number for number in digits if number[3:] in shown], path
