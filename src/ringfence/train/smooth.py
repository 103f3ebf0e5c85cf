"""Shape functions that rise and fall gently: penalised logistic regression on ramps, solved exactly.

Each feature is a sum of ramps between its eighths (a piecewise linear function of the measurement) and a step for
missing values; a penalty on the height of every ramp keeps apart what few lines would tear apart. The problem is convex,
so there is one answer, and its curvature says how sure each bin is (Laplace's approximation).
Generalised additive models: Hastie and Tibshirani 1986; the penalty as a prior on differences: Eilers and Marx 1996.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ringfence.train.bins import Codes, Floats, centres

SEGMENTS: Final = 8
"""Ramps a feature. On real lines 6 to 16 did equally well; fewer are easier to read."""
_STEPS: Final = 30
_SMALL: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Basis:
    """The ramps of a feature as a table, shape (1 + bins, ramps): row 0 is for missing values."""

    table: Floats


@dataclass(frozen=True, slots=True)
class Smooth:
    """A fit: its weights, its constant, and the spread of the weights (their covariance, or None if not asked for)."""

    weights: Floats
    constant: float
    covariance: Floats | None


def basis_of(values: Floats, codes: NDArray[np.uint8], bins: int) -> Basis:
    """The ramps of one feature, centred on the lines at hand."""
    known = codes > 0
    missing = not known.all()
    if not known.any():
        return Basis(np.zeros((1 + bins, 0)))
    where = centres(values, codes, bins)
    shares = np.r_[0.005, np.arange(1, SEGMENTS) / SEGMENTS, 0.995]
    knots = np.unique(np.quantile(values[known], shares, method="inverted_cdf"))
    ramps = np.clip((where[:, None] - knots[:-1]) / np.diff(knots), 0.0, 1.0)
    share = np.bincount(codes[known], minlength=1 + bins)[1:] / known.sum()
    ramps -= share @ ramps
    table = np.zeros((1 + bins, ramps.shape[1] + missing))
    table[1:, : ramps.shape[1]] = ramps
    if missing:
        table[0, -1] = 1.0
    return Basis(table)


def design(codes: Codes, bases: Sequence[Basis]) -> Floats:
    """All ramps of all lines, shape (lines, ramps)."""
    parts = [basis.table[codes[:, place]] for place, basis in enumerate(bases)]
    return np.ascontiguousarray(np.hstack(parts)) if parts else np.zeros((len(codes), 0))


def fit(
    ramps: Floats, label: Floats, penalty: float, *, start: Smooth | None = None, spread: bool = False
) -> Smooth:
    """Newton's method on log-loss + penalty / 2 · |weights|²; the constant is free.

    Args:
        ramps: shape (lines, ramps).
        label: 0 or 1.
        penalty: the inverse variance of a ramp's height in nats.
        start: where to begin.
        spread: whether the covariance is wanted.
    """
    lines, width = ramps.shape
    full = np.empty((lines, width + 1))
    full[:, :width], full[:, width] = ramps, 1.0
    ridge = np.r_[np.full(width, penalty), 1e-9]
    prior = np.clip(label.mean(), 1e-6, 1 - 1e-6)
    at = (
        np.r_[np.zeros(width), np.log(prior / (1 - prior))]
        if start is None
        else np.r_[start.weights, start.constant]
    )
    loss = _loss(full, label, ridge, at)
    rough, curvature = full.astype(np.float32), np.eye(width + 1)
    for _ in range(_STEPS):
        chance = 1.0 / (1.0 + np.exp(-(full @ at)))
        gradient = full.T @ (label - chance) - ridge * at
        curvature = _curvature(rough, chance) + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        at, loss = _descend(full, label, ridge, at, step, loss)
        if np.abs(step).max() < _SMALL:
            break
    covariance = np.asarray(np.linalg.inv(curvature), np.float64)[:width, :width] if spread else None
    return Smooth(at[:width], float(at[width]), covariance)


def _curvature(rough: NDArray[np.float32], chance: Floats) -> Floats:
    """Second derivatives; single precision is enough, since only the gradient decides where the steps end."""
    scaled = rough * np.sqrt(chance * (1.0 - chance)).astype(np.float32)[:, None]
    return (scaled.T @ scaled).astype(np.float64)


def _loss(full: Floats, label: Floats, ridge: Floats, at: Floats) -> float:
    log_odds = full @ at
    return float(np.sum(np.logaddexp(0.0, log_odds) - label * log_odds) + 0.5 * ridge @ at**2)


def _descend(
    full: Floats, label: Floats, ridge: Floats, at: Floats, step: Floats, loss: float
) -> tuple[Floats, float]:
    """Go along the step, less far as long as the loss would grow."""
    for halvings in range(20):
        tried = at + step * 0.5**halvings
        if (found := _loss(full, label, ridge, tried)) <= loss + 1e-9:
            return tried, found
    return at, loss


def tables(fitted: Smooth, bases: Sequence[Basis]) -> list[Floats]:
    """Log-odds of each bin in nats, a table (1 + bins,) for each feature."""
    return [basis.table @ part for basis, part in zip(bases, _split(fitted.weights, bases), strict=True)]


def errors(fitted: Smooth, bases: Sequence[Basis]) -> list[Floats]:
    """Standard error of each bin in nats."""
    if fitted.covariance is None:
        raise ValueError("the fit was asked for without its spread")
    found, start = [], 0
    for basis in bases:
        end = start + basis.table.shape[1]
        part = fitted.covariance[start:end, start:end]
        found.append(np.sqrt(np.maximum(np.einsum("bi,ij,bj->b", basis.table, part, basis.table), 0.0)))
        start = end
    return found


def _split(weights: Floats, bases: Sequence[Basis]) -> list[Floats]:
    return np.split(weights, np.cumsum([basis.table.shape[1] for basis in bases])[:-1])
