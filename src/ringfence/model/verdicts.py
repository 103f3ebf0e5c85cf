"""What a shown number says together with where the call came in and how it was signed: one look-up in a table.

A verdict is a reason in the low five bits and, above them, how strong it is. *Impossible* stands by itself; *suspect* is to be
decided by what else is known, above all by what the number's owner does at home.
"""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from ringfence.compiled import jit
from ringfence.model import caller_class as cc
from ringfence.model.pack_keys import Words
from ringfence.model.packs import JUDGED, Pack, VerdictRule
from ringfence.model.tables import ATTESTATION, DOMESTIC, INGRESS, INTERNATIONAL, SUBSCRIBER

NOTHING: Final = 0
SUSPECT: Final = 32
IMPOSSIBLE: Final = 64
SIGNED: Final = 128
"""Somebody signed it with an A all the same: the attestation contradicts what the number can be."""
REASON_BITS: Final = 31

FIXED_FROM_ABROAD: Final = 1
SERVICE_FROM_ABROAD: Final = 2
STATE_FROM_ABROAD: Final = 3
BANK_FROM_ABROAD: Final = 4
MOBILE_FROM_ABROAD: Final = 5
FORM_FROM_ABROAD: Final = 6
WITHHELD_FROM_ABROAD: Final = 7
STATE_NEVER_CALLS: Final = 8
BANK_NEVER_CALLS: Final = 9
NEVER_CALLS: Final = 10
LISTED: Final = 11
UNALLOCATED: Final = 12
NO_SUCH_FOREIGN: Final = 13
NO_COUNTRY: Final = 14
MALFORMED: Final = 15
OWN_FROM_OUTSIDE: Final = 16

WORDS: Final[dict[int, Words]] = {
    FIXED_FROM_ABROAD: (
        "a fixed line of this country, arriving from abroad",
        "国内固定电话号码，却从境外呼入",
    ),
    SERVICE_FROM_ABROAD: (
        "a service number of this country, arriving from abroad",
        "国内服务号码，却从境外呼入",
    ),
    STATE_FROM_ABROAD: ("a number of a state organ, arriving from abroad", "国家机关号码，却从境外呼入"),
    BANK_FROM_ABROAD: ("a bank's number, arriving from abroad", "银行号码，却从境外呼入"),
    MOBILE_FROM_ABROAD: ("a mobile of this country, arriving from abroad", "国内手机号码，从境外呼入"),
    FORM_FROM_ABROAD: ("no country code, arriving from abroad", "从境外呼入，号码却无国家代码"),
    WITHHELD_FROM_ABROAD: ("no number, arriving from abroad", "从境外呼入，且不显示号码"),
    STATE_NEVER_CALLS: ("a number of a state organ that never calls", "国家机关号码，从不外呼"),
    BANK_NEVER_CALLS: ("a bank's number that never calls", "银行号码，从不外呼"),
    NEVER_CALLS: ("a number that can only be called", "只能被叫的号码"),
    LISTED: ("on the list of numbers that never call", "列入“只接不呼”名单的号码"),
    UNALLOCATED: ("no such number in this country's plan", "国内未分配的号码"),
    NO_SUCH_FOREIGN: ("no such number in the other country's plan", "对方国家未分配的号码"),
    NO_COUNTRY: ("a country code that does not exist", "国家代码不存在"),
    MALFORMED: ("digits that cannot be a telephone number", "号码格式无效"),
    OWN_FROM_OUTSIDE: (
        "an own subscriber's number, arriving from another network",
        "本网用户号码，却从他网呼入",
    ),
}
_SIGNED_WORDS: Final[Words] = (", yet signed A", "，却有A级认证")

_ABROAD: Final = {
    cc.WITHHELD: WITHHELD_FROM_ABROAD,
    cc.NAME: FORM_FROM_ABROAD,
    cc.LOCAL: FORM_FROM_ABROAD,
    cc.FIXED: FIXED_FROM_ABROAD,
    cc.MOBILE: MOBILE_FROM_ABROAD,
    cc.FIXED_OR_MOBILE: MOBILE_FROM_ABROAD,
    cc.TOLL_FREE: SERVICE_FROM_ABROAD,
    cc.PREMIUM: SERVICE_FROM_ABROAD,
    cc.SERVICE: SERVICE_FROM_ABROAD,
    cc.OTHER: FIXED_FROM_ABROAD,
    cc.EMERGENCY: STATE_FROM_ABROAD,
    cc.STATE: STATE_FROM_ABROAD,
    cc.BANK: BANK_FROM_ABROAD,
}
_ANYWHERE: Final = {
    cc.STATE_NEVER: STATE_NEVER_CALLS,
    cc.BANK_NEVER: BANK_NEVER_CALLS,
    cc.INBOUND: NEVER_CALLS,
    cc.LISTED: LISTED,
    cc.UNALLOCATED: UNALLOCATED,
    cc.NO_SUCH_FOREIGN: NO_SUCH_FOREIGN,
    cc.NO_COUNTRY: NO_COUNTRY,
    cc.MALFORMED: MALFORMED,
}
_REASONS: Final = {
    "abroad": _ABROAD,
    "anywhere": _ANYWHERE,
    "interconnect": dict.fromkeys(JUDGED["interconnect"], OWN_FROM_OUTSIDE),
}
_STRENGTH: Final = {"impossible": IMPOSSIBLE, "suspect": SUSPECT, "nothing": NOTHING}
# What the operator's own access network lets in may be a number newer than our plans.
_OLD_PLAN: Final = (UNALLOCATED, NO_COUNTRY, MALFORMED)

