"""Reading alerts: alerts.jsonl, alerts.parquet or a scan's folder, as columns with one row a raising.

A raising is a moment at which an alert was raised: its own, and that of each later episode of its story. The ledger, nine tenths of
the bytes, is not read.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq

from ringfence.evaluate.inputs import NEVER, Flags, Floats, InputError, Ints, is_time, microseconds, the_file
from ringfence.model.tables import TIME

_FILES: Final = ("alerts.parquet", "alerts.jsonl")
_REQUIRED: Final = ("kind", "subject", "raised_at")
_EPISODE: Final = {"raised_at": TIME, "call_id": pa.string(), "last_call_at": TIME, "closed_at": TIME}
_COLUMNS: Final = {
    "alert_id": pa.string(),
    "kind": pa.string(),
    "subject": pa.string(),
    "raised_at": TIME,
    "closed_at": TIME,
    "call_id": pa.string(),
    "probability": pa.float64(),
}
_SCHEMA: Final = pa.schema([*_COLUMNS.items(), ("episodes", pa.list_(pa.struct(list(_EPISODE.items()))))])
_BLOCK: Final = 1 << 24  # bytes parsed at a time; a line must fit: a ledger is some kilobytes


@dataclass(frozen=True, slots=True)
class Alerts:
    """Raisings in order of time.

    Attributes:
        alert: which alert, numbered from 0; `first`: it is the alert's own raising, not that of a later episode.
        alert_id, kind, subject, call_id: Arrow strings; the call is the one that decided.
        raised_at: µs; `last_call_at`: of the episode, `NEVER`: not told; `over_at`: when it was closed, `NEVER`: it was not.
        probability: said at the alert's own raising; NaN: not told.
    """

    alert: Ints
    first: Flags
    alert_id: Any
    kind: Any
    subject: Any
    call_id: Any
    raised_at: Ints
    last_call_at: Ints
    over_at: Ints
    probability: Floats

    def __len__(self) -> int:
        return len(self.alert)

    def take(self, rows: Ints | Flags) -> "Alerts":
        """Some of the raisings, in the order given (or where a mask says so)."""
        rows = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        columns = (getattr(self, name) for name in self.__dataclass_fields__)
        return Alerts(
            *(
                column[rows] if isinstance(column, np.ndarray) else column.take(pa.array(rows))
                for column in columns
            )
        )

    def of(self, kind: str) -> "Alerts":
        """The raisings of one kind of alert."""
        return self.take(np.asarray(pc.equal(self.kind, kind).to_numpy(zero_copy_only=False), dtype=np.bool_))

    def kinds(self) -> dict[str, int]:
        """How many alerts there are of each kind."""
        counts = pc.value_counts(self.take(self.first).kind).to_pylist()
        return {
            each["values"]: each["counts"] for each in sorted(counts, key=lambda each: str(each["values"]))
        }


def read_alerts(path: Path) -> Alerts:
    """Read alerts.

    Args:
        path: alerts.jsonl, alerts.parquet, or the folder a scan wrote (the Parquet file is preferred: it is smaller).

    Raises:
        InputError: missing, broken, or not alerts.
    """
    path = the_file(path, _FILES, "alerts of a scan")
    with path.open("rb") as file:
        is_parquet = file.read(4) == b"PAR1"
    return _raisings(_from_parquet(path) if is_parquet else _from_lines(path))


def _from_parquet(path: Path) -> Any:
    try:
        there = pq.read_schema(path).names
        _check_names(path, there)
        table = pq.read_table(path, columns=[name for name in _SCHEMA.names if name in there])
        columns = {name: _column(table, name, kind) for name, kind in _COLUMNS.items()}
    except pa.ArrowInvalid as error:
        raise InputError(f"{path}: is broken: {_line(error)}") from error
    except (pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise InputError(f"{path}: is not a table of alerts: {_line(error)}") from error
    for name in _REQUIRED:
        if columns[name].null_count:
            row = pc.index(pc.is_null(columns[name]), value=True).as_py() + 1
            raise InputError(f"{path}: row {row}: {name} is missing")
    columns["episodes"] = (
        table["episodes"].combine_chunks() if "episodes" in table.column_names else pa.nulls(len(table))
    )
    return columns


def _check_names(path: Path, there: list[str]) -> None:
    missing = [name for name in _REQUIRED if name not in there]
    if missing:
        raise InputError(f"{path}: is not a table of alerts: it has no column {missing[0]}")


def _column(table: Any, name: str, kind: Any) -> Any:
    return (
        table[name].combine_chunks().cast(kind) if name in table.column_names else pa.nulls(len(table), kind)
    )


def _from_lines(path: Path) -> Any:
    if path.stat().st_size < _BLOCK and not path.read_bytes().strip():
        table = _SCHEMA.empty_table()
    else:
        try:
            table = pj.read_json(
                path,
                read_options=pj.ReadOptions(block_size=_BLOCK),
                parse_options=pj.ParseOptions(explicit_schema=_SCHEMA, unexpected_field_behavior="ignore"),
            )
        except pa.ArrowInvalid as error:
            raise InputError(f"{path}: {_what_is_wrong(path) or _line(error)}") from error
    columns = {name: table[name].combine_chunks() for name in _SCHEMA.names}
    if any(columns[name].null_count for name in _REQUIRED):
        raise InputError(f"{path}: {_what_is_wrong(path)}")
    return columns


def _what_is_wrong(path: Path) -> str | None:
    """The first line that is not an alert, in words; read slowly, when it is known that there is one."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            wrong = _wrong_with(line) if line.strip() else None
            if wrong:
                return f"line {number}: {wrong}"
    return None


