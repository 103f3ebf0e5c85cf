"""Numbers of the city's lines and of everybody else: valid in the country's plan, spread over many ranges.

A range is 10^4 numbers. Customers who brought their number from another network (and took one there) make sure that a range does not tell the
network: 15 in 16 numbers of a range may belong to its own network, the rest are ported.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ringfence.compiled import entry
from ringfence.model import caller_class as cc
from ringfence.model.callers import Callers, Classes
from ringfence.model.numbers import NumberPlan
from ringfence.model.packs import pack_of
from ringfence.simulate.chance import share, trait
from ringfence.simulate.contacts import reflected, scatter
from ringfence.simulate.countries import COUNTRIES, Country

Numbers = npt.NDArray[np.int64]
_PORTED: Final = 0.04
_OWN: Final = 9_375  # 15 in 16 numbers of a range
_IN_A_RANGE: Final = 2_500  # own lines in a range of 10^4, at most


@dataclass(frozen=True, slots=True)
class Numbering:
    """Where numbers come from.

    Attributes:
        country: its data; iso: its two letters.
        own: ranges of the city's network; others: of other networks in the country; far: of other networks, whose
            customers nobody in the city knows; unallocated: possible, but given to no network;
        foreign: numbers abroad without their last three digits.
        callers: tells what a shown number is.
    """

    iso: str
    country: Country
    own: Numbers
    others: Numbers
    far: Numbers
    unallocated: Numbers
    foreign: Numbers
    plan: NumberPlan
    callers: Callers

    def number(self, text: str) -> int:
        """A number that is written somehow, as an integer."""
        return self.plan.parse_one(text)

    def numbers(self, texts: tuple[str, ...]) -> Numbers:
        """The same of several."""
        return np.array([self.number(text) for text in texts], np.int64)

    def classes(self, numbers: Numbers) -> Classes:
        """What each number is by the country's pack: see `model.caller_class`."""
        return self.callers.classify(numbers)


