"""Parquet files with the columns of the contract's tables.

Read in batches of some 64,000 records, and only the columns that are needed. Timestamps may have any unit, with a zone or
without (then they are read in the zone of the settings), be text or numbers; telephone numbers may be whole numbers;
dictionaries are fine. Extra columns are not looked at; missing optional ones are null. What else is repaired or rejected
is told in `_rows`.
"""

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow.parquet as pq

from ringfence.ingest import _arrow
from ringfence.ingest.format import Chunk, Settings

NAME = "parquet"
TITLE = "Parquet, with the columns of calls, texts or transfers"

DICTIONARY_BYTES = 256 * 1024
"""A dictionary is looked through anew for every batch, which does not pay where it is large."""


def sniff(head: bytes) -> int:
    """Return 100 for Parquet's magic at the beginning."""
    return 100 if head[:4] == b"PAR1" else 0


def read(stream: BinaryIO, settings: Settings) -> Iterator[Chunk]:
    """Yield the chunks of a file; one that cannot seek is copied to a temporary file first.

    Raises:
        UnreadableError: no Parquet file, not a table of ours, or damaged (whole batches before the damage come first).
    """
    with _arrow.seekable(stream) as source:
        try:
            metadata = pq.ParquetFile(source).metadata
            name, columns = _arrow.wanted(metadata.schema.to_arrow_schema(), "Parquet file's")
            file = pq.ParquetFile(
                source,
                metadata=metadata,
                read_dictionary=_in_dictionaries(metadata, columns),
                pre_buffer=False,  # would keep the whole file
                page_checksum_verification=True,
            )
            batches = file.iter_batches(_arrow.BATCH_ROWS, columns=columns, use_threads=False)
        except _arrow.DAMAGE as error:
            raise _arrow.damaged("Parquet", error) from error
        yield from _arrow.chunks(batches, name, "Parquet", settings, source)


def _in_dictionaries(metadata: pq.FileMetaData, columns: list[str]) -> list[str]:
    """Return the columns of text that the file holds as places in small dictionaries: those are read as they stand."""
    if metadata.num_rows < (metadata.num_row_groups - 1) * _arrow.BATCH_ROWS // 2:
        return []  # a dictionary ends with its row group, and the batch with it: batches would be small
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    return [
        column.path
        for place, column in enumerate(metadata.schema)
        if column.path in columns
        and column.physical_type == "BYTE_ARRAY"
        and groups
        and all(_in_dictionary(group.column(place)) for group in groups)
    ]


def _in_dictionary(chunk: pq.ColumnChunkMetaData) -> bool:
    # The encodings named in the metadata do not tell: a writer gives a dictionary up where it grows too large. But text
    # written out takes four bytes a value for its length alone.
    if not chunk.has_dictionary_page:
        return False
    size: int = chunk.data_page_offset - chunk.dictionary_page_offset
    whole: int = chunk.total_uncompressed_size
    return size <= DICTIONARY_BYTES and whole < 4 * chunk.num_values + DICTIONARY_BYTES
