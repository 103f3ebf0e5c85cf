"""Rows that are not on the disk yet."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from ringfence.shell.records.kinds import Kind


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one micro-batch, with the sequence number of the journal up to which they came."""

    kind: Kind
    rows: pa.Table
    seq: int


def prepared(kind: Kind, rows: pa.Table | pa.RecordBatch) -> pa.Table:
    """Rows in the columns of their kind; columns that are not there are null.

    Raises:
        ValueError: a column that must be there is not, or has nulls, or is of another type.
    """
    table = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
    columns = []
    for field in kind.schema:
        place = table.schema.get_field_index(field.name)
        column = pa.nulls(len(table), field.type) if place < 0 else table.column(place)
        if not field.nullable and column.null_count:
            raise ValueError(f"{kind.name}: column {field.name} must be there and not be null")
        try:
            columns.append(column.cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise ValueError(f"{kind.name}: column {field.name}: {error}") from error
    return pa.table(columns, schema=kind.schema)


class Buffer:
    """The newest batches, in the order in which they came. Whoever uses it holds the store's lock."""

    def __init__(self) -> None:
        self._batches: list[Batch] = []
        self.rows = 0

    def __len__(self) -> int:
        return len(self._batches)

    def add(self, batch: Batch) -> None:
        """Take a batch."""
        self._batches.append(batch)
        self.rows += len(batch.rows)

    def batches(self) -> list[Batch]:
        """All batches."""
        return list(self._batches)

    def of(self, kind: Kind) -> pa.Table | None:
        """All rows of one kind, or None where there are none."""
        found = [batch.rows for batch in self._batches if batch.kind is kind]
        return pa.concat_tables(found) if found else None

    def forget(self, count: int) -> None:
        """Forget the first batches: they are on the disk."""
        self._keep(self._batches[count:])

    def change(self, change: Callable[[Batch], Batch]) -> None:
        """Put another batch into the place of each."""
        self._keep([change(batch) for batch in self._batches])

    def _keep(self, batches: list[Batch]) -> None:
        self._batches = batches
        self.rows = sum(len(batch.rows) for batch in batches)
