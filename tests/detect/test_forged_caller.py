"""Which shown numbers are told to be forged, and what only looks like it. Each case is told as its calls."""

import numpy as np
import pyarrow as pa
import pytest
from tests.forgeries import DAY, HOUR, Records, alerts_of, life, named
from tests.passes import EPOCH

from ringfence.detect.forged_caller import (
    LIFE,
    PENDING,
    after_bits,
    before_bits,
    here_bits,
    silence_bits,
)
from ringfence.ingest._hash import hash_words
from ringfence.model.alert import Alert
from ringfence.model.number_lists import NumberLists
from ringfence.model.numbers import NumberPlan

OWNER = "+8613800000001"
LINE = "+8613900000002"
FRIENDS = tuple(f"+86137000000{n:02d}" for n in range(12))
NOON = 8 * DAY + 4 * HOUR  # Shanghai


def stranger(n: int) -> str:
    return f"+86136{n:08d}"


def at_home(seed: int = 1, days: float = 8.0, a_day: float = 6.0) -> Records:
    """Eight days of an owner's life."""
    records = Records()
    life(records, OWNER, FRIENDS, seed, days, a_day)
    return records


def the_alert(records: Records, country: str = "CN") -> Alert:
    (alert,) = alerts_of(records, country)
    return alert


# --- verdicts that stand by themselves -----------------------------------------------------------------------------

IMPOSSIBLE = [
    ("CN", "+862160001234", "international", None, "a fixed line of this country, arriving from abroad"),
    ("CN", "+8610086", "international", None, "a service number of this country, arriving from abroad"),
    ("CN", "110", "international", None, "a number of a state organ, arriving from abroad"),
    ("CN", "+8695588", "international", None, "a bank's number, arriving from abroad"),
    ("CN", "+8615400000000", "domestic", None, "no such number in this country's plan"),
    ("CN", "+8615400000000", None, None, "no such number in this country's plan"),
    ("CN", "+864001234567", "domestic", None, "a number that can only be called"),
    ("CN", "+999123456789", "international", None, "a country code that does not exist"),
    ("CN", "0000000000000000", "international", None, "digits that cannot be a telephone number"),
    ("GB", "+442079460000", "international", None, "a fixed line of this country, arriving from abroad"),
    ("IN", "+911123456789", "international", None, "a fixed line of this country, arriving from abroad"),
    ("US", "+12125550123", "domestic", None, None),
    ("CN", "110", "domestic", None, None),
    ("CN", "+862160001234", "domestic", None, None),
    ("CN", "+442079460000", "international", None, None),
    ("CN", "+862160001234", None, None, None),
    ("CN", None, "international", None, None),
    ("DE", "+999123456789", "international", None, "a country code that does not exist"),
    ("DE", "+493012345678", "international", None, None),
]


@pytest.mark.parametrize(("country", "caller", "ingress", "attestation", "words"), IMPOSSIBLE)
def test_a_verdict_that_stands_by_itself_is_raised_at_its_first_call(
    country: str, caller: str | None, ingress: str | None, attestation: str | None, words: str | None
) -> None:
    records = Records()
    callee = {"GB": "+447700900001", "IN": "+919876543210", "US": "+12125550199", "DE": "+4915112345678"}.get(
        country, LINE
    )
    call = records.add(5 * HOUR, caller, callee, ingress, trunk="t1", attestation=attestation)
    alerts = alerts_of(records, country)
    assert [entry.text for alert in alerts for entry in alert.ledger] == ([words] if words else [])
    for alert in alerts:
        assert (alert.subject, alert.callee, alert.call_id) == (caller, callee, call)
        assert alert.raised_at == EPOCH + int(5 * HOUR * 1e6)
        assert alert.hypothesis == "impossible number"


def test_an_a_on_an_impossible_number_is_told() -> None:
    records = Records()
    records.add(HOUR, "+10125550123", "+12125550199", "domestic", attestation="A")
    (entry,) = the_alert(records, "US").ledger
    assert entry.text.endswith(", yet signed A")
    assert "A级认证" in entry.text_zh


# --- verdicts that do not ------------------------------------------------------------------------------------------

