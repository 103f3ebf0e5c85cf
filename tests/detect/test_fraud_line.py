"""Lines of fraud as their calls, and who looks like one."""

import numpy as np
import pytest
from tests.passes import DAY, stories_of

from ringfence.detect import fraud_line
from ringfence.detect.line_weights import BITS, FEATURES, STARTS_AT
from ringfence.report.story import Story
from ringfence.simulate.attempts import UNANSWERED, Attempts

HOUR = 3_600.0
LINE = "+8617012345678"


def told(attempts: Attempts) -> list[Story]:
    return [story for story in stories_of(attempts) if story.alert.kind == "fraud_line"]


def rings_strangers(days: int = 3, a_day: int = 40, seed: int = 1) -> Attempts:
    """A new line that rings strangers once each, in office hours; the watching began four days before."""
    rng = np.random.default_rng(seed)
    attempts = Attempts()
    attempts.add(0.0, "+8613800000003", "+8613800000004", 5.0, 30.0)
    for day in range(4, 4 + days):
        for _ in range(a_day):
            start = day * DAY + 1 * HOUR + float(rng.uniform(0, 8 * HOUR))
            talk = UNANSWERED if rng.random() < 0.5 else float(rng.lognormal(3.0, 1.0))
            attempts.add(start, LINE, f"+8613{rng.integers(10**9):09d}", float(rng.uniform(4, 20)), talk)
    return attempts


def rings_friends(days: int = 12, seed: int = 1) -> Attempts:
    """A talkative person with a dozen friends."""
    rng = np.random.default_rng(seed)
    friends = [f"+8613{rng.integers(10**9):09d}" for _ in range(12)]
    attempts = Attempts()
    for day in range(days):
        for _ in range(10):
            friend = friends[int(rng.integers(0, 12))]
            start = day * DAY + float(rng.uniform(0, 16 * HOUR))
            caller, callee = (LINE, friend) if rng.random() < 0.5 else (friend, LINE)
            attempts.add(start, caller, callee, 8.0, float(rng.lognormal(3.8, 1.2)))
    return attempts


def test_a_line_that_rings_strangers_only_is_told_once() -> None:
    (story,) = told(rings_strangers())
    alert = story.alert
    assert alert.subject == LINE
    assert alert.bits == pytest.approx(sum(entry.bits for entry in alert.ledger), abs=1e-3)
    assert len(alert.episodes) == 1
    assert any("calls for each person called" in entry.text for entry in alert.ledger)
    assert all("nan" not in entry.text for entry in alert.ledger)


def test_it_is_told_within_a_working_day() -> None:
    attempts = rings_strangers()
    (story,) = told(attempts)
    assert sum(fraud_line.WATCHED for _ in range(1)) < story.alert.episodes[0].calls_at_alert + 7 <= 48


def test_a_person_with_friends_is_not() -> None:
    assert told(rings_friends()) == []


def test_a_line_that_falls_silent_is_closed_after_a_week() -> None:
    attempts = rings_strangers()
    attempts.add(24 * DAY, "+8613800000001", "+8613800000002", 5.0, 30.0)
    (story,) = told(attempts)
    closed = story.alert.episodes[0].closed_at
    assert closed is not None
    assert closed == story.alert.episodes[0].last_call_at + fraud_line.QUIET_LIFE


def test_a_sim_box_shows_in_its_phone() -> None:
    """Many numbers from one phone: the feature counts them."""
    values, bits = np.full(len(FEATURES), np.nan), np.zeros(len(FEATURES))
    place = [feature.name for feature in FEATURES].index("numbers")
    values[place] = 1.0
    fraud_line.worth(values, bits)
    one = float(bits[place])
    values[place] = 16.0
    fraud_line.worth(values, bits)
    assert bits[place] > one


def test_the_worth_of_a_line_is_read_from_the_right_bins() -> None:
    """The compiled look-up against NumPy's."""
    from ringfence.detect.line_weights import BASE, EDGES

    rng = np.random.default_rng(2)
    for _ in range(200):
        values = np.where(rng.random(len(FEATURES)) < 0.2, np.nan, rng.lognormal(-0.5, 1.5, len(FEATURES)))
        bits = np.zeros(len(FEATURES))
        total = fraud_line.worth(values, bits)
        for i, value in enumerate(values.tolist()):
            first, last = int(STARTS_AT[i]), int(STARTS_AT[i + 1])
            edges = EDGES[first - 2 * i : last - 2 * (i + 1)]
            place = 0 if np.isnan(value) else 1 + int(np.searchsorted(edges, value, "right"))
            assert bits[i] == BITS[first + place]
        assert total == pytest.approx(BASE + bits.sum())


def test_no_feature_decides_alone() -> None:
    """The bits of a feature are capped: a city made by other hands must not be judged by one figure of ours."""
    assert np.abs(BITS).max() <= 3.0
