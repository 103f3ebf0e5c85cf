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
            file = pq.ParquetFile(source, page_checksum_verification=True)
            name, columns = _arrow.wanted(file.schema_arrow, "Parquet file's")
            batches = file.iter_batches(_arrow.BATCH_ROWS, columns=columns, use_threads=False)
        except _arrow.DAMAGE as error:
            raise _arrow.damaged("Parquet", error) from error
        yield from _arrow.chunks(batches, name, "Parquet", settings, source)
