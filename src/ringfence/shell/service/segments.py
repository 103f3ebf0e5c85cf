"""Segments of the journal: records behind one another in a file, each with its length and a checksum.

A record is a marker, a header (length and CRC-32 of what follows, sequence number, µs when it was received), the length of its JSON
note, the note and the payload. The marker lets a reader go on behind a damaged record: whatever lies between is lost, and told.
"""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

MARKER: Final = b"\xf5RFj"
# marker, length of note and payload, CRC-32, seq, received, length of the note
_HEADER: Final = struct.Struct("<4sIIQqI")
_CHECKED: Final = struct.Struct("<QqI")  # what the CRC-32 is of, before note and payload
SUFFIX: Final = ".journal"
LARGEST: Final = 1 << 30
"""Bytes of a record at the most; a length beyond it is damage."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a source received.

    Attributes:
        seq: its number, from 1.
        received: µs since 1970, by our clock.
        note: source, kind, position and the like, as JSON.
        payload: as it came.
    """

    seq: int
    received: int
    note: dict[str, Any]
    payload: bytes


@dataclass(slots=True)
class Damage:
    """What could not be read, each place once however often it is read: how many stretches, and how many bytes they have."""

    gaps: int = 0
    bytes: int = 0
    _known: set[tuple[str, int]] = field(default_factory=set)

    @property
    def places(self) -> list[str]:
        """Where the first ten begin."""
        return [f"{name}, byte {offset}" for name, offset in sorted(self._known)[:10]]

    def note(self, path: Path, offset: int, length: int) -> None:
        """Count a stretch."""
        if length and (path.name, offset) not in self._known:
            self._known.add((path.name, offset))
            self.gaps += 1
            self.bytes += length


def encode(record: Record) -> bytes:
    """A record as it stands in a segment."""
    return framed(record.seq, record.received, note_bytes(record.note), record.payload)


def note_bytes(note: dict[str, Any]) -> bytes:
    """A note as it stands in a segment.

    Raises:
        TypeError, ValueError: JSON cannot hold it.
    """
    return json.dumps(note, separators=(",", ":"), ensure_ascii=False).encode()


def framed(seq: int, received: int, note: bytes, payload: bytes) -> bytes:
    """A record of a note that is bytes already."""
    body = note + payload
    check = zlib.crc32(body, zlib.crc32(_CHECKED.pack(seq, received, len(note))))
    return _HEADER.pack(MARKER, len(body), check, seq, received, len(note)) + body


def name_of(seq: int) -> str:
    """The name of the segment that begins with a record."""
    return f"{seq:020d}{SUFFIX}"


def first_of(path: Path) -> int:
    """The number of the record that a segment begins with."""
    return int(path.name.removesuffix(SUFFIX))


def segments(folder: Path) -> list[Path]:
    """All segments, oldest first."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if path.name.removesuffix(SUFFIX).isdigit())


def with_next(paths: list[Path]) -> Iterator[tuple[Path, int | None]]:
    """Each segment, and the number that the following one begins with."""
    for place, path in enumerate(paths):
        yield path, first_of(paths[place + 1]) if place + 1 < len(paths) else None


def read_one(file: BinaryIO) -> Record | None:
    """The record at the file's position; None: there is no whole and sound one (the position stays)."""
    begin = file.tell()
    head = file.read(_HEADER.size)
    if len(head) == _HEADER.size:
        marker, length, check, seq, received, noted = _HEADER.unpack(head)
        if marker == MARKER and noted <= length <= LARGEST:
            body = file.read(length)
            told = zlib.crc32(body, zlib.crc32(_CHECKED.pack(seq, received, noted)))
            if len(body) == length and told == check:
                return Record(seq, received, json.loads(body[:noted]), body[noted:])
    file.seek(begin)
    return None


def read_all(path: Path, damage: Damage, *, is_last: bool = False) -> Iterator[tuple[int, Record]]:
    """The records of a segment, each with the offset behind it; damaged stretches are skipped and counted.

    What is not whole at the end of the last segment is no damage: it was being written.
    """
    with path.open("rb") as file:
        while True:
            begin = file.tell()
            record = read_one(file)
            if record is None:
                found = next_record(file, begin + 1)
                if found is None:
                    if not is_last:
                        damage.note(path, begin, path.stat().st_size - begin)
                    return
                damage.note(path, begin, file.tell() - begin)
                continue
            yield file.tell(), record


def next_record(file: BinaryIO, begin: int) -> int | None:
    """Look for the next sound record from an offset on, and go there; None: there is none."""
    file.seek(begin)
    rest = file.read()
    at = rest.find(MARKER)
    while at >= 0:
        file.seek(begin + at)
        if read_one(file) is not None:
            file.seek(begin + at)
            return begin + at
        at = rest.find(MARKER, at + 1)
    return None
