"""Which of the INVITEs and failures a tap sees belong to one attempt, and which of them decide it."""

from typing import Final

from ringfence.ingest._sip_calls import LONGEST_SETUP, SECOND
from ringfence.ingest._sip_state import ASKED, CANCELLED, CHALLENGED, ENDED, FAILED, HOLDS, UP, Call, Leg

T4: Final = 5 * SECOND  # RFC 3261, section 17.1.1.2


def settle(call: Call) -> None:
    """Forget the legs but those by which the first INVITE is known again."""
    call.legs = {branch: leg for branch, leg in call.legs.items() if same_element(call, leg.source)}


def is_repeated(call: Call, time: int) -> bool:
    """Whether an INVITE of a branch that was seen can be the same packet again: a proxy forgets it T4 after the end."""
    if call.state in {UP, ENDED} and time - max(call.end, call.answer) > T4:
        return False
    return time - call.start <= HOLDS[ENDED]


def is_another(call: Call, time: int, source: str, cseq: int) -> bool:
    """Whether an INVITE not seen yet begins another call than the one with the same Call-ID and From tag.

    Both are the caller's to choose, and nobody may hide a flood behind them: what comes anew from where the first INVITE
    came from is the same attempt only after a challenge, at once, or as a fork while nothing is decided.
    """
    if cseq > call.cseq and call.state in {UP, ENDED}:
        return True
    cancelled = (
        call.state in {CANCELLED, FAILED} and call.by == "caller"
    )  # nothing is tried after it: RFC 3261, 16.10
    if cseq > call.cseq:
        return cancelled or time - call.start > (LONGEST_SETUP if call.state == CHALLENGED else SECOND)
    if not same_element(call, source):
        return False
    if call.state in {UP, ENDED}:
        return time - max(call.end, call.answer) > HOLDS[ASKED]
    return cancelled or time - call.start > LONGEST_SETUP


def same_element(call: Call, source: str) -> bool:
    came, went, now = (one.rpartition(":")[0] for one in (call.source, call.dest, source))
    return source == call.source if came == went else now == came


def nearest(call: Call) -> list[Leg]:
    """The legs that left the element nearest to the caller, side by side.

    A proxy that hides the way takes the Vias off, so that what it sends on has as few; it is known by coming from where
    the first INVITE went to.
    """
    fewest = min(leg.vias for leg in call.legs.values())
    legs = [leg for leg in call.legs.values() if leg.vias == fewest]
    first = legs[0]
    return [leg for leg in legs if leg is first or not _comes_after(first, leg)]


def _comes_after(first: Leg, leg: Leg) -> bool:
    if leg.source == first.dest:
        return True
    came, went, left = (one.rpartition(":")[0] for one in (first.source, first.dest, leg.source))
    return left == went != came
