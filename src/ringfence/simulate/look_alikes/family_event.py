"""A birthday, a wedding, a bereavement: everybody one knows rings on one day or within some hours, most of them talk."""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.habits import spread
from ringfence.simulate.rows import HOUR
from ringfence.simulate.stage import Stage

NAME: Final = "family_event"
SHAPES: Final = ("birthday", "wedding", "bereavement")
RATE: Final = 6e-5


def play(stage: Stage, begin: int, shape: str) -> None:
    """One such day."""
    rng, line = stage.rng, stage.person(busy=0.6)
    begin = max(begin, stage.at_hour(begin, habits.ROUND))
    known = stage.contacts(line)
    count = min(int(spread(rng, 8, 60)), len(known) * 2)
    hours = {
        "birthday": rng.uniform(6, 11),
        "wedding": rng.uniform(3, 8),
        "bereavement": rng.uniform(0.7, 5),
    }[shape]
    start = begin + (rng.random(count) * hours * HOUR).astype(np.int64)
    who = known[np.minimum((len(known) * rng.random(count) ** 1.5).astype(int), len(known) - 1)]
    who = np.where(rng.random(count) < 0.12, stage.public(count), who)
    answered = {"birthday": 0.7, "wedding": 0.55, "bereavement": 0.45}[shape]
    talk = habits.talks(rng, count, 75, 0.9, short=0.06)
    stage.attempts(start, who, -1 - line, answered, talk, **stage.look_alike(shape, -1 - line))
