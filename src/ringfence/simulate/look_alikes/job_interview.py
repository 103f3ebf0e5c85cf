"""A job search: strangers from firms ring, interviews of an hour, in between the agency; a hand-over to another department."""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.habits import spread
from ringfence.simulate.rows import DAY, SECOND
from ringfence.simulate.stage import Stage

NAME: Final = "job_interview"
RATE: Final = 6e-5


def play(stage: Stage, begin: int, shape: str) -> None:
    """Some days of it."""
    rng, line = stage.rng, stage.person()
    fields = stage.look_alike(shape, -1 - line)
    for day in range(int(rng.integers(1, 7))):
        now = stage.at_hour(begin + day * DAY, habits.OFFICE)
        if now < begin:
            continue
        firm = stage.fixed(2) if rng.random() < 0.6 else stage.public(2)
        talk = [spread(rng, 60, 600), spread(rng, 600, 5_400)]
        rows = stage.calls(now, int(firm[0]), -1 - line, habits.rings(rng, 1), talk[0], **fields)
        now = int(rows["end"][0]) + int(
            spread(rng, 20, 4_000) * SECOND
        )  # the department rings at once, or after lunch
        stage.calls(now, int(firm[1]), -1 - line, habits.rings(rng, 1), talk[1], firm=1, **fields)
        if rng.random() < 0.5:
            stage.attempts(
                np.array([now + int(talk[1] * SECOND) + int(spread(rng, 300, 9_000) * SECOND)]),
                -1 - line,
                int(firm[0]),
                0.7,
            )
