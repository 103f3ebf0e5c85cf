"""Ordinary life: people ring people they know, shops, strangers; who does not answer is rung again or rings back.

One compiled loop over lines and hours. Durations, redials, call-backs: Copenhagen Networks Study; day profile: Sichuan
(busiest hour of a line); ring times: tawkon, Unicom manual; two activity states: Jiang et al. 2015 (arXiv 1508.07503).
"""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ringfence.compiled import entry, jit, routine
from ringfence.simulate.chance import (
    bell,
    below,
    draw,
    exponential,
    lognormal,
    mix,
    share,
    trait,
    uniform,
)
from ringfence.simulate.contacts import Graph, counterpart, line_at, stranger_number
from ringfence.simulate.rows import HOUR, SECOND, Rows

# Share of a day's calls by hour, local time. China: busiest hours 10-11 (28 % of lines) and 17-18 (21.5 %), dip at 14-16.
WORKDAY: Final = (
    0.55, 0.35, 0.2, 0.15, 0.2, 0.5, 1.3, 3.0, 5.6, 7.9, 8.9, 8.6, 6.9, 5.5, 5.1, 5.3, 6.3, 8.4, 8.5, 6.7, 5.0, 3.4, 1.9, 1.0,
)  # fmt: skip
WEEKEND: Final = (
    0.8, 0.5, 0.3, 0.2, 0.2, 0.4, 0.9, 1.9, 3.8, 6.2, 7.8, 8.2, 7.4, 6.0, 5.6, 5.9, 6.8, 8.2, 8.4, 7.1, 5.8, 4.3, 2.7, 1.5,
)  # fmt: skip
WEEK: Final = (1.03, 1.02, 1.02, 1.03, 1.08, 0.95, 0.87)
"""By day of the week, Monday first."""

ANSWERED: Final = 0.77
REDIALLED: Final = 0.38
PERSISTENT: Final = 0.66
"""The same after two attempts: who has tried thrice must get through (runs of 4 and more are as many as of 3)."""
CALLED_BACK: Final = 0.24
AGAIN: Final = 0.11
"""Of answered calls: the same person once more, within minutes."""
SESSION: Final = 0.12
"""Of answered calls: the caller goes on to ring somebody else."""
_SHIFTS: Final = (-2, -1, -1, 0, 0, 0, 1, 3)
"""Hours by which people live later or earlier than others."""
_TRIES: Final = 14
_BUSY_STATE: Final = 0.3
_BUSY_RATE: Final = 2.2
_IDLE_RATE: Final = (1 - _BUSY_STATE * _BUSY_RATE) / (1 - _BUSY_STATE)
_MOST_OF_DAY: Final = 2.5
_SCALE: Final = 0.85
"""Chains began a day for one answered call wanted."""


def profile() -> npt.NDArray[np.float64]:
    """float64[7, 24]: share of a week's calls in an hour, times 7."""
    days = [WORKDAY] * 5 + [WEEKEND] * 2
    week = np.array([np.array(day) / sum(day) * factor for day, factor in zip(days, WEEK, strict=True)])
    return np.asarray(week / week.sum() * 7)


@jit
def _put(
    rows: Any, n: int, start: int, answer: int, end: int, caller: int, callee: int, cause: int, by: int
) -> int:
    """Write a row if there is room; gives back how many rows there would be."""
    if n < len(rows):
        row = rows[n]
        row.start = start
        row.answer = answer
        row.end = end
        row.caller = caller
        row.callee = callee
        row.caller_device = 0
        row.callee_device = 0
        row.cell = 0
        row.episode = 0
        row.episode2 = 0
        row.trunk = 0
        row.cause = cause
        row.released = by
        row.ingress = 0
        row.role = 0
        row.role2 = 0
        row.firm = 0
    return n + 1


@jit
def ring_time(state: Any) -> float:
    """Seconds until a call is answered: mean 8.7 (tawkon)."""
    return min(lognormal(state, 7.3, 0.6), 58.0) + 0.2


@jit
def talk_time(state: Any) -> float:
    """Seconds of a conversation: a quarter short (median 2.4 s), the others with median 44.5 s."""
    if uniform(state) < 0.25:
        return lognormal(state, 2.4, 0.52)
    return min(lognormal(state, 44.5, 1.21), 14_400.0)


