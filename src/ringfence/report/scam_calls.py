"""Scam calls, as the report tells them: how far it has come, how early it was known, where to reach the person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ringfence.detect import scam_call
from ringfence.model.alert import LedgerEntry, Payment, Victim
from ringfence.report import words
from ringfence.report.axis import SECOND
from ringfence.report.labels import fill
from ringfence.report.scam_labels import MISSING, STAGES
from ringfence.report.scam_picture import ScamPicture, draw
from ringfence.report.story import Story
from ringfence.report.words import Both, Clock

KIND: Final = scam_call.NAME
IN_FULL: Final = 100
"""Scam calls that are described in full; the others stand in the table only."""
MOST_SINCE: Final = 60
"""Observations after the alert that are listed."""


@dataclass(frozen=True, slots=True)
class Scam:
    """A person in a scam call.

    Attributes:
        place: from 1, for links; `in_full`: whether it is described further down.
        stage: the furthest it has come; `since`: since when that was seen.
        lead: when it was recognised and what is known of transfers, in sentences.
        delay: how far into the grip it was recognised, `head_start`: how long before the first transfer; for a table.
        state: whether it is over.
        missing: what the records did not tell, and what that means.
    """

    story: Story
    victim: Victim
    place: int
    in_full: bool
    stage: Both
    since: Both
    lead: Both
    delay: Both
    head_start: Both
    state: Both
    missing: list[tuple[Both, Both]]

    @property
    def subject(self) -> str:
        """The person's number, fit to be seen."""
        return words.plain(self.story.alert.subject)

    @property
    def numbers(self) -> list[str]:
        """Where the person can be rung, the likeliest first."""
        return [words.plain(number) for number in self.victim.numbers]


@dataclass(frozen=True, slots=True)
class Link:
    """Another part of the report about the same case: its id on the page, and its words."""

    target: str
    words: Both


@dataclass(frozen=True, slots=True)
class Described:
    """A scam call described in full.

    Attributes:
        picture: None: nothing was kept.
        ledger: until the alert; `since`: after it; `more`: how many observations are left out.
        dated: whether there are several days.
        links: other alerts of the case.
    """

    scam: Scam
    picture: ScamPicture | None
    ledger: list[LedgerEntry]
    since: list[LedgerEntry]
    more: int
    dated: bool
    links: list[Link]


def scams_of(stories: Sequence[Story], clock: Clock) -> list[Scam]:
    """The scam calls among the alerts, in order."""
    found = [story for story in stories if story.alert.kind == KIND]
    strongest = sorted(range(len(found)), key=lambda i: -found[i].alert.bits)
    in_full = set(strongest[:IN_FULL])
    return [_scam(story, i + 1, i in in_full, clock) for i, story in enumerate(found)]


def describe(scam: Scam, others: Sequence[tuple[str, Link]], clock: Clock) -> Described:
    """Tell one in full.

    Args:
        scam: which.
        others: all parts of the report by the case they belong to.
        clock: the report's zone.
    """
    alert = scam.story.alert
    since = sorted((one for one in scam.story.entries if one.at > alert.raised_at), key=lambda one: one.at)
    picture = draw(scam.story.entries or alert.ledger, scam.victim, alert.episodes, clock)
    here = f"scam-{scam.place}"
    return Described(
        scam=scam,
        picture=picture,
        ledger=alert.ledger,
        since=since[:MOST_SINCE],
        more=max(len(since) - MOST_SINCE, 0) + scam.story.dropped,
        dated=picture is not None and picture.dated,
        links=[link for case, link in others if case == alert.case and link.target != here],
    )


def link(scam: Scam) -> Link:
    """How other parts of the report point at it."""
    return Link(f"scam-{scam.place}", fill("scam_on", line=scam.subject))


def _scam(story: Story, place: int, in_full: bool, clock: Clock) -> Scam:
    alert = story.alert
    first = scam_call.STAGES[0]
    victim = alert.victim or Victim(first, {first: alert.raised_at}, [alert.subject])
    delay, recognised = _recognised(alert.raised_at, victim.grip_began_at, clock)
    head_start, money = _money(alert.raised_at, victim)
    last = alert.episodes[-1] if alert.episodes else None
    return Scam(
        story=story,
        victim=victim,
        place=place,
        in_full=in_full,
        stage=STAGES.get(victim.stage, Both(victim.stage, victim.stage)),
        since=clock.minute(victim.stages.get(victim.stage, alert.raised_at)),
        lead=_together([recognised, *money]),
        delay=delay,
        head_start=head_start,
        state=fill("going_on")
        if last is None or last.closed_at is None
        else fill("over", last=clock.minute(last.last_call_at)),
        missing=[_missing(column) for column in victim.missing],
    )


def _together(sentences: Sequence[Both]) -> Both:
    return Both(" ".join(one.en for one in sentences), "".join(one.zh for one in sentences))


def _recognised(raised_at: int, grip: int | None, clock: Clock) -> tuple[Both, Both]:
    """How far into the grip, short and as a sentence."""
    time = clock.minute(raised_at)
    if grip is None or raised_at < grip:
        return fill("no_grip"), fill("scam_before_grip", time=time)
    delay = words.duration((raised_at - grip) / SECOND)
    return fill("grip_delay", delay=delay), fill("scam_in_grip", time=time, delay=delay)


def _money(raised_at: int, victim: Victim) -> tuple[Both, list[Both]]:
    """How long before the first transfer it was known, short and in sentences."""
    new = sorted((payment for payment in victim.payments if payment.new_payee), key=lambda one: one.at)
    if not new:
        return fill("none_known"), [fill("no_transfer")]
    apart = words.duration(abs(new[0].at - raised_at) / SECOND)
    if new[0].at > raised_at:
        short, told = fill("lead_short", lead=apart), fill("known_before", lead=apart)
    elif new[0].at == raised_at:
        short, told = fill("with_transfer"), fill("known_by")
    else:
        short, told = fill("late_short", late=apart), fill("known_after", late=apart)
    return short, [told, *_moved(new, raised_at, victim.currency)]


def _moved(new: Sequence[Payment], raised_at: int, currency: str | None) -> list[Both]:
    n, total = words.count(len(new)), _sum(new, currency)
    if len(new) == 1:
        return [fill("moved_one", sum=total)]
    early = [one for one in new if one.at <= raised_at]
    if not early:
        return [fill("moved_after", n=n, sum=total), fill("stop_payment")]
    return [fill("moved", n=n, sum=total, before=_sum(early, currency)), fill("stop_payment")]


def _sum(payments: Sequence[Payment], currency: str | None) -> Both:
    return words.money(round(sum(one.amount for one in payments), 2), currency)


def _missing(column: str) -> tuple[Both, Both]:
    name = words.plain(column)
    return MISSING.get(column, (Both(name, name), Both("", "")))
