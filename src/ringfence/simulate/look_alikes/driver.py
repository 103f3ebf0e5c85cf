"""Drivers of hailed cars: two short calls a ride with people met once, at all hours; passengers ring back at once."""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.population import Kind
from ringfence.simulate.stage import Stage

NAME: Final = "driver"
KINDS: Final = (Kind("driver", 0.0025, life=0.7),)


def live(stage: Stage) -> None:
    """A slice of their shifts."""
    rng, lines = stage.rng, stage.lines("driver")
    rate = 16 * np.random.default_rng([int(stage.people.seed), 12]).lognormal(-0.1, 0.5, len(lines))
    which, start = stage.clock(rate, habits.DAYTIME, weekend=1.1)
    passenger, driver = stage.public(len(start)), -1 - lines[which]
    rings = rng.random(len(start)) < 0.6
    talk = rng.lognormal(np.log(17), 0.6, len(start))
    first = stage.attempts(
        start, np.where(rings, driver, passenger), np.where(rings, passenger, driver), 0.8, talk, redial=0.5
    )
    back = rng.random(len(first)) < 0.3  # "where are you?"
    later = first["end"][back] + (rng.exponential(150, int(back.sum())) * 1e6).astype(np.int64)
    stage.attempts(later, first["callee"][back], first["caller"][back], 0.88, talk[back])
