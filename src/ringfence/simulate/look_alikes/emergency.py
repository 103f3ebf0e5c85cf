"""Emergency calls, and the service that rings back under 110, 119, 120, 911, a fixed line, or a number in no plan.

Some call centres of emergency services use unassigned numbers for call-backs (APCO): an allow list must outrank number plans.
"""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.numbering import unallocated_numbers
from ringfence.simulate.rows import DAY, MINUTE, ROLE, SECOND
from ringfence.simulate.stage import Stage

NAME: Final = "emergency"
_A_DAY: Final = 4e-4
"""Emergency calls per line-day."""


def live(stage: Stage) -> None:
    """A slice of them."""
    rng, people = stage.rng, stage.people
    count = int(rng.poisson(_A_DAY * people.lines * (stage.until - stage.now) / DAY))
    count = max(count, int(stage.now == stage.begins))
    when = stage.at_hours(
        stage.now + (rng.random(count) * (stage.until - stage.now)).astype(np.int64), habits.DAYTIME
    )
    when = np.clip(when, stage.now, stage.until - MINUTE)
    numbers = people.numbering.numbers(people.numbering.country.emergency)
    service = rng.choice(numbers, count)
    line = -1 - rng.integers(0, people.lines, count)
    dropped = rng.random(count) < 0.3
    talk = np.where(dropped, rng.lognormal(1.2, 0.7, count), rng.lognormal(4.4, 0.6, count))
    first = stage.calls(when, line, service, 0.8 + rng.exponential(2, count), talk)
    back = dropped | (rng.random(count) < 0.3)
    later = first["end"][back] + ((5 + rng.lognormal(3.6, 1.3, int(back.sum()))) * SECOND).astype(np.int64)
    shown = _shown(stage, service[back])
    stage.attempts(
        later, shown, line[back], 0.8, rng.lognormal(3.9, 0.7, int(back.sum())), redial=0.7,
        role=ROLE["emergency_call_back"],
    )  # fmt: skip


def _shown(stage: Stage, service: np.ndarray) -> np.ndarray:
    """Under which number the service rings back: mostly its own."""
    rng, count = stage.rng, len(service)
    fixed = stage.fixed(count)
    unallocated = unallocated_numbers(stage.people.numbering, rng, count)
    way = rng.random(count)
    return np.select([way < 0.75, way < 0.93], [service, fixed], unallocated)