SUSPECT = [
    ("CN", "alice", "international", 1, False),
    ("CN", "alice", "international", 14, True),
    ("CN", "62160001", "international", 14, True),
    ("CN", "+44200000", "international", 1, False),
    ("CN", "+44200000", "international", 14, True),
    ("CN", "+8615400000000", "subscriber", 40, False),
    ("US", "+18005550123", "international", 40, False),
    ("DE", "+4900000001", "domestic", 40, False),
]


@pytest.mark.parametrize(("country", "caller", "ingress", "strangers", "raised"), SUSPECT)
def test_what_is_only_suspect_needs_strangers_in_a_row(
    country: str, caller: str, ingress: str, strangers: int, raised: bool
) -> None:
    records = at_home()
    for n in range(strangers):
        records.add(NOON + 60 * n, caller, stranger(n), ingress, trunk="gw-1")
    alerts = alerts_of(records, country)
    assert [alert.hypothesis for alert in alerts] == (["suspect number"] if raised else [])


def test_people_it_knows_speak_against_it() -> None:
    records = at_home()
    for n in range(20):
        records.add(NOON + 60 * n, "alice", FRIENDS[n % 3], "international", trunk="gw-1")
    for n in range(20):
        records.add(NOON + DAY + 600 * n, "alice", FRIENDS[n % 3], "international", trunk="gw-1")
    assert not [alert for alert in alerts_of(records) if alert.raised_at > EPOCH + (NOON + DAY) * 1e6]


# --- emergency services ring back ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shown", ["+8615400000000", "+862160001234", "110", "120", OWNER])
def test_an_emergency_service_may_ring_back_under_any_number(shown: str) -> None:
    records = at_home()
    records.add(NOON, OWNER, FRIENDS[0])
    for minutes in (5, 7, 9, 300):  # it tries again, and rings back once more when it was talked to
        records.abroad(NOON + 60 * minutes, shown, LINE, talk=None if minutes < 9 else 60.0)
    assert alerts_of(records)
    records.add(NOON - 60, LINE, "120", talk=5.0)
    assert alerts_of(records) == []


def test_but_not_days_later() -> None:
    records = Records()
    records.add(0, LINE, "110")
    records.abroad(25 * HOUR, "+862160001234", LINE)
    assert the_alert(records).subject == "+862160001234"


# --- in two places at once -----------------------------------------------------------------------------------------


def test_a_stranger_is_rung_from_abroad_minutes_after_the_owner_was_at_home() -> None:
    records = at_home()
    records.add(NOON, OWNER, FRIENDS[0], talk=90.0)
    call = records.abroad(NOON + 900, OWNER, LINE)
    alert = the_alert(records)
    assert (alert.call_id, alert.callee, alert.hypothesis) == (call, LINE, "in two places at once")
    assert alert.raised_at == EPOCH + int((NOON + 900) * 1e6)
    assert alert.ledger[0].text == "from abroad, 15 min after it was in use at home"
    assert sum(entry.bits for entry in alert.ledger) == pytest.approx(alert.bits, abs=0.01)


def test_it_is_raised_when_the_owner_is_at_home_afterwards() -> None:
    records = at_home(days=7.5)
    last = max(row["start_time"] for row in records.rows) / 1e6 - EPOCH / 1e6
    call = records.abroad(last + 9 * HOUR, OWNER, LINE)
    assert alerts_of(records) == []
    records.add(last + 9 * HOUR + 1_200, OWNER, FRIENDS[1])
    alert = the_alert(records)
    assert alert.call_id == call
    assert alert.ledger[0].at == EPOCH + int((last + 9 * HOUR) * 1e6)
    assert alert.ledger[-1].at == alert.raised_at == EPOCH + int((last + 9 * HOUR + 1_200) * 1e6)
    assert alert.ledger[-1].text == "in use at home 20 min after that call"
    assert alert.episodes[0].last_call_at == alert.ledger[0].at


