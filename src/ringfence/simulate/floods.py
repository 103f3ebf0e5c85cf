"""Floods in all their shapes (figures: the newspaper's cases, and the TDoS patterns that APCO and the FBI describe)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ringfence.simulate.attempts import UNANSWERED, Attempts

SHAPES: Final = (
    "newspaper", "minute", "slow", "withheld", "pool", "contacts", "neighbours", "one_ring", "linger", "drop",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Victim:
    """Who is attacked: the line and the numbers it knows."""

    number: str
    contacts: tuple[str, ...] = ()


def gaps(rng: np.random.Generator, shape: str, calls: int) -> npt.NDArray[np.float64]:
    """Seconds between the set-ups of a flood."""
    if shape == "newspaper":  # 16 in the first ten minutes, then one every one to two minutes
        first = rng.exponential(38, min(calls, 15)) + 2
        return np.concatenate([first, rng.uniform(60, 120, max(calls - 15, 0))])
    mean = {"slow": 600.0, "minute": 60.0}.get(shape) or rng.choice([20.0, 40.0, 75.0, 150.0])
    spread = rng.choice([0.1, 0.5, 1.0])  # from nearly a clock to nearly chance
    return np.asarray(np.maximum(mean * (1 - spread) + rng.exponential(mean * spread, calls), 1.0))


def _callers(rng: np.random.Generator, shape: str, victim: Victim, calls: int) -> list[str | None]:
    if shape in {"newspaper", "withheld"}:
        return [None] * calls
    if shape == "contacts" and victim.contacts:
        return [str(rng.choice(victim.contacts)) for _ in range(calls)]
    if shape == "neighbours":
        return [victim.number[:-4] + f"{rng.integers(10_000):04d}" for _ in range(calls)]
    made_up = [_made_up(rng, victim.number) for _ in range(calls)]
    if shape == "pool":
        return [str(rng.choice(made_up[: int(rng.integers(5, 40))])) for _ in range(calls)]
    return list(made_up)


def _made_up(rng: np.random.Generator, victim: str) -> str:
    if rng.random() < 0.3:
        return f"+{rng.choice([1, 44, 60, 66, 84, 852])}{rng.integers(10**8, 10**9)}"
    country = victim[:3] if victim.startswith("+") else "+86"
    return country + f"1{rng.integers(3, 10)}{rng.integers(10**8, 10**9)}"


def flood(
    rng: np.random.Generator, shape: str, victim: Victim, start: float, calls: int, answers: float | None = None
) -> Attempts:  # fmt: skip
    """One flood.

    Args:
        rng: the chance.
        shape: one of SHAPES.
        victim: who is attacked.
        start: seconds.
        calls: how many.
        answers: share of calls that the victim answers; None: drawn (some never answer, some nearly always do).
    """
    share = rng.choice([0.0, 0.2, 0.5, 0.9]) if answers is None else answers
    if shape == "drop":
        share = max(share, 0.6)
    if shape == "linger":
        share = max(share, 0.8)
    times = start + np.concatenate([[0.0], np.cumsum(gaps(rng, shape, calls - 1))])
    attempts = Attempts()
    patience = rng.uniform(12, 35)  # how long its software lets a phone ring
    for time, caller in zip(times, _callers(rng, shape, victim, calls), strict=True):
        if shape == "one_ring":
            attempts.add(float(time), caller, victim.number, float(rng.uniform(1, 4)), UNANSWERED, shape)
        elif rng.random() < share:
            talk = rng.uniform(5, 20) if shape == "linger" else rng.uniform(0.2, 2.5)
            ring = float(min(rng.uniform(2, 12), patience))
            attempts.add(float(time), caller, victim.number, ring, float(talk), shape)
        else:
            ring = float(patience * rng.uniform(0.9, 1.1))
            attempts.add(float(time), caller, victim.number, ring, UNANSWERED, shape)
    return attempts
