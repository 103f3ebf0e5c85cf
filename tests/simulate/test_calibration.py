"""The city's marginals lie where the real ones do (sources: docs/city.md)."""

import pytest
from tests.simulate.cities import small_city

from ringfence.simulate.city import City
from ringfence.simulate.marginals import marginals
from ringfence.simulate.write import tables

BOUNDS = {
    "unanswered": (0.22, 0.31),
    "redialled in 10 min": (0.26, 0.37),
    "called back in 10 min": (0.13, 0.24),
    "runs of 1 unanswered": (0.80, 0.92),
    "runs of 2 unanswered": (0.06, 0.15),
    "outgoing share": (0.46, 0.57),
    "correlation of log records and log counterparts": (0.80, 0.97),
    "conversation, s: median": (22.0, 37.0),
    "conversation, s: mean": (60.0, 95.0),
    "conversations up to 3 s": (0.13, 0.24),
    "ring before the answer, s: mean": (7.5, 10.0),
    "calls at night, 0 to 6 h": (0.015, 0.06),
    "busiest hour's share": (0.07, 0.11),
    "lines busiest at 10 or 11 h": (0.18, 0.36),
    "lines busiest at 17 or 18 h": (0.14, 0.29),
    "records a line-day: median": (1.4, 2.5),
    "records a line-day: mean": (2.8, 4.8),
    "gap to the same callee, s: p5": (15.0, 80.0),
}


@pytest.fixture(scope="module")
def found() -> dict[str, float]:
    return marginals(
        tables(City(3_000, 14, seed=11, intensity={"crime": 0, "texts": 0, "transfers": 0}))[0]["calls"]
    )


@pytest.mark.parametrize("name", BOUNDS)
def test_within_bounds(found: dict[str, float], name: str) -> None:
    low, high = BOUNDS[name]
    assert low <= found[name] <= high


def test_crime_leaves_ordinary_life_as_it_is(found: dict[str, float]) -> None:
    with_crime = marginals(small_city().calls)
    for name in ("outgoing share", "calls at night, 0 to 6 h", "conversation, s: median"):
        assert with_crime[name] == pytest.approx(found[name], rel=0.25)


def test_two_months_of_a_thousand_lines_have_the_spread_of_real_ones() -> None:
    """Sichuan, 8 months: log records 5.87 +- 1.55 (two months: less log 4), log counterparts 4.05 +- 1.22."""
    life = marginals(
        tables(City(1_000, 61, seed=3, intensity={"crime": 0, "texts": 0, "transfers": 0}))[0]["calls"]
    )
    assert 4.1 < life["log records a line: mean"] < 5.0
    assert 1.15 < life["log records a line: sd"] < 1.8
    assert 2.6 < life["log counterparts a line: mean"] < 3.6
    assert 0.9 < life["log counterparts a line: sd"] < 1.5
    assert 1.05 < life["devices a number: mean"] < 1.5
    assert 0.48 < life["reciprocity"] < 0.76  # it grows with the time that is looked at
    assert 0.08 < life["first contacts after 14 days"] < 0.30
