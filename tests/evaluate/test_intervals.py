"""Intervals against tables and their definitions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.evaluate.intervals import poisson, rate, share, spread, wilson


# Half the quantiles of chi-squared with 2k and 2k + 2 degrees of freedom: the interval by its other definition
@pytest.mark.parametrize(
    ("count", "low", "high"),
    [
        (0, 0, 3.6889),
        (1, 0.0253, 5.5716),
        (3, 0.6187, 8.7673),
        (10, 4.7954, 18.3904),
        (100, 81.3640, 121.6268),
    ],
)
def test_poisson_is_garwoods(count: int, low: float, high: float) -> None:
    assert poisson(count) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 400))
def test_poisson_leaves_a_fortieth_on_either_side(count: int) -> None:
    low, high = poisson(count)

    def mass(n: int, mean: float) -> float:
        return math.exp(n * math.log(mean) - mean - math.lgamma(n + 1))

    assert 1 - math.fsum(mass(n, low) for n in range(count)) == pytest.approx(0.025, abs=1e-9)
    assert math.fsum(mass(n, high) for n in range(count + 1)) == pytest.approx(0.025, abs=1e-9)


def test_poisson_of_a_million_is_close_to_the_normal() -> None:
    low, high = poisson(10**6)
    assert low == pytest.approx(10**6 - 1960, abs=5)
    assert high == pytest.approx(10**6 + 1960, abs=5)


# Newcombe, Statistics in Medicine 17, 1998, table I: 81/263, 15/148, 0/20, 1/29
@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_is_as_published(count: int, of: int, low: float, high: float) -> None:
    assert wilson(count, of) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_wilson_holds_the_share_and_is_symmetric(one: int, other: int) -> None:
    low, high = wilson(one, one + other)
    assert 0 <= low <= high <= 1
    if one + other:
        assert low <= one / (one + other) <= high
    assert wilson(other, one + other) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_shares_and_rates_of_nothing_are_null() -> None:
    assert share(0, 0)["share"] is None
    assert rate(2, None)["per_100k"] is None
    assert rate(0, 0.0)["high"] is None


def test_a_rate_is_told_per_hundred_thousand_line_days() -> None:
    found = rate(1, 200_000.0)
    assert found["per_100k"] == 0.5
    assert found["high"] == pytest.approx(5.5716 / 2, abs=1e-4)


def test_quantiles_are_values_that_were_seen() -> None:
    found = spread(np.array([5.0, 1.0, 3.0, 9.0]))
    assert [found[key] for key in ("n", "min", "median", "p95", "max")] == [4, 1, 3, 9, 9]
    assert spread(np.arange(1.0, 21.0))["p95"] == 19  # nineteen of twenty do not exceed it


def test_the_missed_are_later_than_any() -> None:
    found = spread(np.array([4.0, 4.0, 5.0]), missed=1)
    assert (found["median"], found["p95"], found["missed"]) == (4, 5, 1)
    assert (found["median_of_all"], found["p95_of_all"]) == (4, None)
    assert spread(np.zeros(0), missed=3)["median_of_all"] is None


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.integers(0, 30))
def test_a_quantile_is_the_smallest_value_that_enough_do_not_exceed(values: list[float], missed: int) -> None:
    found = spread(np.array(values), missed)["p95_of_all"]
    total = len(values) + missed
    enough = [v for v in values if 100 * sum(w <= v for w in values) >= 95 * total]
    assert found == (min(enough) if enough else None)
