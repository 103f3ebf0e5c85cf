"""Each regulator's rules and exceptions, one case a row: what is shown, where the call came in, and what follows."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from ringfence.model import caller_class as cc
from ringfence.model import verdicts as vd
from ringfence.model.callers import Callers
from ringfence.model.number_lists import NumberLists, read_list
from ringfence.model.numbers import NumberPlan
from ringfence.model.packs import pack_of
from ringfence.model.verdicts import verdict_of, verdicts

INGRESS = {"": 0, "subscriber": 1, "domestic": 2, "abroad": 3}
ATTESTATION = {"": 0, "A": 1, "B": 2, "C": 3}
NO, SUSPECT, IMPOSSIBLE = vd.NOTHING, vd.SUSPECT, vd.IMPOSSIBLE


@dataclass(frozen=True)
class Case:
    """One call and the verdict on it."""

    rule: str
    country: str
    shown: str | None
    ingress: str
    expected: int
    attestation: str = ""
    callee: str = ""
    proven_trunk: bool = False
    lists: dict[str, str] = field(default_factory=dict)


CASES = [
    # --- China: MIIT, and the law against telecom fraud of 2022 ---
    Case("MIIT fixed line from abroad", "CN", "+862162345678", "abroad", vd.FIXED_FROM_ABROAD | IMPOSSIBLE),
    Case("MIIT fixed line from abroad, dialled form", "CN", "02162345678", "abroad", vd.FIXED_FROM_ABROAD | IMPOSSIBLE),
    Case("MIIT fixed line at home", "CN", "+862162345678", "domestic", NO),
    Case("MIIT mobile from abroad, to be decided at home", "CN", "+8613800000001", "abroad", vd.MOBILE_FROM_ABROAD | SUSPECT),
    Case("MIIT mobile at home", "CN", "+8613800000001", "domestic", NO),
    Case("MIIT mobile, ingress not known", "CN", "+8613800000001", "", NO),
    Case("MIIT 110 from abroad", "CN", "110", "abroad", vd.STATE_FROM_ABROAD | IMPOSSIBLE),
    Case("MIIT +110 from abroad", "CN", "+110", "abroad", vd.STATE_FROM_ABROAD | IMPOSSIBLE),
    Case("MIIT 00110 from abroad", "CN", "00110", "abroad", vd.STATE_FROM_ABROAD | IMPOSSIBLE),
    Case("MIIT +86110 from abroad", "CN", "+86110", "abroad", vd.STATE_FROM_ABROAD | IMPOSSIBLE),
    Case("MIIT 110 behind its area code from abroad", "CN", "0755110", "abroad", vd.STATE_FROM_ABROAD | IMPOSSIBLE),
    Case("MIIT 021110 from abroad", "CN", "021110", "abroad", vd.STATE_FROM_ABROAD | IMPOSSIBLE),
    Case("police call back and show 110 in some cities", "CN", "110", "domestic", NO),
    Case("police call back, area code shown", "CN", "0755110", "domestic", NO),
    Case("police call back, ingress not known", "CN", "110", "", NO),
    Case("ambulance calls back", "CN", "120", "domestic", NO),
    Case("police 96110 rings victims", "CN", "96110", "domestic", NO),
    Case("police 96110 rings victims, area code shown", "CN", "02596110", "domestic", NO),
    Case("police 96110 never from abroad", "CN", "+862596110", "abroad", vd.STATE_FROM_ABROAD | IMPOSSIBLE),
    Case("police 96110 with 00 in front", "CN", "0096110", "abroad", vd.STATE_FROM_ABROAD | IMPOSSIBLE),
    Case("police 12110 takes texts only", "CN", "12110", "domestic", vd.STATE_NEVER_CALLS | IMPOSSIBLE),
    Case("police 12110 with area code", "CN", "12110755", "subscriber", vd.STATE_NEVER_CALLS | IMPOSSIBLE),
    Case("government 12345 may call back", "CN", "12345", "domestic", NO),
    Case("government 12345 from abroad", "CN", "12345", "abroad", vd.STATE_FROM_ABROAD | IMPOSSIBLE),
    Case("bank 95588 rings its customers", "CN", "95588", "domestic", NO),
    Case("bank 95588 from abroad", "CN", "95588", "abroad", vd.BANK_FROM_ABROAD | IMPOSSIBLE),
    Case("bank +8695533 from abroad", "CN", "+8695533", "abroad", vd.BANK_FROM_ABROAD | IMPOSSIBLE),
    Case("operator 10086 at home", "CN", "10086", "domestic", NO),
    Case("operator 10086 from abroad", "CN", "+8610086", "abroad", vd.SERVICE_FROM_ABROAD | IMPOSSIBLE),
    Case("operator +10086 from abroad", "CN", "+10086", "abroad", vd.SERVICE_FROM_ABROAD | IMPOSSIBLE),
    Case("MIIT 400 can only be called", "CN", "4008123123", "domestic", vd.NEVER_CALLS | IMPOSSIBLE),
    Case("MIIT 400 from abroad", "CN", "+864008123123", "abroad", vd.NEVER_CALLS | IMPOSSIBLE),
    Case("MIIT 106 is for texts", "CN", "106912345678", "domestic", vd.NEVER_CALLS | IMPOSSIBLE),
    Case("MIIT call centre 9501", "CN", "95013123456", "domestic", NO),
    Case("MIIT from abroad without 00", "CN", "12", "abroad", vd.FORM_FROM_ABROAD | SUSPECT),
    Case("MIIT unallocated fixed line", "CN", "+8612345678901", "domestic", vd.UNALLOCATED | IMPOSSIBLE),
    Case("MIIT unallocated, ingress not known", "CN", "+8612345678901", "", vd.UNALLOCATED | IMPOSSIBLE),
    Case("MIIT our plan may be older than the operator's", "CN", "+8612345678901", "subscriber", vd.UNALLOCATED | SUSPECT),
    Case("MIIT machines' segment 146 is allocated", "CN", "+8614612345678", "domestic", NO),
    Case("MIIT local number without area code", "CN", "62345678", "domestic", NO),
    Case("MIIT withheld from abroad", "CN", None, "abroad", NO),
    Case("E.164 no such country", "CN", "+210123456789", "abroad", vd.NO_COUNTRY | IMPOSSIBLE),
    Case("plan of the other country", "CN", "+12220222222", "abroad", vd.NO_SUCH_FOREIGN | SUSPECT),
    Case("a foreign caller", "CN", "+442079460000", "abroad", NO),
    Case("MIIT visitor's phone in China", "CN", "+862162345678", "abroad", NO, callee="+447700900123"),
    # --- United Kingdom: Ofcom ---
    Case("Ofcom landline from abroad", "GB", "+442079460000", "abroad", vd.FIXED_FROM_ABROAD | IMPOSSIBLE),
    Case("Ofcom 03 number from abroad", "GB", "+443002003300", "abroad", vd.FIXED_FROM_ABROAD | IMPOSSIBLE),
    Case("Ofcom freephone from abroad", "GB", "+448081570192", "abroad", vd.SERVICE_FROM_ABROAD | IMPOSSIBLE),
    Case("Ofcom exception: roamer +447", "GB", "+447400123456", "abroad", vd.MOBILE_FROM_ABROAD | SUSPECT),
    Case("Ofcom Jersey mobile is +447 too", "GB", "+447797712345", "abroad", vd.MOBILE_FROM_ABROAD | SUSPECT),
    Case("Ofcom exception: called phone roams in the UK", "GB", "+442079460000", "abroad", NO, callee="+33612345678"),
    Case(
        "Ofcom exception: called phone roams in the UK, roaming number", "GB", "+442079460000", "abroad", NO,
        callee="+447400999123", lists={"roaming": "+447400999*"},
    ),
    Case("Ofcom exception: proven UK traffic", "GB", "+442079460000", "abroad", NO, proven_trunk=True),
    Case(
        "Ofcom exception: UK customer on nodes abroad", "GB", "+442079460000", "abroad", NO,
        lists={"abroad": "+442079460000 - +442079460099"},
    ),
    Case(
        "Ofcom exception is for that customer only", "GB", "+442079460100", "abroad", vd.FIXED_FROM_ABROAD | IMPOSSIBLE,
        lists={"abroad": "+442079460000 - +442079460099"},
    ),
    Case("Ofcom inserted network number", "GB", "+44897901234", "abroad", NO),
    Case("Ofcom 09 may not be a CLI", "GB", "+449011234567", "domestic", vd.NEVER_CALLS | IMPOSSIBLE),
    Case("Ofcom 159 never calls", "GB", "159", "domestic", vd.BANK_NEVER_CALLS | IMPOSSIBLE),
    Case("Ofcom 999 calls back", "GB", "999", "domestic", NO),
    Case("Ofcom 999 does not call from abroad", "GB", "999", "abroad", vd.STATE_FROM_ABROAD | IMPOSSIBLE),
    Case("Ofcom 150 from abroad", "GB", "+150", "abroad", vd.SERVICE_FROM_ABROAD | IMPOSSIBLE),
    Case("Ofcom 112 calls back", "GB", "112", "", NO),
    Case("Ofcom do not originate", "GB", "+443002003300", "domestic", vd.LISTED | IMPOSSIBLE, lists={"never": "03002003300"}),
    Case("Ofcom CLI must be valid", "GB", "+4412", "abroad", vd.MALFORMED | IMPOSSIBLE),
    Case("Ofcom unallocated", "GB", "+446012345678", "domestic", vd.UNALLOCATED | IMPOSSIBLE),
    Case("Ofcom local number without area code", "GB", "7946000", "domestic", NO),
    # --- United States: FCC ---
    Case("FCC invalid area code", "US", "+12220222222", "domestic", vd.MALFORMED | IMPOSSIBLE),
    Case("FCC 000-000-0000", "US", "000-000-0000", "domestic", vd.MALFORMED | IMPOSSIBLE),
    Case("FCC unallocated area code", "US", "+12112342222", "domestic", vd.UNALLOCATED | IMPOSSIBLE),
    Case("FCC do not originate", "US", "+18008291040", "abroad", vd.LISTED | IMPOSSIBLE, lists={"never": "800-829-1040"}),
    Case("FCC US number from abroad is no proof", "US", "+12025550123", "abroad", vd.MOBILE_FROM_ABROAD | SUSPECT),
    Case("FCC gateway attests C", "US", "+12025550123", "abroad", vd.MOBILE_FROM_ABROAD | SUSPECT, "C"),
    Case("FCC provider attests A for its customer abroad", "US", "+12025550123", "abroad", NO, "A"),
    Case(
        "FCC an A for a number that does not exist", "US", "+12112342222", "abroad",
        vd.UNALLOCATED | IMPOSSIBLE | vd.SIGNED, "A",
    ),
    Case("FCC toll-free from abroad", "US", "+18005551212", "abroad", vd.SERVICE_FROM_ABROAD | SUSPECT),
    Case("FCC toll-free from a call centre abroad, signed A", "US", "+18005551212", "abroad", NO, "A"),
    Case("FCC toll-free from a call centre abroad, known trunk", "US", "+18005551212", "abroad", NO, proven_trunk=True),
    Case("FCC 00 1 611, as another gateway writes it", "US", "001611", "abroad", vd.SERVICE_FROM_ABROAD | IMPOSSIBLE),
    Case("FCC Puerto Rico is domestic", "US", "+17872345678", "abroad", vd.MOBILE_FROM_ABROAD | SUSPECT),
    Case("FCC Canada is not", "US", "+16132345678", "abroad", NO),
    Case("FCC never 911", "US", "911", "abroad", NO),
    Case("FCC never 911, area code shown", "US", "+1202911", "domestic", NO),
    Case(
        "FCC answering point with an unassigned number on the allow list", "US", "+12112342222", "domestic", NO,
        lists={"allow": "+12112342222"},
    ),
    Case("FCC 611 from abroad", "US", "611", "abroad", vd.SERVICE_FROM_ABROAD | IMPOSSIBLE),
    # --- Canada: CRTC 2018-484 ---
    Case("CRTC 000-000-0000", "CA", "000-000-0000", "domestic", vd.MALFORMED | IMPOSSIBLE),
    Case("CRTC 000-111-0000", "CA", "000-111-0000", "domestic", vd.MALFORMED | IMPOSSIBLE),
    Case("CRTC 222-022-2222", "CA", "222-022-2222", "domestic", vd.MALFORMED | IMPOSSIBLE),
    Case("CRTC sixteen digits", "CA", "2345678901234567", "domestic", vd.MALFORMED | IMPOSSIBLE),
    Case("CRTC seventeen digits", "CA", "23456789012345678", "domestic", vd.MALFORMED | IMPOSSIBLE),
    Case("CRTC fifteen digits are allowed", "CA", "+4930123456789", "abroad", NO),
    Case("CRTC Canadian number from abroad", "CA", "+16132345678", "abroad", vd.MOBILE_FROM_ABROAD | SUSPECT),
    Case("CRTC Canadian number from abroad, signed A", "CA", "+16132345678", "abroad", NO, "A"),
    Case("CRTC toll-free is Canadian too", "CA", "+18005551212", "abroad", vd.SERVICE_FROM_ABROAD | SUSPECT),
    Case("CRTC the United States are not", "CA", "+12025550123", "abroad", NO),
    Case("CRTC never 911", "CA", "911", "abroad", NO),
    # --- India: DoT and TRAI ---
    Case("DoT +11", "IN", "+1112345678", "abroad", vd.MALFORMED | IMPOSSIBLE),
    Case("DoT +11, ten digits", "IN", "+11123456789", "abroad", vd.MALFORMED | IMPOSSIBLE),
    Case("DoT 011", "IN", "01123456789", "abroad", vd.FIXED_FROM_ABROAD | IMPOSSIBLE),
    Case("DoT 11", "IN", "1123456789", "abroad", vd.FIXED_FROM_ABROAD | IMPOSSIBLE),
    Case("DoT +911", "IN", "+911123456789", "abroad", vd.FIXED_FROM_ABROAD | IMPOSSIBLE),
    Case("DoT +912", "IN", "+912223456789", "abroad", vd.FIXED_FROM_ABROAD | IMPOSSIBLE),
    Case("DoT +914", "IN", "+914423456789", "abroad", vd.FIXED_FROM_ABROAD | IMPOSSIBLE),
    Case("DoT landline that begins with 8", "IN", "+918023456789", "abroad", vd.FIXED_FROM_ABROAD | IMPOSSIBLE),
    Case("DoT no CLI from abroad", "IN", None, "abroad", vd.WITHHELD_FROM_ABROAD | SUSPECT),
    Case("DoT no CLI at home", "IN", None, "domestic", NO),
    Case("DoT roamer, decided by the home network", "IN", "+919876543210", "abroad", vd.MOBILE_FROM_ABROAD | SUSPECT),
    Case("DoT 1600 calls of government", "IN", "1600112345", "domestic", NO),
    Case("DoT 1600 from abroad", "IN", "+911600112345", "abroad", vd.STATE_FROM_ABROAD | IMPOSSIBLE),
    Case("DoT 1601 of a bank from abroad", "IN", "+911601223456", "abroad", vd.BANK_FROM_ABROAD | IMPOSSIBLE),
    Case("TRAI 140 advertising at home", "IN", "+911401234567", "domestic", NO),
    Case("DoT 112 calls back", "IN", "112", "domestic", NO),
    # --- everywhere: own numbers ---
    Case("own number from another network, porting not known", "CN", "+8613800000001", "domestic", NO, lists={"own": "+86138*"}),
    Case(
        "own number from another network, not ported out", "CN", "+8613800000001", "domestic",
        vd.OWN_FROM_OUTSIDE | SUSPECT, lists={"own": "+86138*", "ported_out": "+8613800000002"},
    ),
    Case(
        "own number ported out", "CN", "+8613800000002", "domestic", NO,
        lists={"own": "+86138*", "ported_out": "+8613800000002"},
    ),
    Case(
        "own number of a customer with two providers, signed A", "US", "+12025550123", "domestic", NO, "A",
        lists={"own": "+1202555*", "ported_out": ""},
    ),
    Case(
        "own number of a customer with two providers, proven trunk", "GB", "+442079460000", "domestic", NO,
        proven_trunk=True, lists={"own": "+44207946*", "ported_out": ""},
    ),
    Case(
        "own fixed line from abroad is worse than own", "CN", "+862162345678", "abroad",
        vd.FIXED_FROM_ABROAD | IMPOSSIBLE, lists={"own": "+8621*", "ported_out": ""},
    ),
    Case("own number on the own network", "CN", "+8613800000001", "subscriber", NO, lists={"own": "+86138*", "ported_out": ""}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.country} {case.rule}")
def test_rule(case: Case) -> None:
    plan, pack = NumberPlan.of(case.country), pack_of(case.country)
    lists = {name: read_list(text, name, plan) for name, text in case.lists.items()}
    callers = Callers(pack, NumberLists(**lists))
    numbers = np.array([plan.parse_one(case.shown), plan.parse_one(case.callee or f"+{pack.code}")])
    caller, callee = (int(one) for one in callers.classify(numbers))
    verdict = verdict_of(
        verdicts(pack),
        caller,
        callee if case.callee else cc.MOBILE,
        INGRESS[case.ingress],
        ATTESTATION[case.attestation],
        case.proven_trunk,
    )
    assert verdict == case.expected, (cc.NAMES[caller & cc.CLASS_BITS], verdict and vd.words(verdict))


def test_the_rule_behind_a_number_can_be_named() -> None:
    callers, plan = Callers(pack_of("CN")), NumberPlan.of("CN")
    named = {
        text: callers.rule(plan.parse_one(text))
        for text in ("02596110", "+110", "95588", "12110", "alice", "")
    }
    assert {text: rule.name[0] if rule else None for text, rule in named.items()} == {
        "02596110": "police anti-fraud line 96110",
        "+110": "emergency services (police, fire, ambulance, road accidents, coast guard)",
        "95588": "banks' hotlines",
        "12110": "police reports by text message",
        "alice": None,
        "": None,
    }
    assert callers.rule(plan.parse_one("+8613800000001")) is None
