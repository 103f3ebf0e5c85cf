"""Fraud lines: numbers that ring strangers in office hours, once each, until they are cut off.

Real ones (Sichuan, medians): 221 records in 7 days of life, 97 % of them outgoing, 1.24 calls per person called, 2 devices (mean
4.6, the largest 153), answered calls of 41 s. A fifth are ordinary lines that were lent or sold, with a life beside it.
"""

from typing import Final

import numpy as np

from ringfence.simulate import habits
from ringfence.simulate.population import Kind
from ringfence.simulate.rows import DAY, ROLE
from ringfence.simulate.stage import Parties, Stage

NAME: Final = "fraud_line"
CRIME: Final = "fraud_line"
KINDS: Final = (Kind("fraud_line", 0.0015, life=0.06),)
SHAPES: Final = ("strangers", "fan_out", "ring_once", "lent")
RATE: Final = 4e-5


def play(stage: Stage, begin: int, shape: str) -> None:
    """One line, for the days that it lives."""
    rng, lines = stage.rng, stage.lines("fraud_line")
    line = stage.person() if shape == "lent" else int(rng.choice(lines))
    days = max(1, int(rng.lognormal(np.log(5), 0.9)))
    devices = int(np.clip(rng.lognormal(0.7, 0.9), 1, 153))
    mark = stage.truth.begin(CRIME, shape, -1 - line, devices=devices)
    a_day = float(np.clip(rng.lognormal(np.log(32 if shape != "fan_out" else 160), 0.8), 6, 900))
    start = times(stage, begin, days, a_day)
    own = equipment(stage, line, begin, devices)
    device = own[np.minimum(rng.integers(0, devices, len(start)), rng.integers(0, devices, len(start)))]
    callees = stage.public(len(start), own=rng.uniform(0.2, 0.7))
    callees = some_again(stage, callees)
    common = {"episode": mark, "role": ROLE["fraud"], "caller_device": device}
    if shape == "ring_once":  # and let curiosity ring back
        stage.calls(
            start, -1 - line, callees, rng.uniform(0.8, 4, len(start)), np.nan, 16, released=1, **common
        )
        back = np.flatnonzero(rng.random(len(start)) < 0.12)
        later = start[back] + (rng.lognormal(6, 1.3, len(back)) * 1e6).astype(np.int64)
        stage.attempts(later, callees[back], -1 - line, 0.8, rng.lognormal(3.2, 0.8, len(back)))
        return
    stage.calls(
        start,
        -1 - line,
        callees,
        **habits.outcomes(rng, len(start), rng.uniform(0.35, 0.7), talk(stage, len(start))),
        **common,
    )
    back = np.flatnonzero(rng.random(len(start)) < 0.03)
    later = start[back] + (rng.lognormal(6.5, 1.3, len(back)) * 1e6).astype(np.int64)
    stage.attempts(later, callees[back], -1 - line, 0.35)


def some_again(stage: Stage, callees: Parties) -> Parties:
    """Some people are rung more than once: calls per person have the quartiles 1.05, 1.24, 2.28 (Sichuan)."""
    rng, found = stage.rng, callees.copy()
    again = np.flatnonzero(rng.random(len(callees)) < rng.beta(0.6, 1.4))
    found[again] = found[np.maximum(again - rng.integers(1, 30, len(again)), 0)]
    return found


def talk(stage: Stage, count: int) -> habits.Floats:
    """Seconds: many hang up at once, some are held (median 41 s, mean 92 s)."""
    rng = stage.rng
    brief = rng.random(count) < 0.3
    return np.where(brief, rng.lognormal(2.0, 0.6, count), np.minimum(rng.lognormal(4.1, 1.05, count), 7_200))


def times(stage: Stage, begin: int, days: int, a_day: float) -> Parties:
    """Moments of some working days, from `begin` on; a day off now and then."""
    rng = stage.rng
    works = (np.arange(days) == 0) | (rng.random(days) < 0.85)
    day = np.repeat(np.arange(days), works * rng.poisson(a_day * rng.lognormal(0, 0.4, days)))
    moments = np.sort(stage.at_hours(begin + day * DAY, habits.FRAUD))
    moments = moments[moments >= begin]
    return moments if len(moments) else np.array([begin], np.int64)


def equipment(stage: Stage, line: int, begin: int, count: int) -> Parties:
    """Devices that a line goes through, its own first."""
    from ringfence.simulate.exchange import device_of

    rng = stage.rng
    own = device_of(stage.people.seed, line, begin)
    return np.concatenate([[own], rng.integers(1, 1 << 48, count - 1)]).astype(np.int64)
