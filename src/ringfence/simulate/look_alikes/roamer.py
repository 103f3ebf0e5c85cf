"""Roamers: own subscribers who travel.

Quiet at home; their calls to people at home come in through the international gateway
under their own number, as a forger's would. The exchange sees to that; here is who travels when.
"""

from typing import Final

import numpy as np

from ringfence.simulate.population import ABROAD, PERSON
from ringfence.simulate.rows import DAY
from ringfence.simulate.stage import Stage

NAME: Final = "roamer"
_AT_ANY_TIME: Final = 0.006
_LENGTH: Final = 4.5
"""Days, the median of a log-normal."""


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
    order = np.argsort(lines)
    stage.away = np.stack([lines, begin, begin + length], axis=1)[order].astype(np.int64)
