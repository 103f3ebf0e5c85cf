"""What is known beforehand of numbers and trunks: the country's rules and the operator's lists, as the pass needs them."""

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ringfence.compiled import borrowed, jit
from ringfence.model.caller_class import CLASS_BITS, EMERGENCY
from ringfence.model.callers import Callers, Tables, number_class
from ringfence.model.number_lists import NumberLists
from ringfence.model.packs import Pack, countries, pack_of, plain_pack
from ringfence.model.verdicts import verdict_of, verdicts

_SHORT: Final = 10**7
"""Numbers of so few digits, or without a country code, may be those of emergency services."""
_E164_END: Final = 10**15


class Rules(NamedTuple):
    """The rules of one country.

    Attributes:
        numbers: tables for `number_class`.
        verdicts: uint8[256, 4, 4], see `model.verdicts`.
        proven: int64, sorted hashes of trunks whose traffic is proven to come from this country.
        call_back: s, for so long an emergency service may ring back.
    """

    numbers: Tables
    verdicts: npt.NDArray[np.uint8]
    proven: npt.NDArray[np.int64]
    call_back: int


def rule_pack(country: str) -> Pack:
    """The pack of a country (ISO 3166 code); where there is none, one that knows only what holds everywhere.

    Raises:
        PackError: There is no such country in the number plans.
    """
    return pack_of(country) if country.strip().upper() in countries() else plain_pack(country)


def rules_of(
    country: str, lists: NumberLists | None = None, proven: npt.NDArray[np.int64] | None = None
) -> Rules:
    """The rules of a country (ISO 3166 code), with what an operator knows beyond them."""
    pack = rule_pack(country)
    trunks = np.zeros(0, np.int64) if proven is None else np.sort(proven)
    return Rules(Callers(pack, lists).tables, verdicts(pack), trunks, int(pack.callback_hours * 3600))


@jit
def borrow_rules(rules: Rules) -> Rules:
    """The rules for use within one call."""
    numbers = Tables(
        borrowed(rules.numbers.table), borrowed(rules.numbers.starts), borrowed(rules.numbers.marks)
    )
    return Rules(numbers, borrowed(rules.verdicts), borrowed(rules.proven), rules.call_back)


@jit
def is_emergency(number: int, rules: Rules) -> bool:
    """Whether a called number is that of an emergency service."""
    if _SHORT <= number < _E164_END:
        return False
    return number_class(number, rules.numbers) & CLASS_BITS == EMERGENCY


@jit
def _is_proven(trunk: int, rules: Rules) -> bool:
    place = np.searchsorted(rules.proven, trunk)
    return bool(place < len(rules.proven) and rules.proven[place] == trunk)


@jit
def verdict_on(call: Any, kind: int, rules: Rules) -> int:
    """What the rules say of a call's shown number, whose class is `kind` (see `model.verdicts`)."""
    callee = number_class(call.callee, rules.numbers)
    exempt = call.trunk != 0 and _is_proven(call.trunk, rules)
    return verdict_of(rules.verdicts, kind, callee, call.ingress, call.attestation, exempt)
