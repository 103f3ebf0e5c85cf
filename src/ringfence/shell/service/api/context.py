"""What every request may use, and whether it may: tokens with scopes, limits, the audit log."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ringfence.detect.screening import Screen
from ringfence.shell.service.limits import Limits
from ringfence.shell.service.running import Kept
from ringfence.shell.service.service import Service
from ringfence.shell.service.webhooks import Webhooks
from ringfence.shell.store.audit import Access
from ringfence.shell.store.tokens import SCOPES, Principal

BEARER: Final = HTTPBearer(auto_error=False, description="A token of `ringfence token create`.")
MOST_ANSWERS: Final = 10_000
NOBODY: Final = Principal("demo", frozenset(SCOPES))
"""Who asks where the desk is open without a token: only `--demo`, only on a loopback address."""


@dataclass(slots=True)
class Context:
    """What the application holds.

    Attributes:
        service: journal, pipeline, stores.
        screen: answers for calls that are arriving.
        webhooks: the sender; None: there are none.
        requests, rows: limits for each token.
        is_open: nobody needs a token.
        timezone: of the network, for what people are shown.
        closing: the service is stopping; open streams are to end.
        wakers: told when events are in the store, one for each listener of the feed.
        sources: by name.
        answers: to the newest events with an idempotency key; a future: one is being answered.
    """

    service: Service
    screen: Screen
    webhooks: Webhooks | None = None
    requests: Limits = field(default_factory=lambda: Limits(1000, 2000))
    rows: Limits = field(default_factory=lambda: Limits(100_000, 200_000))
    is_open: bool = False
    timezone: str = "UTC"
    closing: bool = False
    wakers: set[asyncio.Event] = field(default_factory=set)
    answers: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, Kept] = field(default_factory=dict)

    def wake(self) -> None:
        """Tell the listeners of the feed that there may be something new; from the application's loop."""
        for waker in self.wakers:
            waker.set()
        if self.webhooks is not None:
            self.webhooks.wake()

    def troubles(self) -> list[str]:
        """Why nothing comes of sources, one line each."""
        return [kept.trouble for kept in self.sources.values() if kept.trouble is not None]

    def remember(self, key: str, answer: dict[str, Any]) -> None:
        """Keep what was answered under an idempotency key, until the pipeline knows it too."""
        self.answers[key] = answer
        while len(self.answers) > MOST_ANSWERS:
            self.answers.pop(next(iter(self.answers)))

    async def audit(
        self, who: Principal, what: str, number: str | None = None, about: str | None = None
    ) -> None:
        """Write down that somebody looks at a person's records; only then they may be shown.

        Raises:
            StoreError: it could not be written.
        """
        access = Access(who.name, what, about, number)
        await asyncio.to_thread(self.service.store.audit.append, self.service.clock(), access)


async def context_of(request: Request) -> Context:
    """The context of the application (a coroutine though it awaits nothing: FastAPI hands functions to another thread)."""
    context: Context = request.app.state.context
    return context


Here = Annotated[Context, Depends(context_of)]


def needs(scope: str) -> Callable[..., Awaitable[Principal]]:
    """Who asks, if a token of theirs has the scope.

    Args:
        scope: of `SCOPES`.
    """

    async def principal(
        here: Here, given: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]
    ) -> Principal:
        found = NOBODY if here.is_open else None
        if given is not None:
            tokens, now = here.service.store.tokens, here.service.clock()
            found = tokens.remembered(given.credentials, now)
            if found is None:  # the database may have to be waited for, and nobody else with it
                found = await asyncio.to_thread(tokens.check, given.credentials, now)
        if found is None:
            raise HTTPException(401, "a valid token is needed", {"WWW-Authenticate": "Bearer"})
        if scope not in found.scopes:
            raise HTTPException(403, f"the token lacks the scope {scope}")
        wait = here.requests.take(found.name, time.monotonic())
        if wait:
            raise HTTPException(429, "too many requests", {"Retry-After": str(int(wait) + 1)})
        return found

    return principal


_WRONG: Final = {
    "type": "object",
    "required": ["where", "why"],
    "properties": {
        "where": {"type": "array", "items": {"type": "string"}},
        "why": {"type": "string"},
    },
}
_REFUSAL: Final = {
    "type": "object",
    "required": ["detail"],
    "properties": {"detail": {"anyOf": [{"type": "string"}, {"type": "array", "items": _WRONG}]}},
}


def refused(why: str) -> dict[str, Any]:
    """An answer of that kind, as the document of the API tells of it."""
    return {"description": why, "content": {"application/json": {"schema": _REFUSAL}}}


ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    400: refused("The request cannot be read."),
    401: refused("There is no valid token."),
    403: refused("The token lacks the scope."),
    413: refused("The body is too large."),
    422: refused("What is asked for makes no sense."),
    429: refused("Too many requests; `Retry-After` says for how long."),
    503: refused("The disk takes nothing at present; to be tried again."),
    504: refused("It took too long."),
}
"""What every route may answer beside its own."""
