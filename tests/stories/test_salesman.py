"""The newspaper's first case (Shanghai, May 2013), from the first call to the quiet after it.

Software rings a salesman's mobile, shown as "private number": 16 calls in the first 10 minutes, then one every one to two
minutes for two days, over 2,000 in a weekend. The call ends the moment he answers. He turns the phone off for the
holiday; the calls have stopped when he turns it on, and he hopes they do not come back.
"""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.passes import DAY, EPOCH

from ringfence.model.alert import Alert
from ringfence.model.tables import ALERTS
from ringfence.shell.scan import Options, Result, scan
from ringfence.simulate.attempts import UNANSWERED, Attempts, table
from ringfence.simulate.floods import Victim, flood

SALESMAN = "+8613800000001"
WIFE, BOSS = "+8613800000002", "+8613800000003"
FRIDAY = 9 * DAY + 15 * 3600


def ordinary_days(attempts: Attempts, days: int) -> None:
    """A salesman's life: his wife, his boss, and now and then a customer he does not know yet."""
    rng = np.random.default_rng(1)
    for day in range(days):
        for caller in (WIFE, BOSS):
            attempts.add(
                day * DAY + rng.uniform(8, 20) * 3600, caller, SALESMAN, 6.0, float(rng.uniform(30, 300))
            )
        if rng.random() < 0.5:
            customer = f"+86139{rng.integers(10**8):08d}"
            attempts.add(
                day * DAY + rng.uniform(9, 18) * 3600, customer, SALESMAN, 9.0, float(rng.uniform(25, 400))
            )


def weekend(days: int = 20) -> Attempts:
    attempts = Attempts()
    ordinary_days(attempts, days)
    attempts.extend(
        flood(np.random.default_rng(2), "newspaper", Victim(SALESMAN), FRIDAY, 2_000, answers=0.3)
    )
    return attempts


def scan_rows(attempts: Attempts, folder: Path) -> Result:
    pq.write_table(table(attempts, EPOCH), folder / "calls.parquet")
    return scan(Options([folder / "calls.parquet"], folder / "out"))


def the_alert(result: Result) -> Alert:
    (story,) = result.stories
    return story.alert


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return scan_rows(weekend(), tmp_path_factory.mktemp("salesman"))


def test_he_is_recognised_as_the_victim_within_a_few_calls(result: Result) -> None:
    alert = the_alert(result)
    assert (alert.kind, alert.subject) == ("flood", SALESMAN)
    received = {entry.call_id for entry in result.stories[0].entries if entry.at <= alert.raised_at}
    assert len(received) <= 6
    assert alert.raised_at - EPOCH <= (FRIDAY + 300) * 1e6
    assert alert.probability > 0.6  # at the threshold; docs/weights.md says how true that is


def test_the_ledger_says_why_and_adds_up(result: Result) -> None:
    alert = the_alert(result)
    assert sum(entry.bits for entry in alert.ledger) == pytest.approx(alert.bits, abs=0.05)
    words = " ".join(entry.text for entry in alert.ledger)
    assert "withheld number" in words
    assert all(entry.caller is None for entry in alert.ledger)
    assert all(a.at <= b.at for a, b in zip(alert.ledger, alert.ledger[1:], strict=False))


def test_it_is_one_alert_although_two_thousand_calls_follow(result: Result) -> None:
    (episode,) = the_alert(result).episodes
    assert 1_990 <= episode.calls <= 2_000


def test_it_closes_when_the_calls_have_stopped_and_says_for_how_long(result: Result) -> None:
    (episode,) = the_alert(result).episodes
    assert episode.closed_at is not None
    assert episode.quiet_s is not None
    assert episode.quiet_s >= 1_800
    assert episode.closed_at == episode.last_call_at + round(episode.quiet_s * 1e6)


def test_his_customers_and_his_wife_raise_nothing(tmp_path: Path) -> None:
    attempts = Attempts()
    ordinary_days(attempts, 30)
    assert scan_rows(attempts, tmp_path).stories == []


def test_if_it_comes_back_within_days_it_is_the_same_story(tmp_path: Path) -> None:
    attempts = weekend()
    returned = FRIDAY + 5 * DAY
    attempts.extend(flood(np.random.default_rng(3), "newspaper", Victim(SALESMAN), returned, 60, answers=0.5))
    alert = the_alert(scan_rows(attempts, tmp_path))
    first, second = alert.episodes
    assert second.raised_at > first.closed_at  # type: ignore[operator]
    assert second.raised_at - EPOCH <= (returned + 200) * 1e6
    assert alert.closed_at == second.closed_at


def test_if_it_comes_back_after_weeks_it_is_another_story(tmp_path: Path) -> None:
    attempts = weekend(40)
    later = flood(np.random.default_rng(3), "newspaper", Victim(SALESMAN), FRIDAY + 20 * DAY, 60, answers=0.5)
    attempts.extend(later)
    assert len(scan_rows(attempts, tmp_path).stories) == 2


def test_what_is_written_is_the_contract(tmp_path: Path) -> None:
    scan_rows(weekend(), tmp_path)
    out = tmp_path / "out"
    (row,) = [json.loads(line) for line in (out / "alerts.jsonl").read_text("utf-8").splitlines()]
    assert {"alert_id", "kind", "subject", "raised_at", "call_id", "bits", "probability", "ledger"} <= set(
        row
    )
    assert {"at", "call_id", "what", "bits"} <= set(row["ledger"][0])
    assert row["raised_at"].endswith("Z")
    written = pq.read_table(out / "alerts.parquet")
    assert written.schema.equals(ALERTS)
    assert written["alert_id"].to_pylist() == [row["alert_id"]]
    assert (out / "rejected.jsonl").read_bytes() == b""


def test_at_night_when_nobody_answers_it_is_seen_as_well(tmp_path: Path) -> None:
    attempts = Attempts()
    ordinary_days(attempts, 12)
    night = flood(
        np.random.default_rng(4), "newspaper", Victim(SALESMAN), 10 * DAY + 2 * 3600, 100, answers=0.0
    )
    attempts.extend(night)
    assert set(night.talk) == {UNANSWERED}
    alert = the_alert(scan_rows(attempts, tmp_path))
    assert alert.raised_at - EPOCH <= (10 * DAY + 2 * 3600 + 480) * 1e6
