"""The contract's tables as CSV, JSON Lines, Parquet and Arrow IPC."""

import datetime as dt
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ringfence.ingest import _csv, _lines, arrow_ipc, csv_table, json_lines, parquet
from ringfence.ingest.format import Chunk, Settings, UnreadableError, recognise
from ringfence.model.tables import CALLS

SAMPLES = Path(__file__).parent.parent / "samples"
START = dt.datetime(2026, 3, 5, 2, 11, 9, tzinfo=dt.UTC)


def csv(text: str | bytes, **known: Any) -> list[Chunk]:
    raw = text.encode() if isinstance(text, str) else text
    return list(csv_table.read(io.BytesIO(raw), Settings(**known)))


def jsonl(*lines: Any) -> list[Chunk]:
    raw = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    return list(json_lines.read(io.BytesIO(raw.encode()), Settings()))


def table(columns: dict[str, Any], **known: Any) -> list[Chunk]:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    sink.seek(0)
    return list(parquet.read(sink, Settings(**known)))


def records(chunks: Sequence[Chunk]) -> list[dict[str, Any]]:
    return [row for chunk in chunks for row in chunk.records.to_pylist()]


def rejected(chunks: Sequence[Chunk]) -> dict[int, str]:
    return {bad.row: bad.reason for chunk in chunks for bad in chunk.rejected}


def notes(chunks: Sequence[Chunk]) -> dict[str, int]:
    return {name: count for chunk in chunks for name, count in chunk.notes.items()}


@pytest.mark.parametrize("suffix", ["", "-texts", "-transfers"])
def test_the_same_table_in_every_format_is_the_same(suffix: str) -> None:
    readers: dict[str, Any] = {
        f"csv_table{suffix}.csv": csv_table,
        f"json_lines{suffix}.jsonl": json_lines,
        f"parquet{suffix}.parquet": parquet,
    }
    if not suffix:
        readers |= {"arrow_ipc-stream.arrows": arrow_ipc, "arrow_ipc-feather.feather": arrow_ipc}
    results = [
        records(list(reader.read(io.BytesIO((SAMPLES / name).read_bytes()), Settings())))
        for name, reader in readers.items()
    ]
    assert results[0]
    assert all(result == results[0] for result in results)


HEADER = "start_time,answer_time,end_time,caller,callee,cause,released_by\n"


def test_rows_that_cannot_be_used_are_put_aside_with_their_line() -> None:
    text = (
        HEADER
        + '2026-03-05T02:00:00Z,,,+1,"+2",,\n'
        + "\n"
        + ",,,+1,+2,,\n"  # 4
        + "yesterday,,,+1,+2,,\n"
        + "2026-03-05T02:00:00Z,soon,,+1,+2,,\n"
        + "2026-03-05T02:00:00Z,,later,+1,+2,,\n"
        + "2026-03-05T02:00:00Z,,,+1,,,\n"  # 8
        + "2026-03-05T02:00:00Z,,,+1\n"
        + '2026-03-05T02:00:00Z,,,"+1,+2,,\n'
        + '2026-03-05T02:00:00Z,,,"+1"x,+2,,\n'
        + "2026-03-05T02:00:00Z,,2026-03-05T00:59:59Z,+1,+2,,\n"  # 12
        + "2026-03-05T02:00:00Z,2026-03-05T00:59:59Z,,+1,+2,,\n"
        + "2026-03-05T02:00:00Z,,,, +2 ,,"
    )
    chunks = csv(text)
    assert rejected(chunks) == {
        4: "start_time is missing",
        5: "start_time is not a time between 1990 and 2100",
        6: "answer_time is not a time between 1990 and 2100",
        7: "end_time is not a time between 1990 and 2100",
        8: "callee is missing",
        9: "the line has 4 columns, not 7",
        10: "a quotation mark is not closed on its line",
        11: "there is text after a closing quotation mark",
        12: "end_time is more than an hour before start_time or answer_time",
        13: "answer_time is more than an hour before start_time",
    }
    assert [(row["caller"], row["callee"]) for row in records(chunks)] == [("+1", "+2"), (None, "+2")]
    assert [list(chunk.rows) for chunk in chunks] == [[2, 14]]


