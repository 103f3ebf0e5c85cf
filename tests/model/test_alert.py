"""Alerts in the form of the contract."""

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.model.alert import Alert, Episode, LedgerEntry, alert_id, rfc3339
from ringfence.model.tables import ALERTS

AT = 1_772_676_669_120_000


def alert(**changes: object) -> Alert:
    entry = LedgerEntry(
        AT - 84_000_000, "c15", None, 3, 84.0, "stranger, 84 s after the last", "陌生号码", 5.2345, 5.2
    )
    episode = Episode(AT, "c17", AT - 84_000_000, AT + 5, AT + 9_000_000, 9.04, 12)
    fields: dict[str, object] = {
        "kind": "flood", "subject": "+8613800000001", "raised_at": AT, "call_id": "c17", "bits": 21.444, "probability": 0.97123,
        "hypothesis": "hang up", "hypothesis_zh": "接通即挂", "ledger": [entry], "episodes": [episode],
    }  # fmt: skip
    return Alert(**(fields | changes))  # type: ignore[arg-type]


def test_the_form_of_the_contract() -> None:
    found = alert().as_dict()
    assert list(found) == ALERTS.names
    assert found["alert_id"] == alert_id("flood", "+8613800000001", AT)
    assert found["raised_at"] == "2026-03-05T02:11:09.120000Z"
    assert found["closed_at"] == "2026-03-05T02:11:18.120000Z"
    assert found["bits"] == 21.44
    assert found["calls"] == 12
    assert found["quiet_s"] == 9.0
    assert found["ledger"] == [
        {"at": "2026-03-05T02:09:45.120000Z", "call_id": "c15", "caller": None, "what": "stranger, 84 s after the last", "bits": 5.23}
    ]  # fmt: skip
    assert set(found["episodes"][0]) == {item.name for item in ALERTS.field("episodes").type.value_type}
    assert set(found["ledger"][0]) == {item.name for item in ALERTS.field("ledger").type.value_type}
    json.dumps(found)


def test_an_open_alert() -> None:
    found = alert(episodes=[Episode(AT, "c17", AT, AT)], ledger=[]).as_dict()
    assert found["closed_at"] is None
    assert found["quiet_s"] is None
    assert alert(episodes=[]).as_dict()["closed_at"] is None


def test_the_sum_of_episodes() -> None:
    episodes = [Episode(AT, "a", AT, AT, AT + 1, 1.0, 4), Episode(AT + 5, "b", AT + 5, AT + 5, None, None, 3)]
    found = alert(episodes=episodes)
    assert found.as_dict()["calls"] == 7
    assert found.closed_at is None, "it came back"


def test_the_id_is_stable() -> None:
    assert alert_id("flood", "+8613800000001", AT) == alert().alert_id == alert(bits=3.0, ledger=[]).alert_id
    ids = {
        alert_id("flood", "+861", 1),
        alert_id("flood", "+861", 2),
        alert_id("flood", "+862", 1),
        alert_id("x", "+861", 1),
    }
    assert len(ids) == 4
    assert alert().alert_id == "flood-" + alert().alert_id.split("-")[1]


@given(st.integers(631_152_000_000_000, 4_102_444_800_000_000))
def test_times_are_exact(time: int) -> None:
    text = rfc3339(time)
    assert text is not None
    assert len(text) == 27
    assert pa.scalar(text).cast(pa.timestamp("us", "UTC")).value == time


@pytest.mark.parametrize("time", [None])
def test_no_time(time: int | None) -> None:
    assert rfc3339(time) is None
