"""What the observations of `scam_call` are worth, in bits.

Two hypotheses are weighed side by side: the callers are abroad (forged numbers, or foreign ones), or they ring through SIM boxes
and other numbers at home. Ordinary life is a stranger's answered call that has lasted for a minute: about one in ten line-days.
The figures for ordinary life are read off `calibration.md` (Copenhagen, Sichuan: durations, first contacts) and simulated cities, those
for the crime off the newspapers' cases. docs/scam_call.md has the table.
"""

import math
from typing import Any, Final

import numpy as np

from ringfence.compiled import jit, routine
from ringfence.detect.memory import (
    AWAY,
    DAY,
    WITHHELD,
    is_new,
    stranger_rate,
)
from ringfence.detect.rules import Rules, verdict_on
from ringfence.model.caller_class import (
    ALLOWED,
    BANK,
    CLASS_BITS,
    EMERGENCY,
    FIXED,
    FIXED_OR_MOBILE,
    FOREIGN,
    MOBILE,
    PREMIUM,
    SERVICE,
    STATE,
    TOLL_FREE,
)
from ringfence.model.tables import INTERNATIONAL, SUBSCRIBER
from ringfence.model.verdicts import IMPOSSIBLE, NO_SUCH_FOREIGN, NOTHING, REASON_BITS

ABROAD: Final = 0
AT_HOME: Final = 1

# What sort of caller it is.
PLAIN: Final = 0
FROM_ABROAD: Final = 1
FORGED: Final = 2
BOX: Final = 3
UNNAMED: Final = 4
FIRM: Final = 5

_MINUTES: Final = np.array([1, 3, 5, 8, 12, 16, 20, 25, 30, 45, 60, 90, 120, 180, 240, 360])
"""At these minutes of a call its length is weighed anew."""
_LENGTH: Final = np.array([0.0, 0.6, 1.4, 2.6, 3.8, 4.4, 4.9, 5.3, 5.5, 5.8, 6.0, 6.4, 6.8, 7.3, 7.6, 8.0])
"""log2 of the shares of calls that last so long, once they have lasted a minute. Ordinary strangers' calls: 5 min .25, 12 min .045, 30 min
.009 (Copenhagen's log-normal, with a heavier tail); a scammer's: .7, .6, .4. Beyond half an hour ordinary long calls (support, families,
new acquaintances) last nearly as a scammer's do."""
_YOUNG: Final = 4.0
_LEARNT: Final = 6.0
"""While the memory is young old acquaintances look like strangers: at first five times as many long calls seem to come from strangers;
that fades with six days (of the calls among acquaintances .098 are first contacts after 14 days: Copenhagen)."""

_IMPOSSIBLE: Final = 6.5
"""A number that cannot come from where it does: one answered call of strangers in a thousand and less, six in ten scammers'. The rest of
cold calls is weighed by the calls' length: nine in ten of those called hang up within a minute."""
_SUSPECT: Final = 4.0
_IN_TWO_PLACES: Final = 6.0
_TRAVELLER: Final = 2.0
_JOURNEY: Final = 2  # h; nobody is abroad so soon after having been at home
_UNPLANNED: Final = 1.5
_FOREIGN: Final = 1.7
_LEAST_ABROAD: Final = 0.012
"""Share of strangers' calls that come from abroad, of a line that nobody rings from there (Shanghai: 4 calls a year)."""
_OTHER_WAY: Final = -6.0
_UNTOLD: Final = -0.5  # a mobile of this country, way unknown: rather from here

_BOX: Final = 3.8
_FRESH: Final = 1.5
_PERSON: Final = -2.0
_OFFICE: Final = -1.8
_NO_NUMBER: Final = -1.0

_MOST_RELAY: Final = 6.0
_STEADY: Final = 0.06
"""Other strangers' calls of a minute and more that follow each other for a reason, an hour: departments, applicants, a delivery."""


@jit
def weighed_before(minutes: int) -> int:
    """The minute at which a call that has lasted for so many was weighed last; negative: it is not weighed at this one."""
    place = np.searchsorted(_MINUTES, minutes)
    if place == 0 or place == len(_MINUTES) or _MINUTES[place] != minutes:
        return -1
    return _MINUTES[place - 1]


@routine
def length_bits(minutes: float) -> float:
    """Bits for a stranger's call that has lasted for so many minutes."""
    return float(np.interp(minutes, _MINUTES, _LENGTH))


@routine
def young_bits(now: int, born: int) -> float:
    """Bits against, as long as many who look like strangers are none."""
    return -math.log2(1.0 + _YOUNG * math.exp(-(now - born) / (_LEARNT * DAY)))


@jit
def is_in_two_places(call: Any) -> bool:
    """Whether an own subscriber's number arrives from abroad, though it was in use at home just now."""
    return bool(call.ingress == INTERNATIONAL and call.home < _JOURNEY)


