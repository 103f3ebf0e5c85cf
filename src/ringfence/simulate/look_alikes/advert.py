"""An advert goes round: within minutes strangers ring in numbers, and talk ("is it still to be had?")."""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.habits import spread
from ringfence.simulate.rows import HOUR
from ringfence.simulate.stage import Stage

NAME: Final = "advert"
RATE: Final = 2e-5


def play(stage: Stage, begin: int, shape: str) -> None:
    """One advert and its callers."""
    rng, line = stage.rng, stage.person()
    begin = max(begin, stage.at_hour(begin, habits.ROUND))
    count = int(spread(rng, 12, 250))
    start = begin + (np.sort(rng.exponential(spread(rng, 0.4, 12), count)) * HOUR).astype(np.int64)
    callers = stage.public(count)
    callers[rng.random(count) < 0.02] = 0
    sold = spread(rng, 0.3, 10) * HOUR  # from then on: "sold", and not answered any more
    over = start - begin > sold
    talk = np.where(over, rng.lognormal(1.8, 0.5, count), habits.talks(rng, count, 35, 0.8, short=0.1))
    willing = np.where(over, rng.choice([0.2, 0.6]), 0.8)
    fields = stage.look_alike(shape, -1 - line)
    stage.attempts(start, callers, -1 - line, willing, talk, **fields)
