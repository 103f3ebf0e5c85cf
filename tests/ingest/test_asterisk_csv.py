"""Asterisk's Master.csv in all its sets of columns."""

import datetime as dt
import io
from typing import Any

import pytest

from ringfence.ingest import asterisk_csv
from ringfence.ingest.format import Chunk, Settings

BASE = '"","{src}","02079460123","from-trunk","""A"" <1>","PJSIP/t-1","PJSIP/2-1","Dial","PJSIP/2,30","2026-03-05 10:00:00",{answer},"2026-03-05 10:00:20",20,{billsec},"{disposition}","DOCUMENTATION"'


def line(
    disposition: str = "ANSWERED",
    answer: str = '"2026-03-05 10:00:05"',
    src: str = "07700900100",
    billsec: int = 15,
    more: str = "",
) -> str:
    return BASE.format(src=src, answer=answer, billsec=billsec, disposition=disposition) + more + "\n"


def read(*lines: str, **known: Any) -> Chunk:
    (chunk,) = asterisk_csv.read(io.BytesIO("".join(lines).encode()), Settings(**known))
    return chunk


def test_an_answered_call() -> None:
    (row,) = read(line(), timezone="Asia/Shanghai").records.to_pylist()
    assert row["start_time"] == dt.datetime(2026, 3, 5, 2, tzinfo=dt.UTC)
    assert row["answer_time"] == dt.datetime(2026, 3, 5, 2, 0, 5, tzinfo=dt.UTC)
    assert row["end_time"] == dt.datetime(2026, 3, 5, 2, 0, 20, tzinfo=dt.UTC)
    assert (row["caller"], row["callee"], row["cause"], row["call_id"]) == (
        "07700900100",
        "02079460123",
        16,
        None,
    )


@pytest.mark.parametrize(
    ("word", "cause"), [("NO ANSWER", 19), ("BUSY", 17), ("FAILED", 38), ("CONGESTION", 34)]
)
def test_a_call_not_answered(word: str, cause: int) -> None:
    # Asterisk also fills in the answer time where its dialplan answered, and the phone behind it did not.
    for answer in ("", '"2026-03-05 10:00:05"'):
        (row,) = read(line(word, answer)).records.to_pylist()
        assert (row["answer_time"], row["cause"]) == (None, cause)


def test_answered_without_a_time_and_unknown_words() -> None:
    chunk = read(line(answer=""), line("MAYBE"))
    rows = chunk.records.to_pylist()
    assert [(row["answer_time"], row["cause"]) for row in rows] == [(None, 16), (None, None)]
    assert chunk.notes == {"bad_optional_value": 1}


def test_a_withheld_number() -> None:
    assert read(line(src="")).records["caller"].to_pylist() == [None]


UID, FIELD, NEW = ',"sip1-1772704800.42"', ',"a note"', ',"","1772704800.42",7'


@pytest.mark.parametrize(
    ("more", "has"),
    [
        ("", False),
        (UID, True),
        (FIELD, False),
        (UID + FIELD, True),
        (NEW, False),
        (UID + NEW, True),
        (FIELD + NEW, False),
        (UID + FIELD + NEW, True),
    ],
)
def test_every_set_of_columns(more: str, has: bool) -> None:
    assert read(line(more=more)).records["call_id"].to_pylist() == ["sip1-1772704800.42" if has else None]


def test_mixed_sets_and_legs_of_one_call() -> None:
    chunk = read(
        line(more=UID), line(), line(more=UID + FIELD), '"short"\n', line(more=UID + FIELD + NEW + ",1")
    )
    assert list(chunk.rows) == [1, 2, 3]
    assert {bad.row: bad.reason for bad in chunk.rejected} == {
        4: "the line has 1 columns, not 16 to 21",
        5: "the line has 22 columns, not 16 to 21",
    }
    assert chunk.records["call_id"].to_pylist() == ["sip1-1772704800.42", None, "sip1-1772704800.42"]


def test_over_the_end_of_summer_time_the_durations_decide() -> None:
    text = (
        line()
        .replace("2026-03-05 10:00:00", "2026-10-25 02:59:50")
        .replace("2026-03-05 10:00:05", "2026-10-25 02:59:55")
    )
    chunk = read(text.replace("2026-03-05 10:00:20", "2026-10-25 02:00:10"), timezone="Europe/Berlin")
    (row,) = chunk.records.to_pylist()
    assert chunk.notes == {"clock_jump": 1, "dst_fold": 1}
    assert row["end_time"] - row["start_time"] == dt.timedelta(seconds=20)
    assert row["end_time"] - row["answer_time"] == dt.timedelta(seconds=15)


def test_freeswitch_in_these_columns() -> None:
    rows = read(line("NORMAL_CLEARING"), line("ORIGINATOR_CANCEL", '""')).records.to_pylist()
    assert [(row["answer_time"] is None, row["cause"], row["released_by"]) for row in rows] == [
        (False, 16, None),
        (True, 16, "caller"),
    ]


def test_sniffing_needs_its_dates_and_words() -> None:
    assert asterisk_csv.sniff(line().encode() * 3) == 90
    assert asterisk_csv.sniff(line("MAYBE").encode()) == 0
    assert asterisk_csv.sniff(line().replace("2026-03-05 10", "05.03.2026 10").encode()) == 0
