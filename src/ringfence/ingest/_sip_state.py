"""What is remembered of a call while its SIP messages come in, and what its row says."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ringfence.ingest._sip import Message
from ringfence.ingest._sip_address import Address, addresses
from ringfence.ingest._sip_calls import LONGEST_SETUP, SECOND
from ringfence.model.tables import CALLS

LONGEST_TEXT: Final = 128  # characters kept of what a caller chooses; the rest is told apart by its hash


# The states of a call, and how long each lasts.
EARLY, ASKED, RINGING, CANCELLED, HUNG_UP, FAILED, CHALLENGED, UP, ENDED = range(9)
HOLDS: Final = (
    SECOND,  # a response before its INVITE: packets overtake each other by some hundred milliseconds
    SECOND // 5,  # an INVITE that may have been seen nearer to the caller
    LONGEST_SETUP,  # Timer C of RFC 3261 lets one try ring for three minutes
    32 * SECOND,  # after a CANCEL, 64*T1: the 487 is lost
    SECOND,  # a BYE before its 2xx
    SECOND,  # a failure; more than a packet is overtaken by, and in which a new INVITE is the same attempt
    32 * SECOND,  # a challenge nobody takes up
    86_400 * SECOND,  # a call without a sign of life: its BYE is lost
    32 * SECOND,  # 64*T1: until then its messages may be repeated
)


@dataclass(frozen=True, slots=True)
class SipSettings:
    """What the messages do not tell.

    Attributes:
        trust_asserted: whether the called person is shown P-Asserted-Identity (or, without it, Remote-Party-ID) rather than
            From. True only where every message comes from a network that checks it.
        trunk_header: name of the header in which the ingress names its trunk, e.g. "X-Ingress"; "" for none. Only where
            the ingress takes it off what comes from outside: whoever calls could write it.
        trunks: trunk and ingress (`subscriber`, `domestic`, `international` or None) by the IP address the INVITE came
            from; comes before `trunk_header`.
        max_open: how many calls are remembered; the oldest are dropped, and counted.
    """

    trust_asserted: bool = False
    trunk_header: str = ""
    trunks: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    max_open: int = 200_000


@dataclass(slots=True)
class Leg:
    """One INVITE on its way over one hop, and how it ended there.

    Attributes:
        vias: hops so far.
        source: address and port it came from.
        dest: address and port it went to.
        asked: whether the INVITE itself was seen.
        code: the final response, 300 or more; 0: none yet.
        at: when that came.
        cause: Q.850 cause in it.
        row: the packet it came in.
    """

    vias: int
    source: str
    dest: str
    asked: bool = False
    code: int = 0
    at: int = 0
    cause: int | None = None
    row: int = 0


@dataclass(slots=True)
class Call:
    """A call whose messages come in. Times in µs; 0: not known."""

    key: str
    call_id: str
    state: int = 0
    due: int = 0  # when its state is over by itself
    row: int = 0
    start: int = 0
    vias: int = 0  # of the INVITE its numbers are from, as are these
    source: str = ""
    dest: str = ""
    cseq: int = -1
    caller: str | None = None
    callee: str = ""
    trunk: str | None = None
    ingress: str | None = None
    told: bool = False  # its set-up was given out
    last: int = 0  # latest ringing
    legs: dict[str, Leg] = field(default_factory=dict)
    answer: int = 0
    answer_row: int = 0
    tags: list[str] = field(default_factory=list)  # the called sides that are up
    end: int = 0
    end_row: int = 0
    cause: int | None = None
    by: str | None = None

    def as_json(self) -> list[Any]:
        """As a list JSON can hold."""
        values = list(_all_fields(self))
        values[_LEGS] = {branch: list(_leg_fields(leg)) for branch, leg in self.legs.items()}
        values[_TAGS] = list(self.tags)
        return values

    @classmethod
    def of_json(cls, values: list[Any]) -> "Call":
        """What `as_json` gave."""
        call = cls(*values)
        call.legs = {branch: Leg(*leg) for branch, leg in values[_LEGS].items()}
        call.tags = list(call.tags)
        return call


_FIELDS: Final = tuple(one.name for one in fields(Call))
_all_fields = attrgetter(*_FIELDS)
_leg_fields = attrgetter(*(one.name for one in fields(Leg)))
_LEGS: Final = _FIELDS.index("legs")
_TAGS: Final = _FIELDS.index("tags")


def short(text: str) -> str:
    """A text that takes bounded memory and still differs from others."""
    if len(text) <= LONGEST_TEXT:
        return text
    digest = hashlib.blake2b(text.encode(errors="replace"), digest_size=16).hexdigest()
    return text[: LONGEST_TEXT - len(digest) - 1] + "~" + digest


def shown_caller(message: Message, settings: SipSettings) -> str | None:
    """The number the called person is shown; None: withheld (RFC 3323, RFC 3325, RFC 5379)."""
    headers = message.headers
    privacy = headers.get("privacy")
    if privacy and not {"id", "user"}.isdisjoint(
        privacy.lower().replace(",", ";").replace(" ", "").split(";")
    ):
        return None
    sender = message.sender
    if settings.trust_asserted:
        asserted = _asserted(headers)
        if asserted is not None:
            return asserted.user[:LONGEST_TEXT] or None
    user = sender.user
    if user[:9].lower() == "anonymous" or "@anonymous.invalid" in sender.uri:
        return None
    return user[:LONGEST_TEXT] or None


def _asserted(headers: Mapping[str, str]) -> Address | None:
    """The identity the network asserts; one with an empty URI where it hides it."""
    if given := headers.get("p-asserted-identity"):
        found = [one for one in addresses(given) if one.user]
        return next((one for one in found if one.user.lstrip("+").isdigit()), found[0] if found else None)
    if given := headers.get("remote-party-id"):
        small = given.lower().replace(" ", "")
        if "privacy=full" in small or "privacy=uri" in small:
            return Address("", "", "", "")
        return next((one for one in addresses(given) if one.user), None)
    return None


def describe(call: Call, callee: str, source: str, message: Message, settings: SipSettings) -> None:
    """Write down who calls whom over which trunk, as an INVITE tells it."""
    call.callee, call.caller = callee, shown_caller(message, settings)
    known = settings.trunks.get(source.rpartition(":")[0])
    if known is not None:
        call.trunk, call.ingress = known
    elif settings.trunk_header:
        call.trunk = message.headers.get(settings.trunk_header.lower(), "")[:LONGEST_TEXT] or None


class Rows:
    """Rows of the table `calls`, gathered by column."""

    def __init__(self) -> None:
        self._columns: list[tuple[Any, ...]] = []

    def __len__(self) -> int:
        return len(self._columns)

    def add(self, call: Call, row: int) -> None:
        """Write down what is known of a call now."""
        self._columns.append((
            call.call_id, call.start, call.answer or None, call.end or None, call.caller, call.callee, call.cause,
            call.by, call.ingress, call.trunk, row,
        ))  # fmt: skip

    def take(self) -> tuple[pa.RecordBatch, npt.NDArray[np.int64]]:
        """Hand over the rows (of the schema `CALLS`) and the packet each comes from."""
        width = len(_COLUMNS) + 1
        columns = list(zip(*self._columns, strict=True)) if self._columns else [()] * width
        known = dict(zip(_COLUMNS, columns, strict=False))
        count = len(self._columns)
        self._columns = []
        batch = pa.RecordBatch.from_arrays(
            [
                pa.array(known[one.name], one.type) if one.name in known else pa.nulls(count, one.type)
                for one in CALLS
            ],
            schema=CALLS,
        )
        return batch, np.array(columns[-1], np.int64)


_COLUMNS: Final = (
    "call_id", "start_time", "answer_time", "end_time", "caller", "callee", "cause", "released_by", "ingress", "trunk",
)  # fmt: skip
