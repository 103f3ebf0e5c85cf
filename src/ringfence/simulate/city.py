"""A city of calls: settings in, tables and the truth out, slice after slice in order of time.

What is still to come when a slice ends (redials, calls back, the rest of an attack) waits for its own slice, so memory holds the lines,
one slice and what is under way, however long the city lives.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
import pyarrow as pa

from ringfence.simulate import cast
from ringfence.simulate.exchange import Lines, dress, lines_of, settle
from ringfence.simulate.money import ordinary_transfers, transfers_table
from ringfence.simulate.numbering import fixed_numbers, other_cities
from ringfence.simulate.ordinary import ordinary, profile
from ringfence.simulate.output import Words, call_ids, calls_table, texts_table
from ringfence.simulate.population import Population, populate
from ringfence.simulate.rows import DAY, HOUR, ROW, Rows
from ringfence.simulate.stage import Stage
from ringfence.simulate.texts import ordinary_texts
from ringfence.simulate.truth import Truth

_SLICES: Final = (168, 96, 48, 24, 12, 8, 6, 4, 3, 2, 1)
_ROWS_A_SLICE: Final = 1_500_000


@dataclass(frozen=True, slots=True)
class City:
    """What city is wanted.

    Attributes:
        subscribers: own lines, 500 or more.
        days: how long it lives.
        seed: the same seed, the same city.
        country: ISO 3166, one of `countries.COUNTRIES`.
        begin: its first day (UTC).
        intensity: factors by name of a look-alike or crime, or "crime", "look_alike", "texts", "transfers"; 1 if absent.
        slice_hours: length of a slice, which changes nothing in the city; 0: by the number of lines.
    """

    subscribers: int
    days: float
    seed: int = 1
    country: str = "CN"
    begin: date = date(2026, 3, 2)
    intensity: dict[str, float] = field(default_factory=dict)
    slice_hours: int = 0


@dataclass(frozen=True, slots=True)
class Slice:
    """What happened in some hours, each table in order of time.

    Attributes:
        calls, texts, transfers: as in the contract, but words may be dictionaries.
        truth_calls: see `truth`.
        done: share of the city's life that has passed.
    """

    calls: pa.Table
    texts: pa.Table
    transfers: pa.Table
    truth_calls: pa.Table
    done: float


@dataclass(slots=True)
class _Run:
    """A city being made."""

    city: City
    people: Population
    stage: Stage
    lines: Lines
    words: Words
    week: Any
    plan: list[tuple[int, str, str, int]]
    turn: int
    acted: int
    later: list[Rows] = field(default_factory=list)
    payments: list[Any] = field(default_factory=list)
    buffer: Rows = field(default_factory=lambda: np.zeros(0, ROW))
    calls: int = 0


def begins(city: City) -> int:
    """µs since 1970 of the first moment."""
    return (
        int(datetime(city.begin.year, city.begin.month, city.begin.day, tzinfo=UTC).timestamp()) * 1_000_000
    )


def ends(city: City) -> int:
    """µs since 1970 of the moment behind the last."""
    return begins(city) + round(city.days * 24) * HOUR


def people_of(city: City) -> Population:
    """The lines of a city."""
    return populate(city.country, city.subscribers, city.seed, cast.kinds())


def slices(city: City, truth: Truth, people: Population) -> Iterator[Slice]:
    """Make a city.

    Args:
        city: what is wanted.
        truth: takes the episodes.
        people: from `people_of(city)`.
    """
    run = _begin(city, truth, people)
    now, end = begins(city), ends(city)
    hours = city.slice_hours or run.turn // HOUR
    while now < end:
        until = min(now + hours * HOUR, end)
        yield _step(run, now, until)
        now = until


def _begin(city: City, truth: Truth, people: Population) -> _Run:
    rng = np.random.default_rng([city.seed, 4])
    offset = int(people.numbering.country.hours * HOUR)
    first, last = begins(city), ends(city)
    offices = np.concatenate(
        [fixed_numbers(people.numbering, rng, 800, own=False), other_cities(people.numbering, rng, 1_200)]
    )
    stage = Stage(people, truth, first, last, first, first, offset, rng.permutation(offices), rng=rng)
    warm = first + min(int(2 * DAY), (last - first) // 4)
    plan = cast.plan(city.seed, people.lines, warm, last, city.intensity)
    for place, (name, module) in enumerate(sorted(cast.ALL.items())):
        if hasattr(module, "prepare") and city.intensity.get(name, 1.0) > 0:
            stage.rng = np.random.default_rng([city.seed, 800 + place])
            module.prepare(stage, [(begin, shape) for begin, other, shape, _ in plan if other == name])
    turn = HOUR * next(h for h in _SLICES if h == 1 or people.lines * 0.3 * h < _ROWS_A_SLICE)
    return _Run(
        city, people, stage, lines_of(people, stage.away), Words(people), profile(), plan, turn, first
    )


def _act(run: _Run) -> None:
    """The next turn of all look-alikes and crimes; turns do not follow slices, or chance would."""
    stage, seed = run.stage, run.city.seed
    turn, until = run.acted, min(run.acted + run.turn, stage.ends)
    stage.now, stage.until = turn, until
    number = (turn - stage.begins) // run.turn
    for place, (name, module) in enumerate(sorted(cast.ALL.items())):
        if hasattr(module, "live") and run.city.intensity.get(name, 1.0) > 0:
            stage.rng = np.random.default_rng([seed, 300 + place, number])
            module.live(stage)
    while run.plan and run.plan[0][0] < until:
        begin, name, shape, episode = run.plan.pop(0)
        stage.rng = np.random.default_rng([seed, 600, sum(name.encode()), episode])
        cast.ALL[name].play(stage, begin, shape)
    if run.city.intensity.get("transfers", 1.0) > 0:
        stage.rng = np.random.default_rng([seed, 5, number])
        run.payments.append(ordinary_transfers(stage))
    run.acted = until


def _step(run: _Run, now: int, until: int) -> Slice:
    stage, seed = run.stage, run.city.seed
    while run.acted < until:
        _act(run)
    rows = _due(run, now, until)
    dress(rows, run.lines)
    ids = call_ids(np.uint64(seed * 2_654_435_761 + 12_345), run.calls, len(rows))
    run.calls += len(rows)
    return Slice(
        calls_table(rows, ids, run.words),
        _texts(run, now, until),
        _transfers(run, until),
        stage.truth.note(rows, ids),
        (until - stage.begins) / (stage.ends - stage.begins),
    )


def _clock(stage: Stage, now: int, until: int) -> tuple[int, int, int, int]:
    """(µs of hour 0, first hour, last hour, weekday of hour 0) with hours counted from a local midnight."""
    since = (stage.begins + stage.offset) % DAY // HOUR
    zero = stage.begins - since * HOUR
    weekday = (stage.begins + stage.offset) // DAY + 3
    return zero, (now - zero) // HOUR, -((zero - until) // HOUR), weekday % 7


def _due(run: _Run, now: int, until: int) -> Rows:
    """All calls that take place and begin before `until`, in order; ordinary life from `now` on."""
    stage, people = run.stage, run.people
    zero, first, last, weekday = _clock(stage, now, until)
    room = int(1.6 * (people.out.sum() + people.inward.sum()) * (last - first) / 24) + 10_000
    while True:
        if len(run.buffer) < room:
            run.buffer = np.empty(room, ROW)
        count = ordinary(
            people.graph, people.out, people.inward, people.welcome, people.degree, people.services, stage.offices, run.week,
            zero, first, last, weekday, run.buffer,
        )  # fmt: skip
        if count <= len(run.buffer):
            break
        room = count + count // 8
    waiting = _append(run.buffer, count, [*run.later, *stage.rows])
    stage.rows = []
    start = np.ascontiguousarray(waiting["start"])
    order = np.argsort(start, kind="stable")
    due, past = np.searchsorted(start, [until, stage.ends], sorter=order)
    run.later = [waiting[np.sort(order[due:past])]]
    order = order[:due]
    return waiting[order[settle(waiting, order, run.lines)]]


def _append(buffer: Rows, count: int, more: list[Rows]) -> Rows:
    """The first rows of a buffer and more, without a copy of the former where there is room."""
    last = count + sum(map(len, more))
    if last > len(buffer):
        return np.concatenate([buffer[:count], *more])
    np.concatenate(more, out=buffer[count:last])
    return buffer[:last]


def _texts(run: _Run, now: int, until: int) -> pa.Table:
    stage, people = run.stage, run.people
    scale = run.city.intensity.get("texts", 1.0)
    zero, first, last, weekday = _clock(stage, now, until)
    due = [t for t in stage.texts if t.time < until]
    stage.texts = [t for t in stage.texts if until <= t.time < stage.ends]
    room = int(6.5 * scale * people.lines * (last - first) / 24 * 2.5) + 1_000
    told = np.array([(t.time, t.sender, t.recipient) for t in due], np.int64).reshape(-1, 3)
    columns = [np.empty(room + len(due), np.int64) for _ in range(3)]
    count = ordinary_texts(
        people.graph, people.degree, people.services, run.week, zero, first, last, weekday, scale,
        *(column[:room] for column in columns),
    )  # fmt: skip
    count = min(count, room)
    for place, column in enumerate(columns):
        column[count : count + len(due)] = told[:, place]
    time, sender, recipient = (column[: count + len(due)] for column in columns)
    order = np.argsort(time, kind="stable")
    return texts_table(
        people, time[order], sender[order], recipient[order], _bodies([t.body for t in due], order - count)
    )


def _bodies(bodies: list[str | None], places: Any) -> pa.Array:
    """A column of the bodies at these places; below 0: null."""
    if not bodies:
        return pa.nulls(len(places), pa.string())
    return pa.array(bodies, pa.string()).take(pa.array(places, mask=places < 0))


def _transfers(run: _Run, until: int) -> pa.Table:
    stage = run.stage
    due = [t for t in stage.transfers if t.time < until]
    stage.transfers = [t for t in stage.transfers if until <= t.time < stage.ends]
    columns: list[Any] = [
        np.array([t.time for t in due], np.int64),
        np.array([t.subscriber for t in due], np.int64),
        np.array([t.target for t in due], np.int64),
        np.array([t.amount for t in due], np.float64),
    ]
    columns = [np.concatenate(parts) for parts in zip(columns, *run.payments, strict=True)]
    late = columns[0] >= until
    run.payments = [[column[late] for column in columns]]
    return transfers_table(run.people, *(column[~late] for column in columns))
