"""The record store: all calls, texts and transfers of the last weeks, found by number.

Parquet by day, compacted in the background, asked through DuckDB (docs/records.md, docs/decisions/0012-record-store.md).
"""

from ringfence.shell.records.erasure import Erased
from ringfence.shell.records.errors import RecordsError, StoreBusyError, StoreDamagedError, StoreFullError
from ringfence.shell.records.store import RecordStore, Stats, TableStats

__all__ = [
    "Erased",
    "RecordStore",
    "RecordsError",
    "Stats",
    "StoreBusyError",
    "StoreDamagedError",
    "StoreFullError",
    "TableStats",
]
