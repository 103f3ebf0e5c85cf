"""Every country pack that is found. A new one is tested by adding it."""

import numpy as np
import phonenumbers as library
import pytest

from ringfence.model import caller_class as cc
from ringfence.model import verdicts as vd
from ringfence.model.callers import Callers
from ringfence.model.number_lists import NumberLists
from ringfence.model.numbers import NumberPlan
from ringfence.model.packs import Pack, countries, pack_of
from ringfence.model.verdicts import Table, rule_behind, verdicts

UNKNOWN, SUBSCRIBER, DOMESTIC, ABROAD = range(4)
FROM_ABROAD = {
    vd.FIXED_FROM_ABROAD,
    vd.SERVICE_FROM_ABROAD,
    vd.STATE_FROM_ABROAD,
    vd.BANK_FROM_ABROAD,
    vd.MOBILE_FROM_ABROAD,
    vd.FORM_FROM_ABROAD,
    vd.WITHHELD_FROM_ABROAD,
}
KINDS = {0: {cc.FIXED}, 1: {cc.MOBILE, cc.STATE, cc.BANK, cc.SERVICE}, 2: {cc.FIXED_OR_MOBILE}}


@pytest.fixture(params=countries())
def pack(request: pytest.FixtureRequest) -> Pack:
    return pack_of(request.param)


@pytest.fixture
def callers(pack: Pack) -> Callers:
    return Callers(pack)


@pytest.fixture
def rules(pack: Pack) -> Table:
    return verdicts(pack)


def emergency_numbers(pack: Pack) -> list[str]:
    rule = next(rule for rule in pack.numbers if rule.kind == "emergency")
    return [pattern for pattern in rule.national if pattern.isdigit()]


def test_it_is_named_after_its_country_and_speaks_of_its_regions(pack: Pack) -> None:
    assert pack.country in pack.regions
    assert {library.country_code_for_region(region) for region in pack.regions} == {pack.code}
    assert library.ndd_prefix_for_region(pack.country, strip_non_digits=True) == pack.trunk


def test_every_class_that_can_be_forged_has_a_rule(pack: Pack) -> None:
    known = {(rule.where, one) for rule in pack.verdicts for one in rule.classes}
    for one in (cc.FIXED, cc.MOBILE, cc.SERVICE, cc.LOCAL, cc.NAME):
        assert ("abroad", one) in known or one not in classes_of_own_numbers(pack), cc.NAMES[one]
    never = (cc.STATE_NEVER, cc.BANK_NEVER, cc.INBOUND, cc.LISTED)
    for one in (*never, cc.UNALLOCATED, cc.NO_SUCH_FOREIGN, cc.NO_COUNTRY, cc.MALFORMED):
        assert ("anywhere", one) in known, cc.NAMES[one]


def classes_of_own_numbers(pack: Pack) -> set[int]:
    return {cc.LOCAL, cc.NAME, *(rule.caller_class for rule in pack.numbers), cc.FIXED, cc.MOBILE}


def test_the_exceptions_that_every_country_has_are_there(pack: Pack) -> None:
    assert {"allow list", "callback", "callee", "activity"} <= {rule.by for rule in pack.exceptions}
    assert pack.callback_hours > 0
    assert ("attestation" in {rule.by for rule in pack.exceptions}) == pack.attestation


def test_numbers_of_the_plan_have_the_class_of_their_kind(pack: Pack, callers: Callers) -> None:
    for kind, allowed in KINDS.items():
        number = library.example_number_for_type(pack.country, kind)
        if number is not None and library.number_type(number) == kind:
            e164 = int(library.format_number(number, library.PhoneNumberFormat.E164)[1:])
            assert int(callers.classify(np.array([e164]))[0]) in allowed


def test_numbers_of_other_countries_are_foreign(pack: Pack, callers: Callers) -> None:
    for region in ("DE", "JP", "BR", "FR"):
        number = library.example_number_for_type(region, 1)
        assert number is not None
        e164 = int(library.format_number(number, library.PhoneNumberFormat.E164)[1:])
        assert callers.classify(np.array([e164])).tolist() == [cc.FOREIGN]


def test_emergency_services_are_never_flagged_within_the_country(
    pack: Pack, callers: Callers, rules: Table
) -> None:
    plan = NumberPlan.of(pack.country)
    for number in emergency_numbers(pack):
        for text in (number, f"+{number}", f"+{pack.code}{number}"):
            (one,) = callers.classify(np.array([plan.parse_one(text)]))
            assert one == cc.EMERGENCY, text
            assert not rules[one, :ABROAD].any()


