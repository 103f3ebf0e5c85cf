"""Any CSV by a mapping."""

import datetime as dt
import gzip
import io
from pathlib import Path
from typing import Any

import pytest

import ringfence
from ringfence.ingest import mapped_csv
from ringfence.ingest.format import Chunk, Settings, UnreadableError, recognise

SAMPLES = Path(__file__).parent.parent / "samples"
OWN = Path(ringfence.__file__).parent / "samples"
COLUMNS = '[columns]\nstart_time = "s"\ncaller = "a"\ncallee = "b"\n'
START = dt.datetime(2026, 3, 5, 2, 0, tzinfo=dt.UTC)


def read(text: str, mapping: str) -> list[Chunk]:
    return list(mapped_csv.read(io.BytesIO(text.encode()), Settings(mapping=mapping)))


def rows(text: str, mapping: str) -> list[dict[str, Any]]:
    return [row for chunk in read(text, mapping) for row in chunk.records.to_pylist()]


def seconds(row: dict[str, Any]) -> tuple[float | None, float | None]:
    return tuple(
        None if row[name] is None else (row[name] - row["start_time"]).total_seconds()
        for name in ("answer_time", "end_time")
    )  # type: ignore[return-value]


def test_copenhagen() -> None:
    with gzip.open(OWN / "copenhagen_calls.csv.gz") as file:
        raw = file.read()
    own = Settings(mapping=(OWN / "copenhagen.toml").read_text())
    assert recognise(raw, own).NAME == "mapped_csv"
    chunks = list(mapped_csv.read(io.BytesIO(raw), own))
    assert sum(chunk.read for chunk in chunks) == sum(chunk.records.num_rows for chunk in chunks) == 3600
    (records,) = [chunk.records for chunk in chunks]
    first, missed = records.slice(0, 1).to_pylist()[0], records.slice(3, 1).to_pylist()[0]
    assert first["start_time"] == dt.datetime(2026, 2, 1, 0, 3, 4, tzinfo=dt.UTC)
    assert (first["caller"], first["callee"], first["ingress"]) == ("300", "301", "subscriber")
    assert seconds(first) == (0, 121)
    assert seconds(missed) == (None, 0)
    assert records["answer_time"].null_count == raw.count(b",-1\n")


def test_local_times_durations_and_words() -> None:
    path = SAMPLES / "mapped_csv-german.csv"
    (chunk,) = mapped_csv.read(
        io.BytesIO(path.read_bytes()), Settings(mapping=path.with_suffix(".toml").read_text())
    )
    table = chunk.records.to_pylist()
    assert chunk.notes == {"dst_gap": 8}
    assert table[0]["start_time"] == dt.datetime(2026, 3, 29, 0, 50, tzinfo=dt.UTC)
    assert seconds(table[0]) == (None, 3)  # STATUS is not OK
    assert seconds(table[1]) == (4, 8)
    assert [row["released_by"] for row in table[:2]] == ["caller", "callee"]
    assert table[1]["caller"] is None
    assert {row["ingress"] for row in table} == {"domestic"}


@pytest.mark.parametrize(
    ("more", "header", "cells", "want"),
    [
        ("", "", "", (None, None)),
        ('duration = "d"', ",d", ",12.5", (0, 12.5)),
        ('duration = "d"', ",d", ",0", (0, 0)),
        ('duration = "d"', ",d", ",", (None, 0)),
        ('duration = "d"', ",d", ",-1", (None, 0)),
        ('duration = "d"\nring = "r"', ",d,r", ",10,4", (4, 14)),
        ('duration = "d"\nring = "r"', ",d,r", ",,4", (None, 4)),
        ('duration = "d"\nend_time = "e"', ",d,e", ",10,2026-03-05T02:00:15Z", (5, 15)),
        ('duration = "d"\nend_time = "e"', ",d,e", ",-1,2026-03-05T02:00:15Z", (None, 15)),
        ('answer_time = "w"\nduration = "d"', ",w,d", ",2026-03-05T02:00:05Z,7", (5, 12)),
        ('answer_time = "w"\nend_time = "e"', ",w,e", ",2026-03-05T02:00:05Z,2026-03-05T02:00:15Z", (5, 15)),
        ('end_time = "e"', ",e", ",2026-03-05T02:00:15Z", (None, 15)),
        ('duration = "d"\n[unanswered]\nduration = [0, -1]', ",d", ",0", (None, 0)),
        ('duration = "d"\n[unanswered]\ndisp = {not = ["ANSWERED", "OK"]}', ",d,disp", ",9,OK", (0, 9)),
        ('duration = "d"\n[unanswered]\ndisp = {not = "ANSWERED"}', ",d,disp", ",9,", (None, 0)),
        ('duration = "d"\n[unanswered]\n5 = ["MISSED", ""]', ",d,disp", ",9,", (None, 0)),
    ],
)
def test_what_is_missing_follows(
    more: str, header: str, cells: str, want: tuple[float | None, float | None]
) -> None:
    (row,) = rows(f"s,a,b{header}\n2026-03-05T02:00:00Z,1,2{cells}\n", COLUMNS + more)
    assert seconds(row) == want


