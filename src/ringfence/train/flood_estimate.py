"""Likelihoods from labelled calls: shares of what was seen, how sure they are, and mixtures of gaps.

Calls of one flood are like one another, and so are those of one line: an episode or a line counts once, however many calls it has.
Everything random in it comes from the generator that is passed in.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BOOTSTRAPS: Final = 100
_ROUNDS: Final = 200
_CLOSE: Final = 1e-4
_ENOUGH: Final = 10.0
"""Calls from which on an episode or a line counts in full."""


@dataclass(frozen=True, slots=True)
class Groups:
    """What episodes or lines showed.

    Attributes:
        counts: float64[groups, kinds], how often each showed what.
        stratum: int64[groups], to which sort it belongs; sorts count by `shares`, not by how many groups they have.
        shares: float64[strata], adds up to 1.
    """

    counts: Floats
    stratum: Ints
    shares: Floats

    def weights(self) -> Floats:
        """How much each group counts; adds up to 1 (0 where there are none)."""
        size = np.minimum(self.counts.sum(1) / _ENOUGH, 1.0)
        total = np.bincount(self.stratum, size, len(self.shares))
        shares = np.where(total > 0, self.shares, 0.0)
        shares = shares / max(float(shares.sum()), 1e-300)
        weights: Floats = size * (shares / np.where(total > 0, total, 1.0))[self.stratum]
        return weights

    def within(self) -> Floats:
        """What each group showed, as shares."""
        shares: Floats = self.counts / np.maximum(self.counts.sum(1, keepdims=True), 1e-300)
        return shares

    def effective(self) -> float:
        """So many groups of equal weight would be as sure (Kish 1965)."""
        weights = self.weights()
        return float(weights.sum() ** 2 / max(float((weights**2).sum()), 1e-300)) if weights.any() else 0.0


def grouped(group: Ints, kind: Ints, kinds: int) -> tuple[Ints, Floats]:
    """Count kinds by group: the groups' names, and float64[groups, kinds]."""
    names, place = np.unique(group, return_inverse=True)
    counts = np.bincount(place * kinds + kind, minlength=len(names) * kinds)
    return names, counts.reshape(len(names), kinds).astype(np.float64)


def smoothed(groups: Groups, prior: Floats, pseudo: float) -> Floats:
    """Shares of kinds with `pseudo` groups added that showed `prior` (the mean of a Dirichlet posterior)."""
    size = groups.effective()
    found = groups.weights() @ groups.within()
    return np.asarray((size * found + pseudo * prior) / max(size + pseudo, 1e-300), np.float64)


def ratio_bits(attack: Floats, ordinary: Floats, broad: float | Floats) -> Floats:
    """log2 of attack / ordinary, where a share `broad` of floods shows the same as ordinary life: no figure is below log2(broad)."""
    return np.asarray(np.log2((1.0 - broad) * attack / ordinary + broad), np.float64)


@dataclass(frozen=True, slots=True)
class Bits:
    """What kinds of observations are worth, and how sure that is.

    Attributes:
        bits, error: float64[kinds], the figures and their standard errors (bootstrap over episodes and lines).
        attack, ordinary: calls counted on each side.
        attacks, lines: groups on each side.
    """

    bits: Floats
    error: Floats
    attack: Ints
    ordinary: Ints
    attacks: int
    lines: int


def bits_of(
    attack: Groups,
    ordinary: Groups,
    hand: Floats,
    pseudo: float,
    broad: float | Floats,
    rng: np.random.Generator,
) -> Bits:
    """What each kind is worth.

    Args:
        attack: what floods showed.
        ordinary: what lines in ordinary life showed.
        hand: bits that count as known beforehand, with the weight of `pseudo` episodes.
        pseudo: episodes.
        broad: see `ratio_bits`; one for all kinds, or one for each.
        rng: for the bootstrap.
    """
    even = np.full(len(hand), 1.0 / len(hand))

    def fit(one: Groups, other: Groups) -> Floats:
        life = smoothed(other, even, 1.0)
        prior = life * 2.0**hand
        return ratio_bits(smoothed(one, prior / prior.sum(), pseudo), life, broad)

    again = [fit(_resampled(attack, rng), _resampled(ordinary, rng)) for _ in range(BOOTSTRAPS)]
    return Bits(
        fit(attack, ordinary),
        np.std(again, axis=0),
        attack.counts.sum(0).astype(np.int64),
        ordinary.counts.sum(0).astype(np.int64),
        len(attack.counts),
        len(ordinary.counts),
    )


