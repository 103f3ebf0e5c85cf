"""Token buckets: nobody gets more than was said, and memory stays bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.shell.service.limits import Limits


def test_a_burst_then_the_rate() -> None:
    limits = Limits(rate=2, burst=3)
    assert [limits.take("a", 0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert limits.take("a", 0.5) == 0
    assert limits.take("a", 0.5) == 0.5
    assert limits.take("b", 0.5) == 0, "others are not held up"
    assert [limits.take("a", 100.0) for _ in range(4)] == [0, 0, 0, 0.5]


def test_a_clock_that_steps_back_gives_nothing_away() -> None:
    limits = Limits(rate=1, burst=1)
    assert limits.take("a", 100.0) == 0
    assert limits.take("a", 50.0) == 1
    assert limits.take("a", 100.5) == 0.5


def test_cost() -> None:
    limits = Limits(rate=1, burst=5)
    assert limits.take("a", 0.0, cost=4) == 0
    assert limits.take("a", 0.0, cost=4) == 3
    assert limits.take("a", 4.0, cost=50) == 0, "what is dearer than all passes when the bucket is full"
    assert limits.take("a", 4.0) == 1


def test_no_more_buckets_than_said() -> None:
    limits = Limits(rate=1, burst=1, most=10)
    for n in range(1000):
        limits.take(f"t{n}", 0.0)
        limits.take("busy", 0.0)
        assert len(limits) <= 10
    assert limits.take("busy", 0.0) > 0, "who asks all the time is not forgotten"


@pytest.mark.parametrize(("rate", "burst", "most"), [(0, 1, 1), (-1, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_limits_that_cannot_be(rate: float, burst: float, most: int) -> None:
    with pytest.raises(ValueError, match="rate"):
        Limits(rate, burst, most)


@given(
    rate=st.floats(0.1, 50),
    burst=st.floats(1, 20),
    steps=st.lists(st.tuples(st.floats(0, 2), st.floats(0.1, 3)), min_size=1, max_size=80),
)
def test_never_more_than_burst_and_rate(rate: float, burst: float, steps: list[tuple[float, float]]) -> None:
    limits, now, granted = Limits(rate, burst), 0.0, 0.0
    for step, cost in steps:
        now += step
        wait = limits.take("a", now, cost)
        assert wait >= 0
        if wait == 0:
            granted += min(cost, burst)
        assert granted <= burst + now * rate + 1e-6
        if wait:
            assert limits.take("a", now + wait + 1e-6, cost) == 0, "whoever waits as long as told is let in"
            granted += min(cost, burst)
            now += wait + 1e-6
