"""What differs from country to country: numbers people know, zone, money, language.

Number ranges themselves come from the number plan (`numbering`); here stand the short and the famous numbers.
Attestation (SHAKEN) is used between carriers of the United States and Canada.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Country:
    """A country's telephone life.

    Attributes:
        code: country calling code.
        hours: local time minus UTC.
        city: area code of the city; cities: of others.
        local_digits: digits of a fixed line behind the area code.
        mobile_digits: digits of a mobile number without country code.
        mobile: how ranges of mobile numbers begin (national), to be tried against the number plan.
        toll_free: how toll-free numbers begin, and how many digits follow.
        emergency: numbers of emergency services; state: of state organs that are rung; banks; carriers (with the number of
            the city's own first): short or famous numbers, as they are shown.
        abroad: E.164 beginnings of numbers that ring from abroad and how many digits follow, by weight.
        currency: ISO 4217; salary: a usual sum.
        language: of texts.
        attested: whether carriers sign calls.
    """

    code: str
    hours: float
    city: str
    cities: tuple[str, ...]
    local_digits: int
    mobile_digits: int
    mobile: tuple[str, ...]
    toll_free: tuple[str, int]
    emergency: tuple[str, ...]
    state: tuple[str, ...]
    banks: tuple[str, ...]
    carriers: tuple[str, ...]
    abroad: tuple[tuple[str, int, float], ...]
    currency: str
    salary: float
    language: str
    attested: bool = False


_WORLD: Final = (
    ("8210", 8, 2.0), ("8190", 8, 2.0), ("8529", 7, 3.0), ("6598", 6, 2.0), ("6017", 7, 1.5), ("6689", 7, 1.5),
    ("8490", 7, 1.5), ("639", 9, 1.5), ("85510", 6, 0.8), ("9592", 7, 0.6), ("1415", 7, 1.5), ("1646", 7, 1.5),
    ("1604", 7, 1.0), ("447", 9, 1.5), ("4917", 8, 0.8), ("336", 8, 0.8), ("614", 8, 1.2), ("9715", 8, 0.8),
    ("79", 9, 0.6), ("2348", 9, 0.3), ("919", 9, 0.8), ("923", 9, 0.3), ("8613", 9, 1.2), ("3932", 8, 0.5),
)  # fmt: skip

_CN = Country(
    code="86",
    hours=8,
    city="21",
    cities=("10", "20", "22", "23", "25", "27", "28", "29", "571", "512", "532", "591", "755", "731", "371", "531"),
    local_digits=8,
    mobile_digits=11,
    mobile=tuple(f"1{n}" for n in range(30, 100)),
    toll_free=("400", 7),
    emergency=("110", "119", "120", "122"),
    state=("12345", "12333", "12366", "12315", "12389", "96110", "12381"),
    banks=("95588", "95533", "95566", "95599", "95559", "95555", "95528", "95568", "95561", "95580"),
    carriers=("10086", "10000", "10010", "10099"),
    abroad=_WORLD,
    currency="CNY",
    salary=9_000,
    language="zh",
)  # fmt: skip
_US = Country(
    code="1",
    hours=-5,
    city="212",
    cities=("646", "917", "718", "347", "929", "201", "973", "312", "213", "310", "415", "617", "305", "404", "702"),
    local_digits=7,
    mobile_digits=10,
    mobile=("212", "646", "917", "718", "347", "929", "332", "551", "862", "203", "516", "631", "914"),
    toll_free=("800", 7),
    emergency=("911",),
    state=("+18008291040", "+18007721213", "311"),
    banks=("+18009359935", "+18004321000", "+18008693557", "+18003749700"),
    carriers=("+18009220204", "611", "+18003310500"),
    abroad=_WORLD,
    currency="USD",
    salary=4_200,
    language="en",
    attested=True,
)  # fmt: skip
_GB = Country(
    code="44",
    hours=0,
    city="20",
    cities=("121", "161", "113", "151", "117", "131", "141", "191", "115", "116", "118"),
    local_digits=8,
    mobile_digits=10,
    mobile=tuple(f"7{n}" for n in range(30, 100)),
    toll_free=("800", 7),
    emergency=("999", "112"),
    state=("101", "111", "+443003003300", "+443001234500"),
    banks=("159", "+443457345345", "+443456000000", "+443457404404"),
    carriers=("150", "+443338008150", "+443331234567"),
    abroad=_WORLD,
    currency="GBP",
    salary=2_400,
    language="en",
)  # fmt: skip
_IN = Country(
    code="91",
    hours=5.5,
    city="22",
    cities=("11", "33", "44", "40", "80", "20", "79"),
    local_digits=8,
    mobile_digits=10,
    mobile=tuple(str(n) for n in range(60, 100)),
    toll_free=("1800", 7),
    emergency=("112", "100", "108"),
    state=("1930", "14546", "1915"),
    banks=("+9118001234", "+911800112211", "+9118002026161", "+9118601801290"),
    carriers=("198", "121", "199"),
    abroad=_WORLD,
    currency="INR",
    salary=35_000,
    language="en",
)  # fmt: skip
_CA = Country(
    code="1",
    hours=-5,
    city="416",
    cities=("647", "437", "905", "289", "514", "438", "604", "778", "403", "613"),
    local_digits=7,
    mobile_digits=10,
    mobile=("416", "647", "437", "905", "289", "365"),
    toll_free=("800", 7),
    emergency=("911",),
    state=("+18009598281", "211", "311"),
    banks=("+18007692511", "+18004653422", "+18882237865"),
    carriers=("611", "+18667722273"),
    abroad=_WORLD,
    currency="CAD",
    salary=4_000,
    language="en",
    attested=True,
)  # fmt: skip

COUNTRIES: Final = {"CN": _CN, "US": _US, "GB": _GB, "IN": _IN, "CA": _CA}
"""By ISO 3166 code."""