def test_the_allow_list_outranks_every_rule(pack: Pack, rules: Table) -> None:
    # Answering points in the United States call back with numbers that are not assigned, or no numbers at all.
    plan = NumberPlan.of(pack.country)
    texts = [
        f"+{pack.code}0000000",
        "0000000",
        "+0000",
        f"+{pack.code}5550000000"[:15],
        *emergency_numbers(pack),
    ]
    numbers = np.array([plan.parse_one(text) for text in texts])
    plain = Callers(pack).classify(numbers)
    assert {cc.UNALLOCATED, cc.MALFORMED} & set(plain.tolist())
    ranges = [(int(number), int(number) + 1) for number in numbers]
    listed = Callers(pack, NumberLists(allow=ranges, never=ranges, own=ranges, ported_out=[])).classify(
        numbers
    )
    assert listed.tolist() == [cc.ALLOWED] * len(texts)
    assert not rules[cc.ALLOWED].any()


def test_what_is_not_known_makes_it_weaker_never_wrong(rules: Table) -> None:
    for one in range(256):
        unknown, abroad = (int(rules[one, ingress, 0]) for ingress in (UNKNOWN, ABROAD))
        assert unknown & vd.REASON_BITS not in FROM_ABROAD | {vd.OWN_FROM_OUTSIDE}
        assert unknown in {vd.NOTHING, abroad}
        for ingress in range(4):
            signed = {int(verdict) & vd.REASON_BITS for verdict in rules[one, ingress, 1:]}
            assert signed <= {
                0,
                int(rules[one, ingress, 0]) & vd.REASON_BITS,
            }  # a signature finds nothing new


def test_every_verdict_has_words_a_strength_and_a_rule_with_its_source(pack: Pack, rules: Table) -> None:
    found = {
        (marked & cc.CLASS_BITS, int(verdict)) for marked in range(256) for verdict in rules[marked].ravel()
    }
    told = set()
    for one, verdict in found:
        if verdict == vd.NOTHING:
            continue
        assert bool(verdict & vd.IMPOSSIBLE) != bool(verdict & vd.SUSPECT)
        assert all(text.strip() for text in vd.words(verdict))
        rule = rule_behind(pack, one, verdict)
        assert all(rule.source)
        assert rule.strength in {"impossible" if verdict & vd.IMPOSSIBLE else "suspect", "impossible"}
        told.add(rule)
    assert told == {rule for rule in pack.verdicts if rule.strength != "nothing"}  # none is dead
    with pytest.raises(LookupError, match=f"{pack.country}: no rule for foreign"):
        rule_behind(pack, cc.FOREIGN, vd.UNALLOCATED)


def test_a_proven_trunk_clears_all_that_comes_from_abroad(rules: Table) -> None:
    for one in range(256):
        verdict = int(vd.verdict_of(rules, one, cc.MOBILE, ABROAD, 0, True))
        assert verdict & vd.REASON_BITS not in FROM_ABROAD | {vd.OWN_FROM_OUTSIDE}


def test_a_call_to_a_visitors_phone_may_come_back_from_abroad(rules: Table) -> None:
    for one in range(256):
        for callee in (cc.FOREIGN, cc.MOBILE | cc.ROAMING):
            verdict = int(vd.verdict_of(rules, one, callee, ABROAD, 0, False))
            assert verdict & vd.REASON_BITS not in FROM_ABROAD


def test_own_numbers_on_an_interconnect_are_suspect_only_if_ported_ones_are_known(
    pack: Pack, rules: Table
) -> None:
    example = library.example_number(pack.country)
    assert example is not None
    number = int(library.format_number(example, library.PhoneNumberFormat.E164)[1:])
    own = [(number, number + 1)]
    cases = {"unknown": (None, False), "none": ([], True), "this one": (own, False)}
    for ported_out, suspect in cases.values():
        lists = NumberLists(own=own, ported_out=ported_out)
        (one,) = Callers(pack, lists).classify(np.array([number]))
        assert bool(one & cc.OWN) == suspect
        assert int(rules[one, DOMESTIC, 0]) == (vd.OWN_FROM_OUTSIDE | vd.SUSPECT if suspect else vd.NOTHING)
        assert rules[one, SUBSCRIBER, 0] == vd.NOTHING
