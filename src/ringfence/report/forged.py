"""The part of the report about forged caller ids: trunks, reasons and numbers, most first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ringfence.report import words
from ringfence.report.trunks import MOST_DISTINCT, Count, Trunk
from ringfence.report.words import Both

ROWS: Final = 30
"""Rows of each table; all calls stand in trunks.csv."""


@dataclass(frozen=True, slots=True)
class Forged:
    """What the report says of forged calls.

    Attributes:
        calls: how many; `shown`: how many numbers they showed, as text.
        trunks: the trunks; `reasons`: reason and rule with what is counted; `numbers`: number and calls.
    """

    calls: int
    shown: str
    trunks: list[Trunk]
    reasons: list[tuple[tuple[Both, Both], Count]]
    numbers: list[tuple[str | None, int]]


def forged(trunks: Sequence[Trunk]) -> Forged | None:
    """Put all trunks together; None: there were no forged calls."""
    if not trunks:
        return None
    numbers: Counter[str | None] = Counter()
    reasons: dict[tuple[Both, Both], Count] = {}
    for trunk in trunks:
        numbers.update(trunk.shown)
        for why, count in trunk.reasons.items():
            reasons[why] = _together(reasons[why], count) if why in reasons else count
    few = all(len(trunk.shown) < MOST_DISTINCT for trunk in trunks)
    return Forged(
        calls=sum(trunk.all.calls for trunk in trunks),
        shown=words.count(len(numbers)) + ("" if few else "+"),
        trunks=list(trunks[:ROWS]),
        reasons=sorted(reasons.items(), key=lambda item: (-item[1].calls, item[0]))[:ROWS],
        numbers=sorted(numbers.items(), key=lambda item: (-item[1], item[0] or ""))[:ROWS],
    )


def _together(one: Count, other: Count) -> Count:
    return Count(
        one.calls + other.calls,
        min(one.first, other.first),
        max(one.last, other.last),
        one.numbers | other.numbers,
    )
