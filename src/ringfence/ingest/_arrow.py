"""Arrow record batches, as they stand in Parquet and IPC files, to chunks."""

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

import numpy as np
import pyarrow as pa

from ringfence.ingest import _buffers
from ringfence.ingest._rows import Source, table, which
from ringfence.ingest.format import SCHEMAS, Chunk, Rejected, Settings, UnreadableError

BATCH_ROWS = 64 * 1024
SPOOL_BYTES = 64 << 20

# What Arrow raises at damaged files, so far as its own fuzzing goes: also plain Python errors.
DAMAGE = (
    pa.ArrowException,
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    NotImplementedError,
)


class Full(io.RawIOBase):
    """A stream whose `read(n)` gives n bytes unless the file ends, as Arrow expects of one."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self.stream = stream
        self.broken: UnreadableError | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self.stream.seekable()

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self.stream.seek(offset, whence)

    def tell(self) -> int:
        return self.stream.tell()

    def read(self, size: int = -1, /) -> bytes:
        pieces = []
        left = size
        while left:
            try:
                piece = self.stream.read(left)
            except UnreadableError as error:
                self.broken = error  # Arrow would hide it behind one of its own
                raise
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece) if size > 0 else 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


@contextmanager
def seekable(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Give the stream if one can seek in it; otherwise its whole content in a temporary file (in memory up to 64 MiB)."""
    if stream.seekable():
        yield cast("BinaryIO", Full(stream))
        return
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
        shutil.copyfileobj(stream, spool, 1 << 20)
        spool.seek(0)
        yield cast("BinaryIO", spool)


def wanted(schema: pa.Schema, kind: str) -> tuple[str, list[str]]:
    """Return the table a schema belongs to, and the columns of it that there are.

    Raises:
        UnreadableError: it belongs to none.
    """
    names = set(schema.names)
    name = which(names)
    if name is None:
        raise UnreadableError(
            f"the {kind} columns are not those of calls (start_time, caller, callee), texts (time, recipient)"
            " or transfers (time, subscriber)"
        )
    once = [field.name for field in SCHEMAS[name] if schema.names.count(field.name) == 1]
    if which(set(once)) != name:
        raise UnreadableError(f"the {kind} has a required column twice")
    return name, once


def _is_ascii(text: pa.Array) -> bool:
    data, ends = _buffers.text(text)
    return bool(data[ends[0] : ends[-1]].max(initial=0) < 128)


def _words(array: pa.Array) -> tuple[pa.Array, np.ndarray | None]:
    """Return a text column as `_plain` does, but leave it a dictionary where that is less work."""
    if isinstance(array, pa.DictionaryArray) and len(array.dictionary) <= len(array):
        values, broken = _plain(array.dictionary)
        if broken is None and values.null_count == 0:
            return _buffers.dictionary(array.indices, values), None
    return _plain(array)


def _plain(array: pa.Array) -> tuple[pa.Array, np.ndarray | None]:
    """Return a column without dictionary or odd encodings, and where its text is not UTF-8."""
    kind = array.type
    if pa.types.is_string(kind) and _is_ascii(array):
        return array, None
    if isinstance(array, pa.ExtensionArray):
        array, kind = array.storage, array.type.storage_type
    if pa.types.is_dictionary(kind):
        array, kind = array.cast(kind.value_type), kind.value_type
    if pa.types.is_run_end_encoded(kind):
        array, kind = pa.compute.run_end_decode(array), kind.value_type
    texts = (pa.types.is_string, pa.types.is_binary, pa.types.is_string_view, pa.types.is_binary_view)
    large = (pa.types.is_large_string, pa.types.is_large_binary)
    if pa.types.is_fixed_size_binary(kind):
        array, kind = array.cast(pa.binary()), pa.binary()
    if not any(is_kind(kind) for is_kind in texts + large):
        return array, None
    wide = any(is_kind(kind) for is_kind in large)
    raw = array.cast(pa.large_binary() if wide else pa.binary())
    text = pa.large_string() if wide else pa.string()
    try:
        return raw.cast(text), None
    except pa.ArrowInvalid:
        # Somewhere in this batch: only now is each cell looked at.
        bad = np.zeros(len(raw), np.bool_)
        cells: list[str | None] = []
        for row, value in enumerate(raw.to_pylist()):
            try:
                cells.append(None if value is None else value.decode())
            except UnicodeDecodeError:
                bad[row] = True
                cells.append(None)
        return pa.array(cells, text), bad


def chunk(batch: pa.RecordBatch, name: str, row: int, settings: Settings) -> Chunk:
    """Make a chunk of one batch whose first record is record `row` of the file."""
    batch.validate(full=False)
    columns: dict[str, pa.Array] = {}
    bad = np.zeros(batch.num_rows, np.bool_)
    for field, array in zip(batch.schema, batch.columns, strict=True):
        if field.name in SCHEMAS[name].names:
            is_text = pa.types.is_string(SCHEMAS[name].field(field.name).type)
            columns[field.name], broken = _words(array) if is_text else _plain(array)
            if broken is not None:
                bad |= broken
    rows = np.arange(row, row + batch.num_rows)
    rejected: tuple[Rejected, ...] = ()
    if bad.any():
        rejected = tuple(Rejected(int(rows[i]), "text of the row is not UTF-8") for i in np.flatnonzero(bad))
        keep = pa.array(~bad)
        columns = {key: column.filter(keep) for key, column in columns.items()}
        rows = rows[~bad]
    return table(name, columns, Source(rows, batch.num_rows, rejected), settings)


def chunks(
    batches: Iterator[pa.RecordBatch], name: str, kind: str, settings: Settings, stream: BinaryIO
) -> Iterator[Chunk]:
    """Yield a chunk for each batch (large ones in pieces); a break comes as `UnreadableError` after what was good."""
    row = 1
    while True:
        try:
            batch = next(batches, None)
            if batch is None:
                return
            made = []
            for start in range(0, batch.num_rows, BATCH_ROWS):
                piece = batch.slice(start, BATCH_ROWS)
                made.append(chunk(piece, name, row, settings))
                row += piece.num_rows
        except DAMAGE as error:
            broken = getattr(stream, "broken", None)
            if broken is not None:
                raise broken from error
            raise damaged(kind, error, row) from error
        yield from made


def damaged(kind: str, error: BaseException, row: int | None = None) -> UnreadableError:
    """Return the one-line error for a file that Arrow cannot read (on)."""
    said = " ".join(str(error).split())[:160] or type(error).__name__
    where = f" after record {row - 1}" if row is not None else ""
    return UnreadableError(f"the {kind} file is damaged or cut off{where}; copy or export it again ({said})")
