"""Texts that demand money, as the report shows them: what is demanded, and the text with the pieces marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ringfence.model.alert import Demand
from ringfence.report import words
from ringfence.report.labels import ACCOUNT_KINDS, fill
from ringfence.report.story import Story
from ringfence.report.words import Both, Clock

KIND: Final = "extortion_text"
IN_FULL: Final = 200
"""Texts that are shown with their words; the others are counted."""
LONGEST: Final = 600
"""Characters shown of a text."""
_MARKED: Final = ("amount", "account", "deadline", "threat")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text; name: what was found in it, None: nothing."""

    text: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Handed:
    """A text that was handed over.

    Attributes:
        place: from 1, for links.
        pieces: the text; cut: whether it is longer than is shown.
        sum, account, deadline: what it demands; None: not named.
        texts: how often the demand was told.
        flood, scam: place of the flood and of the scam call that belong to it in the report, None: none does.
    """

    story: Story
    place: int
    pieces: list[Piece]
    cut: bool
    sum: Both | None
    account: Both | None
    account_kind: Both | None
    deadline: Both | None
    texts: int
    flood: int | None
    scam: int | None

    @property
    def subject(self) -> str:
        """The recipient, fit to be seen."""
        return words.plain(self.story.alert.subject)

    @property
    def sent(self) -> int:
        """When it was sent, µs: it may have been recognised later, with its flood."""
        alert = self.story.alert
        return alert.episodes[0].began_at if alert.episodes else alert.raised_at

    @property
    def sender(self) -> Both:
        """Who sent it."""
        return words.number(self.story.alert.ledger[0].caller if self.story.alert.ledger else None)


def handed_over(
    stories: Sequence[Story], floods: dict[str, int], scams: dict[str, int], clock: Clock
) -> list[Handed]:
    """The texts among the alerts, in order.

    Args:
        stories: all that was found.
        floods: for each case, the place of its flood in the report.
        scams: the same of its first scam call.
        clock: the report's zone.
    """
    texts = [story for story in stories if story.alert.kind == KIND]
    cases = [story.alert.case or "" for story in texts]
    return [
        _handed(story, n, floods.get(case), scams.get(case), clock)
        for n, (story, case) in enumerate(zip(texts, cases, strict=True), 1)
    ]


def _handed(story: Story, place: int, flood: int | None, scam: int | None, clock: Clock) -> Handed:
    alert = story.alert
    demand = alert.demand or Demand()
    pieces, cut = marked(story.text or "", alert.places or {})
    kind = demand.account_kind
    return Handed(
        story=story,
        place=place,
        pieces=pieces,
        cut=cut,
        sum=_sum(demand),
        account=None if demand.account is None else words.number(demand.account),
        account_kind=None if kind is None else ACCOUNT_KINDS.get(kind, Both(kind, kind)),
        deadline=_deadline(demand, clock),
        texts=alert.episodes[0].calls if alert.episodes else 1,
        flood=flood,
        scam=scam,
    )


def marked(text: str, places: dict[str, tuple[int, int]]) -> tuple[list[Piece], bool]:
    """Cut a text into pieces, those that were found with their names; and whether its end is left out."""
    shown = text[:LONGEST]
    found = sorted((places[name][0], places[name][1], name) for name in _MARKED if name in places)
    pieces: list[Piece] = []
    at = 0
    for first, last, name in found:
        start, end = max(first, at), min(last, len(shown))
        if start >= end:
            continue  # within another piece, or beyond what is shown
        pieces += [Piece(words.visible(shown[at:start]), None), Piece(words.visible(shown[start:end]), name)]
        at = end
    pieces.append(Piece(words.visible(shown[at:]), None))
    return [piece for piece in pieces if piece.text], len(text) > LONGEST


def _sum(demand: Demand) -> Both | None:
    if demand.amount is None:
        return None
    amount = words.money(demand.amount, demand.currency)
    return fill("sum_bare", amount=amount) if demand.currency is None else amount


def _deadline(demand: Demand, clock: Clock) -> Both | None:
    if demand.deadline is None:
        return None
    said = words.plain(demand.deadline)
    if demand.deadline_at is None:
        return Both(said, said)
    until = clock.minute(demand.deadline_at)
    return Both(f"{said} ({until.en})", f"{said}（{until.zh}）")