@routine
def _fail(rows: Any, n: int, state: Any, start: int, caller: int, callee: int) -> tuple[int, int]:
    """An attempt that is not answered; gives back (rows, end)."""
    why = uniform(state)
    if why < 0.12:  # engaged
        cause, by, ring = 17, 3, 0.3 + 2.5 * uniform(state)
    elif why < 0.26:  # switched off, no coverage
        cause, by, ring = 20 if why < 0.22 else 18, 3, 0.8 + 5.0 * uniform(state)
    elif why < 0.38:  # refused
        cause, by, ring = 21, 2, 1.5 + exponential(state, 5.0)
    elif why < 0.72:  # the caller gives up
        cause, by, ring = 16, 1, min(lognormal(state, 17.0, 0.55), 60.0)
    elif why < 0.98:  # the network does
        limit = 30.0 + 15.0 * below(trait(np.uint64(7), callee, 3), 3)
        cause, by, ring = 19, 3, limit + 1.5 * uniform(state)
    else:
        cause, by, ring = (102, 41, 38, 27)[below(draw(state), 4)], 3, 3.0 * uniform(state)
    end = start + int(ring * SECOND)
    return _put(rows, n, start, -1, end, caller, callee, cause, by), end


@routine
def _talk(
    rows: Any, n: int, state: Any, start: int, caller: int, callee: int, seconds: float
) -> tuple[int, int]:
    """An answered call; gives back (rows, end)."""
    answer = start + int(ring_time(state) * SECOND)
    end = answer + int(seconds * SECOND)
    who = uniform(state)
    by = 1 if who < 0.54 else 2 if who < 0.975 else 3
    cause = 16
    if by == 3:
        cause = (31, 41, 127, 16)[below(draw(state), 4)]
    return _put(rows, n, start, answer, end, caller, callee, cause, by), end


@routine
def _converse(
    rows: Any, n: int, state: Any, start: int, caller: int, callee: int, answered: float
) -> tuple[int, int]:
    """A call, with its redials and the call back; gives back (rows, end of the conversation or 0)."""
    chance = answered
    for tries in range(_TRIES):
        if uniform(state) < chance:
            seconds = talk_time(state)
            n, end = _talk(rows, n, state, start, caller, callee, seconds)
            if uniform(state) >= (0.25 if seconds < 3.0 else AGAIN):
                return n, end
            start = end + int((3.0 + lognormal(state, 35.0 if seconds < 3.0 else 240.0, 1.3)) * SECOND)
            chance = 0.85
            continue
        n, end = _fail(rows, n, state, start, caller, callee)
        then = uniform(state)
        redialled = REDIALLED if tries < 2 else PERSISTENT
        if then < redialled:
            start = end + int((2.0 + min(lognormal(state, 45.0, 1.3), 590.0)) * SECOND)
            chance = min(answered, 0.57 if tries < 2 else 0.3)
        elif then < redialled + CALLED_BACK:
            start = end + int((3.0 + min(lognormal(state, 110.0, 1.1), 590.0)) * SECOND)
            caller, callee = callee, caller
            chance = 0.88
        else:
            return n, 0
    return n, 0


@jit
def _somebody(graph: Graph, state: Any, services: Any) -> Any:
    """Whom one rings without knowing them."""
    what = uniform(state)
    if what < 0.4:  # the more popular, the more often
        return services[int((len(services) + 1) ** uniform(state)) - 1]
    if what < 0.8:
        return stranger_number(graph, draw(state))
    return -1 - line_at(graph, int(uniform(state) * (graph.offset[graph.lines] - 1)))


@jit
def _rank(state: Any, degree: int) -> int:
    """Whom of those one knows: mostly P(k) = log((k + 2) / (k + 1)) / log(degree + 1); the first gets a fifth of all calls."""
    if uniform(state) < 0.08:
        return 0
    return min(int((degree + 1.0) ** uniform(state)) - 1, degree - 1)


@jit
def _stranger_rings(graph: Graph, state: Any, offices: Any) -> Any:
    """Who rings without being known."""
    what = uniform(state)
    if what < 0.52:
        return stranger_number(graph, draw(state))
    if what < 0.94:
        return offices[int(uniform(state) * len(offices))]
    if what < 0.975:
        return offices[int(len(offices) ** uniform(state)) - 1]
    return 0


