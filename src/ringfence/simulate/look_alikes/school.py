"""Schools: parents ring in the morning; now and then the school rings a whole class within the hour."""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.population import Kind
from ringfence.simulate.rows import HOUR
from ringfence.simulate.stage import Stage

NAME: Final = "school"
KINDS: Final = (Kind("school", 0.0003, "fixed", 0.0, many=True),)


def live(stage: Stage) -> None:
    """A slice of their day."""
    rng, lines = stage.rng, stage.lines("school")
    which, start = stage.clock(np.full(len(lines), 25.0), habits.OFFICE, weekend=0.05)
    stage.attempts(
        start, stage.public(len(start)), -1 - lines[which], 0.75, habits.talks(rng, len(start), 60, 0.8)
    )
    which, start = stage.clock(np.full(len(lines), 0.3), habits.OFFICE, weekend=0.0)
    sizes = rng.integers(20, 60, len(start))
    when = np.repeat(start, sizes) + (rng.random(int(sizes.sum())) * HOUR).astype(np.int64)
    school = np.repeat(-1 - lines[which], sizes)
    first = stage.attempts(when, school, stage.public(len(when)), 0.66, habits.talks(rng, len(when), 28, 0.5))
    missed = first[(first["answer"] < 0) & (rng.random(len(first)) < 0.4)]  # parents ring back
    later = missed["end"] + (rng.exponential(1_500, len(missed)) * 1e6).astype(np.int64)
    stage.attempts(later, missed["callee"], missed["caller"], 0.6)
