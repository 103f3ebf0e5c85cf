"""A line that becomes popular within minutes: an advert, a storm of call-backs, a hotline when the power fails.

Haste cannot tell that from a flood: strangers ring a quiet line every minute either way. So a flood must not only differ from the
ordinary life of the line (`flood`), but also from popularity: a second account holds for every call how much likelier it is in a
flood than among people who want something of this line. By Wald's identity it passes h bits on a popular line with a probability of
at most 2^-h, whatever the haste.

What counts here is who calls, on which way, and who hangs up; not that nobody answers: that is the owner's doing in both.
"""

from typing import Any, Final

import numpy as np

from ringfence.compiled import jit
from ringfence.detect.memory import DAY, HOUR, WITHHELD
from ringfence.detect.ways import (
    has_life,
    is_borrowed,
    is_verified,
    outside_bits,
    trunk_bits,
    verified_bits,
)
from ringfence.model.tables import DOMESTIC, INTERNATIONAL, SUBSCRIBER

POPULAR: Final[list[tuple[str, str] | tuple[str, str, tuple[int]]]] = [
    ("unlike", "f4", (3,)),  # bits against popularity, by form of flood
    ("unlike_at", "i8"),
    ("abroad", "f4"),  # bits gained here by calls from abroad
    ("trunks", "u8"),  # trunks that calls came over, a set
    ("withheld", "i4"),  # withheld calls
]
"""What a case keeps of it."""

ENOUGH: Final = 3.0
"""Bits that tell a flood from a popular line: one in eight popular lines passes them by chance, and fewer raise the alert as well."""
_FLOOR: Final = -8.0
"""Evidence against a flood counts no further: a flood over phones that were taken over must not go unseen for ever."""
_FADE: Final = 2 * HOUR
"""A line is popular for some hours."""

_LEAST_OWN: Final = 0.15
"""Share of own subscribers among a popular line's callers, at the least."""
_LIFE: Final = -1.0
_NO_LIFE: Final = 0.1
"""A number from outside that was seen to talk with others, or was not; numbers with a life can be borrowed."""
_LIFE_ANYWHERE: Final = -1.6
_NO_LIFE_ANYWHERE: Final = 0.8
"""The same where no record tells how calls came in: hardly any of a flood's numbers have a life, but they can be borrowed; nearly half of a popular line's do."""
_ELSEWHERE: Final = 2.0
"""The number of an own subscriber, who is not where the call came in."""
_FROM_ABROAD: Final = 3.0
_MOST_FROM_ABROAD: Final = 5.0
_WITHHELD: Final = np.array([4.0, 2.0, 2.0])
"""The first, second, third withheld call: one caller in fifty withholds the number; then it may be one who tries again."""
_WITHHELD_OWN: Final = -0.5
_KNOWN_ELSEWHERE: Final = 3.0
_KNOWN_OUTSIDE: Final = 0.7
_KNOWN_OWN: Final = -1.0
"""A contact's number, for borrowed numbers: not where its owner is, from another network, from the own."""
_ENDS: Final = np.array(
    [[2.2, -0.5], [-2.0, 0.5], [-3.0, 0.5], [1.0, 0.3], [0.1, 0.0], [0.0, 0.0], [0.0, 0.0], [-1.0, -1.0]]
)
"""How a call ended (`weights.ENDS`), by form: hang up and borrowed, linger. People who ask who that was stay as long as bots."""
_TALK: Final = np.array([[-6.0, -2.0], [-8.0, -6.0]])
"""A talk; a talk of a minute."""


@jit
def _add(case: Any, hang_up: float, linger: float, borrowed: float) -> None:
    case.unlike[0] = max(case.unlike[0] + hang_up, _FLOOR)
    case.unlike[1] = max(case.unlike[1] + linger, _FLOOR)
    case.unlike[2] = max(case.unlike[2] + borrowed, _FLOOR)


