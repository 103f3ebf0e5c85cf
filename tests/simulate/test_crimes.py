"""Crimes are what the truth says they are, and give nothing away that a real one would not."""

from collections import Counter

import numpy as np
import pytest
from tests.simulate.cities import Made, classes, micros, small_city

from ringfence.model import caller_class as cc
from ringfence.simulate.city import City
from ringfence.simulate.countries import COUNTRIES
from ringfence.simulate.crimes import _wording
from ringfence.simulate.look_alikes import roamer
from ringfence.simulate.money import accounts
from ringfence.simulate.rows import DAY, HOUR
from ringfence.simulate.write import tables


@pytest.fixture(scope="module")
def city() -> Made:
    return small_city()


def _rows(city: Made, role: str) -> np.ndarray:
    roles = city.roles()
    ids = city.calls["call_id"].to_pylist()
    return np.array([n for n, i in enumerate(ids) if role in {r for _, r in roles.get(i, [])}])


def test_forged_mobiles_are_active_exactly_if_their_owner_was(city: Made) -> None:
    caller, callee = city.column("caller"), city.column("callee")
    ingress, start = city.column("ingress"), micros(city.calls["start_time"])
    answered = micros(city.calls["answer_time"]) >= 0
    device = city.column("callee_device") != None  # noqa: E711
    at_home: dict[str, list[int]] = {}
    for n in range(len(start)):
        if ingress[n] == "subscriber" and caller[n]:
            at_home.setdefault(caller[n], []).append(start[n])
        if answered[n] and device[n]:
            at_home.setdefault(callee[n], []).append(start[n])
    for role, wanted in (("forged_mobile_active", True), ("forged_mobile_quiet", False)):
        rows = _rows(city, role)
        assert len(rows) > 20
        own = [n for n in rows if caller[n] in at_home]
        active = [any(start[n] - DAY < t < start[n] for t in at_home[caller[n]]) for n in own]
        assert all(found is wanted for found in active)


def test_forged_numbers_come_in_where_they_cannot_be(city: Made) -> None:
    ingress = city.column("ingress")
    for role in (
        "forged_fixed_line",
        "forged_service",
        "forged_state_organ",
        "forged_bank",
        "forged_unallocated",
    ):
        assert set(ingress[_rows(city, role)]) == {"international"}
    assert set(ingress[_rows(city, "forged_own_number")]) == {"domestic"}


_MAY_BE = {
    "forged_fixed_line": {"fixed", "fixed_or_mobile"},
    "forged_service": {"service", "toll_free", "premium", "other", "inbound"},
    "forged_unallocated": {"unallocated"},
    "forged_malformed": {"malformed", "no_country"},
    "forged_state_organ": {"state", "state_never", "emergency", "service", "toll_free", "other"},
    "forged_bank": {"bank", "bank_never", "service", "toll_free", "other"},
    "forged_own_number": {"mobile", "fixed", "fixed_or_mobile", "service", "toll_free"},
    "forged_mobile_active": {"mobile", "fixed_or_mobile"},
    "forged_mobile_quiet": {"mobile", "fixed_or_mobile"},
}


@pytest.mark.parametrize("country", COUNTRIES)
def test_forged_numbers_are_what_the_truth_calls_them(country: str) -> None:
    city = Made(
        *tables(City(1_000, 3, seed=6, country=country, intensity={"crime": 3, "look_alike": 0, "texts": 0}))
    )
    roles = {
        role
        for found in city.roles().values()
        for _, role in found
        if role.startswith("forged_") and role != "forged_mobile_active"
    }
    assert roles == set(_MAY_BE) - {"forged_mobile_active"}
    for role, names in _MAY_BE.items():
        numbers = list(set(city.column("caller")[_rows(city, role)].tolist())) if role in roles else []
        assert {cc.NAMES[one] for one in classes(numbers, country)} <= names, role


def test_a_journey_takes_hours_and_the_phone_is_off(city: Made) -> None:
    caller, callee = city.column("caller"), city.column("callee")
    start, end = micros(city.calls["start_time"]), micros(city.calls["end_time"])
    answered = micros(city.calls["answer_time"]) >= 0
    abroad = set(_rows(city, "roamer").tolist())
    there = {number: [n for n in abroad if caller[n] == number] for number in caller[sorted(abroad)]}
    hours = []
    for number, calls in there.items():
        first, last = start[min(calls)], max(end[n] for n in calls)
        used = (caller == number) | ((callee == number) & answered & (city.column("callee_cell") != None))  # noqa: E711
        used[calls] = False
        assert not (used & (end > first) & (start < last)).any()
        hours += [(first - max(end[used & (start < first)], default=0)) / HOUR]
        hours += [(min(start[used & (start > last)], default=2**62) - last) / HOUR]
    assert min(hours) > 0.05
    assert np.median(roamer._journeys(np.random.default_rng(1), 4_000)) / HOUR == pytest.approx(3.6, rel=0.1)


def test_roamers_are_quiet_at_home(city: Made) -> None:
    caller, ingress, start = city.column("caller"), city.column("ingress"), micros(city.calls["start_time"])
    rows = _rows(city, "roamer")
    trips: dict[str, list[int]] = {}
    for n in rows:
        trips.setdefault(caller[n], []).append(start[n])
    assert len(trips) >= 5
    assert set(ingress[rows]) == {"international"}
    for line, times in trips.items():
        home = start[(caller == line) & (ingress == "subscriber")]
        assert not ((home > min(times)) & (home < max(times))).any()