def test_bytes_that_are_no_text_cost_their_line_only() -> None:
    good = b"2026-03-05T02:00:00Z,+1,+2\n"
    text = (
        b"start_time,caller,callee\n"
        + good
        + b"\xff"
        + good
        + b"\0"
        + good
        + good[:5]
        + b"\xed\xa0\x80"
        + good
        + good
    )
    chunks = csv(text)
    assert rejected(chunks) == {
        3: "the line is not UTF-8 text",
        4: "the line has a NUL byte",
        5: "the line is not UTF-8 text",
    }
    assert [list(chunk.rows) for chunk in chunks] == [[2, 6]]


def test_a_clock_set_back_during_the_call_is_repaired() -> None:
    chunks = csv(HEADER + "2026-03-05T02:00:00Z,2026-03-05T01:59:58Z,2026-03-05T01:10:00Z,+1,+2,,\n")
    (row,) = records(chunks)
    assert row["start_time"] == row["answer_time"] == row["end_time"]
    assert notes(chunks) == {"clock_jump": 1}


def test_optional_values_that_make_no_sense_are_null_and_counted() -> None:
    lines = "".join(f"2026-03-05T02:00:00Z,,,+1,+2,{cause},{by}\n" for cause, by in
                    [("16", "caller"), ("128", "Callee"), ("x", "nobody"), ("16.0", ""), ("-1", "NETWORK")])  # fmt: skip
    chunks = csv(HEADER + lines)
    assert [(row["cause"], row["released_by"]) for row in records(chunks)] == [
        (16, "caller"), (None, "callee"), (None, None), (16, None), (None, "network"),
    ]  # fmt: skip
    assert notes(chunks) == {"bad_optional_value": 4}


def test_times_without_zone_are_in_the_zone_given() -> None:
    text = "start_time;callee;caller;more\n2026-10-25 02:30:00;+2;+1;x\n2026-03-29 02:30;+2;;\n2026-06-01 12:00:00;+2;;\n"
    chunks = csv(text, timezone="Europe/Berlin")
    assert records(chunks)[2]["start_time"] == dt.datetime(2026, 6, 1, 10, tzinfo=dt.UTC)
    assert notes(chunks) == {"dst_fold": 1, "dst_gap": 1}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "a,b,c\n1,2,3\n",
        "start_time,callee\n",
        "start_time,callee,caller,caller\n",
        '"start_time,callee,caller\n',
        "\xff\n",
        "\0\n",
    ],
)
def test_a_header_that_does_not_do(text: str) -> None:
    with pytest.raises(UnreadableError):
        csv(text.encode("latin-1"))


def test_utf16_is_named() -> None:
    with pytest.raises(UnreadableError, match="UTF-16"):
        csv("start_time,callee,caller\n".encode("utf-16"))


def test_a_line_too_long_is_not_held_and_not_lost() -> None:
    head, good = b"start_time,caller,callee,x\n", b"2026-03-05T02:00:00Z,+1,+2,"
    for size in (_lines.LINE_BYTES - len(good), _lines.LINE_BYTES - len(good) + 1, 9 << 20, 20 << 20):
        text = head + good + b"1\n" + good + b"x" * size + b"\r\n" + good + b"2\n" + good + b"y" * size
        chunks = csv(text)
        fits = size + len(good) <= _lines.LINE_BYTES
        assert sum(chunk.read for chunk in chunks) == 4
        assert rejected(chunks) == ({} if fits else dict.fromkeys((3, 5), "the line is longer than 1 MiB"))
        assert [int(row) for chunk in chunks for row in chunk.rows] == ([2, 3, 4, 5] if fits else [2, 4])


