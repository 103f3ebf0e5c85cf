"""What the desk shows, as data: figures of the service and alerts of the store, made fit to be looked at. Nothing here asks anybody."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ringfence.desk import pictures
from ringfence.desk.told import form_of, prior_of, story_of
from ringfence.desk.words import fill
from ringfence.detect import extortion_text, flood, forged_caller, fraud_line, scam_call
from ringfence.detect.evidence import probability
from ringfence.model.alert import Demand, LedgerEntry
from ringfence.report import words
from ringfence.report.axis import SECOND
from ringfence.report.calls import calls_of, decided_at_call
from ringfence.report.labels import ACCOUNT_KINDS
from ringfence.report.scam_labels import MISSING, STAGES
from ringfence.report.story import Story
from ringfence.report.words import Both, Clock
from ringfence.shell.store.alerts import StoredAlert

ATTACKS: Final = (flood.NAME, scam_call.NAME)
LINES: Final = fraud_line.NAME
TEXTS: Final = extortion_text.NAME
_BESIDES: Final = {
    int(code) for code in (forged_caller.STRANGERS, forged_caller.ACQUAINTED, forged_caller.FORGED_BEFORE)
}
"""What is seen beside what is wrong with a forged call."""
_WITH_A_FIGURE: Final = {code for code, words_of in forged_caller.WORDS.items() if "{}" in words_of[0]}
"""Words that differ from call to call, so that they cannot be counted."""
RATE_SPAN_S: Final = 10.0
CURVE_SAMPLES: Final = 180
"""Seconds of the curve of calls."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How the service is.

    Attributes:
        state: of `words.STATES`; trouble: what is wrong, one line each.
        now: µs, the time that the newest rows tell; None: there are none.
        rate: calls a second; curve: path of the last minutes.
        behind: records that are not judged yet.
        lag_s: from happening to arriving, the slowest source; None: of a replay or a demonstration that means nothing.
        delay_s: from a record to the alert it raises, 99 of 100 come sooner; None: none was raised.
        aside: rows put aside; reason: why most of them.
        today: alerts by kind.
        speed: of the demonstration, None: these are real calls.
    """

    state: str
    trouble: tuple[str, ...]
    now: int | None
    rate: float
    curve: str
    behind: int
    lag_s: float | None
    delay_s: float | None
    aside: int
    reason: str | None
    today: tuple[tuple[str, int], ...]
    speed: float | None


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of a scam call: its name, its words, since when (empty: not reached), and whether it is where things stand."""

    name: str
    words: Both
    since: str
    is_now: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Of a scam call: the stages, how to reach the person, and the money.

    Attributes:
        on_call: somebody holds the person on the line.
        numbers: fit to be seen; cell: None, not known.
        moved: to new accounts, None: nothing that is known.
        missing: what the records did not tell.
    """

    steps: tuple[Step, ...]
    on_call: bool
    numbers: tuple[str, ...]
    cell: str | None
    moved: Both | None
    missing: tuple[Both, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """An alert in one row.

    Attributes:
        alert: as it is stored; story: the same, told.
        subject: fit to be seen; place: what the number claims to be.
        is_open: the engine has not closed it.
        calls: so far, all episodes; since, last: of the present episode, in words.
        bits, probable: as they are now.
        strip: of a flood; person: of a scam call; demands: of its texts.
    """

    alert: StoredAlert
    story: Story
    subject: str
    is_open: bool
    calls: int
    since: str
    last: str
    bits: float
    probable: str
    recognised: int
    returned: int
    strip: pictures.Strip | None
    person: Person | None
    demands: tuple[Both, ...]

    @property
    def key(self) -> str:
        """The alert's id."""
        return self.alert.alert_id

    @property
    def kind(self) -> str:
        """The detector's name."""
        return self.story.alert.kind


def row_of(alert: StoredAlert, clock: Clock, now: int | None, texts: Iterable[StoredAlert] = ()) -> Row:
    """An alert in one row.

    Args:
        alert: with its observations.
        clock: the network's zone.
        now: µs, the network's time.
        texts: alerts of texts of the same case.
    """
    story = story_of(alert.document, alert.observations)
    told = story.alert
    last = told.episodes[-1] if told.episodes else None
    began, latest = (last.began_at, last.last_call_at) if last else (told.raised_at, told.raised_at)
    is_open = told.closed_at is None
    bits = story.entries[-1].total if is_open and story.entries else told.bits
    bits = max(bits, told.bits) if told.kind != scam_call.NAME else bits
    demand = [told.demand] if told.demand else []
    demands = [*demand, *(d for one in texts if (d := story_of(one.document).alert.demand) is not None)]
    return Row(
        alert=alert,
        story=story,
        subject=words.plain(told.subject),
        is_open=is_open,
        calls=int(alert.document.get("calls") or 0),
        since=_time(clock, began, now),
        last=_time(clock, latest, now),
        bits=bits,
        probable=words.percent(max(probability(bits, prior_of(told.kind)), told.probability)),
        recognised=_recognised(story),
        returned=max(len(told.episodes) - 1, 0),
        strip=_strip(story, now if is_open else None) if told.kind == flood.NAME else None,
        person=_person(story, clock, now),
        demands=tuple(dict.fromkeys(said(one, clock) for one in demands)),
    )