def test_while_a_victim_is_held_nobody_else_gets_through(city: Made) -> None:
    start, answer, end = (micros(city.calls[n]) for n in ("start_time", "answer_time", "end_time"))
    callee, grips = city.column("callee"), _rows(city, "grip")
    assert len(grips) > 10
    tried = 0
    for grip in grips:
        meanwhile = (callee == callee[grip]) & (start > answer[grip]) & (start < end[grip])
        assert (answer[meanwhile] < 0).all()
        tried += int(meanwhile.sum())
    assert tried > 5


def test_stages_of_a_scam_follow_each_other(city: Made) -> None:
    scams = [episode for episode in city.truth["episodes"] if episode["crime"] == "scam_call"]
    ids = set(city.calls["call_id"].to_pylist())
    paid = 0
    for scam in scams:
        if scam["grip_call"]:
            assert scam["grip_call"] in ids
            assert scam["begins"] < scam["grip_began"]
        if scam["transfer_at"]:
            paid += 1
            assert scam["transfer_at"] > scam["begins"]
            assert scam["amount"] > 0
    assert paid >= len(scams) / 3
    assert {scam["behind"] for scam in scams} == {"international", "sim_box"}
    assert any(scam["hotel_cell"] for scam in scams)
    assert any(scam["second_number"] for scam in scams)


def test_victims_of_a_leak_were_in_touch_with_the_shop_before(city: Made) -> None:
    caller, callee, start = city.column("caller"), city.column("callee"), city.column("start_time")
    leaks = [episode for episode in city.truth["episodes"] if episode.get("leak")]
    assert leaks
    for scam in leaks:
        pair = {scam["subject"], scam["leak"]}
        times = [t for a, b, t in zip(caller, callee, start, strict=True) if {a, b} == pair]
        assert min(times).isoformat() < scam["begins"]
        assert city.truth["special_lines"][scam["leak"]] == "shop"


def test_extortion_texts_name_the_sum_and_the_account(city: Made) -> None:
    texts = [row for row in city.tables["texts"].to_pylist() if row["body"]]
    floods = [
        episode for episode in city.truth["episodes"] if episode["crime"] == "flood" and episode["demand_at"]
    ]
    assert len(floods) >= 5
    for flood in floods:
        bodies = [row["body"].replace(" ", "") for row in texts if row["recipient"] == flood["subject"]]
        assert any(
            flood["demand"]["account"] in body and str(flood["demand"]["amount"]) in body for body in bodies
        )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_texts_vary(language: str) -> None:
    rng = np.random.default_rng(1)
    texts = {_wording.demand(rng, language, 500, "CNY", "6222000011112222") for _ in range(60)}
    assert len(texts) > 25
    assert all("500" in text and "6222" in text and "{" not in text for text in texts)


def test_accounts_have_check_digits() -> None:
    for account in map(str, accounts(np.uint64(5), np.arange(50)).tolist()):
        digits = [int(d) for d in reversed(account)]
        doubled = [2 * d - 9 * (d > 4) for d in digits[1::2]]
        assert len(account) == 19
        assert (sum(digits[::2]) + sum(doubled)) % 10 == 0


def test_nothing_gives_an_attack_away(city: Made) -> None:
    crime = set(_rows(city, "attack")) | set(_rows(city, "fraud"))
    honest = np.array([n for n in range(len(city.calls)) if n not in crime])
    bad = np.array(sorted(crime))
    caller, trunk = city.column("caller"), city.column("trunk")
    assert set(trunk[bad]) <= set(trunk[honest])
    ranges = Counter(c[:7] for c in caller[honest] if c and c.startswith("+86"))
    known = [ranges[c[:7]] > 0 for c in caller[bad] if c and c.startswith("+861")]
    assert np.mean(known) > 0.9
    start = micros(city.calls["start_time"])
    for times in (start[bad], start[honest]):
        assert np.bincount(times % 10, minlength=10).min() > 0.05 * len(times)  # no round times
    ids = city.calls["call_id"].to_pylist()
    assert {len(i) for i in ids} == {14}
    rank = np.argsort(np.argsort(ids))
    assert abs(np.corrcoef(rank, np.arange(len(ids)))[0, 1]) < 0.02
    assert {len(d) for d in city.column("caller_device")[bad] if d} == {12}


def test_gaps_of_floods_are_not_those_of_a_clock(city: Made) -> None:
    start, roles = micros(city.calls["start_time"]), city.roles()
    times: dict[str, list[int]] = {}
    for n, i in enumerate(city.calls["call_id"].to_pylist()):
        for episode, role in roles.get(i, []):
            if role == "attack" and episode:
                times.setdefault(episode, []).append(start[n])
    spread = [np.std(np.diff(t)) / np.mean(np.diff(t)) for t in times.values() if len(t) > 10]
    assert len({gap for t in times.values() for gap in np.diff(t)}) > 0.99 * sum(
        len(t) - 1 for t in times.values()
    )
    assert min(spread) < 0.6 < max(spread)