@jit
def forget_popularity(case: Any, now: int) -> None:
    """Let what speaks for popularity fade, and what speaks against it go with the evidence."""
    if case.unlike_at != 0:
        fade = 2.0 ** (-(now - case.unlike_at) / _FADE)
        for form in range(3):
            case.unlike[form] *= fade if case.unlike[form] < 0 else 1.0
    case.unlike_at = now
    if case.entries == 0:
        for form in range(3):
            case.unlike[form] = min(case.unlike[form], 0.0)
        case.abroad = 0
        case.trunks = 0
        case.withheld = 0


@jit
def _withheld_rings(case: Any, call: Any) -> float:
    nth = case.withheld
    case.withheld = nth + 1
    if nth >= len(_WITHHELD):
        return 0.0
    return _WITHHELD_OWN if call.ingress == SUBSCRIBER else _WITHHELD[nth]


@jit
def _stranger_rings(case: Any, line: Any, call: Any) -> float:
    life = has_life(call)
    if call.ingress == SUBSCRIBER:
        return verified_bits(line, _LEAST_OWN) if is_verified(call) else 0.0
    if call.ingress == INTERNATIONAL:
        gain = min(_FROM_ABROAD, max(_MOST_FROM_ABROAD - case.abroad, 0.0))
        case.abroad += gain
        return gain
    if call.ingress == DOMESTIC:
        return outside_bits(line) + (_LIFE if life else _NO_LIFE)
    return _LIFE_ANYWHERE if life else _NO_LIFE_ANYWHERE


@jit
def unknown_rings(case: Any, line: Any, call: Any, watched: int) -> None:
    """A stranger or a withheld number rings.

    Args:
        case: the record.
        line: the called one.
        call: the call.
        watched: for how long calls have been seen at all, µs.
    """
    if call.relation == WITHHELD:
        bits = _withheld_rings(case, call)
        _add(case, bits, bits, bits)
    elif watched < 2 * DAY:
        # nobody has a life yet, so nothing tells the two; haste is worth less instead
        _add(case, _NO_LIFE_ANYWHERE, _NO_LIFE_ANYWHERE, _NO_LIFE_ANYWHERE)
    else:
        bits = _stranger_rings(case, line, call)
        elsewhere = _ELSEWHERE if is_borrowed(call) else 0.0
        # borrowed numbers have a life, so it says nothing against them, unless it is verified
        lenient = bits if call.ingress == SUBSCRIBER or not has_life(call) else max(bits, 0.0)
        _add(case, bits + elsewhere, bits + elsewhere, lenient + elsewhere)
    case.trunks, bits = trunk_bits(line, case.trunks, call)
    _add(case, bits, bits, bits)


@jit
def known_rings(case: Any, call: Any) -> None:
    """A contact's number rings."""
    if is_borrowed(call) or call.ingress == 0:
        bits = _KNOWN_ELSEWHERE
    else:
        bits = _KNOWN_OWN if call.ingress == SUBSCRIBER else _KNOWN_OUTSIDE
    _add(case, 0.0, 0.0, bits)


@jit
def unknown_ends(case: Any, end: int, again: bool) -> None:
    """A call of a stranger or of a withheld number ended without a talk; `end` is the row of `weights.ENDS`."""
    hang_up, linger = _ENDS[end, 0], _ENDS[end, 1]
    if again:
        half = 0.5 if end == 0 else 0.0
        hang_up = hang_up * half if hang_up > 0 else hang_up
        linger = min(linger, 0.0)
    _add(case, hang_up, linger, hang_up)


@jit
def unknown_talks(case: Any, minute: bool) -> None:
    """A stranger or a withheld caller talks."""
    row = 1 if minute else 0
    _add(case, _TALK[row, 0], _TALK[row, 1], _TALK[row, 0])


@jit
def is_short(case: Any, form: int) -> bool:
    """Whether a form of flood has not yet been told from a popular line."""
    return bool(case.unlike[form] < ENOUGH)
