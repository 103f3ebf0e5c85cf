"""Columns of any kind to records of the contract's tables: what is missing, what is repaired, what is rejected.

Rejected: a row without a start time or callee; a start, answer or end time that is there but is no time; a caller or
callee that is neither text nor a number; times out of order by more than an hour (`CLOCK_JUMP`).

Repaired and counted in `Chunk.notes`:

- `clock_jump`: the answer before the start, or the end before either, by up to an hour: the clock was set back during
  the call (or the hour of the change to winter time happened). If the record tells durations too, they decide; otherwise the
  times are moved forward to the one they must not precede.
- `dst_fold`, `dst_gap`: a time without zone in the hour that happens twice, or does not (see `_timestamps`).
- `bad_optional_value`: another column's cell that is not what it should be (a cause that is no Q.850 cause, an unknown
  word for who hung up) is null; the row is kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.compiled import entry
from ringfence.ingest import _buffers, _timestamps
from ringfence.ingest._cells import BAD, GOOD, UNFIT, Cells, from_arrow, is_tidy, matches, scaled, text
from ringfence.ingest._timestamps import Times
from ringfence.ingest.format import SCHEMAS, Chunk, Rejected, Settings
from ringfence.model.tables import ATTESTATION, CALLS, INGRESS, RELEASED_BY, TIME

CLOCK_JUMP = 3600 * 1_000_000  # µs; the largest step a clock makes by itself is that of daylight saving time

# What a column may come as: ranges of a text buffer, an Arrow array of any type, or times already read.
Column: TypeAlias = Cells | pa.Array | Times
_Plain: TypeAlias = Cells | pa.Array
# Values, and where something was that could not be made one.
_Read: TypeAlias = tuple[pa.Array, npt.NDArray[np.bool_]]

# By these columns a file's table is told, and without them it is not readable.
REQUIRED = {
    "calls": ("start_time", "callee", "caller"),
    "texts": ("time", "recipient"),
    "transfers": ("time", "subscriber"),
}
_WORDS = {"released_by": RELEASED_BY, "ingress": INGRESS, "attestation": ATTESTATION}


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of a chunk come from.

    Attributes:
        rows: int64, the row of the file of each record to be made.
        read: rows used up: these, and those in `rejected`.
        rejected: rows put aside before.
    """

    rows: npt.NDArray[np.int64]
    read: int
    rejected: tuple[Rejected, ...] = ()


