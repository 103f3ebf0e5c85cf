"""Who is to be reached next, and by whom. A pure function of the situation and the moment: plan again whenever anything changes.

Each caller and officer is worth the loss they prevent a minute of their time (a call's length; travel and visit). Under more work than
hands, which is the squad's daily state, that is the index that prevents most in the long run: people who are lost while they wait are
customers who leave, and c mu / theta (Atar, Giat and Shimkin, Operations Research 2010) with c = theta r is r mu: what reaching somebody
saves, divided by the time it takes. The sum over all is maximised (`assign`).

Nobody starves: every 20th call (`Assumptions.fair_every`, counted by `Situation.turn`) goes to the case that has waited longest since it
was last tried, or opened. So a case with k cases ahead of it in that order is rung within the next 20 (k + 1) calls,
whatever else comes in: new cases and cases that have been tried queue behind it. No rule can promise less than its place in the
queue when more comes in than can be rung; this one costs a twentieth of the calls.

What has begun is not torn away: a case to which an officer is under way is nobody else's, and the officer is turned round only for a
case that is worth `Assumptions.redirect` times as much a minute.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ringfence.respond.assign import FREE, WITH, Problem, assign, officer_prices
from ringfence.respond.assumptions import USUAL, Assumptions
from ringfence.respond.case import CALL, VISIT, Case, Situation
from ringfence.respond.loss import Columns, Floats, Ints, Prospects, by_call, columns, prospects, wage_of
from ringfence.respond.travel import Crew, crew, minutes_between, minutes_to, nearest, points

_SMALL: Final = 4_000_000
"""Officers x cases up to which every pair is looked at; beyond, cases are chosen and the choice is proved."""
_SPARE: Final = 2
"""Candidates for each officer, then."""
_ROUNDS: Final = 3
"""So often the choice is widened where it was not proved."""
_GAP: Final = 1e-4
"""Relative; beyond, the search stops here."""
_SOLVES: Final = 6
"""And after so many assignments."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One thing to do.

    Attributes:
        case_id: whom it is for.
        by: `CALL` or `VISIT`; `officer_id`: who goes, None of a call.
        minutes: until the voice or the knock, waiting and travel included.
        prevented: expected loss prevented by this alone, in the case's currency; `per_minute`: of the caller's or officer's time.
        success: the chance that it reaches the person and ends it.
        fair: the turn of whoever has waited longest, not of whoever loses most.
        both: a caller and an officer have this case; their sum counts the overlap once (`Plan.value`).
    """

    case_id: str
    by: str
    officer_id: str | None
    minutes: float
    prevented: float
    per_minute: float
    success: float
    fair: bool = False
    both: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now.

    Attributes:
        assignments: calls first by worth, the fair ones last; then visits by worth.
        value: loss prevented a minute of work, in month's wages, overlap counted once; `bound`: no plan can reach more.
        waiting: the other cases, worth most first.
    """

    assignments: tuple[Assignment, ...]
    value: float
    bound: float
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """A plan as rows of `Columns` and `Crew`.

    Attributes:
        called: rows of cases, those worth most first, then the fair ones; `fair`: how many of them.
        sent: for each officer the row of a case, -1: stays; `travel`: minutes, NaN: stays.
        value, bound: as in `Plan`.
    """

    called: Ints
    fair: int
    sent: Ints
    travel: Floats
    value: float
    bound: float


def plan(situation: Situation, now: int, a: Assumptions = USUAL) -> Plan:
    """Decide who does what next.

    Args:
        situation: cases, callers, officers, places.
        now: µs since 1970, UTC.
        a: what is assumed.

    Raises:
        ValueError: two cases or two officers have the same id, or there are fewer than no callers.
    """
    _check(situation)
    cases = situation.cases
    c = columns(cases, now, a)
    places = situation.places or {}
    where = points([places.get(case.cell or "") for case in cases])
    who = crew(situation.officers, now, {case.case_id: row for row, case in enumerate(cases)}, a)
    of = prospects(c, a)
    rows = plan_rows(c, of, where, who, situation.callers, situation.turn, a)
    return Plan(
        _assignments(situation, of, rows, who, a), rows.value, rows.bound, _waiting(cases, of, rows, a)
    )


def _check(situation: Situation) -> None:
    for what, names in (
        ("cases", [case.case_id for case in situation.cases]),
        ("officers", [officer.officer_id for officer in situation.officers]),
    ):
        if len(set(names)) < len(names):
            raise ValueError(f"two {what} have the same id")
    if situation.callers < 0:
        raise ValueError(f"{situation.callers} callers: there cannot be fewer than none")


def plan_rows(
    c: Columns, of: Prospects, where: Floats, who: Crew, callers: int, turn: int, a: Assumptions
) -> Rows:
    """The same for columns.

    Args:
        c: cases.
        of: their prospects.
        where: their points, shape (cases, 3).
        who: officers.
        callers: free.
        turn: calls begun before.
        a: what is assumed.
    """
    fair = _longest_waiting(c, min(_fair_turns(turn, callers, a.fair_every), len(c)))
    force = np.full(len(c), FREE, np.int64)
    force[fair] = WITH
    call = by_call(of, a) / a.call_minutes
    candidates = _candidates(of, where, who, a)
    for _ in range(_ROUNDS):
        visit = _worth_of_visits(of, where, who, candidates, a)
        every_pair = len(candidates) == len(c) or not len(who)
        problem = Problem(call, of.call, visit, candidates, callers, *(() if every_pair else (_GAP, _SOLVES)))
        found = assign(problem, force)
        if every_pair:
            bound = found.bound
            break
        prices = officer_prices(found.gains, found.matched)
        missed, others = _best_elsewhere(of, where, who, candidates, prices, a)
        bound = found.root + float(np.maximum(missed - prices, 0.0).sum())
        if bound - found.value <= _GAP * bound or not len(others):
            break
        candidates = np.union1d(candidates, others)
    called = np.flatnonzero(found.called)
    called = np.concatenate([called[~np.isin(called, fair)], fair])
    called = called[np.lexsort((-call[called], np.isin(called, fair)))]
    sent = np.where(found.sent >= 0, candidates[found.sent] if len(candidates) else -1, -1)
    return Rows(called, len(fair), sent, _travel(where, who, sent, a), found.value, max(bound, found.value))


