"""Somebody must be reached: one caller, sometimes two or three in turn, ten or twenty times in an hour, until it works or is given up."""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.habits import spread
from ringfence.simulate.rows import SECOND
from ringfence.simulate.stage import Stage

NAME: Final = "worried_relative"
RATE: Final = 5e-5


def play(stage: Stage, begin: int, shape: str) -> None:
    """One afternoon of trying."""
    rng, line = stage.rng, stage.person()
    known = stage.contacts(line, 6)
    callers = known[: int(rng.choice([1, 1, 1, 2, 3]))]
    if rng.random() < 0.2:  # from the phone of a stranger
        callers = stage.strangers(1)
    count = int(spread(rng, 4, 30))
    gaps = 12 + rng.exponential(spread(rng, 25, 400), count)
    ring = np.where(rng.random(count) < 0.25, 0.5 + rng.exponential(3, count), rng.uniform(12, 58, count))
    start = begin + (np.cumsum(gaps + ring) * SECOND).astype(np.int64)
    talk = np.full(count, np.nan)
    if rng.random() < 0.7:
        talk[-1] = rng.lognormal(4.3, 0.8)
        ring[-1] = min(ring[-1], 9)
    cause = np.where(
        np.isnan(talk), rng.choice([16, 19, 20, 21, 17], count, p=[0.3, 0.4, 0.14, 0.08, 0.08]), 16
    )
    stage.calls(
        start, rng.choice(callers, count), -1 - line, ring, talk, cause, **stage.look_alike(shape, -1 - line)
    )
    if np.isnan(talk[-1]) and rng.random() < 0.8:  # rings back as soon as the phone is found
        later = start[-1] + int(spread(rng, 60, 7_200) * SECOND)
        stage.calls(later, -1 - line, callers[0], habits.rings(rng, 1), rng.lognormal(4.3, 0.8))
