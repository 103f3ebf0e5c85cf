"""Forged caller ids: a centre abroad that rings the city under numbers that are not its own (newspaper cases 4 and 5).

It comes in over one trunk group, among that group's honest calls. Most people hang up. Victims are played by `scam_call`.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from ringfence.model.tables import DOMESTIC, INTERNATIONAL
from ringfence.simulate import habits
from ringfence.simulate.crimes._forging import SORTS, shown
from ringfence.simulate.exchange import DOMESTIC_TRUNKS, TRUNKS, trunk_name
from ringfence.simulate.habits import spread
from ringfence.simulate.rows import DAY
from ringfence.simulate.stage import Parties, Stage

NAME: Final = "cold_call_centre"
CRIME: Final = "forged_caller"
SHAPES: Final = (*SORTS, "mixed")
RATE: Final = 1.2e-5


def play(stage: Stage, begin: int, shape: str) -> None:
    """Some days of a centre's calls into the city."""
    rng = stage.rng
    domestic = shape == "own_number"
    trunk = int(rng.integers(0, DOMESTIC_TRUNKS) if domestic else rng.integers(DOMESTIC_TRUNKS, TRUNKS))
    mark = stage.truth.begin(CRIME, shape, None, trunk=trunk_name(stage.people.seed, trunk))
    days = max(1, round(spread(rng, 1, 9)))
    start = _times(stage, begin, days, spread(rng, 25, 250))
    if not len(start):
        start = np.array([begin])
    if not domestic:
        stage.centres.append((mark, begin, begin + days * DAY, trunk))
    callers, roles = _shown(stage, shape, len(start))
    callees = _called(stage, len(start))
    # who answers hangs up soon, some listen, few talk for minutes (and think better of it)
    patience = rng.choice([9.0, 35.0, 180.0], len(start), p=[0.62, 0.28, 0.10])
    talk = patience * rng.lognormal(0, 0.7, len(start))
    outcome = habits.outcomes(rng, len(start), rng.uniform(0.4, 0.65), talk, patience=22)
    stage.calls(
        start, callers, callees, **outcome, ingress=DOMESTIC if domestic else INTERNATIONAL, trunk=1 + trunk,
        episode=mark, role=roles, released=np.where(np.isnan(outcome["talk"]), 0, rng.choice([1, 2], len(start), p=[0.25, 0.75])),
    )  # fmt: skip


def _times(stage: Stage, begin: int, days: int, a_day: float) -> Parties:
    """Moments in office hours of some days, the first not before `begin`."""
    rng = stage.rng
    day = np.repeat(np.arange(days), rng.poisson(a_day, days))
    times = np.sort(stage.at_hours(begin + day * DAY, habits.FRAUD))
    return times[times >= begin]


def _shown(stage: Stage, shape: str, count: int) -> tuple[Parties, npt.NDArray[np.uint8]]:
    """Numbers shown: some centres stay with a few, some never show one twice."""
    rng = stage.rng
    sorts = rng.choice(SORTS[:-1], int(rng.integers(2, 5)), replace=False) if shape == "mixed" else [shape]
    parts = [shown(stage, str(sort), count) for sort in sorts]
    which = rng.integers(0, len(parts), count)
    number = np.select([which == n for n in range(len(parts))], [part[0] for part in parts])
    role = np.select([which == n for n in range(len(parts))], [part[1] for part in parts]).astype(np.uint8)
    if rng.random() < 0.5:
        few = rng.integers(0, min(int(spread(rng, 2, 80)), count), count)
        number, role = number[few], role[few]
    return number, role


def _called(stage: Stage, count: int) -> Parties:
    """A list that was bought, or a range that is rung through."""
    rng, people = stage.rng, stage.people
    if rng.random() < 0.7:
        return -1 - rng.integers(0, people.lines, count)
    order = stage.by_number()
    first = int(rng.integers(len(order)))
    return -1 - order[(first + np.cumsum(rng.integers(1, 3, count))) % len(order)]


EARLY: Final = 2.0
