"""Webhooks: what waits in the outbox is sent, until it has arrived or is given up.

Every endpoint has a line of its own, with its own connections and its own pauses: one that is slow or dead delays nobody else.
An event counts as delivered when the endpoint has said so and that is written down; whoever is killed in between sends it
again, under the same id.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import httpx

from ringfence.channels.channel import Event, channels
from ringfence.channels.webhook import headers
from ringfence.shell.service.endpoints import (
    GONE,
    REFUSALS,
    SECOND,
    Answer,
    Endpoint,
    EndpointError,
    asked_pause_s,
    pause_s,
)
from ringfence.shell.store.database import StoreError
from ringfence.shell.store.deliveries import Deliveries, Due

MOST_OF_AN_ANSWER: Final = 64 * 1024
"""Bytes of an answer that are read; nothing in them matters, but a connection can be used again only when they are."""

_LOOKS_S: Final = 5.0  # the longest a line sleeps without looking, should nobody wake it
_SHORTEST_S: Final = 0.01
_AGAIN_S: Final = 1.0  # after the store has failed

Say = Callable[[str, str], None]


@dataclass(slots=True)
class Figures:
    """Of one endpoint since the start.

    Attributes:
        delivered, failed: requests.
        failures: in a row, 0: the last one arrived; `why` the last did not.
        trouble: what is wrong with the store, "": nothing.
    """

    delivered: int = 0
    failed: int = 0
    failures: int = 0
    why: str = ""
    trouble: str = ""


class Webhooks:
    """The sender.

    Args:
        deliveries: of the store.
        endpoints: who is told.
        now: the clock, µs since 1970.
        chance: gives 0 to 1, for the pauses.
        say: is called with an endpoint's name and one line when something changes that an operator should know.

    Raises:
        EndpointError: the certificates of an endpoint cannot be read, or two have one name.
    """

    def __init__(
        self,
        deliveries: Deliveries,
        endpoints: Iterable[Endpoint],
        *,
        now: Callable[[], int],
        chance: Callable[[], float],
        say: Say = lambda _name, _line: None,
    ) -> None:
        self._deliveries = deliveries
        self._now = now
        self._lines: dict[str, _Line] = {}
        for endpoint in endpoints:
            if endpoint.name in self._lines:
                raise EndpointError(f"webhook {endpoint.name}: there are two of this name")
            self._lines[endpoint.name] = _Line(deliveries, endpoint, now, chance, say)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Send until cancelled."""
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            for line in self._lines.values():
                group.create_task(line.run())

    def configure(self) -> None:
        """Have the store know the endpoints: what happens from now on is for them. To be called before anything happens.

        Raises:
            StoreError: it could not be written.
        """
        self._deliveries.configure(list(self._lines), self._now())

    def wake(self) -> None:
        """Something new may be due. May be called from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for line in self._lines.values():
            line.woken.set()

    def figures(self) -> dict[str, Figures]:
        """How the endpoints do, by name."""
        return {name: line.figures for name, line in self._lines.items()}


class _Line:
    """One endpoint."""

    def __init__(
        self,
        deliveries: Deliveries,
        endpoint: Endpoint,
        now: Callable[[], int],
        chance: Callable[[], float],
        say: Say,
    ) -> None:
        self._deliveries = deliveries
        self._endpoint = endpoint
        self._channel = channels()[endpoint.channel]
        self._types = endpoint.types & set(self._channel.TELLS)
        self._now = now
        self._chance = chance
        self._say = say
        self._trusted = _trusted(endpoint)
        self._in_flight: set[int] = set()
        self._paused_until = 0
        self.woken = asyncio.Event()
        self.figures = Figures()

    async def run(self) -> None:
        async with self._client() as client, asyncio.TaskGroup() as group:
            while True:
                self.woken.clear()
                try:
                    due, next_at = await asyncio.to_thread(self._look, frozenset(self._in_flight))
                except StoreError as error:
                    self.figures.trouble = str(error)
                    await self._sleep(_AGAIN_S)
                    continue
                self.figures.trouble = ""
                for each in due:
                    self._in_flight.add(each.event.id)
                    group.create_task(self._send(client, each))
                await self._sleep(_LOOKS_S if next_at is None else (next_at - self._now()) / SECOND)

    def _client(self) -> httpx.AsyncClient:
        endpoint = self._endpoint
        return httpx.AsyncClient(
            verify=self._trusted,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(endpoint.answer_s, connect=endpoint.connect_s),
            limits=httpx.Limits(max_connections=endpoint.concurrency),
        )

    async def _sleep(self, seconds: float) -> None:
        # not `wait_for`: until Python 3.12 it loses a cancellation that comes together with what it waits for
        with suppress(TimeoutError):
            async with asyncio.timeout(min(max(seconds, _SHORTEST_S), _LOOKS_S)):
                await self.woken.wait()

    def _look(self, in_flight: frozenset[int]) -> tuple[list[Due], int | None]:
        """What may be sent now, and when there may be more, µs.

        Args:
            in_flight: places of what was in flight before anything is read here: it may arrive meanwhile, and what was read
                would be out of date.
        """
        endpoint, now = self._endpoint, self._now()
        more = True
        while more:
            more = self._deliveries.enlist(
                endpoint.name,
                types=self._types,
                kinds=endpoint.kinds,
                least=endpoint.least,
                now=now,
                most=endpoint.backlog,
                longest=int(endpoint.max_age_s * SECOND),
            )
        # one that fails is asked for one event at a time, until something arrives
        places = (1 if self.figures.failures else endpoint.concurrency) - len(in_flight)
        if places <= 0 or self._deliveries.is_disabled(endpoint.name):
            return [], None
        if now < self._paused_until:
            return [], self._paused_until
        found = self._deliveries.due(endpoint.name, now, places + len(in_flight))
        due = [each for each in found if each.event.id not in in_flight]
        return due[:places], self._deliveries.next_at(endpoint.name, now)

    async def _send(self, client: httpx.AsyncClient, due: Due) -> None:
        try:
            answer = await self._ask(client, due)
            self._learn(answer)
            await self._record(due, answer)
        finally:
            self._in_flight.discard(due.event.id)
            self.woken.set()

    async def _ask(self, client: httpx.AsyncClient, due: Due) -> Answer:
        endpoint, stored = self._endpoint, due.event
        event = Event(stored.event_id, stored.type, stored.at, stored.alert)
        payload = self._channel.body(event)
        given = headers(event, payload, self._channel.CONTENT_TYPE, endpoint.secrets, self._now() // SECOND)
        answer: Answer | None = None
        try:
            async with (
                asyncio.timeout(endpoint.answer_s),
                client.stream("POST", endpoint.url, content=payload, headers=given) as response,
            ):
                answer = Answer(response.status_code, retry_after=response.headers.get("Retry-After"))
                await _drain(response)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, ValueError) as error:
            # once there was a status, nothing that happens to the rest of the answer matters
            return answer or Answer(None, _in_words(error))
        return answer

    def _learn(self, answer: Answer) -> None:
        figures, name = self.figures, self._endpoint.name
        if answer.arrived:
            if figures.failures:
                self._say(name, f"takes events again, after {figures.failures} failures")
            figures.delivered += 1
            figures.failures, figures.why = 0, ""
            self._paused_until = 0
            return
        figures.failed += 1
        figures.failures += 1
        if answer.why != figures.why:
            self._say(name, f"does not take events: {answer.why}")
        figures.why = answer.why
        pause = max(pause_s(figures.failures, self._chance), asked_pause_s(answer, self._now()))
        self._paused_until = self._now() + int(pause * SECOND)

    async def _record(self, due: Due, answer: Answer) -> None:
        """Write down what came of it, however long the store takes: until then it stays in flight and is not sent again."""
        while True:
            try:
                await asyncio.to_thread(self._write_down, due, answer)
            except StoreError as error:
                self.figures.trouble = str(error)
                await asyncio.sleep(_AGAIN_S)
            else:
                return

    def _write_down(self, due: Due, answer: Answer) -> None:
        name, place, now = self._endpoint.name, due.event.id, self._now()
        if answer.arrived:
            self._deliveries.delivered(name, place, status=answer.status or 0, now=now)
            return
        if answer.status == GONE:
            self._deliveries.disable(name, "it answered that it is gone (HTTP 410)", now)
            next_at: int | None = now
        else:
            next_at = self._again_at(due, answer, now)
        self._deliveries.failed(name, place, error=answer.why, status=answer.status, next_at=next_at)

    def _again_at(self, due: Due, answer: Answer, now: int) -> int | None:
        """When to try again, µs; None: never."""
        attempts = due.attempts + 1
        most = (
            min(REFUSALS, self._endpoint.max_attempts) if answer.is_refused else self._endpoint.max_attempts
        )
        pause = max(pause_s(attempts, self._chance), asked_pause_s(answer, now))
        again = now + int(pause * SECOND)
        too_late = due.since + int(self._endpoint.max_age_s * SECOND)
        return None if attempts >= most or again > too_late else again


def _trusted(endpoint: Endpoint) -> ssl.SSLContext | bool:
    if not endpoint.url.lower().startswith("https"):
        return False
    try:
        return ssl.create_default_context(cafile=str(endpoint.ca_file) if endpoint.ca_file else None)
    except OSError as error:  # ssl.SSLError is one
        raise EndpointError(
            f"webhook {endpoint.name}: {endpoint.ca_file}: cannot be read as certificates (PEM)"
        ) from error


async def _drain(response: httpx.Response) -> None:
    read = 0
    async for piece in response.aiter_raw():
        read += len(piece)
        if read >= MOST_OF_AN_ANSWER:
            return


def _in_words(error: Exception) -> str:
    """What went wrong, without what the error says: that may hold addresses."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "its certificate is not trusted"
        if isinstance(cause, ssl.SSLError):
            return "TLS failed"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return "no answer in time"
    if isinstance(error, httpx.ConnectError):
        return "no connection"
    return "the connection broke" if isinstance(error, httpx.NetworkError) else "no answer that is HTTP"