class _Judge:
    """Collects, for the rows of one chunk, why a row is rejected (the first reason counts) and what was repaired."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.size = source.rows.size
        self.why = np.zeros(self.size, np.uint8)
        self.reasons: list[str] = [""]
        self.notes: list[tuple[str, npt.NDArray[np.bool_]]] = []

    def reject(self, where: npt.NDArray[np.bool_], reason: str) -> None:
        if where.any():
            self.reasons.append(reason)
            self.why[where & (self.why == 0)] = len(self.reasons) - 1

    def note(self, where: npt.NDArray[np.bool_], name: str) -> None:
        if where.any():
            self.notes.append((name, where))

    def chunk(self, table: str, columns: list[pa.Array]) -> Chunk:
        """Return what is left, in the schema of the table (text may be a dictionary of text)."""
        fields = [field.with_type(column.type) for field, column in zip(SCHEMAS[table], columns, strict=True)]
        records = pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields))
        rows, rejected = self.source.rows, self.source.rejected
        keep = self.why == 0
        if not keep.all():
            records = records.filter(pa.array(keep))
            rejected += tuple(
                Rejected(int(rows[i]), self.reasons[self.why[i]]) for i in np.flatnonzero(~keep)
            )
            rows = rows[keep]
        notes: dict[str, int] = {}
        for name, where in self.notes:
            count = int(np.count_nonzero(where & keep))
            if count:
                notes[name] = notes.get(name, 0) + count
        return Chunk(records, rows, self.source.read, 0, rejected, notes, table)


# --- single columns ------------------------------------------------------------------------------------------------


def times(column: Column | None, rows: int, settings: Settings) -> Times:
    """Read a column as points in time; none is without zone afterwards."""
    if column is None:
        return _timestamps.nothing(rows)
    if isinstance(column, Cells):
        column = _timestamps.parse(column)
    elif not isinstance(column, Times):
        column = _timestamps.from_arrow_column(column)
    return _timestamps.resolve(column, settings.timezone)


def _by_value(column: pa.DictionaryArray, read: Callable[[pa.Array, int], _Read]) -> _Read:
    """Read the values of a dictionary instead of the rows; the rows stay a dictionary where all its values are good."""
    values, bad = read(column.dictionary, len(column.dictionary))
    if values.null_count == 0:
        return _buffers.dictionary(column.indices, values), np.zeros(len(column), np.bool_)
    bad_rows = pa.array(bad).take(column.indices)
    return values.take(column.indices), np.asarray(pc.fill_null(bad_rows, False))


def words(column: _Plain | None, rows: int) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """Read a column as trimmed text (empty: null), and say where something was that is neither text nor a number."""
    none = np.zeros(rows, np.bool_)
    if column is None:
        return pa.nulls(rows, pa.string()), none
    if isinstance(column, Cells):
        return text(column), column.first == UNFIT
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _by_value(column, words)
    if pa.types.is_string(kind) and is_tidy(column):
        return column, none
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return text(from_arrow(column)), none
    if pa.types.is_integer(kind):
        return column.cast(pa.string()), none
    if pa.types.is_floating(kind):
        # pandas turns whole numbers into floats where some are missing; a float that is no whole number is no number to dial
        floats = np.asarray(pc.fill_null(column, np.nan).cast(pa.float64()))
        whole = (np.abs(floats) < 2.0**53) & (floats == np.floor(floats))
        numbers = pa.array(np.where(whole, floats, 0).astype(np.int64), mask=~whole)
        return numbers.cast(pa.string()), ~whole & ~np.isnan(floats)
    return pa.nulls(rows, pa.string()), ~np.asarray(column.is_null())


def whole_numbers(
    column: _Plain | None, rows: int, low: int, high: int
) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """Read a column as int16 from `low` to `high`, and say where something else was."""
    if column is None:
        return pa.nulls(rows, pa.int16()), np.zeros(rows, np.bool_)
    if not isinstance(column, Cells):
        if pa.types.is_integer(column.type):
            span = pc.min_max(column).as_py()
            if span["min"] is None or low <= span["min"] <= span["max"] <= high:
                return column.cast(pa.int16()), np.zeros(rows, np.bool_)
            values = np.asarray(pc.fill_null(column, -1))
            fit = (values >= low) & (values <= high)
            return pa.array(np.where(fit, values, 0).astype(np.int16), mask=~fit), ~fit & np.asarray(
                column.is_valid()
            )
        texts, unfit = words(column, rows)
        column = from_arrow(texts)
    else:
        unfit = column.first == UNFIT
    values, status = scaled(column, 6)
    whole = (status == GOOD) & (values % 10**6 == 0) & (values >= low * 10**6) & (values <= high * 10**6)
    return pa.array((values // 10**6).astype(np.int16), mask=~whole), (
        unfit | (status == BAD) | ((status == GOOD) & ~whole)
    )


def _amounts(column: _Plain | None, rows: int) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    if column is None:
        return pa.nulls(rows, pa.float64()), np.zeros(rows, np.bool_)
    if not isinstance(column, Cells) and (
        pa.types.is_floating(column.type) or pa.types.is_integer(column.type)
    ):
        floats = np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), np.nan))
        return pa.array(floats, mask=~np.isfinite(floats)), np.isinf(floats)
    if not isinstance(column, Cells) and pa.types.is_decimal(column.type):
        column = column.cast(pa.string())
    written, unfit = words(column, rows)
    plain = pc.match_substring_regex(written, r"^[+-]?[0-9]{1,15}([.][0-9]*)?$")
    values = pc.if_else(plain, written, None)
    filled = np.asarray(written.is_valid())
    return values.cast(pa.float64()), unfit | (filled & ~np.asarray(pc.fill_null(plain, False)))


def _vocabulary(
    column: _Plain | None, rows: int, known: tuple[str, ...]
) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    if isinstance(column, pa.DictionaryArray):
        return _by_value(column, lambda values, size: _vocabulary(values, size, known))
    written, unfit = words(column, rows)
    if column is None:
        return written, unfit
    place = matches(written, known)
    unknown = place == len(known)
    if unknown.any():
        fold = pc.utf8_upper if known is ATTESTATION else pc.utf8_lower
        written = fold(written)
        unknown = matches(written, known) == len(known)
        written = pc.if_else(pa.array(unknown), None, written)
    return written, unfit | unknown


# --- tables --------------------------------------------------------------------------------------------------------


def _calendar(judge: _Judge, columns: tuple[Times, ...]) -> None:
    for name in ("fold", "gap"):
        masks = [mask for column in columns if (mask := getattr(column, name)) is not None]
        if masks:
            judge.note(np.logical_or.reduce(masks), f"dst_{name}")


def _arrow_times(micros: npt.NDArray[np.int64], valid: npt.NDArray[np.bool_]) -> pa.Array:
    bits = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(TIME, len(micros), [bits, pa.py_buffer(micros)])


def _unset(judge: _Judge, column: Column | None, found: Times) -> Times:
    """Take the zero times that databases write for "never" (0, 0000-00-00, 1970-01-01) for null; they are counted."""
    bad = found.status == _timestamps.BAD
    if column is None or isinstance(column, Times) or not bad.any():
        return found
    shown = text(column) if isinstance(column, Cells) else column.cast(pa.string())
    zero = pc.match_substring_regex(shown, r"^\s*(0+(\.0*)?|0000-00-00.*|1970-01-01.*)\s*$")
    unset = bad & np.asarray(pc.fill_null(zero, False))
    judge.note(unset, "unset_time")
    return replace(found, status=np.where(unset, _timestamps.NULL, found.status).astype(found.status.dtype))


def calls(
    columns: Mapping[str, Column],
    source: Source,
    settings: Settings,
    *,
    duration: Cells | None = None,
    talk: Cells | None = None,
    odd: npt.NDArray[np.bool_] | None = None,
) -> Chunk:
    """Make a chunk of calls.

    Args:
        columns: by their names in `CALLS`; those missing are null.
        source: where the rows come from.
        settings: the zone of times without one.
        duration: seconds from start to end, only used where the clock jumped.
        talk: seconds from answer to end, likewise.
        odd: rows with an optional value the reader itself could not make sense of.
    """
    judge = _Judge(source)
    rows = judge.size
    start = times(columns.get("start_time"), rows, settings)
    answer = times(columns.get("answer_time"), rows, settings)
    end = times(columns.get("end_time"), rows, settings)
    callee, odd_callee = words(columns.get("callee"), rows)
    caller, odd_caller = words(columns.get("caller"), rows)
    answer = _unset(judge, columns.get("answer_time"), answer)
    end = _unset(judge, columns.get("end_time"), end)
    judge.reject(start.status == _timestamps.NULL, "start_time is missing")
    judge.reject(start.status == _timestamps.BAD, "start_time is not a time between 1990 and 2100")
    judge.reject(odd_callee, "callee is neither text nor a whole number")
    if callee.null_count:
        judge.reject(np.asarray(callee.is_null()), "callee is missing")
    judge.reject(odd_caller, "caller is neither text nor a whole number")
    judge.reject(answer.status == _timestamps.BAD, "answer_time is not a time between 1990 and 2100")
    judge.reject(end.status == _timestamps.BAD, "end_time is not a time between 1990 and 2100")
    _calendar(judge, (start, answer, end))

    answered, ended = answer.status == _timestamps.ZONED, end.status == _timestamps.ZONED
    begin, picked_up, over = start.micros, answer.micros, end.micros
    if not _in_order(begin, picked_up, over, answered, ended):
        early = answered & (picked_up < begin)
        first_after = np.where(answered, np.maximum(begin, picked_up), begin)
        early_end = ended & (over < first_after)
        judge.reject(
            early & (begin - picked_up > CLOCK_JUMP), "answer_time is more than an hour before start_time"
        )
        judge.reject(
            early_end & (first_after - over > CLOCK_JUMP),
            "end_time is more than an hour before start_time or answer_time",
        )
        judge.note(early | early_end, "clock_jump")
        picked_up = np.maximum(picked_up, begin)
        over = np.where(early_end, np.maximum(over, np.where(answered, picked_up, begin)), over)
        picked_up, over = _by_durations(
            early | early_end, (begin, picked_up, over), (answered, ended), (duration, talk)
        )

    out: dict[str, pa.Array] = {
        "start_time": _arrow_times(begin, start.status == _timestamps.ZONED),
        "answer_time": _arrow_times(picked_up, answered),
        "end_time": _arrow_times(over, ended),
        "caller": caller,
        "callee": callee,
    }
    for field in CALLS:
        if field.name in out:
            continue
        column = columns.get(field.name)
        if field.name == "cause":
            out["cause"], bad = whole_numbers(column, rows, 0, 127)  # the cause value of Q.850 has 7 bits
        elif field.name in _WORDS:
            out[field.name], bad = _vocabulary(column, rows, _WORDS[field.name])
        else:
            out[field.name], bad = words(column, rows)
        judge.note(bad, "bad_optional_value")
    if odd is not None:
        judge.note(odd, "bad_optional_value")
    return judge.chunk("calls", [out[name] for name in CALLS.names])


@entry
def _in_order(begin: Any, picked_up: Any, over: Any, answered: Any, ended: Any) -> bool:
    """Whether no call is answered before it begins, or over before either."""
    good = True
    for i in range(begin.size):
        soonest = max(begin[i], picked_up[i]) if answered[i] else begin[i]
        good &= (not answered[i] or picked_up[i] >= begin[i]) and (not ended[i] or over[i] >= soonest)
    return good


def _by_durations(
    where: npt.NDArray[np.bool_],
    moments: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]],
    known: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]],
    spans: tuple[Cells | None, Cells | None],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return answer and end as the durations of the record give them, where the clock jumped and they make sense."""
    begin, picked_up, over = moments
    answered, ended = known
    duration, talk = spans
    if duration is None:
        return picked_up, over
    length, told = scaled(duration, 6)
    sound = where & ended & (told == GOOD) & (length >= 0) & (length <= 30 * 86_400 * 10**6)
    over = np.where(sound, begin + length, over)
    if talk is not None:
        spoken, told = scaled(talk, 6)
        spoke = sound & answered & (told == GOOD) & (spoken >= 0) & (spoken <= length)
        picked_up = np.where(spoke, over - spoken, picked_up)
    return np.minimum(picked_up, np.where(ended, over, picked_up)), over


