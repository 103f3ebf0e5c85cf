"""The counters that operators use today, and the bound that none of them can beat on counts alone."""

import math
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

SECOND = 1_000_000
HOUR = 3_600 * SECOND


class Ring(NamedTuple):
    """A set-up: µs, caller (0: withheld), callee."""

    time: int
    caller: int
    callee: int


@dataclass(frozen=True, slots=True)
class Rule:
    """An alarm at every set-up that is the `count`th within `seconds`, itself included, among those with the same key.

    Attributes:
        key: what is counted together.
        distinct: count different callers, not calls; all withheld calls are one caller.
    """

    name: str
    count: int
    seconds: int
    key: Callable[[Ring], Hashable]
    distinct: bool = False

    def alarms(self, rings: Iterable[Ring]) -> list[Ring]:
        """The set-ups at which the rule speaks.

        Args:
            rings: ordered by time.
        """
        windows: dict[Hashable, deque[Ring]] = {}
        found = []
        for ring in rings:
            window = windows.setdefault(self.key(ring), deque())
            window.append(ring)
            while window[0].time <= ring.time - self.seconds * SECOND:
                window.popleft()
            count = len({other.caller for other in window}) if self.distinct else len(window)
            if count >= self.count:
                found.append(ring)
        return found


def _callee(ring: Ring) -> Hashable:
    return ring.callee


def _caller(ring: Ring) -> Hashable:
    return ring.caller


def _pair(ring: Ring) -> Hashable:
    return ring.caller, ring.callee


RULES = (
    Rule("callee, 10 calls in 600 s", 10, 600, _callee),
    Rule("callee, 6 calls in 600 s", 6, 600, _callee),
    Rule("caller, 3 calls in 60 s", 3, 60, _caller),
    Rule("caller, 5 calls in 600 s", 5, 600, _caller),
    Rule("caller and callee, 3 in 60 s", 3, 60, _pair),
    Rule("caller and callee, 5 in 600 s", 5, 600, _pair),
    Rule("callee, 3 distinct callers in 600 s", 3, 600, _callee, distinct=True),
)
"""Withheld calls share one key: a switch sees one caller `anonymous`."""


def one_an_hour(alarms: Iterable[Ring]) -> int:
    """Alarms, of each called line at most one an hour."""
    last: dict[int, int] = {}
    count = 0
    for ring in alarms:
        if ring.callee not in last or ring.time - last[ring.callee] >= HOUR:
            last[ring.callee] = ring.time
            count += 1
    return count


ATTACK_PER_HOUR = 96.0
"""16 calls in ten minutes."""
ARL_HOURS = 10 * 8_766.0
"""One false alarm of a line in ten years."""


def lorden_delay(background: float, attack: float = ATTACK_PER_HOUR, arl: float = ARL_HOURS) -> float:
    """Lorden's bound on the mean delay of any test that only counts calls, in s.

    Lorden (1971): no test whose mean time to a false alarm is ARL is faster on average, in the worst case and in first
    order, than log(ARL) / KL. For Poisson counts that jump from b to a calls an hour, the information an hour is
    KL = a log(a / b) - a + b. The attack comes at 96 calls an hour; ARL is 10 years, counted in hours (in first order the
    bound leaves the unit open: counted in seconds it would be 1.7 times as long).

    Args:
        background: ordinary calls a day.
        attack: calls an hour.
        arl: hours.
    """
    ordinary = background / 24.0
    information = attack * math.log(attack / ordinary) - attack + ordinary
    return 3_600.0 * math.log(arl) / information


def lorden_calls(background: float, attack: float = ATTACK_PER_HOUR, arl: float = ARL_HOURS) -> float:
    """The same in calls of the attack."""
    return lorden_delay(background, attack, arl) * attack / 3_600.0