@pytest.mark.parametrize(("unit", "count"), [("s", "12.5"), ("ms", "12500"), ("us", "12500000")])
def test_counts_from_an_origin(unit: str, count: str) -> None:
    time = f'[time]\nformat = "epoch"\nunit = "{unit}"\norigin = 2026-03-05T02:00:00Z'
    (row,) = rows(f"s,a,b\n{count},1,2\n", COLUMNS + time)
    assert row["start_time"] == START + dt.timedelta(seconds=12.5)
    chunks = read("s,a,b\n9999999999999999,1,2\nx,1,2\n,1,2\n99999999999999999999,1,2\n", COLUMNS + time)
    assert sum(len(chunk.rejected) for chunk in chunks) >= 3


def test_no_header_and_numbered_columns() -> None:
    mapping = 'header = false\ndelimiter = "|"\n[columns]\nstart_time = 3\ncaller = 1\ncallee = 2\n[unanswered]\n4 = "N"'
    table = read("1|2|1772676000|N\n1|2\n1|2|1772676001|Y|more\n", mapping)
    assert [list(chunk.rows) for chunk in table] == [[1, 3]]
    assert table[0].rejected[0].row == 2


def test_nonsense_durations_are_rejected() -> None:
    chunks = read(
        "s,a,b,d\n" + "".join(f"1772676000,1,2,{d}\n" for d in ("x", "1e3", "99999999", "9" * 30, "5")),
        COLUMNS + 'duration = "d"',
    )
    assert [bad.row for chunk in chunks for bad in chunk.rejected] == [2, 3, 4, 5]
    assert chunks[0].read == 5


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("columns", "not TOML"),
        ("x = 1", "'x' is not known"),
        ("", "no start_time"),
        ('delimiter = ";;"', "delimiter"),
        ("header = 1", "header"),
        ("columns = 1", "not a section"),
        (COLUMNS + 'colour = "x"', "'colour' is not a field"),
        (COLUMNS + "cause = 0", "cause must be"),
        ("header = false\n" + COLUMNS, "must be a column's number"),
        (COLUMNS + 'cause = "nowhere"', "'nowhere' 0 times"),
        (COLUMNS + "cause = 9", "column 9 is not there"),
        (COLUMNS + '[time]\nformat = "%Q"', "directive"),
        (COLUMNS + '[time]\nformat = "sometimes"', "format must be"),
        (COLUMNS + '[time]\nunit = "s"', "unit must be"),
        (COLUMNS + '[time]\norigin = "2026-01-01T00:00:00Z"', "origin needs"),
        (COLUMNS + '[time]\nformat = "epoch"\nunit = "s"\norigin = "then"', "origin is not a time"),
        (COLUMNS + '[time]\nzone = "x"', "nothing else"),
        (COLUMNS + "[unanswered]\ncaller = {is = 1}", "not = "),
        (COLUMNS + '[constants]\nstart_time = "x"', "may not give times"),
        (COLUMNS + "[values]\ncause = 1", "not a section"),
    ],
)
def test_a_wrong_mapping_is_told_in_one_line(mapping: str, said: str) -> None:
    with pytest.raises(UnreadableError) as error:
        read("s,a,b\n2026-03-05T02:00:00Z,1,2\n", mapping)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_without_a_mapping_nothing_is_read() -> None:
    with pytest.raises(UnreadableError, match="--mapping"):
        list(mapped_csv.read(io.BytesIO(b"a,b\n"), Settings()))
