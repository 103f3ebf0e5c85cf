"""Country packs: what a country's numbers may do, as data that its regulators' rules can be read off.

A pack is a TOML file in `model/packs/`, named after its country; docs/packs.md says how to write one. Reading checks
everything, so that whoever uses a `Pack` need not: a mistake is one line that names the file and the key.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from ringfence.model import caller_class as cc
from ringfence.model.pack_keys import Keys, PackError, Words

OUTBOUND: Final = ("never", "sometimes", "unknown")
_CALLS_OUT: Final = {"emergency", "state", "bank", "service"}
_KINDS: Final = {
    "emergency": cc.EMERGENCY,
    "state": cc.STATE,
    "bank": cc.BANK,
    "service": cc.SERVICE,
    "mobile": cc.MOBILE,
    "fixed": cc.FIXED,
    "local": cc.LOCAL,  # without its area code, so the plan cannot tell
    "unallocated": cc.UNALLOCATED,
    "malformed": cc.MALFORMED,
    "inserted": cc.WITHHELD,  # put in by a gateway where there was no trustworthy number
}
_NEVER: Final = {cc.STATE: cc.STATE_NEVER, cc.BANK: cc.BANK_NEVER, cc.SERVICE: cc.INBOUND}
# Of which classes something can be said, by where the call came in.
JUDGED: Final = {
    "anywhere": {
        cc.STATE_NEVER, cc.BANK_NEVER, cc.INBOUND, cc.LISTED, cc.UNALLOCATED, cc.NO_SUCH_FOREIGN, cc.NO_COUNTRY,
        cc.MALFORMED,
    },
    "abroad": {
        cc.WITHHELD, cc.NAME, cc.LOCAL, cc.FIXED, cc.MOBILE, cc.FIXED_OR_MOBILE, cc.TOLL_FREE, cc.PREMIUM, cc.SERVICE,
        cc.OTHER, cc.EMERGENCY, cc.STATE, cc.BANK,
    },
    "interconnect": {cc.FIXED, cc.MOBILE, cc.FIXED_OR_MOBILE, cc.TOLL_FREE, cc.OTHER},
}  # fmt: skip
STRENGTHS: Final = ("impossible", "suspect", "nothing")
BY: Final = ("trunks", "numbers", "callee", "activity", "allow list", "callback", "attestation", "pack")


@dataclass(frozen=True, slots=True)
class NumberRule:
    """Some numbers that are special.

    Attributes:
        name: whose they are.
        kind: `emergency`, `state`, `bank`, `service`, `mobile`, `fixed`, `local`, `unallocated`, `malformed`, `inserted`.
        outbound: whether they call: `never`, `sometimes`, `unknown`; empty for kinds that are not services.
        national: patterns of the number without country code or trunk prefix.
        international: patterns of the digits behind the plus.
        dialled: patterns of digits that have no country code, as they were shown.
        area_code: whether they are also shown behind an area code.
        source, date: who says so, and when.
    """

    name: Words
    kind: str
    outbound: str
    national: tuple[str, ...]
    international: tuple[str, ...]
    dialled: tuple[str, ...]
    area_code: bool
    source: Words
    date: str

    @property
    def caller_class(self) -> int:
        """The class of these numbers."""
        found = _KINDS[self.kind]
        return _NEVER.get(found, found) if self.outbound == "never" else found


@dataclass(frozen=True, slots=True)
class VerdictRule:
    """What follows from a class of number and where the call came in.

    Attributes:
        where: `anywhere`; `abroad`: through the international gateway; `interconnect`: own numbers from another network.
        classes: the classes it speaks of.
        strength: `impossible`, `suspect` or `nothing`.
        words: the rule in a sentence.
        source, date: who says so, and when.
    """

    where: str
    classes: tuple[int, ...]
    strength: str
    words: Words
    source: Words
    date: str


@dataclass(frozen=True, slots=True)
class ExceptionRule:
    """A call that looks forged by the rules and is not.

    Attributes:
        by: what tells it: the operator's list of `trunks`, list of `numbers` or `allow list`; the `callee`; `activity` of the
            number at home; an emergency call before (`callback`); `attestation`; or the `pack` itself.
        words: the exception in a sentence.
        source, date: who says so, and when.
    """

    by: str
    words: Words
    source: Words
    date: str


@dataclass(frozen=True, slots=True)
class Pack:
    """The rules of a country.

    Attributes:
        country: its two letters.
        code: its country code.
        name, regulator: in both languages.
        regions: the regions of the number plan that count as the country itself.
        shared: regions whose toll-free, premium and other numbers outside areas are this country's too (North America).
        trunk: the prefix for other areas, may be empty; `international`: a pattern of the prefixes for other countries.
        area: a pattern of area codes, for numbers shown behind one.
        callback_hours: for how long after an emergency call a line's incoming calls are not judged.
        attestation: whether calls are signed (STIR/SHAKEN); an A then clears what is only suspect.
        portable: whether numbers can be taken to another operator.
        numbers: the first that matches counts.
        verdicts, exceptions: see there.
    """

    country: str
    code: int
    name: Words
    regulator: Words
    regions: tuple[str, ...]
    shared: tuple[str, ...]
    trunk: str
    international: str
    area: str
    callback_hours: float
    attestation: bool
    portable: bool
    numbers: tuple[NumberRule, ...]
    verdicts: tuple[VerdictRule, ...]
    exceptions: tuple[ExceptionRule, ...]


def countries() -> tuple[str, ...]:
    """The countries that have a pack, by their two letters, sorted."""
    folder = files("ringfence.model") / "packs"
    return tuple(sorted(file.name[:-5] for file in folder.iterdir() if file.name.endswith(".toml")))


@cache
def pack_of(country: str) -> Pack:
    """The pack of a country.

    Raises:
        PackError: There is none, or it has a mistake.
    """
    wanted = country.strip().upper()
    if wanted not in countries():
        raise PackError(f"no rules for the country {country!r}: there are {', '.join(countries())}")
    name = f"{wanted}.toml"
    return read_pack((files("ringfence.model") / "packs" / name).read_text("utf-8"), name)


@cache
def plain_pack(country: str) -> Pack:
    """Rules for a country that has no pack: what ITU-T E.164 says of all numbers, and nothing of who calls from where.

    What its own plan lacks is only suspect: nobody has looked through that plan, or asked its answering points.

    Raises:
        PackError: There is no such country in the number plans.
    """
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, country_code_for_region

    wanted = country.strip().upper()
    code = int(country_code_for_region(wanted))
    if code == 0:
        raise PackError(f"no number plan for the country {country!r}")
    source, date = ("ITU-T E.164", "ITU-T E.164"), "2010-11"
    no_number = ("no such number exists", "号码不存在")
    return Pack(
        country=wanted,
        code=code,
        name=(wanted, wanted),
        regulator=("", ""),
        regions=tuple(COUNTRY_CODE_TO_REGION_CODE[code]),
        shared=(),
        trunk="",
        international="00",
        area=r"\d",
        callback_hours=24.0,
        attestation=False,
        portable=True,
        numbers=(
            NumberRule(
                name=("emergency services", "紧急服务"), kind="emergency", outbound="sometimes",
                national=("112", "911", "999", "000", r"1[0-2]\d"), international=(), dialled=(), area_code=False,
                source=("ITU-T E.161.1: 112 and 911; three digits nearly everywhere", "ITU-T E.161.1：112与911"), date="2008-09",
            ),
        ),
        verdicts=(
            VerdictRule("anywhere", (cc.LISTED,), "impossible", ("on the operator's own list", "运营商自有名单"), source, date),
            VerdictRule("anywhere", (cc.NO_COUNTRY, cc.MALFORMED), "impossible", no_number, source, date),
            VerdictRule("anywhere", (cc.UNALLOCATED, cc.NO_SUCH_FOREIGN), "suspect", no_number, source, date),
        ),
        exceptions=(),
    )  # fmt: skip


def read_pack(text: str, file: str) -> Pack:
    """Read and check a pack.

    Args:
        text: TOML.
        file: its name, for messages.

    Raises:
        PackError: It has a mistake.
    """
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PackError(f"{file}: no TOML: {error}") from None
    top = Keys(file, "", whole)
    country = top.matching("country", r"[A-Z]{2}", "two capital letters")
    plan = top.table("plan")
    code = _country_code(top, country)
    emergency = top.table("emergency")
    pack = Pack(
        country=country,
        code=code,
        name=top.words("name"),
        regulator=top.words("regulator"),
        regions=_regions(plan, "regions", code),
        shared=_regions(plan, "shared", code) if "shared" in plan else (),
        trunk=plan.matching("trunk", r"\d{0,3}", "digits"),
        international=plan.patterns("international", one=True)[0],
        area=plan.patterns("area", one=True)[0],
        callback_hours=emergency.hours("callback_hours"),
        attestation=top.flag("attestation"),
        portable=top.flag("portable"),
        numbers=tuple(_number_rule(keys) for keys in top.tables("numbers")),
        verdicts=tuple(_verdict_rule(keys) for keys in top.tables("verdicts")),
        exceptions=tuple(_exception_rule(keys) for keys in top.tables("exceptions")),
    )
    for keys in (emergency, plan, top):
        keys.done()
    _check_whole(pack, file)
    return pack


def _country_code(top: Keys, country: str) -> int:
    from phonenumbers import country_code_for_region

    code = country_code_for_region(country)
    if code == 0:
        top.wrong("country", "no country of the number plans")
    return int(code)


def _regions(plan: Keys, key: str, code: int) -> tuple[str, ...]:
    from phonenumbers import country_code_for_region

    regions = plan.texts(key)
    for region in regions:
        if country_code_for_region(region) != code:
            plan.wrong(key, f"{region} does not have the country code {code}")
    return regions


def _number_rule(keys: Keys) -> NumberRule:
    kind = keys.one_of("kind", tuple(_KINDS))
    rule = NumberRule(
        name=keys.words("name"),
        kind=kind,
        outbound=keys.one_of("outbound", OUTBOUND) if kind in _CALLS_OUT else "",
        national=keys.patterns("national"),
        international=keys.patterns("international"),
        dialled=keys.patterns("dialled"),
        area_code=keys.flag("area_code", default=False),
        source=keys.source("source"),
        date=keys.date("date"),
    )
    if not (rule.national or rule.international or rule.dialled):
        keys.wrong("national", "no pattern at all: give national, international or dialled")
    keys.done()
    return rule


def _verdict_rule(keys: Keys) -> VerdictRule:
    rule = VerdictRule(
        where=keys.one_of("where", tuple(JUDGED)),
        classes=tuple(cc.NAMES.index(name) for name in keys.all_of("classes", cc.NAMES)),
        strength=keys.one_of("verdict", STRENGTHS),
        words=keys.words("rule"),
        source=keys.source("source"),
        date=keys.date("date"),
    )
    keys.done()
    return rule


def _exception_rule(keys: Keys) -> ExceptionRule:
    rule = ExceptionRule(
        by=keys.one_of("by", BY),
        words=keys.words("rule"),
        source=keys.source("source"),
        date=keys.date("date"),
    )
    keys.done()
    return rule


def _check_whole(pack: Pack, file: str) -> None:
    seen: set[tuple[str, int]] = set()
    for i, rule in enumerate(pack.verdicts):
        for one in rule.classes:
            if one not in JUDGED[rule.where]:
                raise PackError(
                    f"{file}: verdicts[{i}].classes: nothing can be said of {cc.NAMES[one]} {rule.where}"
                )
            if (rule.where, one) in seen:
                raise PackError(
                    f"{file}: verdicts[{i}].classes: a second rule for {cc.NAMES[one]} {rule.where}"
                )
            seen.add((rule.where, one))
    if not any(rule.kind == "emergency" for rule in pack.numbers):
        raise PackError(f"{file}: numbers: no rule of the kind emergency, so call-backs would be judged")
