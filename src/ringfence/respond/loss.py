"""What is expected to be lost, and how much of it a call or a visit prevents.

A right alert (probability p) about somebody who would pay in the end (share W) puts M at stake. Money moves at a hazard h a minute.
Where no bank tells that it is still there, it may have gone since the grip began: that chance counts first. So reaching the person
in t minutes with a chance s of success prevents p W M exp(-h (age + t)) s; with a bank's word the age counts as nought.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ringfence.respond.assumptions import Assumptions
from ringfence.respond.case import BRUSHED_OFF, CALL, STAGES, VISIT, Case

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MINUTE: Final = 60_000_000
"""µs."""
LONG: Final = 1e6
"""Minutes since an attempt that there never was."""


@dataclass(slots=True)
class Columns:
    """Open cases as columns of one length; minutes are counted back from now.

    Attributes:
        stage: index in `STAGES`; `probability`: 0 to 1.
        money: at risk, in month's wages; `told`: a bank watches, so that it has not gone unseen.
        age: minutes in which money may have gone: since the grip began, else since the case was opened.
        numbers: how many can be rung, at least 1; `on_call`, `has_cell`, `watch`: flags.
        missed_calls, brushed_calls, missed_visits, brushed_visits: counts; `since_call`, `since_visit`: minutes, `LONG`: none yet.
        waited: minutes since the last attempt, else since the case was opened.
    """

    stage: Ints
    probability: Floats
    money: Floats
    told: Flags
    age: Floats
    numbers: Ints
    on_call: Flags
    has_cell: Flags
    watch: Flags
    missed_calls: Ints
    brushed_calls: Ints
    missed_visits: Ints
    brushed_visits: Ints
    since_call: Floats
    since_visit: Floats
    waited: Floats

    def __len__(self) -> int:
        return len(self.stage)


@dataclass(frozen=True, slots=True)
class Prospects:
    """What each case is worth now.

    Attributes:
        stake: expected loss if nobody comes, from now on, in wages.
        hazard: of it, a minute.
        reach, call: chances that a call gets through, and that it gets through and ends it.
        visit: chance that a visit finds the person and ends it.
    """

    stake: Floats
    hazard: Floats
    reach: Floats
    call: Floats
    visit: Floats


def prior_money(moved: float, currency: str, a: Assumptions) -> float:
    """What somebody who has lost `moved` is expected to lose further, in the currency; log-uniform between `a.salaries`.

    The mean of a log-uniform sum above x is (most - x) / log(most / x); beyond the most, half of what has gone.
    """
    wage = wage_of(currency, a)
    least, most = (wage * size for size in a.salaries)
    low = max(moved, least)
    if low >= most * 0.99:
        return 0.5 * moved
    return (most - low) / math.log(most / low) - moved


def wage_of(currency: str, a: Assumptions) -> float:
    """A month's wage; of an unknown currency the first listed."""
    return a.salary.get(currency) or next(iter(a.salary.values()))


def money_of(case: Case, a: Assumptions) -> float:
    """What the person can still lose, in the case's currency: a bank's word, else the prior."""
    if case.at_risk is not None:
        return max(case.at_risk, 0.0)
    return prior_money(max(case.moved or 0.0, 0.0), case.currency, a)


def columns(cases: Sequence[Case], now: int, a: Assumptions) -> Columns:
    """The cases as columns, as they stand at a moment (µs)."""
    tries = [_tries(case, now) for case in cases]
    stages = {stage: place for place, stage in enumerate(STAGES)}
    since = np.array(
        [case.opened_at if case.grip_began_at is None else case.grip_began_at for case in cases], np.int64
    )
    opened = np.array([case.opened_at for case in cases], np.int64)
    tried = np.array(tries, np.float64).reshape(len(cases), 6)
    waited = np.minimum(tried[:, 4:].min(axis=1, initial=LONG), (now - opened) / MINUTE)
    return Columns(
        stage=np.array([stages[case.stage] for case in cases], np.int64),
        probability=np.array([case.probability for case in cases], np.float64),
        money=np.array([money_of(case, a) / wage_of(case.currency, a) for case in cases], np.float64),
        told=np.array([case.at_risk is not None or case.moved is not None for case in cases], np.bool_),
        age=np.maximum((now - since) / MINUTE, 0.0),
        numbers=np.array([max(len(case.numbers), 1) for case in cases], np.int64),
        on_call=np.array([case.on_call for case in cases], np.bool_),
        has_cell=np.array([case.cell is not None for case in cases], np.bool_),
        watch=np.array([case.watch for case in cases], np.bool_),
        **dict(zip(_COUNTS, tried[:, :4].astype(np.int64).T, strict=True)),
        since_call=tried[:, 4],
        since_visit=tried[:, 5],
        waited=np.maximum(waited, 0.0),
    )  # fmt: skip


_COUNTS: Final = ("missed_calls", "brushed_calls", "missed_visits", "brushed_visits")
_NONE: Final = (0, 0, 0, 0, LONG, LONG)


def _tries(case: Case, now: int) -> tuple[float, ...]:
    """The four counts of `_COUNTS`, and the minutes since the last call and the last visit."""
    if not case.attempts:
        return _NONE
    found: list[float] = list(_NONE)
    for attempt in case.attempts:
        visit = attempt.by == VISIT
        found[2 * visit + (attempt.outcome == BRUSHED_OFF)] += 1
        found[4 + visit] = min(found[4 + visit], max((now - attempt.at) / MINUTE, 0.0))
        assert visit or attempt.by == CALL, attempt.by
    return tuple(found)


def prospects(c: Columns, a: Assumptions) -> Prospects:
    """What each case is worth, and what a call and a visit can do."""
    p = np.clip(c.probability, 0.0, 1.0 - 1e-9)
    odds = p / (1.0 - p) * np.where(c.watch, a.watch_odds, 1.0)
    hazard = _by(a.hazard, c.stage)
    gone_unseen = np.where(c.told, 1.0, np.exp(-hazard * c.age))
    stake = odds / (1.0 + odds) * a.transfers * c.money * gone_unseen
    missed = a.missed ** (c.missed_calls + c.missed_visits)
    one = np.where(c.on_call, a.answers_engaged, a.answers)
    any_number = 1.0 - (1.0 - one) * (1.0 - a.other_number) ** (c.numbers - 1)
    reach = any_number * missed * -np.expm1(-c.since_call / a.recovers)
    doubt = a.brushed_off ** (c.brushed_calls + c.brushed_visits)
    found = np.where(c.has_cell, _by(a.found_cell, c.stage), _by(a.found, c.stage))
    found = found * a.missed**c.missed_visits * (c.since_visit >= a.retry_visit)
    return Prospects(
        stake=stake,
        hazard=hazard,
        reach=reach,
        call=reach * _by(a.believes, c.stage) * doubt,
        visit=found * _by(a.convinced, c.stage) * doubt,
    )


def _by(figures: Sequence[float], stage: Ints) -> Floats:
    return np.asarray(figures, np.float64)[stage]


def by_call(of: Prospects, a: Assumptions) -> Floats:
    """Expected loss prevented by calling each case now, in wages."""
    prevented: Any = of.stake * of.call * np.exp(-of.hazard * a.call_after)
    return np.asarray(prevented, np.float64)