@routine
def _friend(graph: Graph, state: Any, line: int, degree: int, welcome: Any) -> int:
    """Somebody one knows and likes to ring."""
    other = 0
    for _ in range(4):
        other = counterpart(graph, line, _rank(state, degree))
        if other > 0 or uniform(state) < welcome[-1 - other]:
            break
    return other


@entry
def ordinary(
    graph: Graph, out: Any, inward: Any, welcome: Any, degree: Any, services: Any, offices: Any, week: Any, begin: int,
    first_hour: int, last_hour: int, weekday: int, rows: Rows,
) -> int:  # fmt: skip
    """Write the calls that begin in some hours, and all that follows from them (later, it may be).

    Args:
        graph: who knows whom.
        out: by line: calls made a day.
        inward: by line: calls a day from known customers of other networks.
        welcome: by line: how readily others ring it.
        degree: by line: people known.
        services: parties that anybody may ring, the most popular first.
        offices: parties that ring anybody, the busiest first.
        week: float64[7, 24], see `profile`.
        begin: µs of the local midnight that hours count from.
        first_hour: the first hour.
        last_hour: the one behind the last.
        weekday: of `begin` (0: Monday).
        rows: where to write.

    Returns:
        How many rows there are; if more than fit, nothing behind the end was written.
    """
    n = 0
    state = np.empty(1, np.uint64)
    calm = np.empty(24, np.float64)
    for line in range(graph.lines):
        made, known = out[line] * _SCALE, inward[line] * _SCALE
        strangers = min(0.02 * welcome[line] + 0.07 * known, 1.0)
        daily = made + known + strangers
        taste = trait(graph.seed, line, 51)
        shift = _SHIFTS[below(taste, 8)]
        early = 1.3 * (share(mix(taste)) - 0.5)
        pick_up = ANSWERED + 0.2 * (share(mix(taste + np.uint64(1))) - 0.5)
        day = -1
        for hour in range(first_hour, last_hour):
            local = (hour + shift) % 24
            base = daily * week[(weekday + hour // 24) % 7, local]
            state[0] = trait(graph.seed, line, 1_000 + hour)
            sooner = share(mix(state[0] + np.uint64(5)))
            if sooner >= base * _BUSY_RATE * _MOST_OF_DAY * 1.3:
                continue
            if hour // 24 != day:
                day = hour // 24
                key = trait(graph.seed, line, 900_000 + day)
                calm[0] = min(math.exp(0.5 * bell(key, mix(key)) - 0.11), _MOST_OF_DAY)
            busy = share(trait(graph.seed, line, 2_000_000 + (hour + shift) // 2)) < _BUSY_STATE
            mean = base * calm[0] * (_BUSY_RATE if busy else _IDLE_RATE)
            mean *= 1.0 + early if local < 14 else 1.0 - early
            if sooner >= mean:
                continue
            floor, left, count = math.exp(-mean), 1.0 - sooner, 0
            while left > floor and count < 400:
                left *= uniform(state)
                count += 1
            for _ in range(count):
                start = begin + hour * HOUR + int(uniform(state) * HOUR)
                what = uniform(state) * daily
                chance = pick_up if 7 <= local < 23 else 0.85 * pick_up
                if what < made:
                    if uniform(state) < 0.06:
                        other = _somebody(graph, state, services)
                    else:
                        other = _friend(graph, state, line, degree[line], welcome)
                    n, end = _converse(rows, n, state, start, -1 - line, other, chance)
                    while end > 0 and uniform(state) < SESSION:
                        start = end + int((2.0 + lognormal(state, 60.0, 1.0)) * SECOND)
                        other = _friend(graph, state, line, degree[line], welcome)
                        n, end = _converse(rows, n, state, start, -1 - line, other, chance)
                elif what < made + known:
                    other = 0
                    for _try in range(6):
                        other = counterpart(graph, line, _rank(state, degree[line]))
                        if other > 0:
                            break
                    if other > 0:
                        n, end = _converse(rows, n, state, start, other, -1 - line, chance)
                else:
                    other = _stranger_rings(graph, state, offices)
                    if other != 0:
                        n, end = _converse(rows, n, state, start, other, -1 - line, chance)
                    elif uniform(state) < chance:
                        n, end = _talk(rows, n, state, start, 0, -1 - line, talk_time(state))
                    else:
                        n, end = _fail(rows, n, state, start, 0, -1 - line)
    return n
