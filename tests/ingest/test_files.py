"""Files as streams, whole and broken."""

import gzip
import io
import random
from pathlib import Path

import pyarrow as pa
import pytest

from ringfence.ingest import csv_table, parquet
from ringfence.ingest.format import Settings, UnreadableError
from ringfence.shell.files import head, open_input

LINE = b"2026-03-05T02:00:%02dZ,+1,+2%06d\n"
TEXT = b"start_time,caller,callee\n" + b"".join(
    LINE % (k % 60, random.Random(k).randrange(10**6)) for k in range(30_000)
)
SAMPLES = Path(__file__).parent.parent / "samples"


def _zstd(raw: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(raw, asbytes=True))


@pytest.mark.parametrize("packed", [TEXT, gzip.compress(TEXT), _zstd(TEXT), _zstd(TEXT[:999]) + _zstd(TEXT[999:]),
                                    gzip.compress(TEXT[:5]) + gzip.compress(b"") + gzip.compress(TEXT[5:]) + b"\0" * 512])  # fmt: skip
def test_every_way_of_reading(packed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "calls"
    path.write_bytes(packed)
    with open_input(path) as stream:
        assert stream.read() == TEXT
    with open_input(str(path)) as stream:
        assert stream.read(7) + stream.read(100_000) + stream.read() == TEXT
        assert stream.read(5) == b""
    with open_input(path) as stream:
        assert b"".join(stream) == TEXT
    assert head(path, 1000) == TEXT[:1000]


# (Arrow writes Zstandard frames without a checksum, so damage to them can go unseen.)
@pytest.mark.parametrize(("kind", "how"), [("gzip", "cut"), ("gzip", "damaged"), ("zstd", "cut")])
def test_what_is_before_a_break_is_read(kind: str, how: str, tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(TEXT) if kind == "gzip" else _zstd(TEXT))
    at = len(packed) * 2 // 3
    if how == "cut":
        del packed[at:]
    else:
        packed[at : at + 40] = b"\xff" * 40
    path = tmp_path / "calls.csv.packed"
    path.write_bytes(packed)
    calls = 0
    with open_input(path) as stream, pytest.raises(UnreadableError) as error:  # noqa: PT012 - how far it gets is the point
        for chunk in csv_table.read(stream, Settings()):
            calls += chunk.records.num_rows
            assert not chunk.rejected or how == "damaged"
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert calls > 8_000
    assert head(path, 500) == TEXT[:500]


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_packed_parquet_cut_off(kind: str, tmp_path: Path) -> None:
    raw = (SAMPLES / "parquet.parquet").read_bytes()
    path = tmp_path / "calls.parquet"
    path.write_bytes((gzip.compress(raw) if kind == "gzip" else _zstd(raw))[:-50])
    with open_input(path) as stream, pytest.raises(UnreadableError, match="ends in the middle"):
        list(parquet.read(stream, Settings()))


def test_a_plain_file_can_be_sought_in() -> None:
    with open_input(SAMPLES / "parquet.parquet") as stream:
        assert stream.seekable()


def test_no_such_file(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(UnreadableError, match=str(path)):
            open_input(path)
        with pytest.raises(UnreadableError, match=str(path)):
            head(path)


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    assert head(path) == b""


def test_memory_stays_bounded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"\0" * (200 << 20), 9))
    with open_input(path) as stream:
        assert len(stream.peek()) <= 1 << 20  # type: ignore[attr-defined]
        assert isinstance(stream, io.BufferedIOBase)
