"""Lines whose log-odds are known: what `train` must find again."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ringfence.train.table import Labelled

Floats = NDArray[np.float64]
NATS = np.log(2.0)

SHAPES: dict[str, Callable[[Floats], Floats]] = {
    "rising": lambda x: 1.5 * np.clip(x, -2, 2),
    "step": lambda x: np.where(x >= 0, 1.2, -1.2),
    "hump": lambda x: 2.0 * np.exp(-(x**2)) - 1.0,
    "nothing": np.zeros_like,
}
"""Bits by value; each feature is standard normal."""
MISSING_BITS = 2.0
"""What a missing value of `gap` is worth; a known one says nothing. A fifth of all is missing."""


def columns(lines: int, rng: np.random.Generator) -> dict[str, Floats]:
    made = {name: np.round(rng.normal(size=lines), 4) for name in SHAPES}
    made["gap"] = np.where(rng.random(lines) < 0.2, np.nan, np.round(rng.normal(size=lines), 4))
    return made


def true_bits(made: dict[str, Floats]) -> Floats:
    total = MISSING_BITS * np.isnan(made["gap"]).astype(np.float64)
    for name, shape in SHAPES.items():
        total += shape(made[name])
    return total


def table(lines: int = 5_000, seed: int = 1, odds_bits: float = -1.0) -> Labelled:
    """Lines of which each is fraud with its own probability: log2 odds = true bits + `odds_bits`."""
    rng = np.random.default_rng(seed)
    made = columns(lines, rng)
    chance = 1.0 / (1.0 + np.exp2(-(true_bits(made) + odds_bits)))
    label = (rng.random(lines) < chance).astype(np.float64)
    return Labelled(made, label, {}, "made")
