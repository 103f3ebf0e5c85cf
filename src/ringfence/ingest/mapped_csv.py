"""Any CSV of calls, by a small mapping file in TOML that says which column is which field.

A mapping for records of a switch that writes local times, durations and its own words::

    delimiter = ";"              # one character; default ","
    header = true                # the first line names the columns; default true; false: columns are numbers from 1

    [columns]                    # field = column (its name, or its number from 1)
    start_time = "SETUP"         # required
    caller = "A_NUMBER"          # required; an empty cell is a withheld number
    callee = "B_NUMBER"          # required
    duration = "TALK"            # seconds from answer to end, instead of answer_time or end_time
    ring = "RING"                # seconds from start to answer, or to the end of an unanswered call
    released_by = "REL"
    cause = "Q850"               # and call_id, answer_time, end_time, ingress, trunk, attestation, caller_device, …

    [time]                       # how all times are written; default: RFC 3339 text or a count since 1970
    format = "%d.%m.%Y %H:%M:%S" # "iso", "epoch", or a strptime pattern (%Y %y %m %d %e %H %I %M %S %f %p %b %z %j %F %T)
    timezone = "Europe/Berlin"   # of times without zone; default: that of --timezone

    [unanswered]                 # a call is unanswered if any of these holds; value, list of values, or { not = … }
    duration = [-1, 0]
    STATUS = { not = "ANSWERED" }

    [constants]                  # fields that are the same for the whole file
    ingress = "international"

    [values.released_by]         # what the file's words mean; words not listed stay as they are
    A = "caller"
    B = "callee"

For counts of time::

    [time]
    format = "epoch"
    unit = "s"                         # s, ms or us; without: by size, and then no origin
    origin = "2026-02-01T00:00:00Z"    # what 0 means; default 1970-01-01T00:00:00Z

A record in such a file is a call that is over. What is missing follows from what is there: an answered call's answer is
start + ring (ring is 0 if not told) or end - duration, its end is answer + duration; an unanswered call ends at its end
time, or after `ring`, or, if neither is told, at its start. A duration that is empty or negative is an unanswered call; one
of 0 is a call dropped at once, unless `[unanswered]` says otherwise. Only with neither duration nor end time is the end left
open. A duration that is no number, or more than 30 days, makes the row a rejected one. A record is one physical line.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ringfence.ingest import _csv, _timestamps
from ringfence.ingest._cells import ABSENT, BAD, GOOD, Cells, from_arrow, matches, scaled, text
from ringfence.ingest._lines import Block, blocks
from ringfence.ingest._rows import Column, Source, calls
from ringfence.ingest._timestamps import Times
from ringfence.ingest.format import Chunk, Rejected, Settings, UnreadableError
from ringfence.model.tables import CALLS

NAME = "mapped_csv"
TITLE = "any CSV of calls, by a mapping file (--mapping)"
NEEDS_MAPPING = True

_UNITS = {"s": 6, "ms": 3, "us": 0}
_FIELDS = (*CALLS.names, "duration", "ring")
_LONGEST = 30 * 86_400 * 10**6  # µs: no call lasts a month

Micros = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Rule:
    """A call is unanswered if this column is (`unless` false) or is not (true) one of the values."""

    column: str | int
    values: tuple[str, ...]
    unless: bool


@dataclass(frozen=True, slots=True)
class _Mapping:
    delimiter: str
    header: bool
    columns: dict[str, str | int]
    rules: tuple[_Rule, ...]
    constants: dict[str, str]
    values: dict[str, dict[str, str]]
    codes: npt.NDArray[np.int32] | None  # of a strptime pattern
    unit: str | None
    origin: int
    timezone: str | None


def _wrong(what: str) -> UnreadableError:
    return UnreadableError(f"mapping: {what}")


def _section(whole: dict[str, Any], name: str) -> dict[str, Any]:
    section = whole.get(name, {})
    if not isinstance(section, dict):
        raise _wrong(f"[{name}] is not a section")
    return section


def _rule(column: str | int, wanted: Any) -> _Rule:
    unless = isinstance(wanted, dict)
    if unless:
        if list(wanted) != ["not"]:
            raise _wrong(f"[unanswered] {column} has something other than a value, a list or {{ not = … }}")
        wanted = wanted["not"]
    values = wanted if isinstance(wanted, list) else [wanted]
    if any(isinstance(value, dict | list) for value in values):
        raise _wrong(f"[unanswered] {column} has something other than a value, a list or {{ not = … }}")
    return _Rule(column, tuple(str(value) for value in values), unless)


def _origin(written: object) -> int:
    """Return the microseconds of a point in time that may be TOML's own or text."""
    raw = str(written).encode()
    cells = Cells(np.frombuffer(raw, np.uint8), np.zeros(1, np.int64), np.array([len(raw)]))
    times = _timestamps.parse(cells)
    if times.status[0] not in {_timestamps.ZONED, _timestamps.NAIVE}:
        # The most usual origin lies before the years in which calls may be.
        if raw[:19].replace(b" ", b"T") == b"1970-01-01T00:00:00":
            return 0
        raise _wrong("[time] origin is not a time like 2026-02-01T00:00:00Z")
    return int(times.micros[0])


