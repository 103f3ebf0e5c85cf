"""Every kind of alert on small truths whose answers are counted by hand."""

from pathlib import Path
from typing import Any

import pytest
from tests.evaluate.made import (
    ABROAD,
    COURIER,
    DAY,
    HOUR,
    MINUTE,
    OTHER,
    VICTIM,
    Labelled,
    alert,
    at,
    attack,
    episode,
    scam,
    write_alerts,
    write_truth,
)

from ringfence.evaluate.evaluation import evaluate


def judged(folder: Path, truth: dict[str, Any], alerts: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    write_truth(folder, **truth)
    found = evaluate(write_alerts(folder / "alerts.jsonl", alerts), folder, [kind])
    result: dict[str, Any] = found["kinds"][kind]
    return result


def flood_at(begins: float, calls: int = 10, name: str = "f1", **more: Any) -> dict[str, Any]:
    """A flood of a call a minute."""
    return episode(name, "flood", VICTIM, begins, begins + (calls - 1) * MINUTE, **more)


def one_flood(begins: float = DAY) -> dict[str, Any]:
    return {"episodes": [flood_at(begins)], "calls": attack("f1", begins, MINUTE, 10)}


def test_delay_is_told_in_calls_begun_and_seconds(tmp_path: Path) -> None:
    found = judged(tmp_path, one_flood(), [alert("flood", VICTIM, DAY + 3 * MINUTE + 2)], "flood")
    assert found["delay_calls"]["median"] == 4
    assert found["delay_s"]["max"] == 182
    assert found["by_shape"]["withheld"]["delay_calls"]["p95"] == 4
    assert (found["recall"]["count"], found["recall"]["of"], found["missed"]["count"]) == (1, 1, 0)
    assert found["precision"]["share"] == 1
    assert found["false_alarms"]["count"] == 0


@pytest.mark.parametrize(
    ("raised", "true"), [(-1.0, False), (0.0, True), (540.0, True), (540 + 600.0, True), (540 + 600.1, False)]
)
def test_an_alert_belongs_to_an_attack_until_ten_minutes_after_it(
    tmp_path: Path, raised: float, true: bool
) -> None:
    found = judged(tmp_path, one_flood(), [alert("flood", VICTIM, DAY + raised)], "flood")
    assert found["recall"]["count"] == true
    assert found["false_alarms"]["count"] == (not true)
    assert found["missed"]["ids"] == ([] if true else ["f1"])


def test_another_subject_is_another_story(tmp_path: Path) -> None:
    found = judged(tmp_path, one_flood(), [alert("flood", OTHER, DAY + MINUTE)], "flood")
    assert found["recall"]["count"] == 0
    assert found["delay_calls"]["median_of_all"] is None
    assert found["false_alarms"]["by_line"]["person"]["count"] == 1


def test_a_second_alert_in_an_attack_is_repeated_not_false(tmp_path: Path) -> None:
    alerts = [alert("flood", VICTIM, DAY + 5 * MINUTE), alert("flood", VICTIM, DAY + 2 * MINUTE)]
    found = judged(tmp_path, one_flood(), alerts, "flood")
    assert (found["alerts"], found["repeated"], found["false_alarms"]["count"]) == (2, 1, 0)
    assert found["delay_calls"]["median"] == 3  # the earlier one counts, however the file is ordered
    assert found["precision"]["of"] == 1


def test_each_episode_of_a_story_is_judged_by_itself(tmp_path: Path) -> None:
    truth = {
        "episodes": [flood_at(DAY), flood_at(3 * DAY, name="f2")],
        "calls": [*attack("f1", DAY, MINUTE, 10), *attack("f2", 3 * DAY, MINUTE, 10)],
    }
    story = alert("flood", VICTIM, DAY + MINUTE, 3 * DAY + 4 * MINUTE, 5 * DAY, closed=6 * DAY)
    found = judged(tmp_path, truth, [story], "flood")
    assert (found["alerts"], found["raisings"], found["recall"]["count"]) == (1, 3, 2)
    assert found["false_alarms"]["count"] == 1
    assert (found["delay_calls"]["min"], found["delay_calls"]["max"]) == (2, 5)


@pytest.mark.parametrize(("closed", "covered"), [(DAY + 2 * HOUR, 1), (None, 1), (DAY + HOUR - 1, 0)])
def test_an_attack_that_begins_under_the_open_alert_of_another_is_covered(
    tmp_path: Path, closed: float | None, covered: int
) -> None:
    truth = {
        "episodes": [flood_at(DAY), flood_at(DAY + HOUR, name="f2")],
        "calls": [*attack("f1", DAY, MINUTE, 10), *attack("f2", DAY + HOUR, MINUTE, 10)],
    }
    found = judged(tmp_path, truth, [alert("flood", VICTIM, DAY + MINUTE, closed=closed)], "flood")
    assert found["covered"] == covered
    assert found["missed"]["ids"] == ["f2"][covered:]
    assert found["recall"]["count"] == 1 + covered
    assert found["delay_calls"]["n"] == 1


def test_a_false_alarm_does_not_cover_an_attack(tmp_path: Path) -> None:
    found = judged(tmp_path, one_flood(), [alert("flood", VICTIM, DAY - HOUR)], "flood")
    assert found["recall"]["count"] == found["covered"] == 0
    assert found["missed"]["under_a_false_alarm"] == 1


def test_false_alarms_go_to_the_other_crime_the_burst_or_the_kind_of_line(tmp_path: Path) -> None:
    calls = [
        episode("a1", None, COURIER, DAY, DAY + HOUR, "advert"),
        episode("a2", None, OTHER, DAY, DAY + HOUR, "advert"),
    ]
    storm = episode("s1", None, VICTIM, 4 * DAY, 4 * DAY + HOUR, "storm")
    truth = {"episodes": [*calls, storm, scam("c1", VICTIM, 2 * DAY, 2 * DAY, None, "sim_box")]}
    alerts = [
        alert("flood", COURIER, DAY + MINUTE),
        alert("flood", COURIER, DAY + 2 * MINUTE),
        alert("flood", COURIER, 2 * DAY),
        alert("flood", VICTIM, 2 * DAY + MINUTE),
        alert("flood", ABROAD, 2 * DAY),
    ]
    found = judged(tmp_path, truth, alerts, "flood")["false_alarms"]
    assert found["count"] == 5
    assert found["in_other_crimes"] == {"scam_call": 1}
    assert found["look_alikes"]["by_shape"]["advert"]["count"] == 1
    assert found["look_alikes"]["by_shape"]["advert"]["of"] == 2
    assert found["look_alikes"]["by_shape"]["storm"]["count"] == 0
    assert found["look_alikes"]["all"]["of"] == 3
    assert {kind: each["count"] for kind, each in found["by_line"].items()} == {
        "courier": 1,
        "person": 0,
        "outside": 1,
    }
    assert found["by_line"]["outside"]["per_100k"] is None
    assert found["ordinary_life"]["count"] == 2
    assert found["ordinary_life_with_look_alikes"]["count"] == 4


def test_an_attack_with_an_alert_of_its_own_is_not_covered_by_another(tmp_path: Path) -> None:
    truth = {"episodes": [flood_at(DAY), flood_at(DAY + HOUR, name="f2")]}
    alerts = [alert("flood", VICTIM, DAY + MINUTE), alert("flood", VICTIM, DAY + HOUR + MINUTE)]
    found = judged(tmp_path, truth, alerts, "flood")
    assert (found["covered"], found["recall"]["count"], found["delay_s"]["n"]) == (0, 2, 2)


def test_missed_attacks_count_as_later_than_any(tmp_path: Path) -> None:
    truth = {
        "episodes": [flood_at(DAY), flood_at(3 * DAY, name="f2")],
        "calls": attack("f1", DAY, MINUTE, 10),
    }
    found = judged(tmp_path, truth, [alert("flood", VICTIM, DAY + MINUTE, closed=2 * DAY)], "flood")
    assert (found["delay_calls"]["p95"], found["delay_calls"]["p95_of_all"]) == (2, None)


def test_a_burst_has_its_slack_and_another_crime_comes_before_it(tmp_path: Path) -> None:
    truth = {
        "episodes": [
            episode("a1", None, COURIER, DAY, DAY + HOUR, "advert"),
            episode("a2", None, OTHER, DAY, DAY + HOUR, "advert"),
            scam("c1", OTHER, DAY, DAY, None, "sim_box"),
        ]
    }
    alerts = [alert("flood", COURIER, DAY + HOUR + 9 * MINUTE), alert("flood", OTHER, DAY + MINUTE)]
    found = judged(tmp_path, truth, alerts, "flood")["false_alarms"]
    assert found["look_alikes"]["all"]["count"] == 1
    assert found["in_other_crimes"] == {"scam_call": 1}
    assert found["ordinary_life"]["count"] == 0


def test_a_covered_scam_is_in_time_and_an_alert_at_the_transfer_is_not(tmp_path: Path) -> None:
    truth = {
        "episodes": [
            scam("c1", VICTIM, DAY, DAY, DAY + HOUR, "sim_box"),
            scam("c2", VICTIM, DAY + 5 * HOUR, DAY + 5 * HOUR, DAY + 8 * HOUR, "sim_box"),
        ]
    }
    found = judged(tmp_path, truth, [alert("scam_call", VICTIM, DAY + HOUR)], "scam_call")
    assert (found["covered"], found["recall"]["count"]) == (1, 2)
    assert (found["before_transfer"]["count"], found["lead_minutes"]["n"]) == (1, 0)


def test_line_days_leave_out_the_time_inside_episodes_once(tmp_path: Path) -> None:
    slack = 600 / DAY
    truth = {
        "lines": {"person": 3, "courier": 1},
        "days": 10,
        "episodes": [
            episode("a", "flood", VICTIM, DAY, 3 * DAY),
            episode(
                "b",
                "scam_call",
                VICTIM,
                2 * DAY,
                4 * DAY,
                grip_began=None,
                transfer_at=None,
                behind="sim_box",
            ),
            episode("c", "flood", OTHER, 9 * DAY, 12 * DAY),  # ends after the records
            episode("d", "fraud_line", ABROAD, 0, 10 * DAY),  # is nobody's own line
            episode("e", None, COURIER, DAY, 2 * DAY, "advert"),
        ],
    }
    found = judged(tmp_path, truth, [], "flood")["false_alarms"]
    assert found["by_line"]["person"]["line_days"] == pytest.approx(30 - (3 + slack) - 1)
    assert found["by_line"]["courier"]["line_days"] == pytest.approx(10 - (1 + slack))
    assert found["ordinary_life"]["line_days"] == pytest.approx(40 - 5 - 2 * slack)
    assert found["ordinary_life_with_look_alikes"]["line_days"] == pytest.approx(40 - 4 - slack)


def test_scam_calls_are_timed_by_the_grip_and_the_transfer(tmp_path: Path) -> None:
    truth = {
        "episodes": [
            scam("c1", VICTIM, DAY, DAY + HOUR, DAY + 3 * HOUR, "international"),
            scam("c2", OTHER, DAY, DAY + HOUR, DAY + 2 * HOUR, "sim_box"),
            scam("c3", COURIER, DAY, DAY + HOUR, None, "sim_box"),
        ]
    }
    alerts = [
        alert("scam_call", VICTIM, DAY + HOUR + 12 * MINUTE),
        alert("scam_call", OTHER, DAY + 2 * HOUR + 30 * MINUTE),  # when the money is gone
        alert("scam_call", COURIER, DAY + 50 * MINUTE),
    ]
    found = judged(tmp_path, truth, alerts, "scam_call")
    assert found["recall"]["count"] == 3
    assert (found["before_transfer"]["count"], found["before_transfer"]["of"]) == (1, 2)
    assert found["before_grip"]["count"] == 1
    assert [found["minutes_after_grip"][key] for key in ("min", "median", "max")] == [-10, 12, 90]
    assert (found["lead_minutes"]["n"], found["lead_minutes"]["min"]) == (1, 108)
    assert found["by_behind"]["sim_box"]["before_transfer"]["count"] == 0
    assert found["by_behind"]["international"]["before_transfer"]["share"] == 1


@pytest.mark.parametrize(("hours", "true"), [(9.9, 1), (10.1, 0)])
def test_a_scam_ends_six_hours_after_its_transfer(tmp_path: Path, hours: float, true: int) -> None:
    told = scam("c1", VICTIM, DAY, DAY, DAY + 4 * HOUR, "sim_box") | {"ends": at(DAY + HOUR)}
    found = judged(
        tmp_path, {"episodes": [told]}, [alert("scam_call", VICTIM, DAY + hours * HOUR)], "scam_call"
    )
    assert found["recall"]["count"] == true
    assert found["before_transfer"]["count"] == 0


def test_a_missed_scam_is_not_before_its_transfer(tmp_path: Path) -> None:
    truth = {"episodes": [scam("c1", VICTIM, DAY, DAY + HOUR, DAY + 3 * HOUR, "sim_box")]}
    found = judged(tmp_path, truth, [], "scam_call")
    assert found["before_transfer"]["count"] == found["recall"]["count"] == found["lead_minutes"]["n"] == 0
    assert found["minutes_after_grip"]["missed"] == 1


def test_fraud_lines_by_shape_and_the_calls_of_other_crimes(tmp_path: Path) -> None:
    truth = {
        "episodes": [
            episode("l1", "fraud_line", VICTIM, DAY, 5 * DAY, "sim_box"),
            episode("l2", "fraud_line", ABROAD, DAY, 5 * DAY, "cold_call_centre"),
            flood_at(2 * DAY),
        ],
        "calls": [*attack("l1", DAY, HOUR, 50, "fraud"), *attack("f1", 2 * DAY, MINUTE, 10)],
    }
    alerts = [
        alert("fraud_line", VICTIM, DAY + 9.5 * HOUR),
        alert("fraud_line", "+8613700000000", 2 * DAY + MINUTE, call="f1-1"),
        alert("fraud_line", "+8613700000001", 2 * DAY + MINUTE, call="l1-3"),
        alert("fraud_line", COURIER, 2 * DAY + MINUTE),
    ]
    found = judged(tmp_path, truth, alerts, "fraud_line")
    assert found["by_shape"]["sim_box"]["delay_calls"]["median"] == 10
    assert found["by_shape"]["cold_call_centre"]["recall"]["share"] == 0
    assert found["false_alarms"]["in_other_crimes"] == {"flood": 1}
    assert found["false_alarms"]["by_line"]["person"]["count"] == 1
    assert found["false_alarms"]["by_line"]["courier"]["count"] == 1
    assert found["precision"]["of"] == 4


FIXED, MOBILE, ROAMING = "+862155550000", "+8613900000009", "+8613900000008"
FORGERIES = [
    episode("g1", "forged_caller", FIXED, DAY, 3 * DAY, "fixed_line", trunk="hk-1"),
    episode("g2", "forged_caller", None, DAY, 3 * DAY, "mobile", trunk="hk-2"),
    episode("b1", None, OTHER, DAY, DAY + HOUR, "company_abroad"),
]
FORGED_CALLS: list[Labelled] = [
    ("x1", DAY + 60, "g1", "forged_fixed_line"),
    ("x2", DAY + 120, "g1", "forged_fixed_line"),
    ("x3", 2 * DAY + 60, "g1", "forged_fixed_line"),
    ("y1", DAY + 60, "g2", "forged_mobile_active"),
    ("y1", DAY + 60, None, "cold_call"),
    ("y2", DAY + 90, "g2", "forged_mobile_active"),
    ("r1", DAY + 60, None, "roamer"),
    ("r2", DAY + 120, "", "roamer"),
    ("e1", DAY + 60, None, "emergency_call_back"),
    ("b", DAY + 60, "b1", "look_alike"),
]
SHOWN: dict[str, str | None] = {
    **dict.fromkeys(["x1", "x2", "x3"], FIXED),
    **dict.fromkeys(["y1", "y2"], MOBILE),
    **dict.fromkeys(["r1", "r2"], ROAMING),
    "e1": "+86110",
    "b": OTHER,
    "z1": OTHER,
    "z2": None,
}


def forged(
    folder: Path, alerts: list[dict[str, Any]], shown: dict[str, str | None] | None = None
) -> dict[str, Any]:
    truth = {"episodes": FORGERIES, "calls": FORGED_CALLS, "shown": shown}
    return judged(folder, truth, alerts, "forged_caller")


def test_alerts_for_each_call_count_call_by_call(tmp_path: Path) -> None:
    alerts = [
        alert("forged_caller", FIXED, DAY + 60, call="x1"),
        alert("forged_caller", FIXED, 2 * DAY + 60, call="x3"),
        alert("forged_caller", MOBILE, DAY + 60, call="y1"),
        alert("forged_caller", ROAMING, DAY + 120, call="r2"),
        alert("forged_caller", OTHER, DAY + 500, call="z1"),
    ]
    found = forged(tmp_path, alerts, SHOWN)
    assert (found["calls"]["all"]["count"], found["calls"]["all"]["of"]) == (3, 5)
    by_role = found["calls"]["by_role"]
    assert (by_role["forged_fixed_line"]["count"], by_role["forged_fixed_line"]["of"]) == (2, 3)
    assert (by_role["forged_mobile_active"]["count"], by_role["forged_mobile_active"]["of"]) == (1, 2)
    assert found["numbers"]["all"]["count"] == found["numbers"]["all"]["of"] == 2
    assert {name: (each["count"], each["of"]) for name, each in found["trunks"].items()} == {
        "hk-1": (2, 3),
        "hk-2": (1, 2),
    }
    assert (found["honest_calls"]["roamer"]["count"], found["honest_calls"]["roamer"]["of"]) == (1, 2)
    assert found["honest_calls"]["emergency_call_back"]["count"] == 0
    assert found["false_alerts"]["by_call"] == {"ordinary": 1, "roamer": 1}
    assert (
        found["false_alerts"]["of_honest_calls"]["count"],
        found["false_alerts"]["of_honest_calls"]["of"],
    ) == (2, 6)
    assert found["precision"]["share"] == 3 / 5


def without_episodes(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "episodes"}


@pytest.mark.parametrize("told", [True, False])
def test_an_alert_a_number_and_day_stands_for_the_rest_of_its_day(tmp_path: Path, told: bool) -> None:
    alerts = [
        alert("forged_caller", FIXED, DAY + 60, call="x1", last=DAY + 120),
        alert("forged_caller", MOBILE, DAY + 80, call="unknown", last=DAY + 90),
        alert("forged_caller", ROAMING, DAY + 60, call="r1", last=DAY + 120),
    ]
    found = forged(tmp_path, alerts if told else [without_episodes(row) for row in alerts], SHOWN)
    fixed, mobile = (
        found["calls"]["by_role"][role] for role in ("forged_fixed_line", "forged_mobile_active")
    )
    assert (fixed["count"], fixed["of"]) == (2, 3)  # not the next day's
    assert (mobile["count"], mobile["of"]) == (1, 2)  # not the one before it was raised
    assert found["honest_calls"]["roamer"]["count"] == 2
    assert found["false_alerts"]["count"] == 2


def test_several_alerts_of_a_number_on_a_day_stand_for_their_own_calls(tmp_path: Path) -> None:
    calls = [*FORGED_CALLS, ("x4", DAY + 180, "g1", "forged_fixed_line")]
    rows = [
        alert("forged_caller", FIXED, DAY + 60, call="x1"),
        alert("forged_caller", FIXED, DAY + 180, call="x4"),
    ]
    truth = {"episodes": FORGERIES, "calls": calls, "shown": {**SHOWN, "x4": FIXED}}
    found = judged(tmp_path, truth, [without_episodes(row) for row in rows], "forged_caller")
    assert found["calls"]["by_role"]["forged_fixed_line"]["count"] == 2


def test_without_the_calls_only_known_numbers_are_stood_for(tmp_path: Path) -> None:
    alerts = [
        alert("forged_caller", FIXED, DAY + 60, call="x1", last=DAY + 120),
        alert("forged_caller", MOBILE, DAY + 60, call="y1", last=DAY + 90),
    ]
    found = forged(tmp_path, alerts)
    assert found["notes"]
    assert (
        found["calls"]["by_role"]["forged_fixed_line"]["count"] == 2
    )  # the truth names the episode's number
    assert found["calls"]["by_role"]["forged_mobile_active"]["count"] == 1
    assert found["numbers"]["all"]["of"] == 1
    assert found["false_alerts"]["of_honest_calls"] is None


def test_a_flagged_call_back_of_an_emergency_service_is_counted(tmp_path: Path) -> None:
    found = forged(tmp_path, [alert("forged_caller", "+86110", DAY + 60, call="e1")], SHOWN)
    assert found["honest_calls"]["emergency_call_back"]["count"] == 1
    assert found["false_alerts"]["by_call"] == {"emergency_call_back": 1}


def test_look_alikes_and_other_crimes_are_told_apart(tmp_path: Path) -> None:
    truth = {
        "episodes": [*FORGERIES, flood_at(DAY)],
        "calls": [*FORGED_CALLS, *attack("f1", DAY, MINUTE, 3)],
        "shown": SHOWN,
    }
    alerts = [
        alert("forged_caller", OTHER, DAY + 60, call="b"),
        alert("forged_caller", "+8613700000000", DAY, call="f1-0"),
    ]
    found = judged(tmp_path, truth, alerts, "forged_caller")
    assert found["honest_calls"]["look_alike"]["by_shape"]["company_abroad"]["count"] == 1
    assert found["false_alerts"]["by_call"] == {"flood": 1, "look_alike": 1}
