"""Whether an Arrow stream may be read: a few bytes of one may stand for more than the machine's memory.

Refused are buffers that are compressed, more rows than the bytes can hold, and texts that a dictionary repeats at length.
"""

import struct
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from ringfence.ingest._arrow import DAMAGE, damaged
from ringfence.ingest.format import UnreadableError

MOST_TEXT: Final = 64 << 20
"""Bytes that texts may have once their dictionaries are written out."""
LEAST_ROW: Final = 8
"""Bytes that every row has: its time."""
_HEADER = 2  # of Message, in Arrow's Message.fbs: which of its fields
_DATA = 1  # of DictionaryBatch
_COMPRESSION = 3  # of RecordBatch
_TEXTS: Final = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
_DICTIONARY: Final = "dictionary"
_BATCH: Final = "record batch"


def check(body: bytes) -> None:
    """Look at a stream without reading it.

    Raises:
        UnreadableError: it may not be read, or is none.
    """
    try:
        _check_messages(body)
        _check_batches(body)
    except UnreadableError:
        raise
    except (*DAMAGE, struct.error) as error:
        raise damaged("Arrow", error) from error


def _check_messages(body: bytes) -> None:
    for message in pa.ipc.MessageReader.open_stream(pa.BufferReader(body)):
        if message.type in {_BATCH, _DICTIONARY} and _is_compressed(message.metadata, message.type):
            raise UnreadableError("the buffers of this Arrow stream are compressed; send them plain")


def _is_compressed(metadata: pa.Buffer, kind: str) -> bool:
    """Whether a record batch says so in its table of fields (a flatbuffer)."""
    data = metadata.to_pybytes()
    at = _followed(data, _field(data, _followed(data, 0), _HEADER))
    if kind == _DICTIONARY:
        at = _followed(data, _field(data, at, _DATA))
    return at is not None and _field(data, at, _COMPRESSION) is not None


def _field(data: bytes, table: int | None, index: int) -> int | None:
    """Where a field of a table stands; None: it is not there."""
    if table is None:
        return None
    fields = table - struct.unpack_from("<i", data, table)[0]
    (size,) = struct.unpack_from("<H", data, fields)
    place = 4 + 2 * index
    if place >= size:
        return None
    (offset,) = struct.unpack_from("<H", data, fields + place)
    return table + offset if offset else None


def _followed(data: bytes, at: int | None) -> int | None:
    return None if at is None else int(at + struct.unpack_from("<I", data, at)[0])


def _check_batches(body: bytes) -> None:
    rows = text = 0
    with pa.ipc.open_stream(pa.BufferReader(body)) as stream:
        for batch in stream:
            rows += len(batch)
            if rows * LEAST_ROW > len(body):
                raise UnreadableError("this Arrow stream tells of more rows than it holds")
            text += sum(map(_written_out, batch.columns))
            if text > MOST_TEXT:
                raise UnreadableError(
                    "a text of this Arrow stream is repeated too often; send less at a time"
                )


def _written_out(column: pa.Array) -> int:
    """Bytes that the texts of a column with a dictionary may have without one."""
    if not pa.types.is_dictionary(column.type):
        return 0
    column.dictionary.validate()
    kind = column.type.value_type
    if not any(is_text(kind) for is_text in _TEXTS):
        return 0
    return int(pc.max(pc.binary_length(column.dictionary)).as_py() or 0) * len(column)