def _fair_turns(turn: int, callers: int, every: int) -> int:
    """How many of the calls number turn + 1 to turn + callers are divisible by `every`."""
    return (turn + callers) // every - turn // every


def _longest_waiting(c: Columns, count: int) -> Ints:
    """The cases that have waited longest, of equals the first."""
    return np.argsort(-c.waited, kind="stable")[:count]


def _candidates(of: Prospects, where: Floats, who: Crew, a: Assumptions) -> Ints:
    """Cases to which officers may go: all, or if those are too many the best from where the nearest officer is.

    With n officers an optimum needs n cases; which ones is proved afterwards by prices (`_best_elsewhere`).
    """
    count = len(of.stake)
    if not len(who):
        return np.zeros(0, np.int64)
    if count * len(who) <= _SMALL:
        return np.arange(count)
    best = _visit(of, slice(None), nearest(who, where, a), who.wait.min(), a)
    few = min(_SPARE * len(who), count)
    top = np.argpartition(-best, few - 1)[:few]
    return np.union1d(top, who.bound[who.bound >= 0])


def _visit(of: Prospects, rows: Ints | slice, travel: Floats, wait: Floats | float, a: Assumptions) -> Floats:
    """Loss a visit prevents a minute of an officer: waiting delays it, travel and visit are the officer's time."""
    decay = np.exp(-of.hazard[rows] * (travel + wait))
    worth: Floats = of.stake[rows] * of.visit[rows] * decay / (travel + a.visit_minutes)
    return worth


def _worth_of_visits(of: Prospects, where: Floats, who: Crew, rows: Ints, a: Assumptions) -> Floats:
    """Shape (officers, rows), with what has begun held fast."""
    if not len(rows) or not len(who):
        return np.zeros((len(who), len(rows)))
    worth = _visit(of, rows, minutes_between(who, where[rows], a), who.wait[:, None], a)
    column = {int(case): place for place, case in enumerate(rows)}
    _, first = np.unique(who.bound, return_index=True)
    for officer in first[who.bound[first] >= 0]:  # a second one under way to the same case is free
        place = column[int(who.bound[officer])]
        carry_on = worth[officer, place]
        worth[officer, worth[officer] < a.redirect * carry_on] = 0.0
        worth[:, place] = 0.0
        worth[officer, place] = carry_on
    return worth


def _best_elsewhere(
    of: Prospects, where: Floats, who: Crew, candidates: Ints, prices: Floats, a: Assumptions
) -> tuple[Floats, Ints]:
    """For each officer a bound on the worth of the cases that are no candidates, and which of them exceed a price."""
    others = np.setdiff1d(np.arange(len(of.stake)), candidates)
    best = _visit(of, others, nearest(who, where[others], a), who.wait.min(), a)
    others = others[best > prices.min(initial=np.inf)]
    if not len(others):
        return np.zeros(len(who)), others
    worth = _visit(of, others, minutes_between(who, where[others], a), who.wait[:, None], a)
    return worth.max(axis=1), others[(worth > prices[:, None]).any(axis=0)]


def _travel(where: Floats, who: Crew, sent: Ints, a: Assumptions) -> Floats:
    """Minutes of travel of those who are sent."""
    travel = np.full(len(who), np.nan)
    goes = np.flatnonzero(sent >= 0)
    travel[goes] = minutes_to(who.point[goes], who.minutes[goes], where[sent[goes]], a)
    return travel


def _assignments(
    situation: Situation, of: Prospects, rows: Rows, who: Crew, a: Assumptions
) -> tuple[Assignment, ...]:
    prevented = by_call(of, a)
    both = set(rows.called.tolist()) & set(rows.sent.tolist())
    calls, visits = [], []
    for place, row in enumerate(rows.called.tolist()):
        case = situation.cases[row]
        sum_ = float(prevented[row]) * wage_of(case.currency, a)
        fair, chance = place >= len(rows.called) - rows.fair, float(of.call[row])
        one = Assignment(case.case_id, CALL, None, a.call_after, sum_, sum_ / a.call_minutes, chance, fair, row in both)  # fmt: skip
        calls.append(one)
    for officer, row in enumerate(rows.sent.tolist()):
        if row < 0:
            continue
        case, minutes = situation.cases[row], float(rows.travel[officer] + who.wait[officer])
        sum_ = float(of.stake[row] * of.visit[row] * np.exp(-of.hazard[row] * minutes))
        sum_ *= wage_of(case.currency, a)
        spent, chance = float(rows.travel[officer]) + a.visit_minutes, float(of.visit[row])
        name = situation.officers[officer].officer_id
        visits.append(Assignment(case.case_id, VISIT, name, minutes, sum_, sum_ / spent, chance, both=row in both))  # fmt: skip
    return (*calls, *sorted(visits, key=lambda each: -each.per_minute))


def _waiting(cases: tuple[Case, ...], of: Prospects, rows: Rows, a: Assumptions) -> tuple[str, ...]:
    """The cases nobody has now, in the order in which callers would take them."""
    busy = set(rows.called.tolist()) | set(rows.sent.tolist())
    order = np.argsort(-by_call(of, a), kind="stable").tolist()
    return tuple(cases[row].case_id for row in order if row not in busy)
