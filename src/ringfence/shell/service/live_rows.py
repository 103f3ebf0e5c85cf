"""Whole calls told as they would have been told live: set-up, answer and end, each when it happens."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.model.tables import CALLS

Tables = Mapping[str, pa.Table]
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


def with_time(rows: pa.Table) -> pa.Table:
    """Texts or transfers in order of time, each told when it happens (column `told`)."""
    rows = rows.append_column("told", rows["time"].cast(pa.int64()))
    return rows.take(pc.array_sort_indices(rows["told"].combine_chunks()))


def stretches(tables: Tables, span: int) -> Iterator[tuple[int, list[tuple[str, pa.RecordBatch]]]]:
    """Told rows of several tables in stretches of so many µs at the most.

    Returns:
        When each ends, and what it has of each table, in the contract's columns; tables that have nothing are left out.
    """
    times = {name: rows["told"].to_numpy() for name, rows in tables.items()}
    plain = {name: rows.drop_columns(["told"]).combine_chunks() for name, rows in tables.items()}
    moments = np.unique(np.concatenate(list(times.values())))
    first = 0
    while first < len(moments):
        last = int(np.searchsorted(moments, moments[first] + span))
        begin, until = moments[first], int(moments[last - 1])
        found = []
        for name, rows in plain.items():
            one = int(np.searchsorted(times[name], begin))
            other = int(np.searchsorted(times[name], until, "right"))
            if other > one:
                found.append((name, rows.slice(one, other - one).to_batches()[0]))
        yield until, found
        first = last


def _with(calls: pa.Table, columns: dict[str, pa.Array]) -> pa.Table:
    for name, column in columns.items():
        calls = calls.set_column(calls.schema.get_field_index(name), CALLS.field(name), column)
    return calls


def all_of(tables: Iterable[pa.Table]) -> pa.Table:
    """Tables behind one another, in the schema of the contract."""
    return pa.concat_tables([table.select(CALLS.names).cast(CALLS) for table in tables])
