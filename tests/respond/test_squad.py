"""The squad of the benchmark plays fair: the same people for every rule, no more hands than there are, no money back."""

import math

import numpy as np
import pytest
from bench._squad import Rule, Story, World, by_key, first_come, highest_score, make_day, newest, ours, play

STORIES = [
    Story(600.0 + 20 * k, 20.0, math.nan if k % 4 == 0 else 60.0 + 30 * k, 0.0 if k % 4 == 0 else 1e4 * k, math.nan, ((0.0, 90.0),))
    for k in range(1, 20)
]  # fmt: skip
WORLD = World(alerts=150, days=1, callers=1, officers=3)
RULES = {
    "ours": ours(),
    "first": by_key(first_come),
    "score": by_key(highest_score),
    "newest": by_key(newest),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_nobody_works_more_than_there_are_hands_and_nothing_gone_is_saved(rule: Rule) -> None:
    day = make_day(STORIES, WORLD, 3)
    share = play(day, rule)
    assert 0.0 < share < 1.0
    assert 50 < day.calls_made <= 101
    assert day.visits_made <= 3 * 14 * 60 / 25
    assert not day.saved[~day.real].any()
    assert (day.saved <= day.amount).all()
    last = np.maximum(day.last_call, day.last_visit)
    assert (day.pays[day.saved > 0] > last[day.saved > 0]).all()


def test_every_rule_meets_the_same_people() -> None:
    one, other = make_day(STORIES, WORLD, 3), make_day(STORIES, WORLD, 3)
    play(one, RULES["ours"])
    for name in ("raised", "p", "amount", "luck", "where", "engaged"):
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)


def test_probabilities_are_right_on_average() -> None:
    day = make_day(STORIES, World(alerts=20_000, days=1), 1)
    for low in (0.0, 0.25, 0.5, 0.75):
        part = (day.p >= low) & (day.p < low + 0.25)
        assert day.real[part].mean() == pytest.approx(day.p[part].mean(), abs=0.03)
