"""Webhooks: the alert as the contract has it, and a signature that says who sent it and when.

The header is `Ringfence-Signature: t=SECONDS,v1=HEX`: HMAC-SHA256, under the shared secret, of the seconds since 1970 in decimal,
a full stop, and the body's bytes. While a secret is being changed two are active, and there are two `v1`; one that fits is
enough. The time is signed too, so that what was recorded cannot be sent again later.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

import orjson

from ringfence import __version__
from ringfence.channels.channel import TYPES, Event
from ringfence.model.alert import rfc3339

NAME: Final = "ringfence"
TITLE: Final = "JSON of the event: id, type, time, and the alert in the form of the contract"
CONTENT_TYPE: Final = "application/json"
TELLS: Final = TYPES

SIGNATURE: Final = "Ringfence-Signature"
EVENT_ID: Final = "Ringfence-Event"
TYPE: Final = "Ringfence-Type"
TOLERANCE_S: Final = 300
"""How far the clocks of sender and receiver may differ."""


def body(event: Event) -> bytes:
    """The event as JSON in UTF-8."""
    return orjson.dumps(
        {"id": event.id, "type": event.type, "at": rfc3339(event.at), "alert": dict(event.alert)}
    )


def headers(
    event: Event, payload: bytes, content_type: str, secrets: Sequence[str], now: int
) -> dict[str, str]:
    """The headers of a request that tells of an event, on whatever channel.

    Args:
        event: what is told.
        payload: the body.
        content_type: of the body.
        secrets: that are active, one or two; none: it is not signed.
        now: seconds since 1970.
    """
    given = {
        "Content-Type": content_type,
        "User-Agent": f"Ringfence/{__version__}",
        EVENT_ID: event.id,
        TYPE: event.type,
    }
    return {**given, SIGNATURE: sign(payload, secrets, now)} if secrets else given


def sign(payload: bytes, secrets: Sequence[str], now: int) -> str:
    """The value of the signature's header.

    Args:
        payload: the body.
        secrets: that are active.
        now: seconds since 1970.
    """
    return ",".join([f"t={now}", *(f"v1={_mac(secret, now, payload)}" for secret in secrets)])


def verify(
    header: str, payload: bytes, secrets: Sequence[str], now: int, tolerance_s: int = TOLERANCE_S
) -> bool:
    """Whether a request is genuine and fresh; for receivers.

    Args:
        header: the value of `Ringfence-Signature`.
        payload: the body as it came, not parsed.
        secrets: that the receiver knows.
        now: seconds since 1970.
        tolerance_s: how old (or how far ahead) it may be.
    """
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit()) or len(times[0]) > 12:
        return False
    then = int(times[0])
    given = [value.encode() for name, _, value in parts if name == "v1"]
    known = [_mac(secret, then, payload).encode() for secret in secrets]
    # all are compared, so that time does not tell which one fits
    fits = [hmac.compare_digest(one, other) for one in given for other in known]
    return any(fits) and abs(now - then) <= tolerance_s


def _mac(secret: str, at: int, payload: bytes) -> str:
    return hmac.new(secret.encode(), b"%d." % at + payload, hashlib.sha256).hexdigest()
