"""Hotlines and customer services: strangers all day long, long waits, many calls at once."""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.population import ONLY_CALLED, Kind
from ringfence.simulate.stage import Stage

NAME: Final = "hotline"
KINDS: Final = (
    Kind("hotline", 0.00015, "toll_free", 0.0, many=True),
    Kind("bank", 0.0001, "fixed", 0.0, many=True),
)


def live(stage: Stage) -> None:
    """A slice of their day: they are rung, and ring customers back."""
    rng = stage.rng
    lines = np.concatenate([stage.lines("hotline"), stage.lines("bank")])
    rate = 180 * np.random.default_rng([int(stage.people.seed), 11]).lognormal(-0.3, 0.8, len(lines))
    which, start = stage.clock(rate, habits.OFFICE, weekend=0.6)
    talk = habits.talks(rng, len(start), 140, 0.9, short=0.15)
    stage.attempts(start, stage.public(len(start)), -1 - lines[which], 0.93, talk)
    which, start = stage.clock(0.3 * rate, habits.OFFICE, weekend=0.3)
    talk = habits.talks(rng, len(start), 60, 0.9, short=0.15)
    caller = np.where(
        stage.people.flags[lines] & ONLY_CALLED, stage.offices[lines * 7919 % len(stage.offices)], -1 - lines
    )  # where a hotline can only be called, it rings back from an office of its own
    stage.attempts(start, caller[which], stage.public(len(start)), 0.62, talk, redial=0.1)