def _wrong_with(line: bytes) -> str | None:
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except ValueError:
        return "is not a JSON object; alerts have one on each line"
    if not isinstance(row, dict):
        return "is not a JSON object; alerts have one on each line"
    missing = next((name for name in _REQUIRED if row.get(name) is None), None)
    if missing:
        return f"is not an alert: it has no {missing}"
    wrong = next((name for name, kind in _COLUMNS.items() if not _is(row.get(name), kind)), None)
    return f"{wrong} cannot be {json.dumps(row[wrong])[:60]}" if wrong else None


def _is(value: Any, kind: Any) -> bool:
    if value is None:
        return True
    if kind == pa.float64():
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str) and (kind != TIME or is_time(value))


def _line(error: Exception) -> str:
    """The first line of an error of Arrow's."""
    return str(error).splitlines()[0][:200]


def _raisings(columns: dict[str, Any]) -> Alerts:
    """One row a raising, in order of time: the alert's own, then those of its later episodes."""
    count = len(columns["kind"])
    told = np.zeros(count, dtype=np.int64)
    episodes = columns["episodes"]
    if not pa.types.is_null(episodes.type):
        told = pc.fill_null(pc.list_value_length(episodes), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    each = np.maximum(told, 1)
    alert = np.repeat(np.arange(count), each)
    first = np.zeros(len(alert), dtype=np.bool_)
    first[np.cumsum(each) - each] = True
    raised, over = microseconds(columns["raised_at"])[alert], microseconds(columns["closed_at"])[alert]
    last = np.full(len(alert), NEVER, dtype=np.int64)
    calls, call_of = columns["call_id"], alert.copy()
    has = (told > 0)[alert]
    if has.any():
        flat = episodes.flatten()
        later = has & ~first
        raised[later] = microseconds(_part(flat, "raised_at"))[later[has]]
        over[has], last[has] = (
            microseconds(_part(flat, "closed_at")),
            microseconds(_part(flat, "last_call_at")),
        )
        calls = pa.concat_arrays([calls, _part(flat, "call_id")])
        call_of[later] = count + np.flatnonzero(later[has])
    order = np.argsort(raised, kind="stable")
    order = order[: int(np.count_nonzero(raised != NEVER))]  # an episode that was not raised by itself
    which = pa.array(alert[order])
    probability = columns["probability"].to_numpy(zero_copy_only=False).astype(np.float64)
    return Alerts(
        alert=alert[order],
        first=first[order],
        alert_id=columns["alert_id"].take(which),
        kind=columns["kind"].take(which),
        subject=columns["subject"].take(which),
        call_id=calls.take(pa.array(call_of[order])),
        raised_at=raised[order],
        last_call_at=last[order],
        over_at=over[order],
        probability=probability[alert[order]],
    )


def _part(flat: Any, name: str) -> Any:
    """One field of the episodes; null where a foreign program leaves it out."""
    names = [flat.type.field(place).name for place in range(flat.type.num_fields)]
    return (
        pc.struct_field(flat, name).cast(_EPISODE[name])
        if name in names
        else pa.nulls(len(flat), _EPISODE[name])
    )