@pytest.mark.parametrize("cell", [None, "4100-1"])
def test_being_rung_in_a_cell_of_the_own_network_is_being_at_home(cell: str | None) -> None:
    records = at_home(days=7.5)
    last = max(row["start_time"] for row in records.rows) / 1e6 - EPOCH / 1e6
    records.abroad(last + 9 * HOUR, OWNER, LINE)
    records.add(last + 9 * HOUR + 600, FRIENDS[1], OWNER, talk=120.0, callee_cell=cell)
    assert len(alerts_of(records)) == (1 if cell else 0)


@pytest.mark.parametrize("rings", [True, False])
def test_talking_at_home_at_that_very_time(rings: bool) -> None:
    records = at_home(days=7.5)
    last = max(row["start_time"] for row in records.rows) / 1e6 - EPOCH / 1e6
    start = last + 9 * HOUR
    ends = (OWNER, FRIENDS[0]) if rings else (FRIENDS[0], OWNER)
    records.add(start, *ends, talk=2_400.0, callee_cell="4100-1")
    records.abroad(start + 1_800, OWNER, FRIENDS[1])  # somebody it knows: not enough at once
    alert = the_alert(records)
    if not rings:
        assert alert.ledger[-1].text == "talking at home during that call, since 30 min"


def test_a_relatives_number_is_told_although_it_rings_somebody_it_knows() -> None:
    records = at_home()
    records.add(NOON, OWNER, FRIENDS[0])
    records.abroad(NOON + 300, OWNER, FRIENDS[1])
    assert the_alert(records).callee == FRIENDS[1]


def test_one_stranger_after_another_from_abroad() -> None:
    records = at_home()
    shown = "+8613512345678"  # of another network: never seen at home
    for n in range(16):
        records.abroad(NOON + 120 * n, shown, stranger(n))
    assert the_alert(records).subject == shown
    records = at_home()
    for n in range(9):
        records.abroad(NOON + 3 * HOUR * n, shown, FRIENDS[n % 2])
    assert alerts_of(records) == []


def test_the_owners_own_calls_are_never_flagged() -> None:
    records = at_home()
    forged, own = set(), set()
    for n in range(12):
        own.add(records.add(NOON + 1_200 * n, OWNER, FRIENDS[n % 5], talk=40.0))
        forged.add(records.abroad(NOON + 1_200 * n + 600, OWNER, stranger(n)))
    found = named(records)
    assert found == forged
    assert not found & own


def test_without_ingress_a_mobile_is_not_judged() -> None:
    records = at_home()
    for n in range(9):
        records.add(NOON + 300 * n, OWNER, stranger(n), None)
    assert alerts_of(records) == []


# --- roamers -------------------------------------------------------------------------------------------------------


def traveller(seed: int) -> tuple[Records, set[str]]:
    """A week at home, a journey of hours, days abroad with calls home, a journey back, days at home."""
    rng = np.random.default_rng(seed)
    records = Records()
    a_day = float(rng.uniform(1, 12))
    life(records, OWNER, FRIENDS, seed, 7.0, a_day)
    leaves = 7 * DAY + rng.uniform(0, 12) * HOUR
    records.add(leaves, OWNER, FRIENDS[0])  # at the gate
    lands = leaves + rng.lognormal(np.log(5), 0.4) * HOUR
    stay = float(rng.lognormal(np.log(3.5), 0.6) * DAY)
    calls = set()
    for _ in range(max(1, rng.poisson(stay / DAY * rng.uniform(0.5, 4)))):
        known = rng.random() < 0.85
        callee = str(rng.choice(FRIENDS)) if known else stranger(int(rng.integers(10**6)))
        calls.add(records.abroad(float(lands + rng.uniform(0, stay)), OWNER, callee))
    back = lands + stay + rng.lognormal(np.log(5), 0.4) * HOUR
    later = Records()
    life(later, OWNER, FRIENDS, seed + 1, 5.0, a_day)
    for row in later.rows:
        start = row["start_time"] / 1e6 - EPOCH / 1e6 + back
        records.add(start, row["caller"], row["callee"], callee_cell=row.get("callee_cell"))
    return records, calls


