"""Restaurants: strangers ring before every meal, withheld numbers among them; the restaurant rings back about bookings."""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.population import Kind
from ringfence.simulate.stage import Stage

NAME: Final = "restaurant"
KINDS: Final = (Kind("restaurant", 0.0012, "mobile", 0.3),)


def live(stage: Stage) -> None:
    """A slice of their life."""
    rng, lines = stage.rng, stage.lines("restaurant")
    busy = np.exp(rng.normal(2.7, 0.7, len(lines)))
    which, start = stage.clock(busy, habits.MEALS, weekend=1.4)
    callers = stage.public(len(start))
    callers[rng.random(len(start)) < 0.02] = 0
    talk = habits.talks(rng, len(start), 38, 0.7, short=0.1)
    stage.attempts(start, callers, -1 - lines[which], 0.82, talk)
    which, start = stage.clock(0.15 * busy, habits.MEALS, weekend=1.4)
    stage.attempts(start, -1 - lines[which], stage.public(len(start)), 0.8)
