"""The plan: complete, monotone, fair, and steady."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from bench.triage import crowd
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.respond.made import HOME, MINUTE, NOW, ago, case, cases, cells, north, officers

from ringfence.respond import plan as planning
from ringfence.respond.assumptions import USUAL
from ringfence.respond.case import CALL, VISIT, Attempt, Case, Officer, Place, Situation
from ringfence.respond.plan import Plan, plan


def planned(*open_: Case, callers: int = 1, crew: tuple[Officer, ...] = (), **more: Any) -> Plan:
    return plan(Situation(open_, callers, crew, **more), NOW)


def rung(found: Plan) -> list[str]:
    return [each.case_id for each in found.assignments if each.by == CALL]


def visited(found: Plan) -> dict[str | None, str]:
    return {each.officer_id: each.case_id for each in found.assignments if each.by == VISIT}


SITUATIONS = st.builds(
    Situation,
    cases=cases(),
    callers=st.integers(0, 4),
    officers=officers(),
    places=cells,
    turn=st.integers(0, 60),
)


@settings(max_examples=200, deadline=None)
@given(SITUATIONS)
def test_everyone_has_at_most_one_task_and_every_case_has_its_place(situation: Situation) -> None:
    found = plan(situation, NOW)
    calls, visits = rung(found), visited(found)
    assert len(calls) == len(set(calls)) <= situation.callers
    assert len(set(visits.values())) == len(visits)
    assert {*calls, *visits.values(), *found.waiting} == {each.case_id for each in situation.cases}
    assert not set(found.waiting) & {*calls, *visits.values()}
    assert found.bound == pytest.approx(found.value, abs=1e-9)
    assert found == plan(situation, NOW)


@settings(max_examples=200, deadline=None)
@given(SITUATIONS, officers(most=1, least=1))
def test_one_more_officer_never_prevents_less(situation: Situation, more: tuple[Officer, ...]) -> None:
    extra = dataclasses.replace(more[0], officer_id="one more")
    larger = dataclasses.replace(situation, officers=(*situation.officers, extra))
    assert plan(larger, NOW).value >= plan(situation, NOW).value - 1e-9


@settings(max_examples=200, deadline=None)
@given(SITUATIONS)
def test_one_more_caller_never_prevents_less(situation: Situation) -> None:
    larger = dataclasses.replace(situation, callers=situation.callers + 1)
    assert plan(larger, NOW).value >= plan(situation, NOW).value - 1e-9


@settings(max_examples=100, deadline=None)
@given(SITUATIONS, cases(most=1, least=1))
def test_one_more_case_never_prevents_less_of_the_others_sum(
    situation: Situation, more: tuple[Case, ...]
) -> None:
    """Unless a fair turn is due, which may go to the new case."""
    extra = dataclasses.replace(more[0], case_id="one more")
    still = dataclasses.replace(situation, turn=0, callers=min(situation.callers, 4))
    larger = dataclasses.replace(still, cases=(*situation.cases, extra))
    assert plan(larger, NOW).value >= plan(still, NOW).value - 1e-9


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1_000), st.integers(1, 6), st.integers(0, 6), st.integers(1, 3))
def test_nobody_starves(seed: int, callers: int, ahead: int, new: int) -> None:
    """A hopeless case with `ahead` cases that have waited longer is rung within 20 (ahead + 1) calls, whatever comes in."""
    rng = np.random.default_rng(seed)
    older = [case(f"old{k}", opened_at=ago(500 + k), probability=1.0) for k in range(ahead)]
    poor = case("poor", opened_at=ago(400), grip_began_at=ago(400), probability=0.01, at_risk=1.0)
    open_: dict[str, Case] = {each.case_id: each for each in (*older, poor)}
    made, now = 0, NOW
    while made < 20 * (ahead + 1):
        for k in range(new * callers):
            name = f"new{made}-{k}"
            open_[name] = case(name, opened_at=now, grip_began_at=now, probability=float(rng.uniform(0.9, 1.0)))  # fmt: skip
        found = plan(Situation(tuple(open_.values()), callers, turn=made), now)
        calls = rung(found)
        assert len(calls) == callers
        if "poor" in calls:
            return
        made += callers
        for name in calls:  # nobody answers: the case stays
            open_[name] = dataclasses.replace(open_[name], attempts=(Attempt(CALL, now),))
        now += 9 * MINUTE
    pytest.fail("it was never rung")


def test_a_fair_turn_is_said_to_be_one() -> None:
    old, rich = case("old", opened_at=ago(1_000), probability=0.1), case("rich", opened_at=ago(5))
    assert [(each.case_id, each.fair) for each in planned(old, rich, turn=19).assignments] == [("old", True)]
    assert [(each.case_id, each.fair) for each in planned(old, rich, turn=18).assignments] == [
        ("rich", False)
    ]


def test_the_nearer_officer_goes_and_the_other_takes_the_other_case() -> None:
    where = {"x": HOME, "y": north(10)}
    near, far = Officer("near", place=north(1)), Officer("far", place=north(9))
    one, two = case("one", cell="x"), case("two", cell="y")
    assert visited(planned(one, two, callers=0, crew=(far, near), places=where)) == {"near": "one", "far": "two"}  # fmt: skip
    # each alone is better off with "one": it is the pair that counts
    rich = dataclasses.replace(one, probability=0.9)
    assert visited(planned(rich, two, callers=0, crew=(far, near), places=where)) == {"near": "one", "far": "two"}  # fmt: skip


def test_who_is_under_way_turns_round_only_for_twice_as_much() -> None:
    where = {"x": north(5), "y": north(5)}
    crew = (Officer("o", place=HOME, under_way_to="first"),)
    first = case("first", cell="x", at_risk=10_000.0)
    for factor, goes_to in ((1.9, "first"), (2.1, "second")):
        second = case("second", cell="y", at_risk=factor * 10_000.0)
        assert visited(planned(first, second, callers=0, crew=crew, places=where)) == {"o": goes_to}


def test_nobody_else_is_sent_where_somebody_is_under_way() -> None:
    crew = (
        Officer("nearer", place=HOME),
        Officer("under way", place=north(8), under_way_to="a"),
        Officer("also", under_way_to="a"),
    )
    assert visited(planned(case(cell="x"), callers=0, crew=crew, places={"x": HOME})) == {"under way": "a"}


def test_who_is_under_way_to_a_closed_case_is_free() -> None:
    assert visited(planned(case(), callers=0, crew=(Officer("o", under_way_to="gone"),))) == {"o": "a"}


def test_one_who_just_did_not_answer_is_not_rung_again_before_others() -> None:
    rich = case("rich", probability=0.9, attempts=(Attempt(CALL, ago(1)),))
    assert rung(planned(rich, case("other", probability=0.2))) == ["other"]
    later = dataclasses.replace(rich, attempts=(Attempt(CALL, ago(60)),))
    assert rung(planned(later, case("other", probability=0.2))) == ["rich"]


def test_what_an_assignment_says() -> None:
    crew = (Officer("o", place=HOME, free_from=NOW + 10 * MINUTE),)
    found = planned(case(cell="x", at_risk=50_000.0), callers=1, crew=crew, places={"x": north(10)})
    call, visit = found.assignments
    road = 10 * USUAL.detour / USUAL.speed * 60
    assert visit.minutes == pytest.approx(10 + road, rel=1e-4)
    assert visit.per_minute == pytest.approx(visit.prevented / (road + USUAL.visit_minutes), rel=1e-4)
    assert (call.minutes, call.both, visit.both) == (USUAL.call_after, True, True)
    both = call.per_minute + (1 - call.success) * visit.per_minute
    assert found.value * USUAL.salary["CNY"] == pytest.approx(both, rel=1e-4)


def test_choosing_candidates_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """For large plans only some cases are offered to officers; the bound says that it was enough, and the whole agrees."""
    for seed in range(3):
        situation, now = crowd(600, 40, seed)
        # a far corner where only one officer is
        lonely = Officer("lonely", place=Place(32.5, 120.0))
        situation = dataclasses.replace(situation, officers=(*situation.officers, lonely))
        whole = plan(situation, now)
        monkeypatch.setattr(planning, "_SMALL", 0)
        few = plan(situation, now)
        monkeypatch.undo()
        assert whole.bound == pytest.approx(whole.value)
        assert few.bound >= whole.value * (1 - 1e-12)
        assert few.value == pytest.approx(whole.value, rel=2e-4)
        assert few.bound == pytest.approx(few.value, rel=2e-4)


def test_a_plan_of_nothing() -> None:
    assert planned(callers=3, crew=(Officer("o"),)).assignments == ()
    assert planned(case(), callers=0).waiting == ("a",)


@pytest.mark.parametrize(
    "wrong",
    [
        Situation((case(), case()), 1),
        Situation((), 1, (Officer("o"), Officer("o"))),
        Situation((), -1),
    ],
)
def test_what_cannot_be_planned_is_refused(wrong: Situation) -> None:
    with pytest.raises(ValueError, match=r"same id|fewer than none"):
        plan(wrong, NOW)
