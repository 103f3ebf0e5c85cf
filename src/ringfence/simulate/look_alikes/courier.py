"""Couriers: a hundred short calls a day to people who do not know them, on a round where some are met again."""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.population import Kind
from ringfence.simulate.stage import Stage

NAME: Final = "courier"
KINDS: Final = (Kind("courier", 0.0016, "mobile", 0.5),)
_OTHERS: Final = 1.0
"""Couriers of other networks for each own one."""


def live(stage: Stage) -> None:
    """A slice of their rounds."""
    rng, lines = stage.rng, stage.lines("courier")
    own = -1 - lines
    ghosts = np.random.default_rng([int(stage.people.seed), 8])
    others = stage.people.graph.prefixes[:200].repeat(40) * 10_000 + ghosts.integers(0, 10_000, 8_000)
    others = others[ghosts.permutation(8_000)[: max(2, int(_OTHERS * len(lines)))]]
    everybody = np.concatenate([own, others])
    rate = np.concatenate([np.full(len(own), 55.0), np.full(len(others), 22.0)])
    rate *= np.random.default_rng([int(stage.people.seed), 9]).lognormal(-0.1, 0.5, len(rate))
    which, start = stage.clock(rate, habits.ROUND, weekend=0.9)
    caller = everybody[which]
    people = stage.people.lines
    # a round: 400 lines of the neighbourhoods around the courier's own place
    place = (np.abs(caller) * 7919 % people + rng.integers(0, 400, len(start))) % people
    stranger = (caller < 0) & (rng.random(len(start)) < 0.5)
    # who rings little orders little: then somebody else
    place = np.where(rng.random(len(start)) < stage.people.welcome[place], place, -1 - stage.own(len(start)))
    callee = np.where(stranger, stage.strangers(len(start)), -1 - place)
    talk = rng.lognormal(np.log(16), 0.6, len(start))
    stage.attempts(start, caller, callee, 0.72, talk, redial=0.35)
    back, later = (
        rng.random(len(start)) < 0.03,
        start + (rng.exponential(900, len(start)) * 1e6).astype(np.int64),
    )
    stage.attempts(later[back], callee[back], caller[back], 0.85, talk[back])
