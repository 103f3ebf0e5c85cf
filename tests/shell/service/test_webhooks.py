# ruff: noqa: SIM117 - a server and what sends to it are two things
"""Webhooks against real servers: slow, dead, flapping, wrong; restarted and killed. What happened arrives, in order."""

import asyncio
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial, wraps
from pathlib import Path
from typing import Any

import pytest
from tests.shell.service.certificates import certificate as make_certificate
from tests.shell.service.receiver import Receiver, Request, receiving
from tests.shell.store.making import T0, alert, change

from ringfence.channels.webhook import verify
from ringfence.shell.service.endpoints import REFUSALS, SECOND, Endpoint
from ringfence.shell.service.webhooks import MOST_OF_AN_ANSWER, Webhooks
from ringfence.shell.store.database import StoreError
from ringfence.shell.store.store import Store

SECRET = "a secret of sixteen"
PATIENCE_S = 30  # a test that waits for longer has failed


class Clock:
    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "data") as one:
        yield one


def runs(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        async def patiently() -> None:
            async with asyncio.timeout(2 * PATIENCE_S):
                await test(*args, **kwargs)

        asyncio.run(patiently())

    return run


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@asynccontextmanager
async def sending(
    store: Store,
    *endpoints: Endpoint,
    clock: Callable[[], int] | None = None,
    chance: float = 0.0,
    said: list[str] | None = None,
) -> AsyncIterator[Webhooks]:
    def say(name: str, line: str) -> None:
        if said is not None:
            said.append(f"{name} {line}")

    webhooks = Webhooks(store.deliveries, endpoints, now=clock or Clock(), chance=lambda: chance, say=say)
    webhooks.configure()
    task = asyncio.create_task(webhooks.run())
    try:
        yield webhooks
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - conditions lie in threads, files and other processes
            await asyncio.sleep(0.005)


def happen(store: Store, events: int, subjects: int = 3) -> list[str]:
    """Events about some subjects in turn; their ids."""
    seq = store.alerts.applied_seq + 1
    changes = [change(alert(n % subjects), "changed", seq * 10_000 + n + 1) for n in range(events)]
    store.alerts.apply(seq, changes)
    return [each.event_id for each in changes]


def _has(receiver: Receiver, events: int) -> bool:
    return len(receiver.arrived) >= events


def pending(store: Store) -> int:
    return sum(each.pending + each.unread for each in store.deliveries.standing())


def in_order(ids: list[str], expected: list[str]) -> None:
    """Everything arrived; about each subject in order, but for repetitions."""
    first = list(dict.fromkeys(ids))
    assert sorted(first) == sorted(expected)
    for subject in {each.split(":")[0] for each in expected}:
        assert [each for each in first if each.startswith(subject)] == [
            each for each in expected if each.startswith(subject)
        ]


@runs
async def test_events_arrive_once_signed_and_in_order(store: Store) -> None:
    clock = Clock()
    async with receiving(Receiver()) as receiver:
        async with sending(store, Endpoint("w", receiver.url, (SECRET,)), clock=clock) as webhooks:
            expected = happen(store, 30)
            webhooks.wake()
            await until(lambda: pending(store) == 0 and len(receiver.arrived) == 30)
            assert webhooks.figures()["w"].delivered == 30
    in_order(receiver.arrived, expected)
    assert len(receiver.requests) == 30
    request = receiver.requests[0]
    assert verify(request.headers["ringfence-signature"], request.body, [SECRET], T0 // SECOND)
    assert request.event["id"] == request.id
    assert request.event["alert"]["kind"] == "flood"
    assert request.headers["content-type"] == "application/json"


@runs
async def test_one_that_hangs_delays_nobody_else(store: Store) -> None:
    async def hang(_: Request) -> int:
        await asyncio.sleep(3600)
        return 204

    async with receiving(Receiver(hang)) as slow, receiving(Receiver()) as quick:
        endpoints = [Endpoint("slow", slow.url, answer_s=3600, concurrency=2), Endpoint("quick", quick.url)]
        async with sending(store, *endpoints) as webhooks:
            expected = happen(store, 40, subjects=10)
            webhooks.wake()
            await until(lambda: len(quick.arrived) == 40)
            await until(lambda: len(slow.requests) == 2)
    in_order(quick.arrived, expected)
    assert len(slow.requests) == 2, "and at most as many requests hang as were allowed"
    assert {each.name: each.pending for each in store.deliveries.standing()}["slow"] == 40


@runs
async def test_one_that_answers_too_late(store: Store) -> None:
    slow = True

    async def answer(_: Request) -> int:
        await asyncio.sleep(3600 if slow else 0)
        return 204

    async with receiving(Receiver(answer)) as receiver:
        async with sending(store, Endpoint("w", receiver.url, answer_s=0.05)) as webhooks:
            happen(store, 2)
            webhooks.wake()
            await until(lambda: webhooks.figures()["w"].failures >= 3)
            assert webhooks.figures()["w"].why == "no answer in time"
            slow = False
            await until(lambda: pending(store) == 0)


@runs
async def test_one_that_is_dead_and_comes_back(store: Store) -> None:
    said: list[str] = []
    receiver = Receiver(port=free_port())
    async with sending(store, Endpoint("w", receiver.url), said=said) as webhooks:
        expected = happen(store, 12)
        webhooks.wake()
        await until(lambda: webhooks.figures()["w"].failures >= 5)
        assert webhooks.figures()["w"].why == "no connection"
        async with receiving(receiver):
            await until(lambda: pending(store) == 0 and len(receiver.arrived) >= 12)
    in_order(receiver.arrived, expected)
    assert said[0] == "w does not take events: no connection"
    assert said[-1].startswith("w takes events again, after ")
    assert len(said) <= 4, "not a line for each try"


@runs
async def test_one_that_flaps(store: Store) -> None:
    chance = random.Random(5)

    def answer(_: Request) -> int | bytes:
        answers: list[int | bytes] = [204, 200, 500, 502, 429, 408, b"", b"HTTP/1.1 2", b"nonsense\r\n\r\n"]
        return chance.choice(answers)

    async with receiving(Receiver(answer)) as receiver:
        async with sending(store, Endpoint("w", receiver.url)) as webhooks:
            expected = happen(store, 24, subjects=5)
            webhooks.wake()
            await until(lambda: pending(store) == 0)
        in_order(receiver.arrived, expected)
    assert store.deliveries.dead_letters() == []
    assert len(receiver.arrived) == 24, "what was answered with 2xx is not sent again"


@runs
async def test_what_a_receiver_refuses_does_not_hold_up_its_subject_for_ever(store: Store) -> None:
    refused = happen(store, 1)[0]
    store.deliveries.configure([], T0)

    async with receiving(Receiver(lambda request: 422 if request.id == bad else 204)) as receiver:
        async with sending(store, Endpoint("w", receiver.url)) as webhooks:
            expected = happen(store, 4, subjects=1)
            bad = expected[0]
            webhooks.wake()
            await until(lambda: pending(store) == 0 and len(receiver.arrived) == 3)
            (letter,) = store.deliveries.dead_letters()
            assert (letter.event_id, letter.attempts, letter.error) == (bad, REFUSALS, "HTTP 422")
            assert receiver.arrived == expected[1:]
            bad = ""
            assert store.deliveries.requeue("w", letter.place, now=T0) == 1
            webhooks.wake()
            await until(lambda: pending(store) == 0 and len(receiver.arrived) == 4)
    assert refused not in [request.id for request in receiver.requests], (
        "what was before the webhook is not its"
    )


@runs
async def test_too_many_tries(store: Store) -> None:
    async with receiving(Receiver(lambda _: 500)) as receiver:
        async with sending(store, Endpoint("w", receiver.url, max_attempts=3)) as webhooks:
            happen(store, 1)
            webhooks.wake()
            await until(store.deliveries.dead_letters)
            await until(lambda: pending(store) == 0)
    assert len(receiver.requests) == 3
    assert store.deliveries.dead_letters()[0].status == 500


@runs
async def test_too_much_waits(store: Store) -> None:
    async with sending(store, Endpoint("w", f"http://127.0.0.1:{free_port()}/", backlog=5)) as webhooks:
        happen(store, 12, subjects=12)
        webhooks.wake()
        await until(lambda: pending(store) == 5)
    (standing,) = store.deliveries.standing()
    assert (standing.dead, standing.overflowed) == (7, 7)


@runs
async def test_a_pause_that_is_asked_for_is_kept(store: Store) -> None:
    clock = Clock()
    busy = b"HTTP/1.1 503 X\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"
    async with receiving(Receiver(lambda _: busy if clock.now < T0 + 120 * SECOND else 204)) as receiver:
        async with sending(store, Endpoint("w", receiver.url), clock=clock) as webhooks:
            happen(store, 1)
            webhooks.wake()
            await until(lambda: webhooks.figures()["w"].failures == 1)
            clock.now += 119 * SECOND
            for _ in range(20):
                webhooks.wake()
                await asyncio.sleep(0.005)
            assert len(receiver.requests) == 1
            clock.now += SECOND
            webhooks.wake()
            await until(lambda: pending(store) == 0)
    assert len(receiver.requests) == 2


@runs
async def test_one_that_is_gone_is_disabled_until_somebody_enables_it(store: Store) -> None:
    gone = True
    async with receiving(Receiver(lambda _: 410 if gone else 204)) as receiver:
        async with sending(store, Endpoint("w", receiver.url)) as webhooks:
            expected = happen(store, 3, subjects=1)
            webhooks.wake()
            await until(lambda: store.deliveries.is_disabled("w") and webhooks.figures()["w"].failures)
            (standing,) = store.deliveries.standing()
            assert "410" in str(standing.disabled_why)
            for _ in range(20):
                webhooks.wake()
                await asyncio.sleep(0.005)
            assert len(receiver.requests) == 1
            gone = False
            store.deliveries.enable("w")
            webhooks.wake()
            await until(lambda: pending(store) == 0)
    assert receiver.arrived == expected


@runs
async def test_redirects_are_not_followed(store: Store) -> None:
    async with receiving(Receiver()) as inside:
        there = f"HTTP/1.1 307 X\r\nLocation: {inside.url}\r\nContent-Length: 0\r\n\r\n".encode()
        async with receiving(Receiver(lambda _: there)) as receiver:
            async with sending(store, Endpoint("w", receiver.url, max_attempts=2)) as webhooks:
                happen(store, 1)
                webhooks.wake()
                await until(store.deliveries.dead_letters)
    assert inside.requests == []
    assert store.deliveries.dead_letters()[0].error == "HTTP 307"


@runs
async def test_an_answer_without_end_is_not_read_to_its_end(store: Store) -> None:
    """Whoever says 2xx and then talks on has the event; nobody listens."""
    sent = 0

    class Talker(Receiver):
        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
            with suppress(ConnectionError):
                while True:
                    writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                    await writer.drain()
                    sent += 65536
            writer.close()

    async with receiving(Talker()) as receiver, sending(store, Endpoint("w", receiver.url)) as webhooks:
        happen(store, 1)
        webhooks.wake()
        await until(lambda: pending(store) == 0)
        assert webhooks.figures()["w"].delivered == 1
    assert sent < 500 * MOST_OF_AN_ANSWER, "no more than what the buffers of the system take"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    make_certificate(folder)
    return folder


@runs
async def test_a_certificate_that_nobody_vouches_for(store: Store, certificate: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    async with receiving(Receiver(tls=True), context) as receiver:
        stranger = Endpoint("stranger", receiver.url, max_attempts=2)
        known = Endpoint("known", receiver.url, ca_file=certificate / "cert.pem")
        async with sending(store, stranger, known) as webhooks:
            expected = happen(store, 3, subjects=1)
            webhooks.wake()
            await until(lambda: pending(store) == 0)
    assert receiver.arrived == expected, "through the one that knows it, and only once"
    assert {letter.error for letter in store.deliveries.dead_letters()} == {"its certificate is not trusted"}


@runs
async def test_https_to_one_that_speaks_http(store: Store) -> None:
    class Plain(Receiver):
        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

    async with receiving(Plain(tls=True)) as receiver:
        async with sending(store, Endpoint("w", receiver.url, max_attempts=1)) as webhooks:
            happen(store, 1)
            webhooks.wake()
            await until(store.deliveries.dead_letters)
    assert store.deliveries.dead_letters()[0].error == "TLS failed"


@runs
async def test_clearip_is_told_only_what_it_has_a_form_for(store: Store) -> None:
    async with receiving(Receiver()) as receiver:
        async with sending(
            store, Endpoint("w", receiver.url, channel="clearip", kinds=frozenset({"flood"}))
        ) as webhooks:
            one = alert(1)
            store.alerts.apply(0, [change(one), change(one, "changed", 2), change(alert(2, kind="fraud_line")), change(one, "reopened", 3)])  # fmt: skip
            webhooks.wake()
            await until(lambda: len(receiver.arrived) == 2)
    assert [request.event["type"] for request in receiver.requests] == ["call-flood-by-called-number"] * 2


@runs
async def test_restarted_in_the_middle(store: Store) -> None:
    chance = random.Random(8)
    async with receiving(Receiver(lambda _: chance.choice([204, 500]))) as receiver:
        endpoint = Endpoint("w", receiver.url)
        async with sending(store, endpoint):
            pass
        expected = happen(store, 60, subjects=6)
        for part in (10, 25, 40):
            async with sending(store, endpoint):
                await until(partial(_has, receiver, part))
        async with sending(store, endpoint):
            await until(lambda: pending(store) == 0)
    in_order(receiver.arrived, expected)


@runs
async def test_what_arrived_and_could_not_be_written_down_is_sent_again_after_a_restart(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise StoreError("the disk is full", "full")

    async with receiving(Receiver()) as receiver:
        endpoint = Endpoint("w", receiver.url)
        with monkeypatch.context() as patched:
            patched.setattr(store.deliveries, "delivered", fail)
            async with sending(store, endpoint) as webhooks:
                (expected,) = happen(store, 1)
                webhooks.wake()
                await until(lambda: webhooks.figures()["w"].trouble == "the disk is full")
                for _ in range(20):
                    webhooks.wake()
                    await asyncio.sleep(0.005)
                assert receiver.arrived == [expected], "not again and again while the disk is full"
        async with sending(store, endpoint):
            await until(lambda: pending(store) == 0)
    assert receiver.arrived == [expected, expected]


SENDER = """
import asyncio, sys, time
from pathlib import Path
from ringfence.shell.service.endpoints import Endpoint
from ringfence.shell.service.webhooks import Webhooks
from ringfence.shell.store.store import Store
with Store.open(Path(sys.argv[1])) as store:
    endpoint = Endpoint("w", sys.argv[2])
    webhooks = Webhooks(store.deliveries, [endpoint], now=lambda: time.time_ns() // 1000, chance=lambda: 0.0)
    webhooks.configure()
    asyncio.run(webhooks.run())
"""


@runs
async def test_killed_between_the_answer_and_the_record(store: Store, tmp_path: Path) -> None:
    """Another process sends; it is killed at the moment at which a request has come in."""
    chance = random.Random(2)
    root = Path(__file__).parents[3]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(root / "src"), str(root)])}
    store.deliveries.configure(["w"], T0)
    expected = happen(store, 40, subjects=5)
    victim: subprocess.Popen[bytes] | None = None
    left = 0

    def answer(_: Request) -> int:
        nonlocal left
        left -= 1
        if left == 0 and victim is not None:
            os.kill(victim.pid, signal.SIGKILL)
        return 204

    async with receiving(Receiver(answer)) as receiver:
        for _ in range(2):
            left = chance.randrange(3, 14)
            victim = subprocess.Popen(  # noqa: ASYNC220 - nothing else goes on meanwhile
                [sys.executable, "-c", SENDER, str(tmp_path / "data"), receiver.url], env=environment
            )
            assert await asyncio.to_thread(victim.wait) == -signal.SIGKILL
        victim = None
        async with sending(store, Endpoint("w", receiver.url), clock=lambda: time.time_ns() // 1000):
            await until(lambda: pending(store) == 0)
    in_order(receiver.arrived, expected)
    assert len(receiver.arrived) > len(expected), "something was sent twice, under the same id"
