"""Alerts: what was recognised, and why, in a form that explains itself."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

EARLIER: Final = 0
"""Code of the ledger line that stands for observations that were not kept one by one; a detector's own codes begin at 1."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(time: int | None) -> str | None:
    """A time in µs since 1970 as text, in UTC; None stays None."""
    if time is None:
        return None
    return (_EPOCH + timedelta(microseconds=time)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def alert_id(kind: str, subject: str, raised_at: int) -> str:
    """The id of an alert: the same for the same story, however and wherever it was computed."""
    digest = blake2b(f"{kind}|{subject}|{raised_at}".encode(), digest_size=8)
    return f"{kind}-{digest.hexdigest()}"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One observation.

    Attributes:
        at: µs since 1970, UTC.
        call_id: the call it was seen in.
        caller: the number shown, None: withheld.
        what: code of the words, see the detector's `WORDS`; `text` and `text_zh`: the words.
        value: the figure in the words, usually seconds.
        bits: what it is worth.
        total: the sum after it.
        cell: where the called line was, None: not known.
        other: another line that it is linked with, None: none; `link`: how, see CALL in `detect.memory`.
        currency: of a sum of money, None: not told.
    """

    at: int
    call_id: str
    caller: str | None
    what: int
    value: float
    text: str
    text_zh: str
    bits: float
    total: float
    cell: str | None = None
    other: str | None = None
    link: int = 0
    currency: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The form of the contract."""
        return {
            "at": rfc3339(self.at),
            "call_id": self.call_id or None,
            "caller": self.caller,
            "what": self.text,
            "bits": round(self.bits, 2),
        }


@dataclass(frozen=True, slots=True)
class Episode:
    """One stretch of a story: from its alert to its end.

    Attributes:
        raised_at: µs; `call_id`: the call that decided.
        began_at: µs, the first call of its ledger.
        last_call_at: µs, the last call that belongs to it.
        closed_at: µs, None: not over when the records end.
        quiet_s: seconds without a call of the attack: before it was closed.
        calls: calls that belong to it.
        calls_at_alert: how many of them there had been when it was recognised, 0: not told.
    """

    raised_at: int
    call_id: str
    began_at: int
    last_call_at: int
    closed_at: int | None = None
    quiet_s: float | None = None
    calls: int = 0
    calls_at_alert: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The form in an alert's `episodes`."""
        return {
            "raised_at": rfc3339(self.raised_at),
            "call_id": self.call_id or None,
            "began_at": rfc3339(self.began_at),
            "last_call_at": rfc3339(self.last_call_at),
            "closed_at": rfc3339(self.closed_at),
            "quiet_s": None if self.quiet_s is None else round(self.quiet_s, 1),
            "calls": self.calls,
            "calls_at_alert": self.calls_at_alert,
        }


@dataclass(frozen=True, slots=True)
class Demand:
    """What a text demands; None where it does not say.

    Attributes:
        amount: in the currency's main unit; currency: ISO 4217 or the name of a crypto currency.
        account: where to pay or whom to write to; account_kind: "bank card", "Alipay", "Bitcoin", … (docs/extortion_text.md).
        deadline: as the text says it; deadline_at: µs since 1970, UTC, None: cannot be computed.
    """

    amount: float | None = None
    currency: str | None = None
    account: str | None = None
    account_kind: str | None = None
    deadline: str | None = None
    deadline_at: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The form of the contract."""
        amount = self.amount
        return {
            "amount": int(amount) if amount is not None and amount == int(amount) else amount,
            "currency": self.currency,
            "account": self.account,
            "account_kind": self.account_kind,
            "deadline": self.deadline,
            "deadline_at": rfc3339(self.deadline_at),
        }


@dataclass(frozen=True, slots=True)
class Payment:
    """A transfer of money by the victim: µs, the sum, and whether the payee had never been paid before."""

    at: int
    amount: float
    new_payee: bool


@dataclass(slots=True)
class Victim:
    """The person in a scam call: how far it has come, and where to reach the person now.

    Attributes:
        stage: one of `STAGES` in `detect.scam_call`; stages: since when, µs, of all that were reached.
        numbers: E.164, where the person can be rung: the subject, others in the same phone, then the household's.
        cell: where the phone was in the last call, None: not known.
        on_call: somebody holds the person on the line.
        grip_began_at: µs, the answer of the first call that did not end; None: none has.
        payments: transfers under way; currency: theirs, None: not told.
        missing: columns that the records of this case did not tell.
        watch: the person was warned before, lately: the bar was lower.
    """

    stage: str
    stages: dict[str, int]
    numbers: list[str]
    cell: str | None = None
    on_call: bool = False
    grip_began_at: int | None = None
    payments: list[Payment] = field(default_factory=list)
    currency: str | None = None
    missing: list[str] = field(default_factory=list)
    watch: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The fields that an alert has for it."""
        new = [payment for payment in self.payments if payment.new_payee]
        money = {
            "moved": round(sum(payment.amount for payment in new), 2),
            "at_risk": None,
            "currency": self.currency,
            "transfers": [
                {"at": rfc3339(p.at), "amount": p.amount, "new_payee": p.new_payee} for p in self.payments
            ],
        }
        return {
            "stage": self.stage,
            "stages": [{"stage": stage, "at": rfc3339(at)} for stage, at in self.stages.items()],
            "grip_began_at": rfc3339(self.grip_began_at),
            "reach": {"numbers": self.numbers, "cell": self.cell, "on_call": self.on_call},
            "money": money if self.payments else None,
            "missing": self.missing,
            "watch": self.watch,
        }


@dataclass(slots=True)
class Alert:
    """A story: raised once, closed when it is over, reopened if it returns within days.

    Attributes:
        kind: name of the detector.
        subject: the number it is about, as text.
        raised_at: µs since 1970, UTC: when the first episode was recognised.
        call_id: the call that decided.
        bits, probability: at that moment.
        hypothesis: which form of the crime, in English; `hypothesis_zh` in Chinese.
        ledger: what the bits are made of, up to that moment.
        episodes: one or more.
        callee, trunk: whom the call rang and where it came in, of alerts about single calls; `trunk` None: not known.
        case: id of the case it belongs to, None: alerts of this kind make no cases (see `respond.cases`).
        text_id: of alerts about texts, 16 hexadecimal digits made from the first text, its time and parties.
        victim: of scam calls, the person.
        demand: what these texts demand; places: where the first of them names it, (first character, the one after the last) by name.
    """

    kind: str
    subject: str
    raised_at: int
    call_id: str
    bits: float
    probability: float
    hypothesis: str
    hypothesis_zh: str
    ledger: list[LedgerEntry]
    episodes: list[Episode] = field(default_factory=list)
    callee: str | None = None
    trunk: str | None = None
    case: str | None = None
    victim: Victim | None = None
    text_id: str | None = None
    demand: Demand | None = None
    places: dict[str, tuple[int, int]] | None = None

    @property
    def alert_id(self) -> str:
        """Stable id."""
        subject = self.subject if self.callee is None else f"{self.subject}|{self.call_id}"
        if self.text_id is not None:
            subject = f"{self.subject}|{self.text_id}"
        return alert_id(self.kind, subject, self.raised_at)

    @property
    def closed_at(self) -> int | None:
        """When the last episode was closed, µs; None: it was not."""
        return self.episodes[-1].closed_at if self.episodes else None

    def as_dict(self) -> dict[str, Any]:
        """The form of the contract (alerts.jsonl)."""
        return {
            "alert_id": self.alert_id,
            "kind": self.kind,
            "subject": self.subject,
            "callee": self.callee,
            "trunk": self.trunk,
            "raised_at": rfc3339(self.raised_at),
            "closed_at": rfc3339(self.closed_at),
            "call_id": self.call_id or None,
            "case": self.case,
            "bits": round(self.bits, 2),
            "probability": round(self.probability, 4),
            "hypothesis": self.hypothesis,
            "calls": sum(episode.calls for episode in self.episodes),
            "quiet_s": self.episodes[-1].as_dict()["quiet_s"] if self.episodes else None,
            "episodes": [episode.as_dict() for episode in self.episodes],
            "ledger": [entry.as_dict() for entry in self.ledger],
            **(_NO_VICTIM if self.victim is None else self.victim.as_dict()),
            "text_id": self.text_id,
            "demand": None if self.demand is None else self.demand.as_dict(),
            "places": None if self.places is None else {k: list(place) for k, place in self.places.items()},
        }


_NO_VICTIM: Final = dict.fromkeys(("stage", "stages", "grip_began_at", "reach", "money", "missing", "watch"))
