"""Whole calls told as they would have been told live: set-up, answer and end, each when it happens."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.model.tables import CALLS

_END: Final = ("end_time", "cause", "released_by")


def told(calls: pa.Table) -> pa.Table:
    """The rows of calls, each with the time at which it is told (column `told`, µs as int64), in the order of that time."""
    calls = calls.select(CALLS.names)
    nothing = {name: pa.nulls(len(calls), CALLS.field(name).type) for name in ("answer_time", *_END)}
    set_up = _with(calls, nothing)
    answered = _with(calls, {name: nothing[name] for name in _END}).filter(calls["answer_time"].is_valid())
    ended = calls.filter(calls["end_time"].is_valid())
    parts = [
        part.append_column("told", part[column].cast(pa.int64()))
        for part, column in ((set_up, "start_time"), (answered, "answer_time"), (ended, "end_time"))
    ]
    rows = pa.concat_tables(parts)
    return rows.take(pc.array_sort_indices(rows["told"].combine_chunks()))


class Teller:
    """Tells calls that come in order of their set-ups, in stretches of time: what happens later is kept."""

    def __init__(self) -> None:
        self._kept: pa.Table | None = None

    def __len__(self) -> int:
        return 0 if self._kept is None else len(self._kept)

    def take(self, calls: pa.Table, until: int) -> pa.Table:
        """What happens before a time (µs), of these calls and of those before; all later calls begin there or later."""
        rows = told(calls)
        if self._kept is not None and len(self._kept):
            rows = pa.concat_tables([self._kept, rows])
            rows = rows.take(pc.array_sort_indices(rows["told"].combine_chunks()))
        cut = int(np.searchsorted(rows["told"].to_numpy(), until))
        self._kept = rows.slice(cut)
        return rows.slice(0, cut)


def stretches(rows: pa.Table, span: int) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Told rows in stretches of so many µs at the most: when each ends, and its rows in the contract's columns."""
    times = rows["told"].to_numpy()
    plain = rows.drop_columns(["told"]).combine_chunks()
    first = 0
    while first < len(times):
        last = int(np.searchsorted(times, times[first] + span))
        yield int(times[last - 1]), plain.slice(first, last - first).to_batches()[0]
        first = last


def _with(calls: pa.Table, columns: dict[str, pa.Array]) -> pa.Table:
    for name, column in columns.items():
        calls = calls.set_column(calls.schema.get_field_index(name), CALLS.field(name), column)
    return calls


def all_of(tables: Iterable[pa.Table]) -> pa.Table:
    """Tables behind one another, in the schema of the contract."""
    return pa.concat_tables([table.select(CALLS.names).cast(CALLS) for table in tables])