def _dated(
    table: str, required: str, columns: Mapping[str, Column], source: Source, settings: Settings
) -> Chunk:
    """Make a chunk of a table with one time and one required text column."""
    judge = _Judge(source)
    rows = judge.size
    time = times(columns.get("time"), rows, settings)
    judge.reject(time.status == _timestamps.NULL, "time is missing")
    judge.reject(time.status == _timestamps.BAD, "time is not a time between 1990 and 2100")
    _calendar(judge, (time,))
    out = []
    for field in SCHEMAS[table]:
        column = columns.get(field.name)
        if field.name == "time":
            out.append(_arrow_times(time.micros, time.status == _timestamps.ZONED))
            continue
        if field.name == "amount":
            values, bad = _amounts(column, rows)
        else:
            values, bad = words(column, rows)
        if field.name == required:
            judge.reject(bad, f"{required} is neither text nor a whole number")
            judge.reject(np.asarray(values.is_null()), f"{required} is missing")
        else:
            judge.note(bad, "bad_optional_value")
        out.append(values)
    return judge.chunk(table, out)


def table(name: str, columns: Mapping[str, Column], source: Source, settings: Settings) -> Chunk:
    """Make a chunk of the table `name` from columns that bear the contract's names."""
    if name == "calls":
        return calls(columns, source, settings)
    return _dated(name, REQUIRED[name][1], columns, source, settings)


def which(names: set[str]) -> str | None:
    """Return the table whose required columns are among the names."""
    return next((table for table, needed in REQUIRED.items() if names.issuperset(needed)), None)
