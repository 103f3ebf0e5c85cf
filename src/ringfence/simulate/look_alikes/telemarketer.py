"""Telemarketers and agents (estates, insurance, loans): strangers all day, most say no at once, some talk."""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.population import Kind
from ringfence.simulate.stage import Stage

NAME: Final = "telemarketer"
KINDS: Final = (
    Kind("telemarketer", 0.0004, "mobile", 0.3),
    Kind("call_centre", 0.0001, "fixed", 0.0, many=True),
)


def live(stage: Stage) -> None:
    """A slice of their work."""
    rng = stage.rng
    mobile, fixed = stage.lines("telemarketer"), stage.lines("call_centre")
    lines = np.concatenate([mobile, fixed])
    rate = np.concatenate([np.full(len(mobile), 80.0), np.full(len(fixed), 350.0)])
    rate *= np.random.default_rng([int(stage.people.seed), 10]).lognormal(-0.15, 0.6, len(rate))
    which, start = stage.clock(rate, habits.OFFICE, weekend=0.3)
    callee = stage.public(len(start), own=0.35)
    no = rng.random(len(start)) < 0.6
    talk = np.where(no, rng.lognormal(np.log(7), 0.6, len(start)), rng.lognormal(np.log(70), 0.8, len(start)))
    stage.attempts(start, -1 - lines[which], callee, 0.55, talk, redial=0.08)
    # those of other networks
    ghosts = stage.offices[: max(2, stage.people.lines // 6_000)]
    which, start = stage.clock(np.full(len(ghosts), 40.0), habits.OFFICE, weekend=0.3)
    count = len(start)
    stage.attempts(start, ghosts[which], stage.own(count), 0.5, rng.lognormal(2.4, 1.0, count), redial=0.03)