def test_travellers_are_not_flagged() -> None:
    flagged = calls = 0
    for seed in range(120):
        records, own = traveller(seed)
        flagged += len(named(records) & own)
        calls += len(own)
    assert calls > 600
    assert flagged <= 0.005 * calls


def test_a_mobile_is_told_while_its_owner_is_at_home() -> None:
    flagged = calls = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        records = Records()
        life(records, OWNER, FRIENDS, seed, 10.0, float(rng.uniform(2, 12)))
        forged = {
            records.abroad(
                7 * DAY + rng.uniform(0, 11) * HOUR + DAY * int(rng.integers(2)), OWNER, stranger(n)
            )
            for n in range(int(rng.integers(1, 4)))
        }
        flagged += len(named(records) & forged)
        calls += len(forged)
    assert flagged >= 0.85 * calls


def test_the_weights_go_the_right_way() -> None:
    rate = 3 / 24
    hours = [0.1, 0.5, 1, 2, 4, 8, 16, 32, 64, 128]
    before = [before_bits(h, rate) for h in hours]
    assert before == sorted(before, reverse=True)
    assert before[0] > 8
    assert before[-1] < 0
    after = [after_bits(h, 10.0, rate) for h in hours[:6]]
    assert after == sorted(after, reverse=True)
    assert after_bits(1.0, 5.0, rate) > after_bits(1.0, 100.0, rate), "a short stay is rarer than a long one"
    assert all(silence_bits(h, 5.0, rate) < 0 for h in hours)
    assert before_bits(8.0, rate) > before_bits(8.0, 10 * rate), "who uses it often would have used it"


# --- own numbers on an interconnect --------------------------------------------------------------------------------

PLAN = NumberPlan.of("CN")
OWN = (PLAN.parse_one(OWNER), PLAN.parse_one(OWNER) + 1)
PORTED = NumberLists(own=[OWN], ported_out=[])


def test_an_own_number_from_another_network() -> None:
    records = at_home()
    records.add(NOON, OWNER, LINE, "domestic", trunk="ic-1")
    assert [alert.hypothesis for alert in alerts_of(records, lists=PORTED)] == ["suspect number"]
    assert alerts_of(records) == []
    assert alerts_of(records, lists=NumberLists(own=[OWN])) == [], "it may be ported out"
    assert alerts_of(records, lists=NumberLists(own=[OWN], ported_out=[OWN])) == []


def test_an_own_number_whose_owner_is_at_home_afterwards() -> None:
    records = Records()
    call = records.add(20 * HOUR, OWNER, LINE, "domestic", trunk="ic-1")
    assert alerts_of(records, lists=PORTED) == []
    records.add(30 * HOUR, OWNER, FRIENDS[0])
    (alert,) = alerts_of(records, lists=PORTED)
    assert (alert.call_id, alert.hypothesis) == (call, "suspect number")
    assert alert.ledger[-1].text == "in use at home 10 h after that call"


def test_the_longer_an_owner_was_not_here_the_likelier_he_took_his_number_along() -> None:
    assert here_bits(2.0) == here_bits(0.0) == 3
    assert 3 > here_bits(5.0) > here_bits(20.0) > 0
    assert here_bits(40.0) == 0


def test_a_forwarded_call_keeps_the_number_of_who_called_first() -> None:
    records = at_home()
    records.add(NOON, OWNER, "+8613512345678", talk=60.0, ring=30.0)
    records.add(NOON + 20, OWNER, LINE, "domestic", trunk="ic-1")
    assert alerts_of(records, lists=PORTED) == []


# --- what the operator knows ---------------------------------------------------------------------------------------


def test_lists_and_proven_trunks_outrank_the_rules() -> None:
    fixed = "+862160001234"
    number = PLAN.parse_one(fixed)
    records = Records()
    records.abroad(HOUR, fixed, LINE)
    assert alerts_of(records)
    assert alerts_of(records, lists=NumberLists(allow=[(number, number + 1)])) == []
    assert alerts_of(records, lists=NumberLists(abroad=[(number, number + 1)])) == []
    visitor = PLAN.parse_one(LINE)
    assert alerts_of(records, lists=NumberLists(roaming=[(visitor, visitor + 1)])) == []
    assert alerts_of(records, proven=hash_words(pa.array(["gw-1"]))) == []
    assert alerts_of(records, proven=hash_words(pa.array(["gw-2"])))