def _load(toml: str | None) -> _Mapping:
    if toml is None:
        raise UnreadableError("mapped_csv needs a mapping file; give one with --mapping")
    try:
        whole = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(f"not TOML: {error}") from error
    unknown = set(whole) - {"delimiter", "header", "columns", "time", "unanswered", "constants", "values"}
    if unknown:
        raise _wrong(f"{min(unknown)!r} is not known at the top level")
    delimiter, header = whole.get("delimiter", ","), whole.get("header", True)
    if (
        not isinstance(delimiter, str)
        or len(delimiter) != 1
        or not delimiter.isascii()
        or delimiter in '" \r\n'
    ):
        raise _wrong("delimiter must be one ASCII character, not a blank or a quotation mark")
    if not isinstance(header, bool):
        raise _wrong("header must be true or false")
    columns = _section(whole, "columns")
    constants = {key: str(value) for key, value in _section(whole, "constants").items()}
    values = _section(whole, "values")
    for name in (*columns, *constants, *values):
        if name not in _FIELDS:
            raise _wrong(f"{name!r} is not a field; fields are {', '.join(_FIELDS)}")
    for field, column in columns.items():
        numbered = isinstance(column, int) and not isinstance(column, bool) and column >= 1
        if not numbered and not (isinstance(column, str) and header):
            raise _wrong(f"[columns] {field} must be a column's number from 1, or with a header its name")
    for needed in ("start_time", "callee", "caller"):
        if needed not in columns:
            raise _wrong(f"[columns] has no {needed}")
    both = next((field for field in constants if field in columns or field in {"duration", "ring"}), None)
    if both is not None or any(name.endswith("_time") for name in constants):
        raise _wrong("[constants] may not give times, durations or a field that is in [columns]")
    for field, table in values.items():
        if not isinstance(table, dict):
            raise _wrong(f"[values.{field}] is not a section")
    time = _section(whole, "time")
    if set(time) - {"format", "unit", "origin", "timezone"}:
        raise _wrong("[time] has format, unit, origin and timezone, nothing else")
    kind, unit = time.get("format", "iso"), time.get("unit")
    if unit is not None and (unit not in _UNITS or kind != "epoch"):
        raise _wrong("[time] unit must be s, ms or us, with format = 'epoch'")
    if "origin" in time and unit is None:
        raise _wrong("[time] origin needs format = 'epoch' and a unit")
    if not isinstance(kind, str) or (kind not in {"iso", "epoch"} and "%" not in kind):
        raise _wrong("[time] format must be iso, epoch or a strptime pattern")
    zone = time.get("timezone")
    return _Mapping(
        delimiter,
        header,
        columns,
        tuple(_rule(column, wanted) for column, wanted in _section(whole, "unanswered").items()),
        constants,
        {field: {str(a): str(b) for a, b in table.items()} for field, table in values.items()},
        _timestamps.compile_pattern(kind) if kind not in {"iso", "epoch"} else None,
        unit,
        _origin(time["origin"]) if "origin" in time else 0,
        None if zone is None else str(zone),
    )


