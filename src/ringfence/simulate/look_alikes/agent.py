"""Debt collectors within the law, and estate and insurance agents: the same strangers again and again, often unanswered."""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.population import Kind
from ringfence.simulate.stage import Stage

NAME: Final = "agent"
KINDS: Final = (Kind("agent", 0.0012, life=0.8), Kind("collector", 0.0002, life=0.3))


def live(stage: Stage) -> None:
    """A slice of their work."""
    rng = stage.rng
    lines = np.concatenate([stage.lines("agent"), stage.lines("collector")])
    collector = np.arange(len(lines)) >= len(stage.lines("agent"))
    rate = np.where(collector, 90.0, 28.0) * np.random.default_rng([int(stage.people.seed), 15]).lognormal(
        -0.2, 0.6, len(lines)
    )
    which, start = stage.clock(rate, habits.OFFICE, weekend=0.7)
    # each has a list of some dozens that is gone through again and again
    place = rng.integers(0, np.where(collector[which], 60, 45))
    line = (lines[which] * 104_729 + place * 15_485_863) % stage.people.lines
    listed = np.where(
        place % 2 == 0,
        -1 - line,
        stage.people.graph.prefixes[line % len(stage.people.graph.prefixes)] * 10_000 + line % 10_000,
    )
    new = rng.random(len(start)) < np.where(collector[which], 0.1, 0.45)
    callee = np.where(new, stage.public(len(start), own=0.4), listed)
    answered = np.where(collector[which], 0.35, 0.6)
    talk = habits.talks(rng, len(start), 55, 1.0)
    stage.calls(start, -1 - lines[which], callee, **habits.outcomes(rng, len(start), answered, talk))
    which, start = stage.clock(0.25 * rate, habits.OFFICE, weekend=0.7)
    stage.attempts(start, stage.public(len(start)), -1 - lines[which], 0.8)
