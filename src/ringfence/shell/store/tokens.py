"""Tokens of the API: made, shown once, recognised, revoked.

A token is 256 random bits. Only its SHA-256 is kept. A slow hash such as Argon2 is for secrets that people think up: it makes
each guess dear. Here there is nothing to guess (2^256), and every request would pay for it.
"""

import hashlib
import hmac
import re
import secrets
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from ringfence.shell.store.database import Database, StoreError, bounded
from ringfence.shell.store.redact import strings_with_a_number
from ringfence.shell.store.schema import TOKENS

SCOPES: Final = {
    "alerts:read": "alerts, the feed of events",
    "alerts:write": "say what an alert is: acknowledge, confirm, close, not an attack",
    "events:write": "hand in calls, texts and transfers",
    "numbers:read": "what is known of a number, and a person's records",
    "screen": "ask for the verdict on a call that is arriving",
    "influence": "the bank's question: is this customer on the line with a swindler",
    "admin": "webhooks, dead letters, exporting and erasing a person",
    "metrics": "figures of operation",
}
"""What a token may do. None contains another one."""
BEGINNING: Final = 8
"""Characters of a token that are kept to recognise it by; the other 38 (226 bits) are not."""

_PREFIX: Final = "rf_"
_SECRET: Final = re.compile(r"rf_[\w-]{43}", re.ASCII)
_NAME: Final = re.compile(r"[\w.@-]{1,64}")
_HOUR: Final = 3_600_000_000
_REMEMBERED_US: Final = 5_000_000
_MOST_REMEMBERED: Final = 1024


class TokenError(ValueError):
    """A token cannot be made or revoked as asked: one line, why."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and what that one may do."""

    name: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token. Times in µs; `used_at` to the hour."""

    name: str
    beginning: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    used_at: int | None


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    expires_at: int | None
    until: int  # µs: then the database is asked again


class Tokens:
    """The tokens of a database. A revocation by another process is seen within five seconds, one by this process at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def create(self, name: str, scopes: Iterable[str], *, at: int, expires_at: int | None = None) -> str:
        """Make a token.

        Args:
            name: who it is for; stands in the audit log, so it is never given twice.
            scopes: of `SCOPES`.
            at: µs since 1970, UTC.
            expires_at: µs, None: it does not expire.

        Returns:
            The token, this once.

        Raises:
            TokenError: the name is taken or unfit, a scope does not exist, it would have expired.
            StoreError: it could not be written.
        """
        wanted = _wanted(name, scopes, at, expires_at)
        secret = _PREFIX + secrets.token_urlsafe(32)
        with self._database.writing() as connection:
            _refuse_taken(connection, name)
            connection.execute(
                TOKENS.insert().values(
                    name=name,
                    digest=_digest(secret),
                    beginning=secret[:BEGINNING],
                    scopes=" ".join(wanted),
                    created_at=at,
                    expires_at=None if expires_at is None else bounded(expires_at),
                )
            )
        return secret

    def may_create(self, name: str, scopes: Iterable[str], *, at: int, expires_at: int | None = None) -> None:
        """Whether `create` would make a token of this, to be asked before it is written down that one is made.

        Raises:
            TokenError: it would not.
            StoreError: the database cannot be read.
        """
        _wanted(name, scopes, at, expires_at)
        with self._database.reading() as connection:
            _refuse_taken(connection, name)

    def check(self, secret: str, now: int) -> Principal | None:
        """Whose token this is.

        Args:
            secret: as it came in.
            now: µs since 1970, UTC.

        Returns:
            None: nobody's, or not valid any more.

        Raises:
            StoreError: the database cannot be read.
        """
        if not _SECRET.fullmatch(secret):
            return None
        found = self.remembered(secret, now)
        return found or _valid(self._look_up(_digest(secret), now), now)

    def remembered(self, secret: str, now: int) -> Principal | None:
        """The same without looking into the database: None where it would have to be asked."""
        known = self._remembered.get(_digest(secret))
        if known is None or not now < known.until <= now + _REMEMBERED_US:
            return None
        return _valid(known, now)

    def revoke(self, name: str, at: int) -> None:
        """Make a token worthless.

        Raises:
            TokenError: there is none of this name that is valid.
        """
        valid = (TOKENS.c.name == name) & TOKENS.c.revoked_at.is_(None)
        with self._database.writing() as connection:
            if not connection.execute(TOKENS.update().where(valid).values(revoked_at=at)).rowcount:
                raise TokenError(f"there is no token {name} to revoke")
        self._forget()

    def may_revoke(self, name: str) -> None:
        """Whether `revoke` would find a token, to be asked before it is written down that it is revoked.

        Raises:
            TokenError: it would not.
            StoreError: the database cannot be read.
        """
        valid = (TOKENS.c.name == name) & TOKENS.c.revoked_at.is_(None)
        with self._database.reading() as connection:
            if connection.scalar(select(TOKENS.c.name).where(valid)) is None:
                raise TokenError(f"there is no token {name} to revoke")

    def list(self) -> list[Token]:
        """All tokens that ever were, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(TOKENS).order_by(TOKENS.c.created_at, TOKENS.c.name)).all()
        return [
            Token(row.name, row.beginning, tuple(row.scopes.split()), row.created_at, row.expires_at, row.revoked_at,
                  row.used_at)
            for row in rows
        ]  # fmt: skip

    def _look_up(self, digest: str, now: int) -> _Known | None:
        # The index leaks by time at most how a digest begins, and nobody can choose a digest; the last step compares anyway.
        with self._database.reading() as connection:
            row: Any = connection.execute(select(TOKENS).where(TOKENS.c.digest == digest)).one_or_none()
        if row is None or row.revoked_at is not None or not hmac.compare_digest(row.digest, digest):
            with self._lock:
                self._remembered.pop(digest, None)
            return None
        if row.used_at is None or row.used_at // _HOUR != now // _HOUR:
            self._note_use(row.name, now)
        known = _Known(
            Principal(row.name, frozenset(row.scopes.split())), row.expires_at, now + _REMEMBERED_US
        )
        with self._lock:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[digest] = known
        return known

    def _note_use(self, name: str, now: int) -> None:
        # a full disk must not lock out whoever comes to see why
        with suppress(StoreError), self._database.writing() as connection:
            connection.execute(TOKENS.update().where(TOKENS.c.name == name).values(used_at=now - now % _HOUR))

    def _forget(self) -> None:
        with self._lock:
            self._remembered.clear()


def _valid(known: _Known | None, now: int) -> Principal | None:
    if known is None or (known.expires_at is not None and known.expires_at <= now):
        return None
    return known.principal


def _wanted(name: str, scopes: Iterable[str], at: int, expires_at: int | None) -> list[str]:
    """The scopes of a new token, if it may be one by itself."""
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        what = f"there is no scope {unknown[0]}" if unknown else "a token needs a scope"
        raise TokenError(f"{what}; there are {', '.join(SCOPES)}")
    if not _NAME.fullmatch(name) or strings_with_a_number(name):
        raise TokenError(
            "the name must be 1 to 64 letters, digits or one of . _ - @, and no telephone number"
        )
    if expires_at is not None and expires_at <= at:
        raise TokenError("the token would have expired already")
    return wanted


def _refuse_taken(connection: Connection, name: str) -> None:
    if connection.scalar(select(TOKENS.c.name).where(TOKENS.c.name == name)) is not None:
        raise TokenError(f"there is or was a token {name}; the audit log needs names that are given once")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
