"""Hospitals: one fixed number, many calls at once, both ways; wards ring relatives, patients ring for appointments."""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.population import Kind
from ringfence.simulate.stage import Stage

NAME: Final = "hospital"
KINDS: Final = (Kind("hospital", 0.00015, "fixed", 0.0, many=True),)


def live(stage: Stage) -> None:
    """A slice of their day."""
    rng, lines = stage.rng, stage.lines("hospital")
    rate = 140 * np.random.default_rng([int(stage.people.seed), 13]).lognormal(-0.2, 0.7, len(lines))
    which, start = stage.clock(rate, habits.OFFICE, weekend=0.5)
    stage.attempts(
        start, stage.public(len(start)), -1 - lines[which], 0.85, habits.talks(rng, len(start), 70, 0.8)
    )
    for hours, part in ((habits.OFFICE, 0.6), (habits.ALWAYS, 0.08)):  # the wards ring at night too
        which, start = stage.clock(part * rate, hours, weekend=0.6)
        stage.attempts(
            start,
            -1 - lines[which],
            stage.public(len(start)),
            0.68,
            habits.talks(rng, len(start), 55, 0.8),
            redial=0.4,
        )
