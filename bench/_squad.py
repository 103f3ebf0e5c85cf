"""A squad's days, played minute by minute: cases come in, desks ring, officers drive, people are lost or warned.

What really happens here is drawn from `World`, not from the planner's `Assumptions`: people differ in how readily they answer and
believe, lines are engaged when the city's calls say so, and the money moves when the city's truth says so, also during the call.
All chances of a case are drawn beforehand, so that every rule meets the same people with the same luck.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ringfence.respond.assumptions import USUAL, Assumptions
from ringfence.respond.case import Place
from ringfence.respond.loss import LONG, Columns, Floats, Ints, prospects
from ringfence.respond.plan import plan_rows
from ringfence.respond.travel import Crew, minutes_between, points

Flags = npt.NDArray[np.bool_]
DAY = 1_440
OPENS, CLOSES = 8 * 60, 22 * 60
TRIES = 24
_PARTS = 12  # of one grip, at most
GRIP, ISOLATION = 2, 3
WAGE = 9_000.0


@dataclass(frozen=True, slots=True)
class Story:
    """What becomes of one victim of the city if nobody comes; minutes since the grip began.

    Attributes:
        minute: of the day at which the grip began, local time.
        raised: when the alert came.
        pays: NaN: never. `amount`: yuan.
        isolated: hotel or second number, NaN: never.
        engaged: (from, to) of the calls that keep the line.
    """

    minute: float
    raised: float
    pays: float
    amount: float
    isolated: float
    engaged: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class World:
    """The squad's city. Times in minutes.

    Attributes:
        alerts: a day; `days`: how many are played.
        callers: desks, each rings 100 people in its 14 hours; `officers`: on duty for visits.
        right: (a, b) of the Beta from which an alert's probability is drawn; it is right with that probability.
        told: banks tell whether the money is there and how much, wrong by a factor of `noise` (log-normal).
        calls, visits: factors on the chances that a call, a visit ends it; `haste`: on how fast money moves.
    """

    alerts: int = 1_600
    days: int = 2
    callers: int = 7
    officers: int = 20
    stations: int = 240
    cells: int = 3_000
    width_km: float = 60.0
    right: tuple[float, float] = (1.5, 1.5)
    told: bool = False
    noise: float = 0.5
    calls: float = 1.0
    visits: float = 1.0
    haste: float = 1.0


@dataclass(slots=True)
class Day:
    """All cases of a run as columns, in order of their alerts; times in minutes since the first midnight."""

    world: World
    raised: Floats
    grip: Floats
    real: Flags
    p: Floats
    pays: Floats
    amount: Floats
    seen_amount: Floats
    isolated: Floats
    engaged: Floats
    numbers: Ints
    has_cell: Flags
    where: Floats
    answers: Floats
    believes: Floats
    luck: Floats
    stations: Floats
    district: Ints  # of each case, the officer whose station is nearest
    # what has happened so far
    missed_calls: Ints = field(init=False)
    brushed_calls: Ints = field(init=False)
    missed_visits: Ints = field(init=False)
    brushed_visits: Ints = field(init=False)
    last_call: Floats = field(init=False)
    last_visit: Floats = field(init=False)
    busy: Flags = field(init=False)
    closed: Flags = field(init=False)
    saved: Floats = field(init=False)
    calls_made: int = 0
    visits_made: int = 0
    turn: int = 0

    def __post_init__(self) -> None:
        count = len(self.raised)
        for name in ("missed_calls", "brushed_calls", "missed_visits", "brushed_visits"):
            setattr(self, name, np.zeros(count, np.int64))
        self.last_call, self.last_visit = np.full(count, -LONG), np.full(count, -LONG)
        self.busy, self.closed = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
        self.saved = np.zeros(count)


def make_day(stories: list[Story], world: World, seed: int) -> Day:
    """Draw the cases of some days."""
    rng = np.random.default_rng(seed)
    count = world.alerts * world.days
    p = rng.beta(*world.right, count)
    real = rng.random(count) < p
    which = rng.integers(len(stories), size=count)
    chosen = [stories[k] for k in which]
    midnight = rng.integers(world.days, size=count) * DAY
    grip = midnight + np.array([s.minute for s in chosen])
    raised = grip + np.array([s.raised for s in chosen])
    order = np.argsort(raised, kind="stable")
    where = _town(rng, world.cells, world.width_km)[rng.integers(world.cells, size=count)]
    amount = np.array([s.amount for s in chosen])
    made_up = WAGE * np.exp(
        rng.uniform(np.log(0.3), np.log(60.0), count)
    )  # nobody's loss: what an account holds
    held = np.where(real & (amount > 0), amount, made_up) * rng.lognormal(0.0, world.noise, count)
    columns: dict[str, npt.NDArray[np.generic]] = {
        "raised": raised,
        "grip": grip,
        "real": real,
        "p": p,
        "pays": np.where(real, grip + np.array([s.pays for s in chosen]) / world.haste, np.nan),
        "amount": np.where(real, amount, 0.0),
        "seen_amount": held,
        "isolated": np.where(real, grip + np.array([s.isolated for s in chosen]), np.nan),
        "numbers": 1 + (rng.random(count) < 0.3).astype(np.int64),
        "has_cell": rng.random(count) < 0.9,
        "where": where,
        "answers": rng.beta(3.0, 2.0, count),
        "believes": rng.beta(2.5, 2.5, count),
        "luck": rng.random((count, TRIES, 4)),
    }
    engaged = np.full((count, _PARTS, 2), np.inf)  # a false alert looks like a right one: a long call as well
    for row, story in enumerate(chosen):
        parts = story.engaged[:_PARTS]
        engaged[row, : len(parts)] = np.array(parts).reshape(-1, 2) + grip[row]
    columns["engaged"] = engaged
    stations = _town(rng, world.stations, world.width_km)
    on_duty = stations[np.arange(world.officers) % world.stations]
    closest = (on_duty @ where.T).argmax(axis=0) if world.officers else np.zeros(count, np.int64)
    columns["district"] = closest
    return Day(
        world=world,
        stations=stations,
        **{name: column[order] for name, column in columns.items()},  # type: ignore[arg-type]
    )


def _town(rng: np.random.Generator, count: int, width_km: float) -> Floats:
    """Places, half of them in the middle third."""
    spread = np.where(rng.random((count, 1)) < 0.5, width_km / 6, width_km / 2)
    east, north = (rng.uniform(-1, 1, (count, 2)) * spread).T
    return points([Place(31.2 + n / 111.2, 121.4 + e / 95.1) for e, n in zip(east, north, strict=True)])


Moves = tuple[list[int], list[tuple[int, int]]]
"""Whom desks ring, and which officer drives to which case; rows of the open cases."""
Rule = Callable[[Day, Ints, float, int, Crew, list[int]], Moves]
"""(day, rows that are open, now, free desks, free officers, who they are) to moves."""


@dataclass(slots=True)
class _Work:
    ends: float
    case: int
    officer: int  # -1: a desk


def play(day: Day, rule: Rule) -> float:
    """Let a rule run the squad; gives back the share of the loss that it prevented."""
    world = day.world
    at = day.stations[np.arange(world.officers) % world.stations].copy()
    idle_officers, desks = list(range(world.officers)), [0.0] * world.callers  # when each fell free
    work: list[_Work] = []
    for now in range(world.days * DAY):
        for done in [one for one in work if one.ends <= now]:
            work.remove(done)
            day.busy[done.case] = False
            if done.officer < 0:
                desks.append(done.ends)
            else:
                idle_officers.append(done.officer)
        if not OPENS <= now % DAY < CLOSES or not (desks or idle_officers):
            continue
        rows = _open(day, now)
        if not len(rows):
            continue
        crew = Crew(at[idle_officers], np.full(len(idle_officers), 31.0), np.zeros(len(idle_officers)), np.full(len(idle_officers), -1))  # fmt: skip
        calls, visits = rule(day, rows, float(now), len(desks), crew, list(idle_officers))
        for row in calls:
            since = max(desks.pop(), now - 1.0)  # it fell free within the last minute
            work.append(_ring(day, int(rows[row]), since))
        who = list(idle_officers)
        for officer, row in visits:
            case = int(rows[row])
            travel = float(minutes_between(Crew(at[[who[officer]]], np.zeros(1), np.zeros(1), np.zeros(1, np.int64)), day.where[[case]], USUAL)[0, 0])  # fmt: skip
            work.append(_knock(day, case, now, travel, who[officer]))
            at[who[officer]] = day.where[case]
            idle_officers.remove(who[officer])
    lost = day.amount[day.real & np.isfinite(day.pays)].sum()
    return float(day.saved.sum() / lost)


def _open(day: Day, now: float) -> Ints:
    """Cases that are open: for a day, unless somebody ended them or, where banks tell, the money has gone."""
    there = (day.raised <= now) & (day.raised > now - DAY) & ~day.busy & ~day.closed
    if day.world.told:
        there &= ~(day.pays <= now)
    return np.flatnonzero(there)


def _engaged(day: Day, rows: Ints, now: float) -> Flags:
    spans = day.engaged[rows]
    return np.asarray(((spans[:, :, 0] <= now) & (now < spans[:, :, 1])).any(axis=1), np.bool_)


def _ring(day: Day, case: int, now: float) -> _Work:
    """A desk rings for 8.4 minutes; the person answers, and believes, or not."""
    world, attempt = day.world, int(min(day.missed_calls[case] + day.brushed_calls[case], TRIES - 1))
    answers = day.answers[case] * (0.45 if _engaged(day, np.array([case]), now)[0] else 1.0)
    answers = 1 - (1 - answers) * (1 - 0.25 * answers) ** (day.numbers[case] - 1)
    day.calls_made += 1
    day.turn += 1
    day.last_call[case] = now
    if day.luck[case, attempt, 0] >= min(answers * np.sqrt(world.calls), 1.0):
        day.missed_calls[case] += 1
    else:
        believes = day.believes[case] * (0.6 if now >= day.isolated[case] else 1.0)
        believes *= np.sqrt(world.calls) * 0.5 ** (day.brushed_calls[case] + day.brushed_visits[case])
        _reached(day, case, now + 2.0, day.luck[case, attempt, 1] < believes, day.brushed_calls)
    day.busy[case] = True
    return _Work(now + USUAL.call_minutes, case, -1)


def _knock(day: Day, case: int, now: float, travel: float, officer: int) -> _Work:
    """An officer drives and knocks; the case is theirs until they leave."""
    world, attempt = day.world, int(min(day.missed_visits[case] + day.brushed_visits[case], TRIES - 1))
    away = now + travel >= day.isolated[case]
    found = (0.55 if day.has_cell[case] else 0.3) if away else 0.7
    day.visits_made += 1
    day.last_visit[case] = now
    if day.luck[case, attempt, 2] >= found * np.sqrt(world.visits):
        day.missed_visits[case] += 1
    else:
        believes = (0.55 + 0.4 * day.believes[case]) * np.sqrt(world.visits)
        believes *= 0.5 ** (day.brushed_calls[case] + day.brushed_visits[case])
        _reached(day, case, now + travel, day.luck[case, attempt, 3] < believes, day.brushed_visits)
    day.busy[case] = True
    return _Work(now + travel + 25.0, case, officer)


def _reached(day: Day, case: int, at: float, convinced: bool, brushed: Ints) -> None:
    if not day.real[case] or day.pays[case] <= at:
        day.closed[case] = True  # a false alarm, or too late
    elif convinced:
        day.closed[case] = True
        day.saved[case] = day.amount[case] if day.pays[case] > at else 0.0
    else:
        brushed[case] += 1


def seen(day: Day, rows: Ints, now: float) -> Columns:
    """What the planner knows of the open cases."""
    told = np.full(len(rows), day.world.told)
    last = np.maximum(day.last_call[rows], day.last_visit[rows])
    return Columns(
        stage=np.where(now >= day.isolated[rows], ISOLATION, GRIP),
        probability=day.p[rows],
        money=day.seen_amount[rows] / WAGE if day.world.told else np.full(len(rows), 11.27),
        told=told,
        age=np.maximum(now - day.grip[rows], 0.0),
        numbers=day.numbers[rows],
        on_call=_engaged(day, rows, now),
        has_cell=day.has_cell[rows],
        watch=np.zeros(len(rows), np.bool_),
        missed_calls=day.missed_calls[rows],
        brushed_calls=day.brushed_calls[rows],
        missed_visits=day.missed_visits[rows],
        brushed_visits=day.brushed_visits[rows],
        since_call=now - day.last_call[rows],
        since_visit=now - day.last_visit[rows],
        waited=now - np.maximum(last, day.raised[rows]),
    )


def ours(a: Assumptions = USUAL) -> Rule:
    """The planner."""

    def rule(day: Day, rows: Ints, now: float, desks: int, crew: Crew, who: list[int]) -> Moves:
        del who
        c = seen(day, rows, now)
        found = plan_rows(c, prospects(c, a), day.where[rows], crew, desks, day.turn, a)
        visits = [(officer, int(row)) for officer, row in enumerate(found.sent) if row >= 0]
        called = [int(row) for row in found.called]
        return called, _without(visits, called)

    return rule


def _without(visits: list[tuple[int, int]], called: list[int]) -> list[tuple[int, int]]:
    """One hand a case in this simulation: a case that is rung is visited, if need be, when the call is over."""
    taken = set(called)
    return [(officer, row) for officer, row in visits if row not in taken]


def by_key(key: Callable[[Day, Ints, float], Floats]) -> Rule:
    """A queue: the highest key first, rung up to three times half an hour apart, visited once by the officer of the district.

    Who has not answered a call is visited first: the ladder of the newspaper (text, call, visit).
    """

    def rule(day: Day, rows: Ints, now: float, desks: int, crew: Crew, who: list[int]) -> Moves:
        order = rows_by(key(day, rows, now))
        tried = day.missed_calls[rows] + day.brushed_calls[rows]
        ready = (tried < 3) & (now - day.last_call[rows] >= 30.0)
        called = order[ready[order]][:desks].tolist()
        if not len(crew):
            return called, []
        may = (day.missed_visits[rows] + day.brushed_visits[rows]) == 0
        may[called] = False
        first, then = order[(may & (tried > 0))[order]], order[(may & (tried == 0))[order]]
        visits = []
        ladder = np.concatenate([first, then])
        districts = day.district[rows[ladder]]
        for officer, name in enumerate(who):
            own = ladder[districts == name]
            if len(own):
                visits.append((officer, int(own[0])))
        return called, visits

    return rule


def rows_by(key: Floats) -> Ints:
    """Rows, the highest key first, of equals the first."""
    return np.argsort(-key, kind="stable")


def first_come(day: Day, rows: Ints, now: float) -> Floats:
    """Who came first; who has been tried goes to the end of the queue."""
    del now
    return -np.maximum(day.raised[rows], np.maximum(day.last_call[rows], day.last_visit[rows]))


def highest_score(day: Day, rows: Ints, now: float) -> Floats:
    """The detector's probability."""
    del now
    return day.p[rows]


def highest_stake(day: Day, rows: Ints, now: float) -> Floats:
    """Probability times what the bank says is there."""
    del now
    return day.p[rows] * day.seen_amount[rows]


def newest(day: Day, rows: Ints, now: float) -> Floats:
    """The latest alert first."""
    del now
    return day.raised[rows]
