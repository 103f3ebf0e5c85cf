"""The newspaper's fifth case ("number change", Fujian): from the first forged call to the letter to whoever let it in.

Internet telephony shows the number of a relative or of a state organ. "The telecom" tells of an unpaid bill, then "the bank" will
"preserve" the money, and leads the victim to a cash machine. The police advise to ring back, for a forged number cannot
answer; and those who carry such calls are to be found. The records hold days of ordinary life before it, a traveller, and the emergency
services, none of which may be taken for it.
"""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.forgeries import DAY, HOUR, Records, life
from tests.passes import EPOCH

from ringfence.model.alert import rfc3339
from ringfence.model.tables import ALERTS
from ringfence.shell.scan import Options, Result, Scan, scan

VICTIM, SON, DAUGHTER, TRAVELLER = "+8613800000001", "+8613800000002", "+8613800000003", "+8613800000004"
FRIENDS = tuple(f"+86137000000{n:02d}" for n in range(8))
TELECOM, BANK, POLICE = "+8610000", "+8695588", "+86110"
TRUNK = "国际 GW/7"
AFTERNOON = 8 * DAY + 7 * HOUR


def records() -> Records:
    made = Records()
    for seed, line in enumerate((VICTIM, SON, DAUGHTER)):
        life(made, line, FRIENDS, seed, 8.2)
    for n, known in enumerate((SON, DAUGHTER)):
        made.add((1 + n) * DAY, known, VICTIM, callee_cell="4100-9")
    life(made, TRAVELLER, FRIENDS, 9, 5.0)
    for n in range(5):  # abroad since the fifth day, and rings home in the evening
        made.abroad(6 * DAY + n * 14 * HOUR, TRAVELLER, FRIENDS[n % 3], trunk=TRUNK)
    made.add(AFTERNOON - 2 * HOUR, VICTIM, "120", talk=30.0)
    made.add(AFTERNOON - HOUR, "120", VICTIM, "domestic", trunk="ic-2", name="ambulance")
    made.add(AFTERNOON - 3_000, "+8615400000000", VICTIM, "domestic", trunk="ic-2", name="ambulance again")
    return made


def crime(made: Records) -> None:
    """Another victim, who rang nobody for help."""
    victim = FRIENDS[5]
    forged = {"trunk": TRUNK, "callee_cell": "4100-3"}
    made.abroad(AFTERNOON, TELECOM, victim, talk=310.0, name="the telecom", **forged)
    made.abroad(AFTERNOON + 400, BANK, victim, talk=1_500.0, name="the bank", **forged)
    made.add(AFTERNOON + 1_200, SON, FRIENDS[1], talk=100.0, name="the son himself")
    made.abroad(AFTERNOON + 2_000, SON, victim, talk=90.0, name="the son", **forged)
    made.abroad(AFTERNOON + 2_400, BANK, victim, talk=600.0, name="the bank again", **forged)
    made.abroad(AFTERNOON + 3_200, POLICE, victim, talk=60.0, name="the police", trunk="gw-8")


FORGED = {"the telecom", "the bank", "the son", "the bank again", "the police"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = records()
    crime(made)
    folder = tmp_path_factory.mktemp("number_change")
    pq.write_table(made.table(), folder / "calls.parquet")
    return folder


def scanned(folder: Path, out: str = "out", *, resume: bool = False, stop: int = 0, **options: Any) -> Result:
    left = iter(range(stop - 1)) if stop else None
    how = Options([folder / "calls.parquet"], folder / out, detect=("forged_caller",), **options)
    return Scan(how, resume=resume).run(lambda: left is not None and next(left, None) is None)


@pytest.fixture(scope="module")
def result(folder: Path) -> Result:
    return scanned(folder)


def lines(folder: Path, out: str = "out") -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / out / "alerts.jsonl").read_text("utf-8").splitlines()]


def test_each_forged_call_is_told_and_no_other(folder: Path) -> None:
    scanned(folder, "each", each_call=True)
    assert {row["call_id"] for row in lines(folder, "each")} == FORGED


def test_it_is_told_as_it_arrives(folder: Path) -> None:
    scanned(folder, "each", each_call=True)
    starts = {
        row["call_id"]: row["start_time"] for row in pq.read_table(folder / "calls.parquet").to_pylist()
    }
    for row in lines(folder, "each"):
        assert row["raised_at"] == f"{starts[row['call_id']]:%Y-%m-%dT%H:%M:%S.%fZ}"