# --- one alert a number and day, or each call ----------------------------------------------------------------------


def test_one_alert_a_number_and_day() -> None:
    records = Records()
    for day in range(3):
        for n in range(5):
            records.abroad(day * DAY + n * HOUR, "+862160001234", stranger(n))
    alerts = alerts_of(records)
    days = [int(day * DAY * 1e6) + EPOCH for day in range(3)]
    assert [alert.raised_at for alert in alerts] == days
    for alert, day in zip(alerts, days, strict=True):
        (episode,) = alert.episodes
        assert (episode.calls, episode.last_call_at) == (5, day + int(4 * HOUR * 1e6))
    assert [alert.closed_at for alert in alerts] == [days[1], days[2], None]
    assert len({alert.alert_id for alert in alerts}) == 3


def test_each_call() -> None:
    records = Records()
    calls = [records.abroad(n * 7 * HOUR, "+862160001234", stranger(n)) for n in range(9)]
    calls.append(records.abroad(7 * HOUR, "+862160001234", stranger(1)))  # two at the same moment
    alerts = alerts_of(records, each_call=True)
    assert sorted(alert.call_id for alert in alerts) == sorted(calls)
    assert len({alert.alert_id for alert in alerts}) == 10
    assert all(alert.closed_at == alert.raised_at for alert in alerts)
    assert all(len(alert.ledger) == 1 for alert in alerts)


def test_calls_before_the_alert_are_told_with_it() -> None:
    records = at_home(days=7.5)
    last = max(row["start_time"] for row in records.rows) / 1e6 - EPOCH / 1e6
    calls = {records.abroad(last + 8 * HOUR + 60 * n, OWNER, FRIENDS[n]) for n in range(PENDING)}
    records.add(last + 8 * HOUR + 300, OWNER, FRIENDS[1])
    assert named(records) == calls
    for alert in alerts_of(records, each_call=True):
        assert sum(entry.bits for entry in alert.ledger) == pytest.approx(alert.bits, abs=0.01)


def test_the_trunk_is_named_in_words() -> None:
    records = Records()
    records.abroad(0, "+862160001234", LINE, trunk="北京 gw")
    key = int(hash_words(pa.array(["北京 gw"]))[0])
    (alert,) = alerts_of(records, trunks={key: "北京 gw"})
    assert alert.as_dict()["trunk"] == "北京 gw"
    assert alert.as_dict()["callee"] == LINE


# --- cuts ----------------------------------------------------------------------------------------------------------


def mixture() -> Records:
    rng = np.random.default_rng(7)
    records, _ = traveller(3)
    for n in range(40):
        start = 6 * DAY + float(rng.uniform(0, 4)) * DAY
        shown = ["+862160001234", "+8615400000000", OWNER, FRIENDS[2], "alice", "+8613512345678"][n % 6]
        records.abroad(start, shown, stranger(int(rng.integers(1000))), talk=float(rng.uniform(1, 90)))
    life(records, FRIENDS[2], FRIENDS[3:], 4, 11.0)
    return records


@pytest.mark.parametrize("each_call", [False, True])
def test_batches_and_shards_do_not_matter(each_call: bool) -> None:
    records = mixture()
    whole = [alert.as_dict() for alert in alerts_of(records, each_call=each_call)]
    assert len(whole) > 10
    rng = np.random.default_rng(2)
    for shards in (1, 3):
        cuts = rng.integers(0, len(records.rows), 60).tolist()
        again = alerts_of(records, shards=shards, cuts=cuts, each_call=each_call)
        assert [alert.as_dict() for alert in again] == whole


def test_what_is_out_of_date_is_forgotten() -> None:
    records = Records()
    for n in range(3):
        records.abroad(9 * DAY + 60 * n, "+8613512345678", stranger(n))
    for n in range(3):
        records.abroad(9 * DAY + LIFE / 1e6 + 3600 + 60 * n, "+8613512345678", stranger(9 + n))
    assert alerts_of(records) == []