def test_blocks_are_the_same_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = (SAMPLES / "csv_table.csv").read_bytes()
    whole = records(csv(raw))
    for size in (300, 777, 1500):
        monkeypatch.setattr(_lines, "BLOCK_BYTES", size)
        chunks = csv(raw)
        assert len(chunks) > 1
        assert records(chunks) == whole
        assert [int(row) for chunk in chunks for row in chunk.rows] == list(range(2, len(whole) + 2))


class Breaking(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        if not piece:
            raise OSError("device gone")
        return piece


def test_a_stream_that_breaks_gives_what_came_before() -> None:
    raw = b"start_time,caller,callee\n2026-03-05T02:00:00Z,+1,+2\n2026-03-05T02:00:0"
    chunks: list[Chunk] = []
    with pytest.raises(UnreadableError, match="after line 2"):
        chunks.extend(csv_table.read(Breaking(raw), Settings()))
    assert len(records(chunks)) == 1


fields = st.lists(
    st.text(st.characters(exclude_characters='\n\r\0"', exclude_categories=["Cs"]), max_size=9),
    min_size=1,
    max_size=8,
)


@settings(deadline=None)
@given(st.lists(fields, min_size=1), st.sampled_from(",;\t|"), st.booleans(), st.booleans())
def test_fields_are_split_as_csv_says(
    rows: list[list[str]], delimiter: str, quoted: bool, marks: bool
) -> None:
    def written(field: str) -> str:
        if quoted or delimiter in field or '"' in field or not field.strip(" "):
            return '"' + field.replace('"', '""') + '"'
        return field

    rows = [[field + '"x' if marks else field for field in row] for row in rows]
    raw = "\n".join(delimiter.join(map(written, row)) for row in rows).encode()
    for row, line in zip(rows, raw.split(b"\n"), strict=True):
        assert _csv.fields(line, delimiter) == [field.strip() for field in row]


# --- JSON ------------------------------------------------------------------------------------------------------------

CALL: dict[str, Any] = {"start_time": "2026-03-05T02:11:09Z", "caller": "+1", "callee": "+2"}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(), values, max_size=4), st.text(min_size=1), st.booleans())
def test_any_json_is_understood(more: dict[str, Any], trunk: str, ascii_only: bool) -> None:
    lines = [
        json.dumps(
            CALL
            | more
            | {"trunk": trunk, "callee": "+2", "caller": "+1", "start_time": "2026-03-05T02:11:09Z"},
            ensure_ascii=ascii_only,
        )
    ]
    assume(not {"answer_time", "end_time"} & set(more))
    try:
        lines[0].encode()
    except UnicodeEncodeError:
        return
    (row,) = records(jsonl(*lines))
    assert row["trunk"] == (trunk.strip(" \t") or None)
    assert (row["caller"], row["callee"], row["start_time"]) == ("+1", "+2", START)


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet='{}[]",:\\u0aedf12.- tnrlse', max_size=24))
def test_what_is_no_json_is_rejected_and_what_is_is_not(text: str) -> None:
    raw = f'{{"x": {text}}}'
    try:
        good = isinstance(json.loads(raw, strict=True), dict)
        json.dumps(json.loads(raw), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return  # half of a surrogate pair: Python lets it pass, the reader does not
    except ValueError:
        good = False
    chunks = jsonl(CALL, raw)
    assert rejected(chunks) == {2: "start_time is missing" if good else "the line is not one JSON object"}


def test_kinds_of_json_values() -> None:
    chunks = jsonl(
        CALL | {"start_time": 1772676669, "caller": 8613800000001, "cause": 16},
        CALL | {"start_time": 1772676669123, "caller": None, "cause": "17", "released_by": True},
        CALL | {"callee": ["+2"]},
        CALL | {"caller": {"a": "b"}},
        CALL | {"callee": None},
        CALL | {"start_time": False},
        '{"start_time": "2026-03-05T02:11:09Z", "callee": "+1", "callee": "\\u002b3"}',
        "[1]",
        '"x"',
        "{}",
        '{"callee": "\\ud800"}',
        "[" * 100,
    )
    rows = records(chunks)
    assert [(row["caller"], row["cause"]) for row in rows] == [
        ("8613800000001", 16),
        (None, 17),
        (None, None),
    ]
    assert rows[2]["callee"] == "+3"
    assert notes(chunks) == {"bad_optional_value": 1}
    not_one = "the line is not one JSON object"
    assert rejected(chunks) == {
        3: "callee is neither text nor a whole number", 4: "caller is neither text nor a whole number", 5: "callee is missing",
        6: "start_time is not a time between 1990 and 2100", 8: not_one, 9: not_one, 10: "start_time is missing",
        11: not_one, 12: not_one,
    }  # fmt: skip


def test_json_of_something_else_is_not_read() -> None:
    with pytest.raises(UnreadableError, match="no line"):
        jsonl({"a": 1}, "x")


# --- Parquet and IPC -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [pa.timestamp("s", "UTC"), pa.timestamp("ms"), pa.timestamp("ns", "Asia/Shanghai"), pa.string(), pa.large_string(),
                                  pa.int64(), pa.float64(), pa.dictionary(pa.int32(), pa.string())])  # fmt: skip