def numbering_of(iso: str, lines: int, rng: np.random.Generator) -> Numbering:
    """Draw the ranges of a city.

    Args:
        iso: ISO 3166, one of `COUNTRIES`.
        lines: how many own lines there will be.
        rng: the chance.
    """
    country = COUNTRIES[iso]
    own = max(160, -(-lines // _IN_A_RANGE))
    others = max(2_000, own)
    allocated = _allocated(iso, country, rng, own + others + 400)
    return Numbering(
        iso=iso,
        country=country,
        own=allocated[:own],
        others=allocated[own : own + others],
        far=allocated[own + others :],
        unallocated=_unallocated(country, rng, 150),
        foreign=_foreign(country, rng, 300),
        plan=NumberPlan.of(iso),
        callers=Callers(pack_of(iso)),
    )


def only_called(numbering: Numbering, numbers: Numbers) -> npt.NDArray[np.bool_]:
    """Which numbers never call."""
    return np.isin(numbering.classes(numbers), (cc.INBOUND, cc.STATE_NEVER, cc.BANK_NEVER))


def unallocated_numbers(numbering: Numbering, rng: np.random.Generator, count: int) -> Numbers:
    """Numbers of the country that nobody has."""

    def some(wanted: int) -> Numbers:
        return rng.choice(numbering.unallocated, wanted) * 10_000 + rng.integers(0, 10_000, wanted)

    return drawn_of(numbering, (cc.UNALLOCATED,), count, some)


def drawn_of(
    numbering: Numbering, classes: tuple[int, ...], count: int, some: Callable[[int], Numbers]
) -> Numbers:
    """So many numbers of some classes, from a source that gives others too."""
    found = np.zeros(0, np.int64)
    while len(found) < count:
        new = some(count - len(found))
        found = np.concatenate([found, new[np.isin(numbering.classes(new), classes)]])
    return found


def _allocated(iso: str, country: Country, rng: np.random.Generator, count: int) -> Numbers:
    """Distinct ranges of mobile numbers that the plan knows."""
    from phonenumbers import PhoneMetadata

    meta: Any = PhoneMetadata.metadata_for_region(iso)
    known = re.compile(meta.mobile.national_number_pattern)
    found: dict[int, None] = {}
    while len(found) < count:
        prefix = _prefix(rng, country, str(rng.choice(country.mobile)))
        if all(known.fullmatch(prefix + end) for end in ("0000", "4826", "9999")):
            found[int(country.code + prefix)] = None
    return np.array(list(found), np.int64)


def _unallocated(country: Country, rng: np.random.Generator, count: int) -> Numbers:
    """Distinct ranges of the length of mobile numbers that the plan does not know."""
    from phonenumbers import PhoneNumber, is_possible_number, is_valid_number

    found: dict[int, None] = {}
    while len(found) < count:
        prefix = _prefix(rng, country, str(rng.integers(10, 200)))
        samples = [PhoneNumber(int(country.code), int(prefix + end)) for end in ("0000", "4826", "9999")]
        if all(is_possible_number(sample) and not is_valid_number(sample) for sample in samples):
            found[int(country.code + prefix)] = None
    return np.array(list(found), np.int64)


def _prefix(rng: np.random.Generator, country: Country, begin: str) -> str:
    free = country.mobile_digits - 4 - len(begin)
    return begin + f"{rng.integers(10**free):0{free}d}"


@entry
def mobile_numbers(seed: Any, first: int, last: int, own: Any, others: Any, out: Any) -> None:
    """Distinct numbers of own mobile lines.

    Args:
        seed: uint64.
        first: number of the first line.
        last: behind the last one.
        own: int64, own ranges.
        others: int64, ranges of other networks.
        out: int64[last - first].
    """
    side_own = int((len(own) * _OWN) ** 0.5)
    side_others = int((len(others) * (10_000 - _OWN)) ** 0.5)
    for line in range(first, last):
        if share(trait(seed, line, 31)) >= _PORTED or line >= side_others * side_others:
            place = reflected(seed, line, side_own)
            prefix, rest = own[place // _OWN], place % _OWN
        else:
            place = reflected(seed, line, side_others)
            width = 10_000 - _OWN
            prefix, rest = others[place // width], _OWN + place % width
        out[line - first] = prefix * 10_000 + scatter(prefix, rest)


def fixed_numbers(numbering: Numbering, rng: np.random.Generator, count: int, *, own: bool) -> Numbers:
    """Distinct fixed lines of the city (own: of the city's network), valid in the plan."""
    return _drawn(numbering, count, lambda: _fixed(numbering.country, rng, own=own))


def other_cities(numbering: Numbering, rng: np.random.Generator, count: int) -> Numbers:
    """Fixed lines of other cities, valid in the plan."""
    country = numbering.country

    def one() -> str:
        area = str(rng.choice(country.cities))
        digits = max(country.local_digits - max(len(area) - 2, 0), 7)
        return f"{area}{rng.integers(2, 9)}{rng.integers(10 ** (digits - 1)):0{digits - 1}d}"

    return _drawn(numbering, count, one)


def toll_free_numbers(numbering: Numbering, rng: np.random.Generator, count: int) -> Numbers:
    """Toll-free numbers."""
    begin, digits = numbering.country.toll_free
    return _drawn(numbering, count, lambda: f"{begin}{rng.integers(10**digits):0{digits}d}", "toll_free")


def foreign_numbers(numbering: Numbering, rng: np.random.Generator, count: int) -> Numbers:
    """Numbers of people abroad; the commoner countries more often."""
    places = len(numbering.foreign) * rng.random(count) ** 1.5
    return numbering.foreign[places.astype(np.int64)] * 1_000 + rng.integers(0, 1_000, count)


def _foreign(country: Country, rng: np.random.Generator, count: int) -> Numbers:
    """Beginnings of numbers abroad whose last three digits are free, valid where they belong."""
    from phonenumbers import is_valid_number, parse

    ways = [way for way in country.abroad if not way[0].startswith(country.code)]
    weights = np.array([way[2] for way in ways]) / sum(way[2] for way in ways)
    found: dict[int, None] = {}
    while len(found) < count:
        begin, digits, _ = ways[int(rng.choice(len(ways), p=weights))]
        prefix = f"{begin}{rng.integers(10 ** (digits - 3)):0{digits - 3}d}"
        if all(is_valid_number(parse(f"+{prefix}{end}")) for end in ("000", "482", "999")):
            found[int(prefix)] = None
    return np.array(list(found), np.int64)


def _fixed(country: Country, rng: np.random.Generator, *, own: bool) -> str:
    exchange = int(rng.integers(20, 90)) // 2 * 2 + (not own)  # even exchanges are the city's own network
    digits = country.local_digits - 2
    return f"{country.city}{exchange}{rng.integers(10**digits):0{digits}d}"


def _drawn(numbering: Numbering, count: int, one: Callable[[], str], sort: str = "fixed_line") -> Numbers:
    """Distinct national numbers that the plan has among those of a sort, as E.164."""
    from phonenumbers import PhoneMetadata

    known = re.compile(
        getattr(PhoneMetadata.metadata_for_region(numbering.iso), sort).national_number_pattern
    )
    found: dict[int, None] = {}
    for _ in range(200 * count + 10_000):
        if len(found) == count:
            break
        national = one()
        if known.fullmatch(national):
            found[int(numbering.country.code + national)] = None
    return np.array(list(found), np.int64)
