"""A text that would not be enough by itself, to a line that is being flooded.

Whoever floods a line sells its quiet: a text with a sum and an account that reaches the line in those days is his demand, whatever its words.
"""

from typing import Final

from ringfence.detect.extortion_text import THRESHOLD, Reading, Seen

FLOODED: Final = 1000
"""Code of the ledger's line, beyond those of the detector."""
WORDS: Final = ("the line is flooded with calls in the same days", "同一时段该号码正遭受呼死你攻击")

# Nearly every flood for money has such a text within days. A person who is handed a phone's texts of six days to read meets one with a sum and an
# account about one time in forty: log2(0.9 / 0.02).
BITS: Final = (5.5, 0.0, 5.5)
_QUOTED: Final = frozenset({"warning", "quote", "no code", "advert", "last digits"})


def could_be(reading: Reading) -> bool:
    """Whether a text that raises no alert would raise one on a line that is being flooded."""
    demand = reading.demand
    if reading.is_alert or demand.amount is None or demand.account is None:
        return False
    return not any(piece.name in _QUOTED for piece in reading.seen) and with_flood(reading).is_alert


def with_flood(reading: Reading) -> Reading:
    """The reading of a text to a line that is being flooded."""
    seen = (*reading.seen, Seen(FLOODED, "flood", reading.places["amount"], BITS))
    bits, form = max((sum(Reading(reading.demand, seen, form, 0.0, False).worth), -form) for form in (0, 2))
    return Reading(reading.demand, seen, -form, max(bits, 0.0), bits >= THRESHOLD)
