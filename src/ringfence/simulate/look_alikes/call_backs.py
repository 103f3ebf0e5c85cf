"""Call-backs: a line rang many who did not answer (a party, a survey, a lost key), and now they ring back."""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.habits import spread
from ringfence.simulate.rows import MINUTE, SECOND
from ringfence.simulate.stage import Stage

NAME: Final = "call_backs"
RATE: Final = 3e-5


def play(stage: Stage, begin: int, shape: str) -> None:
    """One round of calls and what comes back."""
    rng, line = stage.rng, stage.person()
    begin = max(begin, stage.at_hour(begin, habits.OFFICE))
    count = int(spread(rng, 8, 60))
    start = begin + (np.cumsum(20 + rng.exponential(spread(rng, 20, 200), count)) * SECOND).astype(np.int64)
    others = stage.public(count)
    if rng.random() < 0.4:
        known = stage.contacts(line)
        others = known[rng.permutation(len(known))[:count]]
        start = start[: len(others)]
    stage.attempts(start, -1 - line, others, 0.35, redial=0.05)
    back = rng.random(len(others)) < 0.5
    later = start[back] + MINUTE + (rng.exponential(900, int(back.sum())) * SECOND).astype(np.int64)
    stage.attempts(later, others[back], -1 - line, 0.65, **stage.look_alike(shape, -1 - line))
