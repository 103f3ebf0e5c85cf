"""A long call with the support of a bank, an insurer, a software house: cut off, tried again, an hour or more; a stranger rings back."""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.habits import spread
from ringfence.simulate.rows import MINUTE, SECOND
from ringfence.simulate.stage import Stage

NAME: Final = "long_support"
SHAPES: Final = ("rings_support", "support_rings")
RATE: Final = 6e-5


def play(stage: Stage, begin: int, shape: str) -> None:
    """One matter that takes its time."""
    rng, line = stage.rng, stage.person()
    now = max(begin, stage.at_hour(begin, habits.OFFICE))
    support = int(stage.fixed(1)[0]) if rng.random() < 0.7 else int(stage.abroad(1)[0])
    fields = stage.look_alike(shape, -1 - line)
    for part in range(int(rng.integers(1, 5))):
        inward = shape == "support_rings" or (part > 0 and rng.random() < 0.5)
        caller, callee = (support, -1 - line) if inward else (-1 - line, support)
        talk = spread(rng, 240, 9_000)
        rows = stage.calls(
            now, caller, callee, habits.rings(rng, 1), talk, released=rng.choice([1, 2, 3]), firm=1, **fields
        )
        now = int(rows["end"][0]) + int(spread(rng, 10, 5_400) * SECOND)
    if rng.random() < 0.3:  # and pays the invoice
        stage.transfer(
            now + int(rng.exponential(60) * MINUTE),
            line,
            int(rng.integers(10**16, 10**16 + 500)),
            float(np.exp(rng.normal(5, 1))),
        )
