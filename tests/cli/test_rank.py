"""`ringfence rank`, as a squad uses it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ringfence.cli.main import app

GRIP = {
    "alert_id": "scam_call-1", "kind": "scam_call", "subject": "+8613800000001", "raised_at": "2026-03-05T06:00:00Z",
    "probability": 0.9, "stage": "grip", "grip_began_at": "2026-03-05T05:40:00Z", "money": None, "closed_at": None,
    "reach": {"numbers": ["+8613800000001"], "cell": "c1", "on_call": True}, "case": "case-1", "watch": False,
}  # fmt: skip
HOTEL = GRIP | {
    "alert_id": "scam_call-2", "subject": "+8613800000002", "raised_at": "2026-03-05T05:00:00Z", "stage": "isolation",
    "grip_began_at": "2026-03-05T02:40:00Z", "money": {"moved": 12_000.0, "at_risk": 240_000, "currency": "CNY"},
    "reach": {"numbers": ["+8613800000002", "+8613800000022"], "cell": "c2", "on_call": False}, "case": "case-2", "watch": True,
}  # fmt: skip
BARE = {
    "alert_id": "scam_call-3",
    "kind": "scam_call",
    "subject": "+8613800000003",
    "raised_at": "2026-03-04T22:00:00Z",
    "probability": 0.4,
}
OVER = BARE | {"alert_id": "scam_call-4", "subject": "+8613800000004", "closed_at": "2026-03-04T23:00:00Z"}
FLOOD = BARE | {"kind": "flood"}
OFFICERS = "officer,station,lat,lon,free_from\nWang,Jing'an,31.23,121.45,\nLi,Pudong,31.22,121.54,2026-03-05T06:10:00Z\n"
PLACES = "cell,lat,lon\nc1,31.24,121.46\nc2,31.20,121.50\n"


def rank(*args: Any) -> Result:
    return CliRunner().invoke(app, ["rank", *map(str, args)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [json.dumps(row) for row in (GRIP, HOTEL, BARE, OVER, FLOOD)]
    (tmp_path / "alerts.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    (tmp_path / "officers.csv").write_text(OFFICERS, "utf-8")
    (tmp_path / "places.csv").write_text(PLACES, "utf-8")
    return tmp_path


def listed(*args: Any) -> list[dict[str, Any]]:
    done = rank(*args, "--json")
    assert done.exit_code == 0, done.output
    rows: list[dict[str, Any]] = json.loads(done.stdout)["list"]
    return rows


def test_the_list_says_who_is_reached_by_whom_and_where(folder: Path) -> None:
    rows = listed(folder, "--callers", 1, "--officers", folder / "officers.csv", "--places", folder / "places.csv")  # fmt: skip
    assert [row["case"] for row in rows] == ["case-2", "case-1", "scam_call-3"]
    hotel, grip, bare = rows
    assert hotel["caller"] == 1
    assert hotel["numbers"] == ["+8613800000002", "+8613800000022"]
    assert (hotel["at_risk"], hotel["at_risk_told"]) == (240_000, True)
    assert (grip["officer"], grip["station"], grip["cell"]) == ("Wang", "Jing'an", "c1")
    assert 3 < grip["minutes"] < 6  # 1.5 km
    assert grip["grip_minutes"] == 20.0
    assert grip["at_risk"] == pytest.approx(101_000, rel=0.02)  # the prior, not nought
    assert (bare["caller"], bare["officer"], bare["prevented"]) == (None, None, 0.0)
    assert (bare["stage"], bare["numbers"]) == ("contact", ["+8613800000003"])


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["caller 1", "Jing'an Wang", "held for 20 min", "the line is engaged", "on the watch list", "1 flood"]),
        ("zh", ["坐席 1", "被控制已 20 分钟", "通话中，先发短信", "重点回访对象", "预计挽损", "12,000 元"]),
    ],
)  # fmt: skip
def test_the_table_says_why_in_words(folder: Path, lang: str, words: list[str]) -> None:
    done = rank(folder, "--callers", 1, "--officers", folder / "officers.csv", "--places", folder / "places.csv", "--lang", lang)  # fmt: skip
    assert done.exit_code == 0, done.output
    flat = " ".join(done.stdout.split())
    for word in words:
        assert word in flat or word.replace(" ", "") in flat.replace(" ", ""), word
    assert flat.index("+8613800000002") < flat.index("+8613800000001") < flat.index("+8613800000003")


def test_an_earlier_moment_sees_what_was_open_then(folder: Path) -> None:
    names = {row["subject"] for row in listed(folder, "--callers", 1, "--at", "2026-03-04T22:30:00Z")}
    assert names == {"+8613800000003", "+8613800000004"}
    done = rank(folder, "--callers", 1, "--at", "2020-01-01")
    assert done.exit_code == 0
    assert "no scam call is open" in done.stdout


def test_limit_shows_the_first_and_counts_the_others(folder: Path) -> None:
    done = rank(folder, "--callers", 1, "--limit", 1)
    assert "and 2 more waiting" in done.stdout
    assert len(listed(folder, "--callers", 1, "--limit", 1)) == 1


def test_the_twentieth_call_goes_to_who_waited_longest(folder: Path) -> None:
    assert [r["case"] for r in listed(folder, "--callers", 1, "--turn", 19) if r["fair_turn"]] == ["scam_call-3"]  # fmt: skip


def test_officers_may_be_json_lines_with_minutes(folder: Path) -> None:
    path = folder / "officers.jsonl"
    path.write_text('{"officer": "Zhao", "minutes": 12.5}\n', "utf-8")
    assert [r["minutes"] for r in listed(folder, "--callers", 0, "--officers", path) if r["officer"]] == [
        12.5
    ]


@pytest.mark.parametrize(
    "field", ["stage", "reach", "money", "watch", "case", "grip_began_at", "probability"]
)
@pytest.mark.parametrize("value", ["absent", None])
def test_what_an_alert_lacks_is_no_error(folder: Path, field: str, value: Any) -> None:
    row = {k: v for k, v in (HOTEL | {field: value}).items() if v != "absent"}
    (folder / "alerts.jsonl").write_text(json.dumps(row), "utf-8")
    assert [found["subject"] for found in listed(folder, "--callers", 1)] == ["+8613800000002"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("alerts.jsonl", "[]\n", "line 1: is not a JSON object"),
        ("alerts.jsonl", '{"kind": "scam_call"}\n', "line 1: is not an alert: it has no raised_at"),
        ("alerts.jsonl", '{"subject": "+1", "raised_at": "2026-03-05T06:00:00Z"}', "line 1: kind is missing"),
        ("alerts.jsonl", json.dumps(GRIP | {"raised_at": "yesterday"}), "raised_at yesterday is not a time"),
        ("alerts.jsonl", json.dumps(GRIP | {"probability": 7}), "probability must be between 0 and 1"),
        ("officers.csv", "station,lat\nx,1\n", "line 2: officer is missing"),
        ("officers.csv", "officer,lat,lon\nA,31,\n", "line 2: has only one of lat and lon"),
        ("officers.csv", "officer,lat,lon\nA,131,0\n", "line 2: lat must be between -90 and 90, not 131"),
        ("officers.csv", "officer,minutes\nA,soon\n", "line 2: minutes must be a number of at least 0"),
        ("officers.csv", "officer\nA\nA\n", "line 3: officer A is there twice"),
        ("officers.csv", "officer\nA,1\n", "line 2: has more cells than the header"),
        ("places.csv", "cell,lat,lon\nc1,,\n", "line 2: lat and lon are missing"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_its_row(folder: Path, name: str, content: str, says: str) -> None:
    (folder / name).write_text(content, "utf-8")
    done = rank(folder, "--callers", 1, "--officers", folder / "officers.csv", "--places", folder / "places.csv")  # fmt: skip
    assert done.exit_code == 1, done.output
    assert done.stderr.startswith(f"ringfence: {folder / name}: ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "asked",
    [["nowhere", "--callers", "1"], [".", "--callers", "1", "--lang", "fr"], [".", "--callers", "1", "--at", "soon"]],
)  # fmt: skip
def test_what_is_asked_wrongly_ends_with_two(folder: Path, asked: list[str]) -> None:
    done = rank(folder / asked[0], *asked[1:])
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1


def test_a_file_that_cannot_be_read_ends_with_one(folder: Path) -> None:
    (folder / "officers.csv").write_bytes(b"officer\n\xff\xfe\n")
    done = rank(folder, "--callers", 1, "--officers", folder / "officers.csv")
    assert done.exit_code == 1
    assert "UTF-8" in done.stderr
