"""How long things take and when they happen: draws that look-alikes and crimes share, whole arrays at a time."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Generator = np.random.Generator


def _hours(**spans: float) -> Floats:
    """24 weights from spans such as h8_12=1.0."""
    found = np.zeros(24)
    for name, weight in spans.items():
        first, last = map(int, name[1:].split("_"))
        found[first:last] += weight
    return np.asarray(found / found.sum())


OFFICE: Final = _hours(h8_9=0.4, h9_12=1.0, h12_14=0.35, h14_18=1.0, h18_20=0.15)
"""Office hours."""
FRAUD: Final = _hours(
    h8_9=0.3, h9_10=0.7, h10_12=1.2, h12_13=0.5, h13_17=1.15, h17_18=0.9, h18_21=0.35, h21_23=0.08
)
"""Hours of fraud lines: 13-17 h flat, lunch at 12 h (Sichuan)."""
ROUND: Final = _hours(h7_9=0.5, h9_13=1.0, h13_15=0.7, h15_20=1.0, h20_22=0.25)
"""Deliveries."""
MEALS: Final = _hours(h10_11=0.6, h11_13=1.5, h13_16=0.25, h16_17=0.6, h17_20=1.4, h20_22=0.3)
"""Restaurants."""
DAYTIME: Final = _hours(h0_6=0.08, h6_8=0.6, h8_22=1.0, h22_24=0.4)
"""People who are awake."""
ALWAYS: Final = np.full(24, 1 / 24)


def rings(rng: Generator, count: int) -> Floats:
    """Seconds until somebody answers."""
    return np.asarray(np.minimum(rng.lognormal(1.99, 0.6, count), 58) + 0.2)


def talks(
    rng: Generator, count: int, median: float = 44.5, sigma: float = 1.21, short: float = 0.25
) -> Floats:
    """Seconds of conversations, some of them short (median 2.4 s)."""
    long = np.minimum(rng.lognormal(np.log(median), sigma, count), 14_400)
    return np.asarray(np.where(rng.random(count) < short, rng.lognormal(0.88, 0.52, count), long))


def outcomes(
    rng: Generator, count: int, answered: float | Floats, talk: Floats | None = None, patience: float = 17.0
) -> dict[str, Any]:
    """Ring, talk and cause of attempts; a quarter of failures never ring, some are refused.

    Args:
        rng: the chance.
        count: how many.
        answered: probability of an answer.
        talk: s, of those that are answered; None: as people talk.
        patience: s after which a caller gives up, the median.
    """
    answer = rng.random(count) < answered
    why = rng.random(count)
    cause = np.select([why < 0.12, why < 0.26, why < 0.38, why < 0.72], [17, 20, 21, 16], 19)
    brief = 0.5 + rng.exponential(2.5, count)
    wait = np.select(
        [why < 0.26, why < 0.38, why < 0.72],
        [brief, 1.5 + rng.exponential(5, count), np.minimum(rng.lognormal(np.log(patience), 0.5, count), 60)],
        rng.choice([30, 45, 60], count) + rng.random(count),
    )
    spoken = talks(rng, count) if talk is None else talk
    return {
        "ring": np.where(answer, rings(rng, count), wait),
        "talk": np.where(answer, spoken, np.nan),
        "cause": np.where(answer, 16, cause),
    }


def spread(rng: Generator, low: float, high: float, count: int | None = None) -> Any:
    """Log-uniform between two bounds: all sizes are equally likely."""
    return np.exp(rng.uniform(np.log(low), np.log(high), count))
