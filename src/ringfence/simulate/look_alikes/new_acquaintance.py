"""A new acquaintance: yesterday a stranger, now long calls every day, late at night too."""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.habits import spread
from ringfence.simulate.rows import DAY
from ringfence.simulate.stage import Stage

NAME: Final = "new_acquaintance"
RATE: Final = 8e-5


def play(stage: Stage, begin: int, shape: str) -> None:
    """The first weeks."""
    rng, line = stage.rng, stage.person()
    other = int(stage.public(1)[0]) if rng.random() < 0.93 else int(stage.abroad(1)[0])
    days = int(spread(rng, 2, 21))
    times = begin + (rng.random(rng.poisson(days * spread(rng, 0.5, 5)) + 1) * days * DAY).astype(np.int64)
    times = np.unique(np.maximum(stage.at_hours(times, habits.DAYTIME), begin))
    inward = rng.random(len(times)) < rng.uniform(0.3, 0.8)
    talk = habits.talks(rng, len(times), spread(rng, 60, 1_500), 1.2, short=0.1)
    stage.attempts(
        times, np.where(inward, other, -1 - line), np.where(inward, -1 - line, other), 0.8, talk,
        **stage.look_alike(shape, -1 - line),
    )  # fmt: skip
