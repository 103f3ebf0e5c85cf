"""Who sits at the desk: a session that a token has begun, and that ends with it.

The cookie names the token and is signed; the token itself is kept nowhere. A name is never given to two tokens, so the session is
worth what the token of that name is worth now: nothing, once it is revoked or has expired.
"""

import base64
import binascii
import hashlib
import hmac
import ipaddress
import json
import os
import secrets
import time
from collections import OrderedDict
from pathlib import Path
from typing import Final, Protocol

from ringfence.shell.service.api.context import NOBODY
from ringfence.shell.service.limits import Limits
from ringfence.shell.store.tokens import Principal, Tokens

COOKIE: Final = "ringfence_session"
LASTS_S: Final = 12 * 3600
SCOPE: Final = "alerts:read"
_KEY_BYTES: Final = 32
_REMEMBERED_S: Final = 5.0
_MOST_ENDED: Final = 10_000
_ATTEMPTS_EACH: Final = (0.1, 5.0)
"""Attempts to sign in from one address: a second for ever, and at once."""
_ATTEMPTS_ALL: Final = (2.0, 50.0)


class Door(Protocol):
    """Says who somebody is."""

    def principal(self, cookie: str | None) -> Principal | None:
        """Who has this cookie; None: nobody who may look."""


class OpenDoor:
    """Of the demonstration: everybody may look, on a loopback address only."""

    def principal(self, cookie: str | None) -> Principal | None:
        """Whoever asks."""
        del cookie
        return NOBODY


class Sessions:
    """Sessions begun with tokens.

    Args:
        key: that cookies are signed with.
        tokens: of the store.
        now: µs since 1970, UTC.
    """

    def __init__(self, key: bytes, tokens: Tokens, now: "Clock") -> None:
        self._key = key
        self._tokens = tokens
        self._now = now
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._valid: dict[str, tuple[Principal, int | None]] = {}
        self._read_at = -1e9
        self._each, self._all = Limits(*_ATTEMPTS_EACH), Limits(*_ATTEMPTS_ALL)

    def wait(self, address: str) -> float:
        """Seconds that somebody at an address must wait before an attempt to sign in; 0: this one counts."""
        now = time.monotonic()
        return max(self._each.take(_network(address), now), self._all.take("", now))

    def begin(self, token: str) -> str | None:
        """A cookie for a token; None: it is not valid, or may not look.

        Raises:
            StoreError: the store cannot be read.
        """
        who = self._tokens.check(token.strip(), self._now())
        if who is None or SCOPE not in who.scopes:
            return None
        self._read_at = -1e9  # the token may be new
        said = json.dumps([who.name, self._now() // 1_000_000, secrets.token_urlsafe(12)]).encode()
        return f"{_text(said)}.{_text(self._sign(said))}"

    def end(self, cookie: str | None) -> None:
        """Sign out: this cookie is worth nothing from now on."""
        if (read := self._read(cookie)) is not None:
            self._ended[read[2]] = None
            if len(self._ended) > _MOST_ENDED:
                self._ended.popitem(last=False)

    def principal(self, cookie: str | None) -> Principal | None:
        """Who has this cookie.

        Raises:
            StoreError: the store cannot be read.
        """
        read = self._read(cookie)
        if read is None:
            return None
        name, begun, nonce = read
        now = self._now()
        if nonce in self._ended or not 0 <= now // 1_000_000 - begun < LASTS_S:
            return None
        who, expires = self._tokens_now().get(name, (None, None))
        if who is None or SCOPE not in who.scopes or (expires is not None and expires <= now):
            return None
        return who

    def _tokens_now(self) -> dict[str, tuple[Principal, int | None]]:
        """Tokens that are not revoked, by name, as they were some seconds ago at the most."""
        if time.monotonic() - self._read_at > _REMEMBERED_S:
            self._valid = {
                one.name: (Principal(one.name, frozenset(one.scopes)), one.expires_at)
                for one in self._tokens.list()
                if one.revoked_at is None
            }
            self._read_at = time.monotonic()
        return self._valid

    def _sign(self, said: bytes) -> bytes:
        return hmac.digest(self._key, b"desk session\0" + said, hashlib.sha256)

    def _read(self, cookie: str | None) -> tuple[str, int, str] | None:
        """Name, beginning (s) and nonce of a cookie of ours; None: it is none."""
        if not cookie or len(cookie) > 500 or cookie.count(".") != 1:
            return None
        try:
            said, signed = (base64.urlsafe_b64decode(part + "==") for part in cookie.split("."))
        except (ValueError, binascii.Error):
            return None
        if not hmac.compare_digest(signed, self._sign(said)):
            return None
        name, begun, nonce = json.loads(said)
        return str(name), int(begun), str(nonce)


class Clock(Protocol):
    """µs since 1970, UTC."""

    def __call__(self) -> int:
        """Now."""


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _network(address: str) -> str:
    """What counts as one address: of IPv6 the network of 64 bits, which one customer has for itself."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(found if found.version == 4 else ipaddress.ip_network((int(found) >> 64 << 64, 64)))


def key_in(folder: Path) -> bytes:
    """The key of a data folder, made where there is none; nobody else may read it.

    Raises:
        OSError: it can be neither read nor written.
    """
    path = folder / "desk.key"
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        found = b""
    if len(found) == _KEY_BYTES:
        return found
    made = secrets.token_bytes(_KEY_BYTES)
    temporary = path.with_name(f"desk.key.{secrets.token_hex(4)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(made)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return made
