"""Arrow IPC, in its file form (Feather version 2) and its stream form, with the columns of the contract's tables.

Types are treated as in `parquet`. The file form needs a stream that can seek; one that cannot is copied to a temporary
file first. The stream form is read as it comes.
"""

from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

import pyarrow as pa

from ringfence.ingest import _arrow
from ringfence.ingest.format import Chunk, Settings

NAME = "arrow_ipc"
TITLE = "Arrow IPC (file, Feather, stream), with the columns of calls, texts or transfers"

_FILE = b"ARROW1\0\0"
_CONTINUATION = b"\xff\xff\xff\xff"


def sniff(head: bytes) -> int:
    """Return 100 for the magic of the file form, 90 for the beginning of a stream."""
    if head[:6] == _FILE[:6]:
        return 100
    # A stream begins with a continuation mark and the size of the schema, which is not empty and not huge.
    return (
        90
        if head[:4] == _CONTINUATION and 0 < int.from_bytes(head[4:8], "little", signed=True) < 1 << 24
        else 0
    )


class _Begun:
    """A stream whose first bytes were read already."""

    def __init__(self, begun: bytes, stream: BinaryIO) -> None:
        self.begun, self.stream = begun, stream

    def read(self, size: int = -1) -> bytes:
        if not self.begun:
            return self.stream.read(size)
        given, self.begun = (self.begun, b"") if size < 0 else (self.begun[:size], self.begun[size:])
        return given

    def seekable(self) -> bool:
        return False


def _file_batches(reader: pa.RecordBatchFileReader) -> Iterator[pa.RecordBatch]:
    for index in range(reader.num_record_batches):
        yield _valid(reader.get_batch(index))


def _stream_batches(reader: pa.RecordBatchStreamReader) -> Iterator[pa.RecordBatch]:
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        yield _valid(batch)


def _valid(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Check what a damaged file could turn into reads outside of its buffers; text that is not UTF-8 is dealt with later."""
    for array in batch.columns:
        try:
            array.validate(full=True)
        except pa.ArrowInvalid as error:
            if "UTF8" not in str(error):
                raise
    return batch


def read(stream: BinaryIO, settings: Settings) -> Iterator[Chunk]:
    """Yield the chunks of a file or stream.

    Raises:
        UnreadableError: no Arrow IPC, not a table of ours, or damaged (whole batches before the damage come first).
    """
    full = _arrow.Full(stream)
    begun = full.read(len(_FILE))
    if stream.seekable():
        stream.seek(-len(begun), 1)
        whole = stream
    else:
        whole = cast("BinaryIO", _Begun(begun, stream))
    if begun == _FILE:
        with _arrow.seekable(whole) as file:
            yield from _read(file, pa.ipc.open_file, _file_batches, settings)
    else:
        once = cast("BinaryIO", _arrow.Full(whole))
        yield from _read(once, pa.ipc.open_stream, _stream_batches, settings)


def _read(
    source: BinaryIO,
    opened: Callable[[BinaryIO], pa.RecordBatchReader],
    batches_of: Callable[[pa.RecordBatchReader], Iterator[pa.RecordBatch]],
    settings: Settings,
) -> Iterator[Chunk]:
    try:
        reader = opened(source)
        name, _ = _arrow.wanted(reader.schema, "Arrow file's")
    except _arrow.DAMAGE as error:
        raise _arrow.damaged("Arrow", error) from error
    yield from _arrow.chunks(batches_of(reader), name, "Arrow", settings, source)
