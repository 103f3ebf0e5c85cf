"""Roamers: own subscribers who travel.

Quiet at home; their calls to people at home come in through the international gateway
under their own number, as a forger's would. On the way there and back their phone is off.
The exchange sees to that; here is who travels when.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from ringfence.simulate.population import ABROAD, PERSON
from ringfence.simulate.rows import DAY, HOUR
from ringfence.simulate.stage import Stage

NAME: Final = "roamer"
_AT_ANY_TIME: Final = 0.006
_LENGTH: Final = 4.5
"""Days, the median of a log-normal."""
_WAYS: Final = ((0.68, 3.6, 0.40), (0.17, 11.0, 0.25), (0.15, 0.6, 0.70))
"""How people travel: share, then hours with the phone off as a log-normal (median, sigma). Flights of two to six hours from boarding to
the first network abroad, flights to other continents, and borders crossed by train, car or on foot. Assumed, after timetables;
no source counts them."""


def prepare(stage: Stage, planned: list[tuple[int, str]]) -> None:
    """Who travels when."""
    del planned
    people, rng = stage.people, stage.rng
    life = stage.ends - stage.begins + 5 * DAY
    count = max(3, int(people.lines * _AT_ANY_TIME * life / (1.28 * _LENGTH * DAY)))
    free = np.flatnonzero((people.kind == PERSON) & (people.out > 0.2))
    lines = rng.choice(free, min(count, len(free) // 4), replace=False)
    length = (rng.lognormal(np.log(_LENGTH), 0.7, len(lines)) * DAY).astype(np.int64)
    begin = stage.begins - 5 * DAY + (rng.random(len(lines)) * life).astype(np.int64)
    people.flags[lines] |= ABROAD
    there, back = _journeys(rng, len(lines))
    stays = begin + there, begin + there + length
    order = np.argsort(lines)
    stage.away = np.stack([lines, begin, *stays, stays[1] + back], axis=1)[order].astype(np.int64)


def _journeys(rng: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
    """µs of the way there and of the way back: int64 (2, count)."""
    share, median, sigma = np.array(_WAYS).T
    way = rng.choice(len(_WAYS), count, p=share)
    hours = median[way] * rng.lognormal(0.0, sigma[way], (2, count))
    return np.asarray(hours * HOUR, np.int64)
