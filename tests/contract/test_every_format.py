"""Every format that is found, against its samples and against damage. A new format is tested by adding it and a sample."""

import gzip
import io
import random
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringfence.ingest.format import HEAD_BYTES, Chunk, Settings, UnreadableError, formats, recognise
from ringfence.model.tables import CALLS, TEXTS, TRANSFERS
from ringfence.shell.files import head, open_input

SAMPLES = Path(__file__).parent.parent / "samples"
SCHEMAS = {"calls": CALLS, "texts": TEXTS, "transfers": TRANSFERS}
NO_SAMPLE = {".toml", ".md"}
BINARY = {"parquet", "arrow_ipc"}


def _owner(path: Path) -> str | None:
    """The format a sample belongs to: the longest name its own name begins with."""
    return max((name for name in formats() if path.name.startswith(name)), key=len, default=None)


ALL = sorted(p for p in SAMPLES.iterdir() if p.is_file() and p.suffix not in NO_SAMPLE and _owner(p))
LINES = [p for p in ALL if _owner(p) not in BINARY]


@cache
def _headers(path: Path) -> int | None:
    """How many lines of a sample are no rows (0 or 1); None: not in every sample of its format is a record a line."""
    beyond = {}
    for sample in (p for p in ALL if _owner(p) == _owner(path)):
        raw = sample.read_bytes()
        beyond[sample] = _lines(raw) - sum(chunk.read for chunk in _read(sample, io.BytesIO(raw)))
    return beyond[path] if set(beyond.values()) <= {0, 1} else None


def _settings(path: Path) -> Settings:
    mapping = path.with_suffix(".toml")
    return Settings(mapping=mapping.read_text() if mapping.exists() else None)


def _read(path: Path, stream: BinaryIO) -> list[Chunk]:
    return list(formats()[str(_owner(path))].read(stream, _settings(path)))


def _result(chunks: list[Chunk]) -> tuple[Any, ...]:
    records = [row for chunk in chunks for row in chunk.records.to_pylist()]
    rows = [int(row) for chunk in chunks for row in chunk.rows]
    return records, rows, sorted((bad.row, bad.reason) for chunk in chunks for bad in chunk.rejected)


def _balance(chunks: list[Chunk]) -> int:
    """Check what holds for any file, and return how many rows were read."""
    for chunk in chunks:
        assert chunk.records.schema == SCHEMAS[chunk.table]
        chunk.records.validate(full=True)
        assert not any(
            chunk.records[name].null_count
            for name in SCHEMAS[chunk.table].names
            if not SCHEMAS[chunk.table].field(name).nullable
        )
        assert chunk.rows.dtype == np.int64
        assert chunk.rows.size == chunk.records.num_rows
        assert all(count > 0 for count in chunk.notes.values())
        if chunk.table == "calls":
            start, answer, end = (
                np.asarray(chunk.records[name].cast(pa.int64()).fill_null(-1)) for name in CALLS.names[1:4]
            )
            assert ((answer < 0) | (answer >= start)).all()
            assert ((end < 0) | (end >= np.maximum(start, answer))).all()
    rows = [int(row) for chunk in chunks for row in chunk.rows]
    bad = [row.row for chunk in chunks for row in chunk.rejected]
    assert len(set(rows)) == len(rows)
    assert len(set(bad)) == len(bad)
    assert min(rows + bad, default=1) >= 1
    read = sum(chunk.read for chunk in chunks)
    assert read == len(rows) + len(bad) + sum(chunk.ignored for chunk in chunks)
    return read


def _one_line(error: UnreadableError) -> None:
    assert str(error)
    assert "\n" not in str(error)


def _lines(raw: bytes) -> int:
    return sum(1 for line in raw.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip(b" \t\r"))


class Drip(io.RawIOBase):
    """A stream that gives a few bytes at a time, as a socket does."""

    def __init__(self, raw: bytes, seed: int) -> None:
        super().__init__()
        self.raw, self.at, self.random = raw, 0, random.Random(seed)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        size = len(self.raw) if size is None or size < 0 else size
        piece = self.raw[self.at : self.at + min(size, self.random.randint(1, 97))]
        self.at += len(piece)
        return piece

    def readinto(self, buffer: Any, /) -> int:
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def test_every_format_has_a_sample() -> None:
    assert {_owner(path) for path in ALL} == set(formats())