def _time(clock: Clock, at: int, now: int | None) -> str:
    """The time of the day; of another day with its date."""
    if now is not None and clock.at(at).date() == clock.at(now).date():
        return f"{clock.at(at):%H:%M:%S}"
    return f"{clock.at(at):%m-%d %H:%M}"


def _recognised(story: Story) -> int:
    """At which call of its first episode."""
    first = story.alert.episodes[0] if story.alert.episodes else None
    if first is not None and first.calls_at_alert:
        return first.calls_at_alert
    return decided_at_call(calls_of(story.alert.ledger), story.alert.raised_at)


def _strip(story: Story, now: int | None) -> pictures.Strip | None:
    episode = story.alert.episodes[-1] if story.alert.episodes else None
    began = episode.began_at if episode else 0
    raised = episode.raised_at if episode else story.alert.raised_at
    entries = [entry for entry in story.entries or story.alert.ledger if entry.at >= began]
    calls = [call for call in calls_of(entries) if call.begun]
    return pictures.strip(calls, raised, now or 0)


def _person(story: Story, clock: Clock, now: int | None) -> Person | None:
    victim = story.alert.victim
    if victim is None:
        return None
    new = [one for one in victim.payments if one.new_payee]
    return Person(
        steps=tuple(
            Step(
                name,
                STAGES[name],
                _time(clock, victim.stages[name], now) if name in victim.stages else "",
                name == victim.stage,
            )
            for name in scam_call.STAGES
        ),
        on_call=victim.on_call and story.alert.closed_at is None,
        numbers=tuple(words.plain(number) for number in victim.numbers),
        cell=None if victim.cell is None else words.plain(victim.cell),
        moved=words.money(round(sum(one.amount for one in new), 2), victim.currency) if new else None,
        missing=tuple(MISSING[name][0] if name in MISSING else _both(name) for name in victim.missing),
    )


def _both(text: str) -> Both:
    seen = words.plain(text)
    return Both(seen, seen)


def said(demand: Demand, clock: Clock) -> Both:
    """What a text demands, in one line."""
    parts: list[Both] = []
    if demand.amount is not None:
        amount = words.money(demand.amount, demand.currency)
        parts.append(fill("sum_bare", amount=amount) if demand.currency is None else amount)
    kind = (
        None
        if demand.account_kind is None
        else ACCOUNT_KINDS.get(demand.account_kind, _both(demand.account_kind))
    )
    if demand.account is not None:
        parts.append(
            fill("desk_demand_account", kind=kind or Both("", "账户"), account=words.plain(demand.account))
        )
    elif kind is not None:
        parts.append(fill("desk_demand_kind", kind=kind))
    if demand.deadline is not None:
        until = Both(*[words.plain(demand.deadline)] * 2)
        until = until if demand.deadline_at is None else clock.minute(demand.deadline_at)
        parts.append(fill("desk_demand_deadline", deadline=until))
    if not parts:
        return fill("desk_demand_bare")
    return Both(", ".join(one.en for one in parts), "，".join(one.zh for one in parts))


@dataclass(frozen=True, slots=True)
class Since:
    """Observations after an alert, the newest first; `all`: how many there are."""

    newest: list[LedgerEntry]
    all: int


def since_alert(story: Story, most: int) -> Since:
    """What was seen after an alert."""
    ledger = {(entry.at, entry.what, entry.call_id) for entry in story.alert.ledger}
    after = [entry for entry in story.entries if (entry.at, entry.what, entry.call_id) not in ledger]
    return Since(after[::-1][:most], len(after))


@dataclass(frozen=True, slots=True)
class Forged:
    """Forged calls of a day: by trunk, and by what is wrong with them; `of`: only so many alerts are counted, None: all."""

    calls: int
    trunks: tuple[tuple[str | None, int], ...]
    reasons: tuple[tuple[Both, int], ...]
    of: int | None


def forged_of(documents: Sequence[Mapping[str, Any]], *, partial: bool = False, rows: int = 8) -> Forged:
    """Count alerts of forged callers, the most first."""
    trunks: Counter[str | None] = Counter()
    reasons: Counter[Both] = Counter()
    for document in documents:
        calls = max(int(document.get("calls") or 1), 1)
        trunk = document.get("trunk")
        trunks[None if trunk is None else words.plain(str(trunk))] += calls
        reasons[_reason(document)] += calls
    return Forged(
        calls=sum(trunks.values()),
        trunks=tuple(trunks.most_common(rows)),
        reasons=tuple(reasons.most_common(rows)),
        of=len(documents) if partial else None,
    )


def _reason(document: Mapping[str, Any]) -> Both:
    """What is wrong with a call, of all that was seen."""
    ledger = [one for one in story_of(document).alert.ledger if one.what not in _BESIDES]
    if not ledger:
        return form_of(forged_caller.NAME, document.get("hypothesis"))
    most = max(ledger, key=lambda entry: entry.bits)
    if most.what in _WITH_A_FIGURE:
        return form_of(forged_caller.NAME, document.get("hypothesis"))
    return Both(most.text, most.text_zh)


def midnight(clock: Clock, now: int) -> int:
    """When the network's day began, µs."""
    ahead = clock.offset(now)
    day = 86_400 * SECOND
    return (now + ahead) // day * day - ahead