_FULL: Final = 1 + ATTESTATION.index("A")

Table = npt.NDArray[np.uint8]


@lru_cache(maxsize=8)
def verdicts(pack: Pack) -> Table:
    """All verdicts of a country.

    Returns:
        uint8[256, 4, 4], read-only: the verdict for class and flags, code of ingress, code of attestation (0: not known).
    """
    found = {where: np.zeros(cc.CLASS_BITS + 1, np.uint8) for where in _REASONS}
    for rule in pack.verdicts:
        for one in rule.classes:
            if rule.strength != "nothing":
                found[rule.where][one] = _REASONS[rule.where][one] | _STRENGTH[rule.strength]
    table = np.zeros((256, len(INGRESS) + 1, len(ATTESTATION) + 1), np.uint8)
    for marked in range(256):
        for ingress in range(len(INGRESS) + 1):
            one = _verdict(found, marked, ingress)
            table[marked, ingress] = [_signed(pack, one, code) for code in range(len(ATTESTATION) + 1)]
    table.flags.writeable = False
    return table


def rule_behind(pack: Pack, caller: int, verdict: int) -> VerdictRule:
    """The rule that a verdict follows from.

    Args:
        pack: the country's.
        caller: class and flags of the shown number.
        verdict: on it, not NOTHING.

    Raises:
        LookupError: The pack gives no such verdict on this class.
    """
    one, reason = caller & cc.CLASS_BITS, verdict & REASON_BITS
    for rule in pack.verdicts:
        if one in rule.classes and _REASONS[rule.where][one] == reason:
            return rule
    raise LookupError(f"{pack.country}: no rule for {cc.NAMES[one]} with the verdict {verdict}")


def _verdict(found: dict[str, Table], marked: int, ingress: int) -> int:
    one = marked & cc.CLASS_BITS
    anywhere = int(found["anywhere"][one])
    if anywhere:
        doubt = ingress == SUBSCRIBER and anywhere & REASON_BITS in _OLD_PLAN
        return anywhere & REASON_BITS | SUSPECT if doubt else anywhere
    if ingress == INTERNATIONAL:
        if marked & cc.ABROAD:
            return NOTHING
        if found["abroad"][one]:
            return int(found["abroad"][one])
    if ingress in {DOMESTIC, INTERNATIONAL} and marked & cc.OWN:
        return int(found["interconnect"][one])
    return NOTHING


def _signed(pack: Pack, verdict: int, attestation: int) -> int:
    if not pack.attestation or attestation != _FULL or verdict == NOTHING:
        return verdict
    if verdict & IMPOSSIBLE:
        return verdict | SIGNED
    # An A says that the signer knows its customer and that the customer may use the number (ATIS-1000074).
    may_be_vouched_for = {FIXED_FROM_ABROAD, SERVICE_FROM_ABROAD, MOBILE_FROM_ABROAD, OWN_FROM_OUTSIDE}
    return NOTHING if verdict & REASON_BITS in may_be_vouched_for else verdict


def words(verdict: int) -> Words:
    """A verdict in words, in both languages. KeyError: there is no such verdict."""
    english, chinese = WORDS[verdict & REASON_BITS]
    signed = _SIGNED_WORDS if verdict & SIGNED else ("", "")
    return english + signed[0], chinese + signed[1]


@jit
def verdict_of(table: Table, caller: int, callee: int, ingress: int, attestation: int, exempt: bool) -> int:
    """The verdict on one call, for compiled code.

    Args:
        table: from `verdicts`.
        caller: class and flags of the shown number.
        callee: class and flags of the called one.
        ingress: code as in `model.calls`, 0: not known.
        attestation: the same.
        exempt: the trunk is one whose traffic is proven to originate in the country, or from own customers.
    """
    # A call to a visitor's phone is brought back by its home network: from abroad, though nobody called from there.
    called = callee & cc.CLASS_BITS
    if exempt:
        ingress = SUBSCRIBER
    elif called == cc.FOREIGN or called == cc.NO_SUCH_FOREIGN or callee & cc.ROAMING:  # noqa: PLR1714  (compiled)
        ingress = min(ingress, DOMESTIC)
    return int(table[caller, ingress, attestation])
