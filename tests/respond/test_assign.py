"""The assignment is the best there is: held against every possible one."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.respond.assign import FREE, WITH, Found, Problem, assign, officer_prices
from ringfence.respond.loss import Ints


def best_of_all(problem: Problem, force: Ints) -> float:
    """The best value, by trying every way to send officers and every choice of callers."""
    cases, found = len(problem.call), -1.0
    for sent in product([-1, *range(cases)], repeat=len(problem.visit)):
        goes = [(officer, case) for officer, case in enumerate(sent) if case >= 0]
        if len({case for _, case in goes}) < len(goes):
            continue
        visits = {case: problem.visit[officer, case] for officer, case in goes}
        for called in product([False, True], repeat=cases):
            if sum(called) > problem.callers or any(f == WITH and not c for f, c in zip(force, called, strict=True)):  # fmt: skip
                continue
            value = 0.0
            for row in range(cases):
                call = problem.call[row] if called[row] else 0.0
                stays = 1.0 - problem.ends[row] if called[row] else 1.0
                value += call + stays * visits.get(row, 0.0)
            found = max(found, value)
    return found


def value_of(problem: Problem, found: Found) -> float:
    value = float(problem.call[found.called].sum())
    for officer, case in enumerate(found.sent):
        if case >= 0:
            value += problem.visit[officer, case] * (1.0 - problem.ends[case] * found.called[case])
    return value


@st.composite
def problems(draw: st.DrawFn) -> tuple[Problem, Ints]:
    cases, officers = draw(st.integers(1, 5)), draw(st.integers(0, 3))
    # whole numbers make ties, which is where a price does not decide
    worth = draw(st.sampled_from([st.integers(0, 6).map(float), st.floats(0.0, 10.0)]))
    call = np.array([draw(worth) for _ in range(cases)])
    ends = np.array([draw(st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0])) for _ in range(cases)])
    visit = np.array([[draw(worth) for _ in range(cases)] for _ in range(officers)]).reshape(officers, cases)
    callers = draw(st.integers(0, cases + 1))
    force = np.full(cases, FREE, np.int64)
    if callers and draw(st.booleans()):
        force[draw(st.integers(0, cases - 1))] = WITH
    return Problem(call, ends, visit, np.arange(cases), callers), force


@settings(max_examples=400, deadline=None)
@given(problems())
def test_no_other_assignment_is_better_and_it_is_proven(given_: tuple[Problem, Ints]) -> None:
    problem, force = given_
    found = assign(problem, force)
    assert found.value == pytest.approx(best_of_all(problem, force), abs=1e-9)
    assert found.bound == pytest.approx(found.value, rel=1e-9, abs=1e-9)
    assert found.value == pytest.approx(value_of(problem, found), abs=1e-9)
    assert np.count_nonzero(found.called) <= problem.callers
    assert found.called[force == WITH].all()
    sent = found.sent[found.sent >= 0]
    assert len(set(sent.tolist())) == len(sent)


def test_where_prices_leave_a_gap_it_is_closed_by_branching() -> None:
    """Found by search: here every price leaves the bound above the best plan, so one case must be decided both ways."""
    rng = np.random.default_rng(0)
    gaps = 0
    for _ in range(400):
        cases, officers = int(rng.integers(2, 6)), int(rng.integers(1, 4))
        visit = rng.integers(0, 8, (officers, cases)).astype(float)
        problem = Problem(rng.integers(0, 6, cases).astype(float), rng.random(cases), visit, np.arange(cases), int(rng.integers(1, cases)))  # fmt: skip
        found = assign(problem, np.zeros(cases, np.int64))
        assert found.value == pytest.approx(best_of_all(problem, np.zeros(cases, np.int64)))
        gaps += found.root > found.value * (1 + 1e-9)
    assert gaps  # else the branching is not tested here


def test_the_overlap_is_counted_once() -> None:
    # together on one case: 10 + 0.5 * 8; apart: 10 + 7. A planner that adds 10 + 8 would send both to the first
    problem = Problem(np.array([10.0, 1.0]), np.array([0.5, 0.0]), np.array([[8.0, 7.0]]), np.arange(2), 1)
    found = assign(problem, np.zeros(2, np.int64))
    assert found.called.tolist() == [True, False]
    assert found.sent.tolist() == [1]
    assert found.value == pytest.approx(17.0)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_prices_of_officers_are_a_proof(seed: int) -> None:
    """Weak duality: what officers and cases are worth covers every pair and sums to the optimum."""
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(seed)
    gains = rng.random((int(rng.integers(1, 6)), int(rng.integers(1, 8)))) * (rng.random() + 0.1)
    gains[rng.random(gains.shape) < 0.3] = 0.0
    rows, columns = linear_sum_assignment(gains, maximize=True)
    sent = np.full(len(gains), -1, np.int64)
    sent[rows] = np.where(gains[rows, columns] > 0, columns, -1)
    worth = officer_prices(gains, sent)
    price = np.maximum((gains - worth[:, None]).max(axis=0), 0.0)
    assert (worth >= -1e-9).all()
    assert worth.sum() + price.sum() == pytest.approx(gains[rows, columns].sum(), abs=1e-9)
