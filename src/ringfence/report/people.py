"""Who rang and from where, as far as the shown numbers tell."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ringfence.report.calls import NOBODY_TALKED, UNKNOWN, Call
from ringfence.report.words import WITHHELD, Both, number

TOP_NUMBERS = 15
TOP_PLACES = 8

LOCAL = Both("local number", "本地号码")
UNPLACED = Both("unknown origin", "归属地不明")
_KINDS = {
    0: Both("fixed line", "固定电话"),
    1: Both("mobile", "手机"),
    2: Both("fixed or mobile", "固话或手机"),
    3: Both("freephone", "被叫付费号码"),
    4: Both("premium rate", "声讯电话"),
    6: Both("internet telephone", "网络电话"),
}
_CHINA = 86
_PROVINCE = re.compile("内蒙古|广西|西藏|宁夏|新疆|.+?省|.+?市")
NO_KIND = Both("type unknown", "类型不明")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a number belongs: as exactly as known, and the country or, in China, the province; what sort it is."""

    place: Both
    region: Both
    kind: Both


@dataclass(slots=True)
class Row:
    """Some calls counted together: a number, or a place with `numbers` of them."""

    name: Both
    origin: Origin
    calls: int = 0
    numbers: int = 0
    first: int = 0
    last: int = 0
    silent: int = 0
    ended: int = 0


@dataclass(frozen=True, slots=True)
class People:
    """Who rang.

    Attributes:
        calls: all; withheld: those without a number.
        numbers: distinct numbers shown.
        places, top: the most frequent first; more_places, more_numbers: how many are left out.
    """

    calls: int
    withheld: int
    numbers: int
    places: list[Row]
    more_places: int
    top: list[Row]
    more_numbers: int


def people(calls: Sequence[Call]) -> People:
    """Count the callers."""
    rows: dict[str | None, Row] = {}
    for call in calls:
        row = rows.get(call.caller)
        if row is None:
            row = rows[call.caller] = Row(number(call.caller), origin(call.caller), first=call.at, numbers=1)
        _add(row, call)
    withheld = rows.pop(None, None)
    top = sorted(rows.values(), key=lambda row: (-row.calls, row.first))
    places = _places(top)
    if withheld is not None:
        withheld.numbers = 0
        places.append(withheld)
    places.sort(key=lambda row: -row.calls)
    return People(
        calls=len(calls),
        withheld=withheld.calls if withheld else 0,
        numbers=len(top),
        places=places[:TOP_PLACES],
        more_places=max(len(places) - TOP_PLACES, 0),
        top=top[:TOP_NUMBERS],
        more_numbers=max(len(top) - TOP_NUMBERS, 0),
    )


def _add(row: Row, call: Call) -> None:
    row.calls += 1
    row.last = call.at
    row.ended += call.outcome != UNKNOWN
    row.silent += call.outcome in NOBODY_TALKED


def _places(rows: Sequence[Row]) -> list[Row]:
    """Count numbers of the same place and sort together."""
    places: dict[tuple[Both, Both], Row] = {}
    counts: Counter[tuple[Both, Both]] = Counter()
    for row in rows:
        key = row.origin.region, row.origin.kind
        place = places.setdefault(key, Row(row.origin.region, row.origin, first=row.first))
        place.calls += row.calls
        place.ended += row.ended
        place.silent += row.silent
        counts[key] += 1
    for key, place in places.items():
        place.numbers = counts[key]
    return list(places.values())


@lru_cache(maxsize=50_000)
def origin(caller: str | None) -> Origin:
    """Where a shown number belongs. It may be forged: the number plan tells what it claims to be."""
    nothing = Both("", "")
    if caller is None:
        return Origin(WITHHELD, WITHHELD, nothing)
    if not (caller.startswith("+") and caller[1:].isascii() and caller[1:].isdigit()):
        return Origin(LOCAL, LOCAL, nothing)
    from phonenumbers import NumberParseException, number_type, parse

    try:
        parsed = parse(caller)
    except NumberParseException:
        return Origin(UNPLACED, UNPLACED, NO_KIND)
    return Origin(*_place(parsed), _KINDS.get(number_type(parsed), NO_KIND))


def _place(parsed: Any) -> tuple[Both, Both]:
    """Return the place and its country or province."""
    from ringfence.report import places

    country = Both(*places.country(parsed))
    if not country.en:
        code = f"+{parsed.country_code}"
        unknown = Both(f"country code {code}", f"国家代码 {code}")
        return unknown, unknown
    area = Both(*places.area(parsed))
    place = _within(country, area)
    if parsed.country_code != _CHINA:
        return place, country
    found = _PROVINCE.match(area.zh)
    return place, _within(country, Both(area.en.rpartition(", ")[2], found[0] if found else area.zh))


def _within(country: Both, area: Both) -> Both:
    return Both(
        country.en if area.en in {"", country.en} else f"{area.en}, {country.en}",
        country.zh if area.zh in {"", country.zh} else f"{country.zh} {area.zh}",
    )


@lru_cache(maxsize=5_000)
def carrier(caller: str) -> Both:
    """Whose mobile number it is, or was before it was ported; empty: not known."""
    from phonenumbers import NumberParseException, parse
    from phonenumbers.carrier import name_for_number

    try:
        parsed = parse(caller)
    except NumberParseException:
        return Both("", "")
    return Both(name_for_number(parsed, "en"), name_for_number(parsed, "zh"))
