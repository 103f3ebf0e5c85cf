"""ClearIP's object: its keys, and what stands in them."""

import json
from typing import Any

import pytest

from ringfence.channels.channel import Event
from ringfence.channels.clearip import body

# the keys of the example in ClearIP's documentation of alert POSTs
KEYS = {
    "action", "actionEndTime", "actionStartTime", "actionTime", "alertEmail", "alertPhone", "alertUrl", "bucketSize",
    "calledCountry", "calledNumber", "callingNumber", "fraudScore", "fraudScoreThreshold", "group", "id", "operator",
    "reseller", "serviceProvider", "type", "user",
}  # fmt: skip
ALERT = {
    "alert_id": "flood-1",
    "kind": "flood",
    "subject": "+8613800000001",
    "callee": None,
    "raised_at": "2026-03-05T02:00:00.120000Z",
    "closed_at": None,
    "call_id": "c2",
    "bits": 21.4,
    "ledger": [{"call_id": "c1", "caller": "+8613800000008"}, {"call_id": "c2", "caller": "+8613800000009"}],
}


def tell(type_: str = "alert.raised", /, **fields: Any) -> dict[str, Any]:
    return dict(json.loads(body(Event(f"flood-1:{type_}:1", type_, 0, ALERT | fields))))


def test_the_keys_are_all_there_and_no_others() -> None:
    assert set(tell()) == KEYS


def test_times_are_milliseconds() -> None:
    told = tell()
    assert (told["actionStartTime"], told["actionEndTime"], told["actionTime"]) == (
        1_772_676_000_120,
        None,
        None,
    )
    over = tell(closed_at="2026-03-05T03:00:00.120000Z")
    assert (over["actionEndTime"], over["actionTime"]) == (1_772_679_600_120, 60)


@pytest.mark.parametrize(
    ("fields", "called", "calling"),
    [
        ({}, "8613800000001", "8613800000009"),
        ({"call_id": None}, "8613800000001", None),
        ({"ledger": [{"call_id": "c2", "caller": None}]}, "8613800000001", None),
        ({"kind": "forged_caller", "callee": "+8613800000005"}, "8613800000005", "8613800000001"),
        ({"kind": "fraud_line"}, None, "8613800000001"),
        ({"kind": "extortion_text", "call_id": None, "ledger": []}, "8613800000001", None),
        ({"kind": "gang", "subject": "gang-7", "ledger": []}, None, None),
    ],
)
def test_who_calls_whom(fields: dict[str, Any], called: str | None, calling: str | None) -> None:
    told = tell(**fields)
    assert (told["calledNumber"], told["callingNumber"]) == (called, calling)


def test_kinds_have_names_in_their_way() -> None:
    assert tell()["type"] == "call-flood-by-called-number"
    assert tell(kind="brand_new")["type"] == "brand-new"


def test_an_attack_that_returns_is_an_event_of_its_own() -> None:
    episodes = [{"raised_at": ALERT["raised_at"]}, {"raised_at": "2026-03-06T02:00:00Z"}]
    first, second = tell(), tell("alert.reopened", episodes=episodes)
    assert first["id"] != second["id"]
    assert first["id"] == tell()["id"], "but sent again it has the same id"
    assert second["actionStartTime"] == 1_772_762_400_000
