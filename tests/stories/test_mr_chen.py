"""The newspaper's third case (Shanghai, 2020): prevention in person, and its fourth (2017): the hotel room.

The squad sees that somebody is talking to a scammer, and tells the district on the afternoon of 14 November. Mr Chen, 55, had left his home
in the morning; an officer finds him in a hotel, about to transfer. Scammers have victims buy a second number, so that the squad cannot
reach them. The woman of 2017 is rung by "the communication bureau", then by a "policeman", who has her book a hotel room.

Days of ordinary life come before; a son who rings from abroad, a bank's support that takes an hour, a new partner who talks for hours
must not be taken for it.
"""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.forgeries import DAY, HOUR, Records, life
from tests.passes import EPOCH

from ringfence.model.alert import Alert
from ringfence.model.tables import TRANSFERS
from ringfence.report.story import Story
from ringfence.shell.scan import Options, scan

CHEN, SECOND, WIFE, WOMAN = "+8613800000001", "+8615000000088", "+8613800000002", "+8613800000003"
SUPPORTED, PARTNER, PARENT = "+8613800000004", "+8613800000005", "+8613800000006"
FRIENDS = tuple(f"+86137000000{n:02d}" for n in range(8))
TELECOM, POLICE, BOX = "+862152160000", "+862122029110", "+8617000001234"
HOTEL = "4100-77"
MORNING = 12 * DAY + 1 * HOUR  # nine in Shanghai
MINUTE = 60.0
ACCOUNT = "6222020000000000001"


def ordinary(made: Records) -> None:
    for seed, line in enumerate((CHEN, WIFE, WOMAN, SUPPORTED, PARTNER, PARENT)):
        life(made, line, FRIENDS, seed, 12.0)
    for day in range(1, 12):
        made.add(day * DAY + 11 * HOUR, WIFE, CHEN, callee_cell="4100-1", talk=90.0)
    for day in (3, 8):  # the son studies abroad, and rings for long
        made.abroad(day * DAY + 12 * HOUR, "+12125550123", PARENT, talk=45 * MINUTE, callee_cell="4100-1")


def telecom_and_police(made: Records, victim: str, at: float, **more: Any) -> float:
    """The cold call, and the hand-over; gives back when the grip begins."""
    common = {"callee_cell": "4100-1", "callee_device": f"phone of {victim}", "released_by": "caller", **more}
    made.abroad(at, TELECOM, victim, talk=9 * MINUTE, name=f"telecom {victim}", **common)
    made.abroad(at + 11 * MINUTE, POLICE, victim, talk=6 * MINUTE, name=f"police {victim}", **common)
    return at + 18 * MINUTE


def chen(made: Records) -> None:
    phone = {"callee_device": f"phone of {CHEN}"}
    at = telecom_and_police(made, CHEN, MORNING)
    made.abroad(
        at, POLICE, CHEN, talk=140 * MINUTE, name="grip", released_by="caller", callee_cell="4100-1", **phone
    )
    for n in range(4):  # his wife does not get through
        made.add(at + (20 + 25 * n) * MINUTE, WIFE, CHEN, talk=None, ring=2.0, name=f"wife {n}")
    at += 150 * MINUTE
    made.abroad(at, POLICE, CHEN, talk=40 * MINUTE, name="in the hotel", callee_cell=HOTEL, **phone)
    at += 60 * MINUTE
    made.abroad(at, POLICE, SECOND, talk=50 * MINUTE, name="second number", callee_cell=HOTEL, **phone)


def false_friends(made: Records) -> None:
    made.add(MORNING, SUPPORTED, "+862195588000", talk=4 * MINUTE, name="rings support")
    made.add(
        MORNING + 10 * MINUTE,
        "+862195588000",
        SUPPORTED,
        "domestic",
        talk=62 * MINUTE,
        name="support rings back",
        callee_cell="4100-2",
    )
    for day in range(3):
        made.add(
            MORNING + day * DAY / 4,
            "+8613911112222",
            PARTNER,
            "domestic",
            talk=80 * MINUTE,
            name=f"partner {day}",
            callee_cell="4100-3",
        )
        made.add(
            MORNING + day * DAY / 4 + 2 * HOUR,
            PARTNER,
            "+8613911112222",
            talk=30 * MINUTE,
            name=f"to the partner {day}",
        )
    made.abroad(MORNING, "+12125550123", PARENT, talk=70 * MINUTE, name="the son", callee_cell="4100-1")