def _resampled(groups: Groups, rng: np.random.Generator) -> Groups:
    """As many groups of each stratum, drawn with repetition."""
    times = np.zeros(len(groups.counts), np.int64)
    for stratum in np.unique(groups.stratum):
        among = np.flatnonzero(groups.stratum == stratum)
        times[among] = np.bincount(rng.integers(0, len(among), len(among)), minlength=len(among))
    drawn = np.repeat(np.arange(len(times)), times)
    return Groups(groups.counts[drawn], groups.stratum[drawn], groups.shares)


def mixture(gaps: Floats, weights: Floats, means: Floats, pseudo: float) -> Floats:
    """Shares of exponentials with the given means in a mixture of them (EM; Dempster, Laird, Rubin 1977).

    Args:
        gaps: s.
        weights: of each gap.
        means: s.
        pseudo: as a share of all weight, gaps that are spread evenly over the exponentials.
    """
    likely = np.exp(-gaps[:, None] / means) / means
    shares = np.full(len(means), 1.0 / len(means))
    for _ in range(_ROUNDS):
        part = likely * shares
        part /= np.maximum(part.sum(1, keepdims=True), 1e-300)
        found = weights @ part / max(float(weights.sum()), 1e-300)
        shares = (1.0 - pseudo) * found + pseudo / len(means)
    return shares


def clusters(
    gaps: Floats, rates: Floats, weights: Floats, scales: Floats, until: float
) -> tuple[Floats, Floats]:
    """Shares and means of ordinary gaps that come in clusters, beside those that come at the line's own rate (EM).

    Args:
        gaps: s, inf allowed; longer ones than `until` count as that they were longer.
        rates: calls a day each line was used to.
        weights: of each gap.
        scales: s, where the search for the means begins, one for each cluster.
        until: s.

    Returns:
        Shares and means, each float64[clusters].
    """
    own = rates / 86_400.0
    over = gaps > until
    cut = np.minimum(gaps, until)
    scales = scales.astype(np.float64)
    shares = np.full(len(scales), 0.1 / len(scales))
    for _ in range(_ROUNDS):
        part = np.empty((len(gaps), 1 + len(scales)))
        part[:, 0] = (1.0 - shares.sum()) * np.exp(-own * cut) * np.where(over, 1.0, own)
        part[:, 1:] = shares * np.exp(-cut[:, None] / scales) * np.where(over[:, None], 1.0, 1.0 / scales)
        part *= (weights / np.maximum(part.sum(1), 1e-300))[:, None]
        ended = np.maximum(part[~over, 1:].sum(0), 1e-9)
        before = scales
        shares = np.clip(part[:, 1:].sum(0) / max(float(weights.sum()), 1e-300), 1e-6, 0.45)
        scales = np.clip((part[:, 1:] * cut[:, None]).sum(0) / ended, 5.0, until)
        if np.abs(scales / before - 1.0).max() < _CLOSE:
            break
    return shares, scales


def prior_of(odds: Floats, true: Any) -> tuple[float, float]:
    """The prior (bits against) under which probabilities of alerts are true on the whole, and its standard error.

    Maximum likelihood of P(true) = 1 / (1 + 2^(prior - odds)), with half a true and half a false alert added at the median odds so
    that few alerts cannot give certainty (Jeffreys).
    """
    middle = float(np.median(odds))
    x = np.append(odds, [middle, middle]) * np.log(2.0)
    y = np.append(np.asarray(true, np.float64), [1.0, 0.0])
    weight = np.append(np.ones(len(odds)), [0.5, 0.5])
    low, high = float(x.min()) - 50.0, float(x.max()) + 50.0
    for _ in range(100):
        prior = (low + high) / 2.0
        excess = float((weight * (1.0 / (1.0 + np.exp(prior - x)) - y)).sum())
        low, high = (prior, high) if excess > 0 else (low, prior)
    p = 1.0 / (1.0 + np.exp(prior - x))
    information = float((weight * p * (1.0 - p)).sum())
    return prior / np.log(2.0), 1.0 / np.sqrt(max(information, 1e-12)) / np.log(2.0)
