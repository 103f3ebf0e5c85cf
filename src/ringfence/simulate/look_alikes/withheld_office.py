"""Offices and surgeries that withhold their number: a few withheld calls a day, tried again where nobody answers."""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.population import Kind
from ringfence.simulate.stage import Stage

NAME: Final = "withheld_office"
KINDS: Final = (Kind("withheld_office", 0.0006, "fixed", 0.0, many=True),)


def live(stage: Stage) -> None:
    """A slice of their day: out withheld, in under their number."""
    rng, lines = stage.rng, stage.lines("withheld_office")
    rate = 22 * np.random.default_rng([int(stage.people.seed), 14]).lognormal(-0.2, 0.7, len(lines))
    which, start = stage.clock(rate, habits.OFFICE, weekend=0.1)
    trunk_side = (
        rng.random(len(start)) < 0.5
    )  # half of them sit in other networks: then the call comes over an interconnect
    first = stage.attempts(
        start, 0, stage.own(len(start)), 0.58, habits.talks(rng, len(start), 50, 0.8), redial=0.25,
        ingress=np.where(trunk_side, 2, 1),
    )  # fmt: skip
    again = first[(first["answer"] < 0) & (rng.random(len(first)) < 0.35)]  # once more, half an hour later
    later = again["end"] + (rng.lognormal(7.4, 0.5, len(again)) * 1e6).astype(np.int64)
    stage.attempts(later, 0, again["callee"], 0.6, redial=0.1, ingress=again["ingress"])
    which, start = stage.clock(0.5 * rate, habits.OFFICE, weekend=0.1)
    stage.attempts(start, stage.public(len(start)), -1 - lines[which], 0.8)