def transfers() -> pa.Table:
    usual = [(n * DAY + 8 * HOUR, CHEN, "6222020000000000900", 300.0 + 10 * n) for n in range(1, 10)]
    lost = [(MORNING + 330 * MINUTE, CHEN, ACCOUNT, 240_000.0)]
    rows = [
        {"time": EPOCH + int(at * 1e6), "subscriber": who, "from_account": "622202", "to_account": to, "amount": amount, "currency": "CNY"}
        for at, who, to, amount in [*usual, *lost]
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, TRANSFERS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Records()
    ordinary(made)
    chen(made)
    false_friends(made)
    at = telecom_and_police(made, WOMAN, MORNING + 3 * HOUR)
    made.abroad(at, POLICE, WOMAN, talk=25 * MINUTE, name="book a room", callee_cell="4100-1")
    made.abroad(at + 70 * MINUTE, POLICE, WOMAN, talk=200 * MINUTE, name="the hotel room", callee_cell=HOTEL)
    made.add(MORNING + 2 * DAY, FRIENDS[0], FRIENDS[1])  # time goes on
    folder = tmp_path_factory.mktemp("chen")
    pq.write_table(made.table(), folder / "calls.parquet")
    pq.write_table(transfers(), folder / "transfers.parquet")
    return folder


@pytest.fixture(scope="module")
def stories(folder: Path) -> dict[str, Story]:
    files = [folder / "calls.parquet", folder / "transfers.parquet"]
    found = scan(Options(files, folder / "out", detect=("scam_call",))).stories
    assert len(found) == len({story.alert.subject for story in found})
    return {story.alert.subject: story for story in found}


def minutes(alert: Alert, since: float) -> float:
    return (alert.raised_at - EPOCH) / 60e6 - since / MINUTE


def test_both_are_recognised_and_nobody_else(stories: dict[str, Story]) -> None:
    assert set(stories) == {CHEN, WOMAN}


def test_mr_chen_is_recognised_long_before_he_pays(stories: dict[str, Story]) -> None:
    alert = stories[CHEN].alert
    assert minutes(alert, MORNING + 18 * MINUTE) <= 12  # after the call that did not end was answered
    assert minutes(alert, MORNING + 330 * MINUTE) <= -240
    assert alert.hypothesis == "callers abroad"
    assert alert.probability > 0.8


def test_he_is_followed_to_the_hotel_and_to_his_second_number(stories: dict[str, Story]) -> None:
    victim = stories[CHEN].alert.victim
    assert victim is not None
    assert victim.numbers == [CHEN, SECOND]
    assert victim.cell == HOTEL
    assert list(victim.stages) == ["contact", "hand_over", "grip", "isolation", "payment"]
    assert victim.payments[-1].amount == 240_000
    assert victim.payments[-1].new_payee
    assert victim.currency == "CNY"


def test_the_ledger_tells_the_story(stories: dict[str, Story]) -> None:
    texts = [entry.text for entry in stories[CHEN].alert.ledger]
    assert any("cannot come from there" in text for text in texts)
    assert any(text.startswith("another stranger, ") for text in texts)
    told = [entry.text for entry in stories[CHEN].entries]
    assert "somebody the person knows does not get through" in told
    assert "in a cell where the person was not rung before" in told
    assert "pays 240,000.00 to an account never paid before" in told


def test_the_woman_is_known_before_she_is_in_the_hotel(stories: dict[str, Story]) -> None:
    alert = stories[WOMAN].alert
    assert minutes(alert, MORNING + 3 * HOUR + 18 * MINUTE) <= 12
    assert alert.victim is not None
    assert alert.victim.stage == "isolation"
    assert alert.victim.cell == HOTEL
    assert alert.closed_at is not None


def test_an_alert_is_written_as_others_read_it(folder: Path, stories: dict[str, Story]) -> None:
    rows = [json.loads(line) for line in (folder / "out" / "alerts.jsonl").read_text("utf-8").splitlines()]
    (row,) = (row for row in rows if row["subject"] == CHEN)
    assert row["stage"] == "payment"
    assert row["reach"] == {"numbers": [CHEN, SECOND], "cell": HOTEL, "on_call": False}
    assert row["money"]["moved"] == 240_000
    assert row["missing"] == ["caller_device"]
    assert row["case"] == stories[CHEN].alert.alert_id
