"""A small town: ordinary calls and everything in ordinary life that looks like a flood.

Figures computed from public data: log-normal activity (Sichuan telecom-fraud data), durations as a mixture of short and log-normal calls and a
quarter unanswered, a third of these redialled within ten minutes (Copenhagen), a day profile with two peaks.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ringfence.simulate.attempts import UNANSWERED, Attempts
from ringfence.simulate.floods import SHAPES, Victim, flood

DAY: Final = 86_400.0
LOOK_ALIKES: Final = (
    "advert", "relative", "birthday", "bereavement", "storm", "call_backs", "restaurant", "hotline", "couriers", "withheld",
)  # fmt: skip
# Shares of the day's calls by hour, local time: Chinese adults, peaks at 10-11 h and 17-18 h, dip at 14-16 h.
HOURS: Final = np.array(
    [0.5, 0.3, 0.2, 0.2, 0.3, 0.8, 2, 4, 6, 8, 9, 8.5, 7, 5.5, 4.5, 5, 6.5, 8.5, 8, 6, 4.5, 3, 1.5, 0.7]
)


@dataclass(slots=True)
class Town:
    """Lines and who knows whom.

    Attributes:
        lines: numbers; contacts: for each the places of those it knows.
        attempts: all calls; truth: the floods as (victim, shape, first and last set-up).
        events: the look-alikes as (line, kind, start).
    """

    lines: list[str]
    contacts: list[np.ndarray]
    attempts: Attempts = field(default_factory=Attempts)
    truth: list[tuple[str, str, float, float]] = field(default_factory=list)
    events: list[tuple[str, str, float]] = field(default_factory=list)


def _talk(rng: np.random.Generator) -> float:
    short = rng.random() < 0.25
    return float(rng.lognormal(0.88, 0.52) if short else rng.lognormal(3.8, 1.21))


def _time_of_day(rng: np.random.Generator, hours: np.ndarray = HOURS) -> float:
    return float((rng.choice(24, p=hours / hours.sum()) + rng.random()) * 3600)


def _stranger(rng: np.random.Generator, town: Town) -> str:
    """Somebody else's line, half of them in the town, half on other networks."""
    if rng.random() < 0.5:
        return str(rng.choice(town.lines))
    return f"+861{rng.integers(3, 10)}{rng.integers(10**8, 10**9)}"


def _attempt(
    rng: np.random.Generator, attempts: Attempts, time: float, caller: str | None, callee: str,
    answered: float = 0.74, what: str = "",
) -> None:  # fmt: skip
    """A call with its redials: a third of the unanswered ones, within ten minutes."""
    while rng.random() > answered:
        ring = float(rng.uniform(3, 8) if rng.random() < 0.15 else rng.uniform(12, 40))
        attempts.add(time, caller, callee, ring, UNANSWERED, what)
        if rng.random() > 0.33:
            return
        time += ring + float(rng.exponential(120)) + 5
    attempts.add(time, caller, callee, float(rng.uniform(2, 18)), _talk(rng), what)


def make_town(rng: np.random.Generator, lines: int, days: int, prefix: str = "+86138") -> Town:
    """Ordinary life of a town."""
    numbers = [f"{prefix}{n:08d}" for n in rng.choice(10**8, lines, replace=False)]
    sizes = np.clip(rng.lognormal(2.9, 0.8, lines), 3, 300).astype(int)
    town = Town(numbers, [rng.integers(0, lines, size) for size in sizes])
    activity = rng.lognormal(-0.1, 1.1, lines)  # calls made a day
    for place in range(lines):
        made = rng.poisson(min(activity[place], 40) * days)
        known = town.contacts[place]
        weights = 1.0 / np.arange(1, len(known) + 1)
        chosen = rng.choice(known, made, p=weights / weights.sum())
        for other in chosen:
            callee = _stranger(rng, town) if rng.random() < 0.12 else numbers[int(other)]
            if callee != numbers[place]:
                time = rng.integers(days) * DAY + _time_of_day(rng)
                _attempt(rng, town.attempts, time, numbers[place], callee)
    return town


