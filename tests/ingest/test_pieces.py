"""Formats whose records are lines, read in pieces."""

import io
import json
from pathlib import Path
from typing import Any

import hypothesis
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.ingest._pieces import BINARY, has_header, pieces
from ringfence.ingest.format import Chunk, Settings, UnreadableError, formats

SAMPLES = Path(__file__).parents[1] / "samples"
GERMAN = (SAMPLES / "mapped_csv-german.toml").read_text("utf-8")
FILES = [
    ("asterisk_csv", "asterisk_csv.csv", None),
    ("asterisk_csv", "asterisk_csv-variants.csv", None),
    ("freeswitch_csv", "freeswitch_csv.csv", None),
    ("csv_table", "csv_table.csv", None),
    ("csv_table", "csv_table-texts.csv", None),
    ("mapped_csv", "mapped_csv-german.csv", GERMAN),
    ("json_lines", "json_lines.jsonl", None),
    ("json_lines", "json_lines-transfers.jsonl", None),
]


def told(chunks: list[Chunk]) -> tuple[list[dict[str, Any]], list[int], list[tuple[int, str]], int]:
    records = [row for chunk in chunks for row in chunk.records.to_pylist()]
    rows = [int(row) for chunk in chunks for row in chunk.rows]
    rejected = [(each.row, each.reason) for chunk in chunks for each in chunk.rejected]
    return records, rows, rejected, sum(chunk.read for chunk in chunks)


@pytest.mark.parametrize(("name", "file", "mapping"), FILES, ids=[each[1] for each in FILES])
@hypothesis.settings(max_examples=10)
@given(data=st.data())
def test_pieces_give_what_the_file_gives(
    name: str, file: str, mapping: str | None, data: st.DataObject
) -> None:
    settings = Settings(mapping=mapping)
    raw = (SAMPLES / file).read_bytes()
    whole = told(list(formats()[name].read(io.BytesIO(raw), settings)))
    lines = raw.splitlines(keepends=True)
    head = lines.pop(0) if has_header(name, settings) else b""
    cuts = sorted(data.draw(st.sets(st.integers(0, len(lines)), max_size=5)))
    reader, chunks = pieces(name, settings), list[Chunk]()
    for first, last in zip([0, *cuts], [*cuts, len(lines)], strict=True):
        chunks += reader.feed(b"".join(lines[first:last]), head)
        state = json.loads(json.dumps(reader.as_json()))
        reader = pieces(name, settings)
        reader.restore(state)
    records, rows, rejected, read = told(chunks)
    by = 1 if head else 0  # the header is no line of the pieces
    assert (records, [row + by for row in rows], read) == (whole[0], whole[1], whole[3])
    assert [(row + by, reason) for row, reason in rejected] == whole[2]


def test_a_damaged_piece_is_rejected_line_by_line_and_the_next_one_read() -> None:
    reader = pieces("json_lines", Settings())
    _, _, rejected, read = told(reader.feed(b"what\n\nis this\n"))
    assert ([row for row, _ in rejected], read) == ([1, 3], 2)
    records, rows, rejected, _ = told(
        reader.feed(b'\xff\xfe\n{"start_time":"2026-03-01T00:00:00Z","caller":null,"callee":"1"}')
    )
    assert (len(records), rows, [row for row, _ in rejected]) == (1, [5], [4])
    assert told(reader.feed(b""))[3] == 0


def test_a_header_that_is_none_rejects_what_follows() -> None:
    reader = pieces("csv_table", Settings())
    _, _, rejected, _ = told(reader.feed(b"1,2,3\n", b"a,b,c\n"))
    assert rejected[0][0] == 1
    assert "the header has not the columns" in rejected[0][1]


def test_which_formats_have_a_header() -> None:
    found = {name for name in formats() if name not in BINARY and has_header(name, Settings(mapping=GERMAN))}
    assert found == {"csv_table", "mapped_csv"}
    assert not has_header("mapped_csv", Settings(mapping="header = false"))


def test_files_that_have_no_lines_are_refused() -> None:
    for name in (*BINARY, "none"):
        with pytest.raises(UnreadableError):
            pieces(name, Settings())
    assert pieces("asterisk_csv", Settings()).advance(0) == []
    assert isinstance(pieces("kamailio_acc", Settings()).advance(0)[0].columns, pa.RecordBatch)