class _Columns:
    """Where the columns are that a mapping speaks of."""

    def __init__(self, mapping: _Mapping, names: list[str] | None, count: int) -> None:
        self.names, self.count = names, count
        self.places: dict[str, int] = {}  # of fields
        self.rules: list[tuple[int, _Rule]] = []
        for field, column in mapping.columns.items():
            self.places[field] = self.find(column)
        for rule in mapping.rules:
            # A field of [columns] stands for its column; anything else is a column itself.
            place = self.places.get(str(rule.column))
            if place is None:
                named = rule.column
                place = self.find(
                    int(named) if str(named).isdecimal() and (names is None or named not in names) else named
                )
            self.rules.append((place, rule))
        self.wanted = sorted({*self.places.values(), *(place for place, _ in self.rules)})

    def find(self, column: str | int) -> int:
        if isinstance(column, int):
            if not 1 <= column <= self.count:
                raise _wrong(f"column {column} is not there; the file has {self.count} columns")
            return column - 1
        if self.names is None:
            raise _wrong(f"[unanswered] {column!r} is neither a field of [columns] nor a column's number")
        if self.names.count(column) != 1:
            raise _wrong(f"the header has the column {column!r} {self.names.count(column)} times, not once")
        return self.names.index(column)


def sniff(head: bytes) -> int:
    """Return 0: a mapped file is told by the mapping given with it (see `recognise`), not by its bytes."""
    return 0 * len(head)


def _times(cells: Cells, mapping: _Mapping) -> Times:
    if mapping.codes is not None:
        return _timestamps.parse_pattern(cells, mapping.codes)
    if mapping.unit is None:
        return _timestamps.parse(cells)
    count, told = scaled(cells, _UNITS[mapping.unit])
    micros = count + mapping.origin
    inside = (told == GOOD) & (micros >= _timestamps.FIRST) & (micros <= _timestamps.LAST)
    status = np.where(inside, _timestamps.ZONED, np.where(told == ABSENT, _timestamps.NULL, _timestamps.BAD))
    return Times(np.where(inside, micros, 0), status.astype(np.uint8))


def _seconds(cells: Cells | None, rows: int) -> tuple[Micros, Bools, Bools]:
    """Return durations in microseconds, where they are told (and not negative), and where they are nonsense."""
    if cells is None:
        none = np.zeros(rows, np.bool_)
        return np.zeros(rows, np.int64), none, none
    length, status = scaled(cells, 6)
    told = (status == GOOD) & (length >= 0)
    odd = (status == BAD) | (told & (length > _LONGEST))
    return np.where(told & ~odd, length, 0), told & ~odd, odd


def _unanswered(columns: dict[int, Cells], rules: list[tuple[int, _Rule]], rows: int) -> Bools:
    missed = np.zeros(rows, np.bool_)
    for place, rule in rules:
        written = text(columns[place])
        found = matches(written, rule.values)
        if rule.unless:
            missed |= (found < 0) | (found == len(rule.values))
        else:
            missed |= (found >= 0) & (found < len(rule.values))
            if "" in rule.values:
                missed |= found < 0
    return missed


def _translated(cells: Cells, table: dict[str, str]) -> Cells:
    written = text(cells)
    place = matches(written, tuple(table))
    known = (place >= 0) & (place < len(table))
    meant = pa.array(list(table.values()), pa.string()).take(pa.array(place, mask=~known))
    return from_arrow(pc.if_else(pa.array(known), meant, written))


def _shifted(base: Times, by: Micros, where: Bools) -> Times:
    """Return base + by where told, keeping whether the clock had a zone; nothing elsewhere."""
    sound = where & ((base.status == _timestamps.ZONED) | (base.status == _timestamps.NAIVE))
    status = np.where(sound, base.status, _timestamps.NULL).astype(np.uint8)
    return Times(np.where(sound, base.micros + by, 0), status)


def _either(first: Times, second: Times) -> Times:
    """Return the first where it has anything (also an error), else the second."""
    has = first.status != _timestamps.NULL
    return Times(
        np.where(has, first.micros, second.micros),
        np.where(has, first.status, second.status).astype(np.uint8),
    )


