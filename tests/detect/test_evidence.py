"""Bits, thresholds, probabilities."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.detect.evidence import probability, threshold_bits


@given(st.floats(1e-9, 1e-2), st.floats(1e-2, 1e3))
def test_a_rarer_false_alarm_costs_more_bits(wanted: float, starts: float) -> None:
    h = threshold_bits(wanted, starts)
    assert starts * 2.0**-h == pytest.approx(wanted)
    assert threshold_bits(wanted / 2, starts) == pytest.approx(h + 1)


@given(st.floats(-50, 80), st.floats(0, 40))
def test_probability_is_the_posterior_of_prior_odds_and_bits(bits: float, prior: float) -> None:
    p = probability(bits, prior)
    assert 0 <= p <= 1
    if 1e-9 < p < 1 - 1e-9:
        assert math.log2(p / (1 - p)) == pytest.approx(bits - prior, abs=1e-3)


def test_the_threshold_holds_for_a_test_of_known_likelihoods() -> None:
    """Wald's bound: a sum of log-likelihood ratios that starts at 0 passes h in ordinary life at most 2^-h of the time."""
    import numpy as np

    rng = np.random.default_rng(7)
    ordinary, attack = np.array([0.7, 0.2, 0.1]), np.array([0.3, 0.3, 0.4])
    bits = np.log2(attack / ordinary)
    h = 5.0
    trials = 40_000
    passed = 0
    steps = bits[rng.choice(3, (trials, 60), p=ordinary)]
    sums = np.cumsum(steps, axis=1)
    dead = np.minimum.accumulate(sums, axis=1) <= 0
    passed = int(((sums >= h) & ~dead).any(axis=1).sum())
    assert 0 < passed <= trials * 2.0**-h