def test_a_start_of_any_type(kind: pa.DataType) -> None:
    if pa.types.is_timestamp(kind):
        start = pa.array([START], pa.timestamp("us", "UTC")).cast(kind, safe=False)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        start = pa.array([int(START.timestamp())], kind)
    else:
        start = (
            pa.array([START.isoformat()]).cast(kind)
            if not pa.types.is_dictionary(kind)
            else pa.array([START.isoformat()]).dictionary_encode()
        )
    chunks = table({"start_time": start, "callee": ["+2"], "caller": ["+1"]})
    assert records(chunks)[0]["start_time"] == START


def test_numbers_of_any_type_are_text() -> None:
    start = [START] * 3
    for callee in (
        pa.array([8613800000001, None, 5]),
        pa.array([8613800000001.0, None, 5.0]),
        pa.array(["8613800000001", None, "5"], pa.large_string()),
        pa.array(["8613800000001", "", "5"]).dictionary_encode(),
        pa.array([b"8613800000001", b" ", b"5"], pa.binary()),
    ):
        chunks = table(
            {
                "start_time": start,
                "callee": ["+2"] * 3,
                "caller": callee,
                "cause": pa.array([16.0, None, 300.0]),
            }
        )
        assert [row["caller"] for row in records(chunks)] == ["8613800000001", None, "5"]
        assert [row["cause"] for row in records(chunks)] == [16, None, None]
        assert notes(chunks) == {"bad_optional_value": 1}
    chunks = table(
        {
            "start_time": start,
            "callee": ["+2"] * 3,
            "caller": [[1], None, [2]],
            "trunk": [{"a": 1}] * 3,
            "zzz": [1, 2, 3],
        }
    )
    assert set(rejected(chunks)) == {1, 3}
    assert records(chunks)[0]["trunk"] is None


def test_text_that_is_not_utf8_costs_its_record() -> None:
    callee = pa.array([b"+1", b"\xff", b"+3"], pa.binary())
    chunks = table({"start_time": [START] * 3, "callee": callee, "caller": ["+9"] * 3})
    assert rejected(chunks) == {2: "text of the row is not UTF-8"}
    assert [list(chunk.rows) for chunk in chunks] == [[1, 3]]


MESSY = ["+1", " +2 ", "", " ", "Caller", "callee", "nobody", "b", "C ", "中", b"\xff", None]


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from(MESSY)] * 6), min_size=1, max_size=9))
def test_a_dictionary_in_the_file_makes_no_difference(rows: list[tuple[Any, ...]]) -> None:
    names = ("callee", "caller", "released_by", "attestation", "trunk", "call_id")
    cells = [
        [cell.encode() if isinstance(cell, str) else cell for cell in column]
        for column in zip(*rows, strict=True)
    ]
    columns = dict(zip(names, (pa.array(column, pa.binary()) for column in cells), strict=True))
    columns["start_time"] = pa.array([START] * len(rows))
    found = []
    for coded in (False, True):
        sink = io.BytesIO()
        pq.write_table(pa.table(columns), sink, use_dictionary=coded)
        chunks = list(parquet.read(sink, Settings()))
        found.append((records(chunks), rejected(chunks), notes(chunks)))
    assert found[0] == found[1]


