"""A storm: somebody showed this person's number to thousands, who now ring back and ask who that was.

650 storms on 66,606 lines in 11 months (Prasad et al. 2020).
"""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.habits import spread
from ringfence.simulate.rows import HOUR
from ringfence.simulate.stage import Stage

NAME: Final = "storm"
RATE: Final = 3e-5


def play(stage: Stage, begin: int, shape: str) -> None:
    """One storm: it swells and fades with the forger's dialling."""
    rng, line = stage.rng, stage.person()
    begin = max(begin, stage.at_hour(begin, habits.OFFICE))
    count = int(spread(rng, 10, 300))
    width = spread(rng, 0.5, 20)
    start = begin + (np.sort(rng.gamma(rng.uniform(0.8, 2.5), width / 2, count)) * HOUR).astype(np.int64)
    patience = spread(rng, 5, 120)  # after so many the owner answers no more
    answered = 0.8 * np.exp(-np.arange(count) / patience)
    talk = np.where(rng.random(count) < 0.3, rng.lognormal(1.0, 0.5, count), rng.lognormal(2.4, 0.6, count))
    stage.attempts(
        start,
        stage.public(count, own=0.35),
        -1 - line,
        answered,
        talk,
        redial=0.18,
        **stage.look_alike(shape, -1 - line),
    )
