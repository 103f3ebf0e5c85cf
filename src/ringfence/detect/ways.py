"""How calls come into the network, and what that says of a burst of strangers.

An own subscriber who talks with others and rings from its own network is a person whom nobody can have made up; a flood comes from
outside, over the few trunks of one gateway. What is ordinary differs between networks: where all strangers come over one
interconnect that says nothing. So each line learns the ways of its own callers, known and unknown.
"""

import math
from typing import Any, Final

import numpy as np

from ringfence.compiled import jit
from ringfence.detect.memory import WITHHELD, count_bits
from ringfence.model.tables import DOMESTIC, INTERNATIONAL, SUBSCRIBER

VERIFIED: Final = 0.03
"""Share of a flood's callers that are own subscribers with a life: others who ring by chance, phones taken over."""
_MOST_OWN: Final = 0.5
_LEAST_OUTSIDE: Final = 0.65
"""However much a line's own callers are of this network, a popular line's are of all."""
_FLOOD_ABROAD: Final = 0.3
"""Share of floods that come in from abroad (servers outside the country: Shanghai Daily 2013)."""
_LEAST_ABROAD: Final = 0.05
_LEAST_SAME: Final = 0.05
_WITHHELD_OWN: Final = -1.6
"""A withheld number of the own network: .45 of ordinary withheld calls, an eighth of a flood's at the most."""
_BORROWED: Final = 2.5
_BORROWED_ABROAD: Final = 1.5
_AT_HOME: Final = 48
_AT_HOME_TODAY: Final = 24
"""Hours. Who was active in the own network within these does not ring from another one; who travels may, after some hours."""
_PHONE_NUMBERS: Final = 3
"""More numbers in one phone: a SIM box, nobody's life."""
_NEW_TRUNK: Final = np.array([0.35, 0.25, 0.15, 0.1, 0.07])
"""Share of a flood's calls that come over a trunk it has not used yet, after one, two … five or more trunks."""
_TRUNK_BITS: Final = 2.0
_RATE: Final = 16
"""A line's shares follow its last sixteen calls or so."""


@jit
def _moved(share: int, happened: bool) -> Any:
    """A share in 255ths after one more call."""
    return (np.int64(share) * (_RATE - 1) + (255 if happened else 0) + _RATE // 2) // _RATE


@jit
def learn_way(line: Any, call: Any) -> None:
    """Take into the habits of a line how a call came in."""
    if call.ingress == 0:
        return
    line.own = _moved(line.own, call.ingress == SUBSCRIBER)
    line.abroad = _moved(line.abroad, call.ingress == INTERNATIONAL)
    if call.ingress != SUBSCRIBER and call.trunk != 0:
        trunk = 1 + (call.trunk & 0xFFFF) % 255
        if line.last_trunk != 0:
            line.same_trunk = _moved(line.same_trunk, line.last_trunk == trunk)
        line.last_trunk = trunk


@jit
def has_life(call: Any) -> bool:
    """Whether the caller has been seen for a day and talks with others."""
    return bool(call.talks >= 2 and call.age >= 1)


@jit
def is_verified(call: Any) -> bool:
    """Whether the caller is an own subscriber with a life, ringing from its own network and a phone of its own."""
    return bool(call.ingress == SUBSCRIBER and has_life(call) and call.numbers <= _PHONE_NUMBERS)


@jit
def is_borrowed(call: Any) -> bool:
    """Whether a number of the own network that lately was active there comes in from outside: it is somebody else's call."""
    if call.ingress == INTERNATIONAL:
        return bool(call.home < _AT_HOME_TODAY)
    return bool(call.ingress == DOMESTIC and call.home < _AT_HOME)


@jit
def verified_bits(line: Any, least: float) -> float:
    """Bits for a verified caller, who is as frequent in ordinary life as own subscribers are among the line's callers."""
    return math.log2(VERIFIED / min(max(line.own / 255.0, least), _MOST_OWN))


@jit
def outside_bits(line: Any) -> float:
    """Bits for a caller from outside the own network."""
    return math.log2((1.0 - VERIFIED) / max(1.0 - line.own / 255.0, _LEAST_OUTSIDE))


@jit
def way_bits(line: Any, call: Any) -> float:
    """Bits, against ordinary life, for the way a call of an unknown number came in (of verified callers see `verified_bits`)."""
    if call.ingress == SUBSCRIBER:
        return _WITHHELD_OWN if call.relation == WITHHELD else 0.0
    if call.ingress == INTERNATIONAL:
        return math.log2(_FLOOD_ABROAD / max(line.abroad / 255.0, _LEAST_ABROAD))
    return outside_bits(line) if call.ingress == DOMESTIC and call.relation != WITHHELD else 0.0


@jit
def borrowed_bits(call: Any) -> float:
    """Bits for an unknown number that is not where its owner is."""
    if call.relation == WITHHELD or not is_borrowed(call):
        return 0.0
    return _BORROWED if call.ingress == DOMESTIC else _BORROWED_ABROAD


@jit
def trunk_bits(line: Any, trunks: int, call: Any) -> tuple[Any, float]:
    """Bits, against a popular line, for the trunk of a call after those the burst has used.

    Args:
        line: the called one.
        trunks: those used so far, a set of 64 bits.
        call: the call.

    Returns:
        The trunks with this one, and the bits.
    """
    before: Any = np.uint64(trunks)
    if call.ingress <= SUBSCRIBER or call.trunk == 0:
        return before, 0.0
    mark = np.uint64(1) << np.uint64((call.trunk >> 8) & 63)
    used = count_bits(before)
    with_it = before | mark
    if used == 0:
        return with_it, 0.0
    fresh = (1.0 - max(line.same_trunk / 255.0, _LEAST_SAME)) ** min(used, 8)
    flood = _NEW_TRUNK[min(used, len(_NEW_TRUNK)) - 1]
    if before & mark != 0:
        return with_it, min(max(math.log2((1.0 - flood) / (1.0 - fresh)), 0.0), _TRUNK_BITS)
    return with_it, max(min(math.log2(flood / fresh), 0.0), -_TRUNK_BITS)
