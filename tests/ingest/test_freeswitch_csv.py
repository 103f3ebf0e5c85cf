"""FreeSWITCH's mod_cdr_csv, template "example"."""

import datetime as dt
import io

import pytest

from ringfence.ingest import freeswitch_csv
from ringfence.ingest._causes import FREESWITCH, FREESWITCH_RELEASED_BY
from ringfence.ingest.format import Chunk, Settings
from ringfence.model.tables import RELEASED_BY

UUID = "0a1b2c3d-1d2c-4a5b-9c3d-0123456789ab"


def line(
    cause: str = "NORMAL_CLEARING",
    answer: str = "2026-03-05 10:00:05",
    number: str = "2025550100",
    name: str = "Alice",
    end: str = ',"","","PCMU","PCMU"',
) -> str:
    return f'"{name}","{number}","2025550199","public","2026-03-05 10:00:00","{answer}","2026-03-05 10:00:20","20","15","{cause}","{UUID}"{end}\n'


def read(*lines: str) -> Chunk:
    (chunk,) = freeswitch_csv.read(io.BytesIO("".join(lines).encode()), Settings(timezone="America/New_York"))
    return chunk


def test_an_answered_call() -> None:
    (row,) = read(line()).records.to_pylist()
    assert row["start_time"] == dt.datetime(2026, 3, 5, 15, tzinfo=dt.UTC)
    assert (row["end_time"] - row["answer_time"]).total_seconds() == 15
    assert (row["caller"], row["callee"], row["cause"], row["call_id"]) == (
        "2025550100",
        "2025550199",
        16,
        UUID,
    )


def test_a_caller_who_gave_up() -> None:
    (row,) = read(line("ORIGINATOR_CANCEL", answer="")).records.to_pylist()
    assert (row["answer_time"], row["cause"], row["released_by"]) == (None, 16, "caller")


def test_every_cause_is_one_of_q850() -> None:
    assert all(code is None or 1 <= code <= 127 for code in FREESWITCH.values())
    assert set(FREESWITCH_RELEASED_BY) <= set(FREESWITCH)
    assert set(FREESWITCH_RELEASED_BY.values()) <= set(RELEASED_BY)
    chunk = read(*(line(cause) for cause in FREESWITCH))
    assert chunk.records["cause"].to_pylist() == list(FREESWITCH.values())
    assert not chunk.notes
    assert read(line("SOMETHING_NEW")).notes == {"bad_optional_value": 1}


@pytest.mark.parametrize("word", ["", "anonymous", "unknown", "0000000000"])
def test_withheld_numbers(word: str) -> None:
    assert read(line(number=word)).records["caller"].to_pylist() == [None]


def test_shorter_and_longer_templates_and_a_blank_before_a_mark() -> None:
    chunk = read(line(end=""), line(end=',"", "acc"'), line(end=',""' * 9), line(end=',""' * 10))
    assert list(chunk.rows) == [1, 2, 3]
    assert chunk.rejected[0].row == 4


def test_a_quotation_mark_in_a_name_costs_that_line() -> None:
    chunk = read(line(), line(name='Bob "the" B'), line())
    assert list(chunk.rows) == [1, 3]
    assert chunk.rejected[0].reason == "there is text after a closing quotation mark"
