"""Families and firms abroad: the same few foreign numbers, or new ones every day, at odd hours, some calls very long."""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.numbering import foreign_numbers
from ringfence.simulate.population import Kind
from ringfence.simulate.stage import Stage

NAME: Final = "abroad"
KINDS: Final = (Kind("family_abroad", 0.012), Kind("firm_abroad", 0.0008, life=1.5))
_MOST: Final = 5


def live(stage: Stage) -> None:
    """A slice of their calls."""
    rng, people = stage.rng, stage.people
    for kind, a_day, hours, new in (
        ("family_abroad", 0.45, habits.DAYTIME, 0.04),
        ("firm_abroad", 7.0, habits.OFFICE, 0.35),
    ):
        lines = stage.lines(kind)
        which, start = stage.clock(np.full(len(lines), a_day), hours, weekend=1.3 if new < 0.1 else 0.1)
        theirs = foreign_numbers(
            people.numbering, np.random.default_rng([int(people.seed), 16]), len(lines) * _MOST
        )
        other = theirs.reshape(len(lines), _MOST)[which, (_MOST * rng.random(len(start)) ** 2).astype(int)]
        other = np.where(rng.random(len(start)) < new, stage.abroad(len(start)), other)
        inward = rng.random(len(start)) < 0.6
        own = -1 - lines[which]
        talk = habits.talks(rng, len(start), 240 if new < 0.1 else 110, 1.2, short=0.1)
        stage.attempts(
            start, np.where(inward, other, own), np.where(inward, own, other), 0.7, talk, redial=0.35
        )
    # everybody is rung from abroad now and then: friends who travel, hotels, wrong numbers
    count = rng.poisson(0.004 * people.lines * (stage.until - stage.now) / 86_400e6)
    start = stage.now + (rng.random(count) * (stage.until - stage.now)).astype(np.int64)
    stage.attempts(start, stage.abroad(count), stage.own(count), 0.6)