@jit
def may_hold(call: Any) -> bool:
    """Whether a call is a stranger's, or one under an acquaintance's forged number."""
    return is_new(call) or is_in_two_places(call)


@jit
def is_nobody(call: Any) -> bool:
    """Whether a number at home is neither a firm's nor one that others ring."""
    kind = call.kind & CLASS_BITS
    return bool(call.received == 0 and kind in (MOBILE, FIXED_OR_MOBILE))


@routine
def sort_of(call: Any, rules: Rules) -> tuple[int, float, float]:
    """What sort of caller it is, and the bits for the two hypotheses."""
    if call.relation == WITHHELD:
        return UNNAMED, _NO_NUMBER, _NO_NUMBER
    kind = call.kind & CLASS_BITS
    if kind in (ALLOWED, EMERGENCY):
        return FIRM, -8.0, -8.0
    if call.ingress == INTERNATIONAL and call.home < AWAY:  # an own subscriber's, who may travel
        return FORGED, _IN_TWO_PLACES if call.home < _JOURNEY else _TRAVELLER, _OTHER_WAY
    if call.ingress != SUBSCRIBER and call.helped == 0:
        verdict = verdict_on(call, call.kind, rules)
        if verdict & REASON_BITS not in (NOTHING, NO_SUCH_FOREIGN):
            return _forged(call, verdict)
    if call.ingress == INTERNATIONAL:
        share = max(call.abroad / 255.0, _LEAST_ABROAD)
        return FROM_ABROAD, max(min(math.log2(0.15 / share), _FOREIGN), -1.0) + _used(call), _OTHER_WAY
    return _at_home(call, kind)


@jit
def _forged(call: Any, verdict: int) -> tuple[int, float, float]:
    """A number that cannot be where it claims to be. Elsewhere than from abroad it may be newer than the plan."""
    if call.ingress != INTERNATIONAL:
        return FORGED, _UNPLANNED if call.ingress == 0 else _OTHER_WAY, _UNPLANNED
    return FORGED, _IMPOSSIBLE if verdict & IMPOSSIBLE else _SUSPECT, _OTHER_WAY


@jit
def _used(call: Any) -> float:
    """Bits against a caller that is known to many who ring it too, or talk with it again."""
    if call.received >= 2 or (call.talks >= 4 and call.people < 0.5 * call.calls):
        return _PERSON
    return 0.0


@jit
def _at_home(call: Any, kind: int) -> tuple[int, float, float]:
    other = _UNTOLD if call.ingress == 0 else _OTHER_WAY
    if kind == FOREIGN:
        return PLAIN, 2.0 if call.ingress == 0 else other, 0.0
    if kind in (FIXED, TOLL_FREE, PREMIUM, SERVICE, STATE, BANK):
        return FIRM, other, _OFFICE + _used(call)
    if call.numbers >= 4:
        return BOX, other, _BOX
    fresh = call.received == 0 and call.calls >= 4 and call.people > 0.7 * call.calls
    if fresh and call.age < 14.0:
        return BOX, other, _FRESH
    return PLAIN, other, _used(call)


@jit
def strangers_an_hour(line: Any, now: int, born: int) -> float:
    """How many strangers' calls of a minute and more a line gets in a waking hour."""
    return stranger_rate(line, now, born) * 0.3 / 15.0


@routine
def relay_bits(gap: float, rate: float, others: int) -> float:
    """Bits for another stranger's call, so many hours after the last one of a minute and more.

    Three in four scammers put the victim through within minutes, one in seven within the hour or two; once, some twice. `others`: how
    many strangers have followed another one by now. Whom a fourth and a fifth one ring is rung by many.
    """
    if others > 3:
        return -1.5
    told = 0.75 * 12.0 * math.exp(-12.0 * gap) + 0.2 * 0.7 * math.exp(-0.7 * gap)
    usual = rate + _STEADY * math.exp(-0.5 * gap)
    return max(min(math.log2(told / usual), _MOST_RELAY), 0.0) / (1.0 if others == 1 else 4.0)


@jit
def again_bits(gap: float, times: int) -> float:
    """Bits for the same number again, so many hours after its last call: calls that break off are taken up again."""
    if gap > 3.0:
        return 0.0
    return (1.8 if gap < 0.5 else 0.7) / (1.0 + times)


@routine
def payment_bits(known: bool, beyond: float, before: int) -> float:
    """Bits for a transfer under way: whether the payee was paid before, and how far the sum lies beyond the payer's own past.

    People pay somebody new once in a month or two: in the hours of a call one in a hundred and less, of the victims a half.
    """
    if known:
        return -1.0
    if before < 3:
        return 1.0
    return 1.5 + min(max(beyond, -1.0), 3.5)
