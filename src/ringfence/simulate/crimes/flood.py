"""Flood: one phone rung again and again by software, then a text that names a price (newspaper cases 1 and 2).

Shapes differ by what a detector could lean on: pace, whose numbers are shown, what happens when the phone is answered.
Figures: 16 calls in ten minutes, then one every one to two minutes, 2,000 in a weekend (Shanghai Daily 2013); gaps of
1 s to 1 min, dropped within 2 s (US 2025/0211673); the numbers are random and cannot be rung back (South China
Morning Post 2018).
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ringfence.model.tables import DOMESTIC, INTERNATIONAL
from ringfence.simulate.crimes._forging import roles_of
from ringfence.simulate.crimes._wording import demand
from ringfence.simulate.exchange import DOMESTIC_TRUNKS, TRUNKS
from ringfence.simulate.habits import spread
from ringfence.simulate.rows import DAY, HOUR, MINUTE, ROLE, SECOND
from ringfence.simulate.stage import Parties, Stage

NAME: Final = "flood"
CRIME: Final = "flood"
SHAPES: Final = (
    "newspaper", "steady", "fast", "slow", "bursts", "linger", "ring_once", "withheld", "ever_new", "pool", "borrowed",
    "neighbours", "mixed", "shop",
)  # fmt: skip
RATE: Final = 6e-5

_MEAN_GAP: Final = {"slow": (480, 720), "fast": (4, 20), "steady": (30, 150)}
_LONGEST: Final = 2.5 * DAY


def play(stage: Stage, begin: int, shape: str) -> None:
    """One flood, from the first call to the last, and its text."""
    rng = stage.rng
    victim = _victim(stage, shape)
    start = begin + _gaps(stage, shape)
    start = start[start < begin + _LONGEST]
    callers = stage.owned(_callers(stage, shape, victim, len(start)))
    ingress = INTERNATIONAL if rng.random() < 0.45 else DOMESTIC
    first, last = (1, DOMESTIC_TRUNKS + 1) if ingress == DOMESTIC else (DOMESTIC_TRUNKS + 1, TRUNKS + 1)
    trunks = rng.choice(np.arange(first, last), int(rng.integers(1, 5)))
    hours = max((int(start[-1]) - begin) / HOUR, 0.1)
    text = _text(stage, victim, begin, int(start[-1]))
    mark = stage.truth.begin(
        CRIME, shape, -1 - victim, **text, rate_per_hour=round((len(start) - 1) / hours, 2)
    )
    ring, talk, cause, released = _answers(stage, shape, start)
    roles = roles_of(stage, callers, ingress)
    stage.calls(
        start, callers, -1 - victim, ring, talk, cause, released=released, ingress=ingress,
        trunk=rng.choice(trunks, len(start)), episode=mark, role=ROLE["attack"], role2=roles,
    )  # fmt: skip


def _victim(stage: Stage, shape: str) -> int:
    if shape == "shop":
        shops = np.concatenate([stage.lines("shop"), stage.lines("restaurant")])
        return int(stage.rng.choice(shops))
    return stage.person()


def _gaps(stage: Stage, shape: str) -> npt.NDArray[np.int64]:
    """µs from the first call to each; gaps from nearly a clock to wholly by chance."""
    rng = stage.rng
    calls = int(spread(rng, 25, 900))
    regular = spread(rng, 0.7, 25)  # shape of the gamma distribution of gaps
    if shape == "newspaper":
        first = rng.gamma(regular, 37 / regular, 15) + rng.random(15)
        rest = rng.uniform(60, 120, int(spread(rng, 30, 2_000)))
        gaps = np.concatenate([first, rest])
    elif shape == "bursts":  # some minutes of it, then a pause
        gaps = rng.gamma(regular, spread(rng, 8, 60) / regular, calls)
        gaps += np.where(rng.random(calls) < rng.uniform(0.03, 0.12), rng.exponential(2_400, calls), 0)
    else:
        low, high = _MEAN_GAP.get(shape, (12, 400))
        gaps = rng.gamma(
            regular, spread(rng, low, high) / regular, min(calls, 150 if shape == "slow" else calls)
        )
    if rng.random() < 0.2:  # its operator sleeps
        gaps = gaps + np.where(np.cumsum(gaps) % 86_400 > 57_600, 3_600.0 * (rng.random(len(gaps)) < 0.08), 0)
    return (np.concatenate([[0], np.cumsum(gaps + 0.2)]) * SECOND).astype(np.int64)


def _callers(stage: Stage, shape: str, victim: int, count: int) -> Parties:
    rng = stage.rng
    source = shape
    if shape not in {"withheld", "ever_new", "pool", "borrowed", "neighbours", "mixed"}:
        source = str(rng.choice(["withheld", "ever_new", "ever_new", "pool", "mixed"]))
    if shape == "newspaper":
        source = "withheld"
    if source == "withheld":
        return np.zeros(count, np.int64)
    new = _ever_new(stage, count)
    if source == "pool":
        return rng.choice(new[: int(spread(rng, 3, 60))], count)
    if source == "borrowed":
        known = stage.contacts(victim)
        return rng.choice(known[: int(rng.integers(4, 60))], count)
    if source == "neighbours":  # numbers like the victim's own
        number = int(stage.people.number[victim])
        return number // 10_000 * 10_000 + rng.integers(0, 10_000, count)
    if source == "mixed":
        other = rng.choice([0, 1, 2], count, p=rng.dirichlet([1, 1, 1]))
        known = rng.choice(stage.contacts(victim), count)
        return np.select([other == 0, other == 1], [new, np.zeros(count, np.int64)], known)
    return new


def _ever_new(stage: Stage, count: int) -> Parties:
    rng = stage.rng
    weights = rng.dirichlet([1.0, 1.0, 0.6, 0.5])
    sorts = rng.choice(4, count, p=weights)
    return np.select(
        [sorts == 0, sorts == 1, sorts == 2],
        [stage.strangers(count), stage.far(count), stage.abroad(count)],
        stage.fixed(count),
    )


def _answers(stage: Stage, shape: str, start: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.float64], ...]:
    """(ring, talk, cause, released): the victim answers less and less, refuses, switches off."""
    rng, count = stage.rng, len(start)
    willing = rng.choice([0.0, 0.15, 0.4, 0.7, 0.95])
    if shape == "linger":
        willing = max(willing, 0.5)
    answered = rng.random(count) < willing * np.exp(-np.arange(count) / spread(rng, 5, 200))
    patience = rng.uniform(10, 45)
    ring = np.where(
        answered,
        np.minimum(rng.lognormal(1.7, 0.6, count) + 0.3, patience),
        patience * rng.uniform(0.9, 1.1, count),
    )
    if shape == "ring_once":
        answered &= rng.random(count) < 0.1
        ring = np.where(answered, rng.uniform(0.5, 3, count), rng.uniform(0.8, 4.5, count))
    lingers = shape == "linger" or rng.random() < 0.08
    stay = (
        rng.lognormal(np.log(rng.uniform(6, 20)), 0.45, count)
        if lingers
        else rng.lognormal(np.log(0.9), 0.55, count)
    )
    by_victim = rng.random(count) < (0.5 if lingers else 0.12)
    refused = ~answered & (rng.random(count) < rng.choice([0.0, 0.1, 0.5]))
    ring = np.where(refused, np.minimum(ring, 0.8 + rng.exponential(3, count)), ring)
    off = _switched_off(stage, start) & ~answered
    ring = np.where(off, 0.3 + rng.exponential(1.5, count), ring)
    gave_up = rng.random() < 0.6  # its software rather than the network
    cause = np.select([answered, off, refused], [16, 20, 21], 16 if gave_up and rng.random() < 0.5 else 19)
    released = np.select([answered & by_victim, answered, off, refused], [2, 1, 3, 2], 1 if gave_up else 3)
    return ring, np.where(answered, stay, np.nan), cause, released


def _switched_off(stage: Stage, start: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """The phone is off for some hours, some time after it began."""
    rng = stage.rng
    if rng.random() < 0.6:
        return np.zeros(len(start), np.bool_)
    off = start[0] + int(spread(rng, 0.5, 12) * HOUR)
    return np.asarray((start > off) & (start < off + int(spread(rng, 1, 14) * HOUR)))


def _text(stage: Stage, victim: int, begin: int, end: int) -> dict[str, Any]:
    """The demand: before, during or not at all."""
    rng, country = stage.rng, stage.people.numbering.country
    if rng.random() < 0.15:
        return {"demand_at": None, "demand": None}
    at = begin + int(min(spread(rng, 3, 240) * MINUTE, max(end - begin, MINUTE)))
    if rng.random() < 0.1:
        at = begin - int(rng.exponential(15) * MINUTE)
    at = max(at, stage.now)
    amount = int(round(spread(rng, 80, 6_000) / 20) * 20)
    account = stage.account(10**18 + int(rng.integers(1, 400)))  # gangs use their accounts for many victims
    sender = int(rng.choice(_ever_new(stage, 3)))
    stage.text(at, sender, -1 - victim, demand(rng, country.language, amount, country.currency, account))
    return {"demand_at": at, "demand": {"amount": amount, "currency": country.currency, "account": account}}
