"""Webhooks as they are configured, what an answer means, and when to try again. Plain data; no socket is opened here."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ringfence.channels.channel import TYPES, channels

SECOND: Final = 1_000_000
"""µs."""
GONE: Final = 410
REFUSALS: Final = 12
"""How often a request is repeated that the receiver calls wrong: some minutes, for what it knows of one subject waits behind."""
_FIRST_S: Final = 1.0
_LONGEST_S: Final = 300.0
_LONGEST_ASKED_S: Final = 3600.0
_TOO_BUSY: Final = (429, 503)
_COME_AGAIN: Final = (408, 425, 429)


class EndpointError(ValueError):
    """A webhook is configured wrongly: one line, what and how it should be."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Somebody who wants to be told.

    Attributes:
        name: in the configuration, in figures and errors.
        url: http or https.
        secrets: that the body is signed with: one; two while it is being changed; none: not signed.
        channel: form of the body, the `NAME` of one in `channels/`.
        types: of events that are wanted; kinds: of alerts, empty: all; least: probability of an alert.
        concurrency: requests at once.
        connect_s: seconds for the connection; answer_s: for the whole request.
        max_attempts: then it is a dead letter; where the receiver refuses it (4xx), after `REFUSALS`.
        max_age_s: that an event may wait.
        backlog: events that may wait; beyond it the oldest become dead letters.
        ca_file: certificates that are trusted, None: those of the system.
    """

    name: str
    url: str
    secrets: tuple[str, ...] = ()
    channel: str = "ringfence"
    types: frozenset[str] = frozenset(TYPES)
    kinds: frozenset[str] = frozenset()
    least: float = 0.0
    concurrency: int = 4
    connect_s: float = 5.0
    answer_s: float = 15.0
    max_attempts: int = 2000
    max_age_s: float = 3 * 86_400.0
    backlog: int = 10_000
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        wrong = self._wrong()
        if wrong:
            raise EndpointError(f"webhook {self.name}: {wrong}")

    def _wrong(self) -> str | None:
        try:
            parts = urlsplit(self.url)
            is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            return "the url cannot be read"
        if not is_web:
            return "the url must begin with https:// (or http://) and name a host"
        if parts.username is not None or parts.password is not None:
            return "the url must hold no password; it would be logged. Requests are signed with `secrets`"
        if self.channel not in channels():
            return f"there is no channel {self.channel}; there are {', '.join(sorted(channels()))}"
        unknown = self.types - set(TYPES)
        if unknown:
            return f"there are no events {min(unknown)}; there are {', '.join(TYPES)}"
        if len(self.secrets) > 2 or any(len(secret) < 16 for secret in self.secrets):
            return "secrets: one, or two while it is being changed, each of at least 16 characters"
        if min(self.concurrency, self.max_attempts, self.backlog) < 1:
            return "concurrency, max_attempts and backlog must be at least 1"
        if min(self.connect_s, self.answer_s, self.max_age_s) <= 0:
            return "connect_s, answer_s and max_age_s must be above 0"
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request.

    Attributes:
        status: of HTTP, None: there was no answer.
        error: in words, without any number or address; None: the status says it.
        retry_after: what the receiver asks for.
    """

    status: int | None
    error: str | None = None
    retry_after: str | None = None

    @property
    def arrived(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def why(self) -> str:
        """Why it did not arrive."""
        return self.error or f"HTTP {self.status}"

    @property
    def is_refused(self) -> bool:
        """The receiver says that the request is wrong: to repeat it will hardly help."""
        return self.status is not None and 400 <= self.status < 500 and self.status not in _COME_AGAIN

    @property
    def is_busy(self) -> bool:
        """The receiver asks for a pause."""
        return self.status in _TOO_BUSY


def pause_s(failures: int, chance: Callable[[], float]) -> float:
    """Seconds until the next try: twice as long after each failure, and any part of it, so that not all come at once.

    Args:
        failures: in a row, from 1.
        chance: gives 0 to 1.
    """
    return chance() * min(_FIRST_S * 2.0 ** min(failures - 1, 30), _LONGEST_S)


def asked_pause_s(answer: Answer, now: int) -> float:
    """Seconds that an answer asks for with Retry-After (seconds or a date, RFC 9110, 10.2.3); at most an hour is granted.

    Args:
        answer: of the receiver.
        now: µs since 1970.
    """
    asked = (answer.retry_after or "").strip()
    if not answer.is_busy or not asked:
        return 0.0
    if asked.isascii() and asked.isdigit():
        return min(float(asked[:9]), _LONGEST_ASKED_S)
    try:
        then = parsedate_to_datetime(asked)
        then = then if then.tzinfo else then.replace(tzinfo=dt.UTC)
        pause = then.timestamp() - now / SECOND
    except (ValueError, OverflowError):  # a date in the year 99999999999
        return 0.0
    return min(max(pause, 0.0), _LONGEST_ASKED_S)