@pytest.mark.parametrize("name", sorted(formats()))
def test_a_format_says_what_it_is(name: str) -> None:
    fmt = formats()[name]
    assert name == fmt.NAME
    assert fmt.TITLE
    assert "\n" not in fmt.TITLE
    assert fmt.sniff(b"") == 0
    for other in (
        b"\x00" * 100,
        b"hello world\n" * 9,
        b"a,b,c\n1,2,3\n",
        b"\xff" * 70,
        b'{"a": 1}\n',
        b"{" * 200,
        b'""""\n',
    ):
        assert fmt.sniff(other) == 0


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.name)
def test_its_samples_are_recognised(path: Path) -> None:
    assert _owner(path) == recognise(head(path), _settings(path)).NAME


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.name)
def test_its_samples_are_read(path: Path) -> None:
    with open_input(path) as stream:
        chunks = _read(path, stream)
    assert _balance(chunks) > 0
    assert any(chunk.records.num_rows for chunk in chunks)


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.name)
def test_how_bytes_arrive_makes_no_difference(path: Path) -> None:
    raw = path.read_bytes()
    whole = _result(_read(path, io.BytesIO(raw)))
    for seed in range(3):
        assert _result(_read(path, cast("BinaryIO", Drip(raw, seed)))) == whole


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.name)
@pytest.mark.parametrize("kind", ["gzip", "two gzip members", "zstd"])
def test_compressed_is_the_same(path: Path, kind: str, tmp_path: Path) -> None:
    raw = path.read_bytes()
    half = len(raw) // 2
    packed = {
        "gzip": lambda: gzip.compress(raw),
        "two gzip members": lambda: gzip.compress(raw[:half]) + gzip.compress(raw[half:]),
        "zstd": lambda: bytes(cast("Any", pa).Codec("zstd").compress(raw)),
    }[kind]()
    copy = tmp_path / "copy"
    copy.write_bytes(packed)
    assert head(copy) == raw[:HEAD_BYTES]
    with open_input(copy) as stream:
        assert _result(_read(path, stream)) == _result(_read(path, io.BytesIO(raw)))


@pytest.mark.parametrize("path", [p for p in LINES if _headers(p) is not None], ids=lambda p: p.name)
def test_a_byte_order_mark_and_other_line_ends_make_no_difference(path: Path) -> None:
    raw = path.read_bytes()
    plain = raw.replace(b"\r\n", b"\n")
    whole = _result(_read(path, io.BytesIO(raw)))
    for other in (b"\xef\xbb\xbf" + plain, plain.replace(b"\n", b"\r\n"), plain.rstrip(b"\n")):
        assert _result(_read(path, io.BytesIO(other))) == whole


# --- damage ----------------------------------------------------------------------------------------------------------

JUNK = [b'"', b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b",", b";", b"\n", b"\r", b"\r\n\r\n", b"9" * 40, b"-1", b"1e999", b"\\", b"\\ud800",
        b"{", b"}", b"[[", b"'", b"\xe8\xb0", b"2026-02-30T25:61:61Z", b"null", b"%", b" ", b"\t"]  # fmt: skip
edits = st.lists(
    st.tuples(
        st.sampled_from(
            ["flip", "cut", "insert", "drop line", "double line", "shorten line", "swap fields", "swap lines"]
        ),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 255),
        st.sampled_from(JUNK),
    ),
    min_size=1,
    max_size=6,
)


def _damage(raw: bytes, plan: list[tuple[str, float, int, bytes]]) -> bytes:
    for what, where, number, junk in plan:
        at = int(where * len(raw))
        lines = raw.split(b"\n")
        k = int(where * len(lines))
        if what == "flip":
            raw = raw[:at] + bytes([number]) + raw[at + 1 :]
        elif what == "cut":
            raw = raw[: max(at, 1)]
        elif what == "insert":
            raw = raw[:at] + junk + raw[at:]
        elif what == "drop line":
            raw = b"\n".join(lines[:k] + lines[k + 1 :])
        elif what == "double line":
            raw = b"\n".join(lines[: k + 1] + lines[k:])
        elif what == "shorten line":
            lines[k] = lines[k][: number % (len(lines[k]) + 1)]
            raw = b"\n".join(lines)
        elif what == "swap fields":
            fields = lines[k].split(b",")
            a, b = number % len(fields), (number * 7 + 1) % len(fields)
            fields[a], fields[b] = fields[b], fields[a]
            lines[k] = b",".join(fields)
            raw = b"\n".join(lines)
        else:
            other = number % len(lines)
            lines[k], lines[other] = lines[other], lines[k]
            raw = b"\n".join(lines)
    return raw


@pytest.mark.parametrize("path", LINES, ids=lambda p: p.name)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=edits)
def test_no_damage_to_text_is_a_crash_or_loses_a_line(
    path: Path, plan: list[tuple[str, float, int, bytes]]
) -> None:
    raw = _damage(path.read_bytes(), plan)
    recognised = [fmt.sniff(raw[:HEAD_BYTES]) for fmt in formats().values()]
    assert all(0 <= sure <= 100 for sure in recognised)
    try:
        chunks = _read(path, io.BytesIO(raw))
    except UnreadableError as error:
        _one_line(error)
        return
    read = _balance(chunks)
    if _headers(path) is not None:
        assert read == max(_lines(raw) - cast("int", _headers(path)), 0)
        last = raw.count(b"\n") + 1
        assert all(bad.row <= last for chunk in chunks for bad in chunk.rejected)
        assert all(chunk.rows.max(initial=1) <= last for chunk in chunks)


@pytest.mark.parametrize("path", [p for p in ALL if _owner(p) in BINARY], ids=lambda p: p.name)
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=st.lists(st.tuples(st.sampled_from(["flip", "cut", "insert"]), st.floats(0, 1, exclude_max=True), st.integers(0, 255), st.sampled_from(JUNK)), min_size=1, max_size=3))  # fmt: skip
def test_no_damage_to_a_table_is_a_crash(path: Path, plan: list[tuple[str, float, int, bytes]]) -> None:
    raw = _damage(path.read_bytes(), plan)
    chunks: list[Chunk] = []
    try:
        chunks.extend(formats()[str(_owner(path))].read(io.BytesIO(raw), Settings()))
    except UnreadableError as error:
        _one_line(error)
    _balance(chunks)