def look_alike(rng: np.random.Generator, town: Town, kind: str, line: int, start: float, days: int) -> None:
    """Add one thing of ordinary life that looks like a flood."""
    number, attempts = town.lines[line], town.attempts
    town.events.append((number, kind, start))
    known = [town.lines[int(other)] for other in town.contacts[line]]
    if kind == "advert":  # strangers come in numbers, and talk
        for time in start + np.sort(rng.exponential(7200, int(rng.integers(15, 80)))):
            _attempt(rng, attempts, float(time), _stranger(rng, town), number, 0.75, kind)
    elif kind == "relative":  # fifteen times the same number
        caller = known[0] if rng.random() < 0.7 else _stranger(rng, town)
        time = start
        for _ in range(int(rng.integers(6, 16))):
            attempts.add(time, caller, number, float(rng.uniform(15, 40)), UNANSWERED, kind)
            time += float(rng.exponential(90)) + 20
        attempts.add(time, caller, number, 8.0, _talk(rng) + 20, kind)
    elif kind in {"birthday", "bereavement"}:  # many known people, in a day or in hours
        spread = 10 * 3600 if kind == "birthday" else 3 * 3600
        for time in start + rng.uniform(0, spread, int(rng.integers(12, 40))):
            answered = 0.6 if kind == "birthday" else 0.45
            _attempt(rng, attempts, float(time), str(rng.choice(known)), number, answered, kind)
    elif (
        kind == "storm"
    ):  # somebody showed this number to hundreds; they ring back, once, and ask who that was
        for time in start + np.sort(rng.exponential(3600, int(rng.integers(20, 120)))):
            caller = _stranger(rng, town)
            if rng.random() < 0.6:
                talk = float(rng.lognormal(2.3, 0.6))
                attempts.add(float(time), caller, number, float(rng.uniform(3, 15)), talk, kind)
            else:
                _attempt(rng, attempts, float(time), caller, number, 0.3, kind)
    elif kind == "call_backs":  # the line rang many who did not answer
        for _ in range(int(rng.integers(10, 40))):
            other = _stranger(rng, town)
            time = start + float(rng.uniform(0, 7200))
            attempts.add(time, number, other, 20.0, UNANSWERED, kind)
            if rng.random() < 0.5:
                _attempt(rng, attempts, time + 30 + float(rng.exponential(600)), other, number, 0.6, kind)
    elif kind in {"restaurant", "hotline"}:  # strangers every day, at noon or all day
        hours = np.zeros(24)
        hours[[11, 12, 17, 18] if kind == "restaurant" else range(8, 20)] = 1
        mean = rng.uniform(15, 40) if kind == "restaurant" else rng.uniform(60, 400)
        for day in range(days):
            for _ in range(rng.poisson(mean)):
                time = day * DAY + _time_of_day(rng, hours)
                _attempt(rng, attempts, time, _stranger(rng, town), number, 0.85, kind)
    elif kind == "couriers":  # a day of parcels
        for _ in range(int(rng.integers(5, 12))):
            time = start + float(rng.uniform(0, 6 * 3600))
            caller = f"+8615{rng.integers(10**8, 10**9)}"
            if rng.random() < 0.75:
                attempts.add(time, caller, number, float(rng.uniform(4, 15)), float(rng.uniform(6, 40)), kind)
            else:
                _attempt(rng, attempts, time, caller, number, 0.5, kind)
    elif kind == "withheld":  # a surgery, an office: withheld, a few times a day
        for _ in range(int(rng.integers(2, 6))):
            _attempt(rng, attempts, start + float(rng.uniform(0, 6 * 3600)), None, number, 0.6, kind)


def add_flood(rng: np.random.Generator, town: Town, shape: str, line: int, start: float, calls: int) -> None:
    """Add a flood and write it into the truth."""
    contacts = tuple(town.lines[int(other)] for other in town.contacts[line])
    attempts = flood(rng, shape, Victim(town.lines[line], contacts), start, calls)
    town.attempts.extend(attempts)
    town.truth.append((town.lines[line], shape, attempts.start[0], attempts.start[-1]))


def busy_town(
    rng: np.random.Generator, lines: int = 2_000, days: int = 14, events: int = 60, floods: int = 60
) -> Town:
    """A town with look-alikes and floods of every kind, on different lines, from the third day on."""
    town = make_town(rng, lines, days)
    chosen = rng.permutation(lines)
    for n in range(events):
        kind = LOOK_ALIKES[n % len(LOOK_ALIKES)]
        start = rng.uniform(2, days - 1) * DAY + _time_of_day(rng) - 12 * 3600
        look_alike(rng, town, kind, int(chosen[n]), float(start), days)
    for n in range(floods):
        start = float(rng.uniform(2, days - 1) * DAY)
        add_flood(
            rng, town, SHAPES[n % len(SHAPES)], int(chosen[events + n]), start, int(rng.integers(25, 200))
        )
    return town