def test_small_dictionaries_stay_dictionaries() -> None:
    rows = 70_000
    columns = {
        "start_time": [START] * rows,
        "callee": [f"+86138{n:08}" for n in range(rows)],
        "caller": ["+1", None] * (rows // 2),
        "released_by": ["Caller", "callee"] * (rows // 2),
    }
    chunks = table(columns)
    for chunk in chunks:
        assert pa.types.is_string(chunk.columns["callee"].type)
        assert all(pa.types.is_dictionary(chunk.columns[name].type) for name in ("caller", "released_by"))
        assert chunk.records.schema == CALLS
    assert records(chunks)[-2]["released_by"] == "caller"


def test_small_row_groups_make_no_small_chunks() -> None:
    columns = {"start_time": [START] * 900, "callee": ["+1"] * 900, "caller": ["+2"] * 900}
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, row_group_size=9)
    assert [chunk.read for chunk in parquet.read(sink, Settings())] == [900]


@pytest.mark.parametrize("columns", [{"a": [1]}, {"start_time": [START], "callee": ["+1"]}])
def test_tables_that_are_not_ours(columns: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError, match="columns"):
        table(columns)


def test_a_stream_cut_off_gives_its_whole_batches_first() -> None:
    raw = (SAMPLES / "arrow_ipc-stream.arrows").read_bytes()
    whole = records(list(arrow_ipc.read(io.BytesIO(raw), Settings())))
    chunks: list[Chunk] = []
    with pytest.raises(UnreadableError, match="cut off after record 16"):
        chunks.extend(arrow_ipc.read(io.BytesIO(raw[: len(raw) - 600]), Settings()))
    assert records(chunks) == whole[:16]


def test_parquet_damaged_in_the_middle_gives_what_is_before() -> None:
    names = {
        "start_time": [START] * 200_000,
        "callee": ["+2"] * 200_000,
        "caller": [str(k) for k in range(200_000)],
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(names), sink, row_group_size=65_536, compression="zstd", write_page_checksum=True)
    raw = bytearray(sink.getvalue())
    at = pq.ParquetFile(io.BytesIO(raw)).metadata.row_group(2).column(2).data_page_offset + 100
    raw[at] ^= 0xFF
    chunks: list[Chunk] = []
    with pytest.raises(UnreadableError, match="damaged"):
        chunks.extend(parquet.read(io.BytesIO(raw), Settings()))
    assert sum(chunk.read for chunk in chunks) == 131_072


@pytest.mark.parametrize("reader", [parquet, arrow_ipc])
@pytest.mark.parametrize(
    "raw",
    [b"", b"PAR1", b"ARROW1\0\0", b"PAR1" + b"\0" * 50 + b"PAR1", b"\xff\xff\xff\xff\x10\0\0\0" + b"\0" * 16],
)
def test_no_tables_at_all(reader: Any, raw: bytes) -> None:
    stream: BinaryIO = io.BytesIO(raw)
    with pytest.raises(UnreadableError) as error:
        list(reader.read(stream, Settings()))
    assert "\n" not in str(error.value)


def test_what_nobody_knows_is_not_recognised() -> None:
    with pytest.raises(UnreadableError, match="csv_table"):
        recognise(b"hello, world\n")


def test_a_column_name_that_is_no_text_is_damage() -> None:
    raw = (SAMPLES / "arrow_ipc-feather.feather").read_bytes().replace(b"callee_cell", b"callee\x80cell")
    with pytest.raises(UnreadableError, match="damaged"):
        list(arrow_ipc.read(io.BytesIO(raw), Settings()))


def test_an_empty_table_has_the_schema() -> None:
    (chunk,) = csv("start_time,caller,callee\n,,\n")
    assert chunk.records.schema == CALLS
    assert chunk.read == 1