def _chunk(split: _csv.Split, mapping: _Mapping, where: _Columns, settings: Settings) -> Chunk:
    by_place = dict(zip(where.wanted, split.columns, strict=True))
    rows = split.rows.size
    cells = {field: by_place[place] for field, place in where.places.items()}
    missed = _unanswered(by_place, where.rules, rows)
    duration, lasted, odd = _seconds(cells.pop("duration", None), rows)
    ring, rang, odd_ring = _seconds(cells.pop("ring", None), rows)
    odd |= odd_ring
    if odd.any():
        rejected = tuple(
            Rejected(int(split.rows[i]), "a duration is no number of seconds") for i in np.flatnonzero(odd)
        )
        keep = ~odd
        kept = _csv.Split(
            tuple(column.only(keep) for column in split.columns),
            split.counts[keep],
            split.rows[keep],
            split.rejected + rejected,
            split.read,
        )
        return _chunk(kept, mapping, where, settings)

    # Durations are added to the time in UTC, not to the wall clock: the clock may be changed during the call.
    zone = mapping.timezone or settings.timezone
    start = _timestamps.resolve(_times(cells.pop("start_time"), mapping), zone)
    nothing = _timestamps.nothing(rows)
    written = cells.pop("answer_time", None)
    answer = nothing if written is None else _timestamps.resolve(_times(written, mapping), zone)
    written = cells.pop("end_time", None)
    end = nothing if written is None else _timestamps.resolve(_times(written, mapping), zone)

    if "duration" in where.places:
        missed |= ~lasted
    ended = end.status == _timestamps.ZONED
    if "answer_time" not in where.places:
        from_end = lasted & ended & ~rang
        answer = _shifted(end, -duration, from_end)
        answer = _either(answer, _shifted(start, ring, (lasted | rang) & ~from_end))
    answer = Times(
        answer.micros,
        np.where(missed, _timestamps.NULL, answer.status).astype(np.uint8),
        answer.fold,
        answer.gap,
    )
    if "duration" in where.places or "ring" in where.places:
        end = _end(end, (start, answer), (ring, duration), lasted)
    columns: dict[str, Column] = {"start_time": start, "answer_time": answer, "end_time": end}
    for field, column in cells.items():
        columns[field] = _translated(column, mapping.values[field]) if field in mapping.values else column
    for field, constant in mapping.constants.items():
        columns[field] = from_arrow(pa.repeat(pa.scalar(constant, pa.string()), rows))
    return calls(columns, Source(split.rows, split.read, split.rejected), settings)


def _end(end: Times, moments: tuple[Times, Times], spans: tuple[Micros, Micros], lasted: Bools) -> Times:
    """Return the end of each call: as written, else answer + duration, else, if unanswered, start + ring."""
    start, answer = moments
    ring, duration = spans
    unanswered = answer.status == _timestamps.NULL
    over = _either(_shifted(answer, duration, lasted), _shifted(start, ring, unanswered))
    filled = _either(end, over)
    return Times(filled.micros, filled.status, end.fold, end.gap)


def read(stream: BinaryIO, settings: Settings) -> Iterator[Chunk]:
    """Yield a chunk for each 4 MiB of lines.

    Raises:
        UnreadableError: there is no mapping, it is wrong, or it does not fit the header; or the stream broke.
    """
    mapping = _load(settings.mapping)
    where: _Columns | None = None
    for block in blocks(stream):
        lines: Block = block
        if where is None:
            if mapping.header:
                line, lines = _csv.take_header(block)
                names = _csv.fields(line, mapping.delimiter)
                where = _Columns(mapping, names, len(names))
            elif block.first.size:
                line = block.data[block.first[0] : block.last[0]].tobytes()
                where = _Columns(
                    mapping, None, max(len(_csv.fields(line, mapping.delimiter)), _largest(mapping))
                )
            else:
                where = _Columns(mapping, None, _largest(mapping))
        # With a header its width is the file's; without, a line must reach the last column that is needed.
        least = where.count if mapping.header else max(where.wanted) + 1
        split = _csv.split(
            lines, mapping.delimiter, where.wanted, least, where.count if mapping.header else 10_000
        )
        yield _chunk(split, mapping, where, settings)


def _largest(mapping: _Mapping) -> int:
    numbers = [int(column) for column in mapping.columns.values()]
    numbers += [int(rule.column) for rule in mapping.rules if str(rule.column).isdecimal()]
    return max(numbers)
