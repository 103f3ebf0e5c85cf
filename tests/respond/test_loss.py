"""What a case is worth, and how that changes."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.respond.made import HOME, NOW, ago, case, cases, north

from ringfence.respond.assumptions import USUAL, Assumptions
from ringfence.respond.case import BRUSHED_OFF, CALL, STAGES, VISIT, Attempt, Case, Officer
from ringfence.respond.loss import by_call, columns, prior_money, prospects
from ringfence.respond.travel import crew, minutes_between, nearest, points


def worth(one: Case, now: int = NOW) -> tuple[float, float]:
    """Expected loss prevented by a call, and chance of a visit."""
    of = prospects(columns([one], now, USUAL), USUAL)
    return float(by_call(of, USUAL)[0]), float(of.visit[0])


@settings(max_examples=200, deadline=None)
@given(cases(least=1))
def test_chances_are_chances_and_no_more_is_saved_than_is_at_stake(some: tuple[Case, ...]) -> None:
    of = prospects(columns(some, NOW, USUAL), USUAL)
    for chance in (of.reach, of.call, of.visit):
        assert ((chance >= 0) & (chance <= 1)).all()
    assert (of.call <= of.reach).all()
    assert (by_call(of, USUAL) <= of.stake + 1e-12).all()
    assert np.isfinite(of.stake).all()


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ({"probability": 0.8}, {"probability": 0.4}),
        ({"at_risk": 90_000.0}, {"at_risk": 30_000.0}),
        ({"grip_began_at": ago(20)}, {"grip_began_at": ago(400)}),
        ({"on_call": False}, {"on_call": True}),
        ({"numbers": ("+1", "+2")}, {"numbers": ("+1",)}),
        ({"watch": True}, {"watch": False}),
        ({}, {"attempts": (Attempt(CALL, ago(600)),)}),
        ({}, {"attempts": (Attempt(VISIT, ago(600), BRUSHED_OFF),)}),
    ],
)
def test_what_makes_a_call_worth_more(more: dict[str, Any], less: dict[str, Any]) -> None:
    assert worth(case(**more))[0] > worth(case(**less))[0]


def test_with_a_banks_word_that_money_is_there_the_age_does_not_count() -> None:
    young, old = (case(at_risk=5_000.0, grip_began_at=ago(minutes)) for minutes in (10, 1_000))
    assert worth(young) == worth(old)


def test_a_door_is_not_tried_again_at_once() -> None:
    assert worth(case(attempts=(Attempt(VISIT, ago(30)),)))[1] == 0.0
    assert 0.0 < worth(case(attempts=(Attempt(VISIT, ago(180)),)))[1] < worth(case())[1]


def test_a_case_by_hand() -> None:
    one = case(probability=0.5, at_risk=18_000.0, stage="grip")
    stake = 0.5 * 0.75 * 18_000 / 9_000
    assert worth(one)[0] == pytest.approx(stake * 0.60 * 0.50 * math.exp(-0.0025 * 2), rel=1e-6)
    assert worth(one)[1] == pytest.approx(0.65 * 0.80)


def test_money_that_nobody_tells_is_the_prior_not_nought() -> None:
    least, most = 0.3 * 9_000, 60 * 9_000
    draws = np.exp(np.random.default_rng(1).uniform(math.log(least), math.log(most), 400_000))
    assert prior_money(0.0, "CNY", USUAL) == pytest.approx(draws.mean(), rel=0.01)
    assert prior_money(100_000, "CNY", USUAL) == pytest.approx(draws[draws > 1e5].mean() - 1e5, rel=0.01)
    assert prior_money(1e7, "CNY", USUAL) == 5e6
    assert prior_money(0.0, "USD", USUAL) == pytest.approx(prior_money(0.0, "CNY", USUAL) * 4_200 / 9_000)


def test_currencies_are_compared_by_what_a_wage_is() -> None:
    yuan, dollars = case(at_risk=9_000.0), case(at_risk=4_200.0, currency="USD")
    assert worth(yuan) == worth(dollars)


def test_every_stage_has_its_figures() -> None:
    with pytest.raises(ValueError, match="hazard"):
        Assumptions(hazard=(0.1,))
    assert len({worth(case(stage=stage)) for stage in STAGES}) == len(STAGES)


def test_a_stage_or_a_probability_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="stage"):
        case(stage="boredom")
    with pytest.raises(ValueError, match="probability"):
        case(probability=1.5)


def test_travel_is_the_great_circle_with_a_detour() -> None:
    who = crew([Officer("a", place=HOME), Officer("b", minutes=12.0), Officer("c")], NOW, {}, USUAL)
    where = points([north(10), None])
    assert minutes_between(who, where, USUAL) == pytest.approx(
        np.array([[31.2, 31.0], [12.0, 12.0], [31.0, 31.0]]), rel=1e-4
    )


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_nobody_is_nearer_than_the_nearest(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def somewhere() -> Any:
        return None if rng.random() < 0.2 else north(float(rng.uniform(-300, 300)))

    staff = [Officer(str(k), place=somewhere(), minutes=float(rng.uniform(0, 60)) if rng.random() < 0.5 else None) for k in range(4)]  # fmt: skip
    who, where = crew(staff, NOW, {}, USUAL), points([somewhere() for _ in range(6)])
    closest = minutes_between(who, where, USUAL).min(axis=0)
    bound = nearest(who, where, USUAL)
    assert (bound <= closest + 1e-9).all()  # it must never be above
    assert bound[~np.isnan(where[:, 0])] == pytest.approx(closest[~np.isnan(where[:, 0])], abs=0.01)


def test_waiting_is_counted_from_the_last_attempt() -> None:
    tried = case(opened_at=ago(300), attempts=(Attempt(CALL, ago(200)), Attempt(VISIT, ago(50))))
    c = columns([tried, dataclasses.replace(tried, attempts=())], NOW, USUAL)
    assert c.waited == pytest.approx([50, 300])
    assert (c.missed_calls[0], c.missed_visits[0]) == (1, 1)
    assert (c.since_call[0], c.since_visit[0]) == pytest.approx((200, 50))
