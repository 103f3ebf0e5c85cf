"""From records of the journal to rows: one way for each kind of record.

A decoder keeps what it needs from one record to the next, and gives it out as JSON for the snapshot; so what comes out is a function of
the records alone.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa

from ringfence.ingest._hep_calls import HepCalls
from ringfence.ingest._pieces import Pieces
from ringfence.ingest.format import SCHEMAS, Chunk, Rejected
from ringfence.shell.service.segments import Record

EVENTS: Final = "events"
HEP: Final = "hep"
LINES: Final = "lines"
CLOCK: Final = "clock"
MOST_REJECTED: Final = 200
"""Rejected rows that a record tells of one by one."""
_LENGTH: Final = struct.Struct("<qI")


class Decoder(Protocol):
    """What reads the records of one source."""

    def decode(self, record: Record) -> Iterable[Chunk]:
        """The rows of a record."""

    def advance(self, now: int) -> Iterable[Chunk]:
        """What becomes known because time passes without records; `now`: µs, by our clock."""

    def as_json(self) -> Any:
        """The state, for a snapshot."""

    def restore(self, state: Any) -> None:
        """Take the state of a snapshot."""


class Events:
    """Rows in the contract's names, as the API took them: one Arrow batch a record."""

    def decode(self, record: Record) -> Iterator[Chunk]:
        """The rows of a record; its note tells of those that were rejected before."""
        if not record.payload:
            return
        table: str = record.note["table"]
        rejected = tuple(Rejected(row, reason) for row, reason in record.note.get("rejected", ()))
        more = record.note.get("rejected_more", 0)
        with pa.ipc.open_stream(record.payload) as stream:
            for batch in stream:
                plain = batch.cast(SCHEMAS[table])
                rows = np.arange(1, len(batch) + 1)
                yield Chunk(plain, rows, len(batch) + len(rejected) + more, more, rejected, table=table)

    def advance(self, now: int) -> Iterable[Chunk]:
        """Nothing waits."""
        del now
        return ()

    def as_json(self) -> Any:
        """Nothing is kept."""
        return None

    def restore(self, state: Any) -> None:
        """Nothing is kept."""


class HepPackets:
    """HEP3 packets, many a record: for each the time it came in and its length, then the packet."""

    def __init__(self, calls: HepCalls) -> None:
        self._calls = calls

    def decode(self, record: Record) -> Iterator[Chunk]:
        """The rows that the packets make known."""
        times, packets = unpack(record.payload)
        yield self._calls.feed(packets, 1, times)

    def advance(self, now: int) -> Iterator[Chunk]:
        """Ends that were held back."""
        yield self._calls.advance(now)

    def as_json(self) -> Any:
        """The calls that are up."""
        return self._calls.as_json()

    def restore(self, state: Any) -> None:
        """Take the calls that were up."""
        self._calls.restore(state)


class Lines:
    """Whole lines of a text format; the note holds the file's header, where the format has one."""

    def __init__(self, reader: Pieces) -> None:
        self._pieces = reader

    def decode(self, record: Record) -> Iterable[Chunk]:
        """The rows of a record."""
        return self._pieces.feed(record.payload, record.note.get("head", "").encode())

    def advance(self, now: int) -> Iterable[Chunk]:
        """Failed calls that waited for a next try."""
        return self._pieces.advance(now)

    def as_json(self) -> Any:
        """What is remembered between pieces."""
        return self._pieces.as_json()

    def restore(self, state: Any) -> None:
        """Take what was remembered."""
        self._pieces.restore(state)


def pack(packets: Iterable[tuple[int, bytes]]) -> bytes:
    """Packets, each with the time it came in (µs), as one payload."""
    parts = []
    for received, packet in packets:
        parts += [_LENGTH.pack(received, len(packet)), packet]
    return b"".join(parts)


def unpack(payload: bytes) -> tuple[list[int], list[bytes]]:
    """The times and packets of a payload."""
    times, packets, at = [], [], 0
    while at < len(payload):
        received, length = _LENGTH.unpack_from(payload, at)
        at += _LENGTH.size
        times.append(received)
        packets.append(payload[at : at + length])
        at += length
    return times, packets


def rejected_note(rejected: Sequence[Rejected]) -> dict[str, Any]:
    """What the note of `Events` says of rows that were rejected."""
    if not rejected:
        return {}
    told = [[row.row, row.reason] for row in rejected[:MOST_REJECTED]]
    return {"rejected": told, "rejected_more": len(rejected) - len(told)}


def to_payload(batch: pa.RecordBatch) -> bytes:
    """Rows as a record of `Events` holds them."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    payload: bytes = sink.getvalue().to_pybytes()
    return payload


Makers = dict[str, Callable[[], Decoder]]
"""How the decoder of a source is made, by the source's name."""
