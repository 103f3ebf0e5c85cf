"""Tables of lines with labels: CSV (also compressed) or Parquet in, columns of numbers out."""

import difflib
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ringfence.train.bins import Floats

MISSING: Final = ("", "nan", "NaN", "NAN", "na", "NA", "N/A", "null", "NULL", "None", "none", "-")
TRUE: Final = frozenset({"1", "true", "yes", "fraud"})
FALSE: Final = frozenset({"0", "false", "no", "normal"})
LEAST: Final = 40
"""Lines of each kind without which nothing is learned."""


class TableError(ValueError):
    """A table cannot be learned from or judged; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Lines as columns.

    Attributes:
        columns: name to values (float64; NaN: missing), each of shape (lines,).
        label: 1.0 for the crime, 0.0 for ordinary life.
        skipped: columns that were left out, and why.
        digest: SHA-256 of the file's bytes as they were read.
        unit: shape (lines,), whom a row is about, where several rows are about the same one (a line on each of its
            days): they are kept out together. None: every row stands for itself.
    """

    columns: dict[str, Floats]
    label: Floats
    skipped: dict[str, str]
    digest: str
    unit: NDArray[np.int64] | None = None

    def only(self, names: Sequence[str]) -> "Labelled":
        """The same lines with some of the columns."""
        return replace(self, columns={name: self.columns[name] for name in names})


def read(content: bytes, label: str, wanted: Sequence[str] = (), ignore: Sequence[str] = ()) -> Labelled:
    """Read a table.

    Args:
        content: a CSV file, as it is or gzipped, or a Parquet file.
        label: the column that says which lines are the crime (1) and which are not (0).
        wanted: columns that must be there and be numbers.
        ignore: columns that are no measurements.

    Raises:
        TableError: it is no table, the label is missing or not a label, or a cell is not a number.
    """
    table = _table(content)
    for name in (label, *wanted, *ignore):
        if name not in table.column_names:
            raise TableError(f"no column {name!r}{_meant(name, table.column_names)}")
    if not len(table):
        raise TableError("it has no rows")
    columns: dict[str, Floats] = {}
    skipped: dict[str, str] = {}
    for name in table.column_names:
        if name == label:
            continue
        if name in ignore:
            skipped[name] = "ignored"
            continue
        found = _numbers(name, table.column(name), must=name in wanted)
        if isinstance(found, str):
            skipped[name] = found
        else:
            columns[name] = found
    return Labelled(columns, _label(label, table.column(label)), skipped, hashlib.sha256(content).hexdigest())


def _table(content: bytes) -> pa.Table:
    try:
        if content[:4] == b"PAR1":
            table = pq.read_table(io.BytesIO(content))
        else:
            stream: Any = io.BytesIO(content)
            if content[:2] == b"\x1f\x8b":
                stream = pa.CompressedInputStream(stream, "gzip")
            options = pacsv.ConvertOptions(null_values=MISSING, strings_can_be_null=True)
            table = pacsv.read_csv(stream, convert_options=options)
    except (pa.ArrowInvalid, OSError) as error:
        raise TableError(
            f"it cannot be read as a table (CSV or Parquet): {str(error).splitlines()[0]}"
        ) from None
    doubled = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if doubled:
        raise TableError(f"two columns have the name {doubled[0]!r}")
    return table


def _meant(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, 1, 0.6)
    return (
        f"; is {near[0]!r} meant?"
        if near
        else f"; there are: {', '.join(names[:8])}{', …' if len(names) > 8 else ''}"
    )


def _numbers(name: str, column: pa.ChunkedArray, *, must: bool) -> Floats | str:
    """The values; or, as text, why the column is left out."""
    kind = column.type
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        values = pc.cast(column, pa.float64()).to_numpy().astype(np.float64)
        return np.where(np.isfinite(values), values, np.nan)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        if must:
            raise TableError(f"column {name!r} holds no numbers but {kind}")
        return f"no numbers but {kind}"
    return _from_text(name, column.to_pylist(), must=must)


def _from_text(name: str, cells: Sequence[str | None], *, must: bool) -> Floats | str:
    values = np.full(len(cells), np.nan)
    wrong: list[int] = []
    for row, cell in enumerate(cells):
        try:
            values[row] = np.nan if cell is None else float(cell)
        except ValueError:
            wrong.append(row)
    if wrong and (must or len(wrong) < len(cells) / 2):
        raise TableError(f"column {name!r}, row {wrong[0] + 1}: {cells[wrong[0]]!r} is not a number")
    return "text" if wrong else np.where(np.isfinite(values), values, np.nan)


def _label(name: str, column: pa.ChunkedArray) -> Floats:
    values = column.to_pylist()
    found = np.empty(len(values))
    for row, value in enumerate(values):
        said = (
            str(int(value) if isinstance(value, bool | float) and value == value // 1 else value)
            .strip()
            .lower()
        )
        if said not in TRUE | FALSE:
            shown = "nothing" if value is None else repr(value)
            raise TableError(f"label {name!r}, row {row + 1}: {shown} is neither 0 nor 1")
        found[row] = said in TRUE
    return found


def check(table: Labelled, least: int = LEAST) -> None:
    """See that there is something to learn from.

    Raises:
        TableError: one kind of line only, too few lines, or no columns.
    """
    frauds = int(table.label.sum())
    for kind, count in (("1", frauds), ("0", len(table.label) - frauds)):
        if count == 0:
            raise TableError(f"no line has the label {kind}: both kinds are needed")
        if count < least:
            raise TableError(f"only {count} lines have the label {kind}; at least {least} are needed")
    if not table.columns:
        raise TableError("no column holds numbers to learn from")


def useful(table: Labelled, ignore: Sequence[str] = ()) -> Labelled:
    """Leave out what is no measurement: columns to be ignored, constant ones, repeated ones, and numbers of rows."""
    kept: dict[str, Floats] = {}
    skipped = dict(table.skipped)
    seen: dict[bytes, str] = {}
    for name, values in table.columns.items():
        print_ = np.where(np.isnan(values), np.nan, values).tobytes()
        if name in ignore:
            skipped[name] = "ignored"
        elif why := _no_measurement(values):
            skipped[name] = why
        elif print_ in seen:
            skipped[name] = f"the same as {seen[print_]}"
        else:
            seen[print_] = name
            kept[name] = values
    return replace(table, columns=kept, skipped=skipped)


def _no_measurement(values: Floats) -> str:
    known = values[~np.isnan(values)]
    if not known.size:
        return "empty"
    if np.ptp(known) == 0.0 and known.size == values.size:
        return "always the same"
    whole = known.size == values.size and bool(np.all(known == np.rint(known)))
    if (
        whole
        and known.size >= LEAST
        and np.unique(known).size == known.size
        and np.ptp(known) < 2 * known.size
    ):
        return "it numbers the rows"
    return ""