def test_one_alert_a_number_and_day(result: Result) -> None:
    found = {story.alert.subject: story.alert for story in result.stories}
    assert set(found) == {TELECOM, BANK, SON, POLICE}
    bank = found[BANK]
    assert (bank.call_id, bank.callee, bank.trunk) == ("the bank", FRIENDS[5], TRUNK)
    assert bank.episodes[0].calls == 2
    assert rfc3339(bank.episodes[0].last_call_at) == rfc3339(EPOCH + int((AFTERNOON + 2_400) * 1e6))


def test_the_sons_number_is_told_from_the_son(result: Result) -> None:
    (alert,) = (story.alert for story in result.stories if story.alert.subject == SON)
    assert alert.ledger[0].text == "from abroad, 13 min 20 s after it was in use at home"
    assert alert.hypothesis_zh == "号码同时身处两地"


def test_what_is_written_is_the_contract(result: Result, folder: Path) -> None:
    assert result.finished
    for row in lines(folder):
        assert {"kind", "subject", "callee", "trunk", "call_id", "bits", "probability", "ledger"} <= set(row)
    written = pq.read_table(folder / "out" / "alerts.parquet")
    assert written.schema.equals(ALERTS)
    assert set(written["trunk"].to_pylist()) == {TRUNK, "gw-8"}


def test_the_trunks_that_let_it_in_are_written_to(result: Result, folder: Path) -> None:
    assert result.finished
    out = folder / "out"
    rows = list(csv.DictReader((out / "trunks.csv").read_text("utf-8").splitlines()))
    assert {row["call_id"] for row in rows} == FORGED
    assert {row["trunk"] for row in rows} == {TRUNK, "gw-8"}
    assert all("*" in row["called_number"] for row in rows)
    letters = sorted(path.name for path in (out / "trunks").iterdir())
    assert len(letters) == 4
    assert letters[-2:] == ["gw-8.en.html", "gw-8.zh.html"]
    (english,) = (out / "trunks").glob("GW-7-*.en.html")
    text = english.read_text("utf-8")
    assert TRUNK in text
    assert "though its owner is not there" in text
    assert "of its 9 calls" in text, "the traveller's are honest"
    report = (out / "report.html").read_text("utf-8")
    assert "5 calls with forged numbers" in report
    assert "改号来电" in report
    assert not list(out.glob(".*"))


@pytest.mark.parametrize("each_call", [False, True])
def test_interrupted_anywhere_and_resumed(folder: Path, each_call: bool) -> None:
    small: dict[str, Any] = {"batch": 7, "window": 10, "each_call": each_call}
    scanned(folder, f"whole{each_call}", **small)
    whole = contents(folder / f"whole{each_call}")
    assert {"trunks.csv", "trunks/gw-8.zh.html", "alerts.jsonl"} <= set(whole)
    out = f"cut{each_call}"
    unfinished = scanned(folder, out, stop=1, **small)
    assert not unfinished.finished
    rounds = 0
    while not scanned(folder, out, resume=True, stop=1, **small).finished:
        rounds += 1
        assert rounds < 50
    assert contents(folder / out) == whole


def contents(out: Path) -> dict[str, bytes]:
    """All files but the report, which tells how long it took."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and path.name != "report.html"
    }


def test_an_ordinary_week_writes_no_letters(tmp_path: Path) -> None:
    pq.write_table(records().table(), tmp_path / "calls.parquet")
    result = scan(Options([tmp_path / "calls.parquet"], tmp_path / "out", detect=("forged_caller",)))
    assert result.stories == []
    assert not (tmp_path / "out" / "trunks.csv").exists()
    assert not (tmp_path / "out" / "trunks").exists()


def test_letters_of_an_earlier_scan_are_taken_away(folder: Path, tmp_path: Path) -> None:
    scanned(folder, str(tmp_path / "out"))
    assert (tmp_path / "out" / "trunks.csv").exists()
    pq.write_table(records().table(), tmp_path / "calls.parquet")
    scan(Options([tmp_path / "calls.parquet"], tmp_path / "out", detect=("forged_caller",)))
    assert not (tmp_path / "out" / "trunks.csv").exists()
    assert not (tmp_path / "out" / "trunks").exists()
