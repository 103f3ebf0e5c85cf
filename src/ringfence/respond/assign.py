"""Callers and officers to cases, at once: the best sum, with a proof of how good it is.

A case i may get one of `callers` interchangeable callers, worth c_i, and one officer j, worth o_ij. Both together are worth less than
the sum: with chance q_i the call has ended it before the officer comes, so the officer then adds (1 - q_i) o_ij.

A price on a caller makes the choice separate by case: with caller if c_i exceeds the price. What is left is one assignment of
officers (SciPy's, exact) to gains o_ij - min(max(c_i - price, 0), q_i o_ij). For every price its optimum plus price times callers is an upper
bound (Lagrange); the lowest such bound and the best plan met on the way mostly meet. Where they do not, the search branches on a case: with a
caller, or without. `Found.bound` says what is proven: `value == bound` is an optimum.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ringfence.respond.loss import Flags, Floats, Ints

FREE: Final = 0
WITH: Final = 1
WITHOUT: Final = -1
TOLERANCE: Final = 1e-10
"""A relative gap that is rounding."""
_PRICES: Final = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """What can be gained.

    Attributes:
        call: of each case, a caller's worth, not negative; `ends`: chance that the call ends it.
        visit: worth of each officer (row) at the cases of `candidates` (column), not negative; nought: cannot.
        candidates: rows of cases.
        callers: how many.
        gap: relative, at which the search stops; `solves`: after how many assignments it stops in any case.
    """

    call: Floats
    ends: Floats
    visit: Floats
    candidates: Ints
    callers: int
    gap: float = TOLERANCE
    solves: int = 400


@dataclass(slots=True)
class Found:
    """A plan.

    Attributes:
        called: cases that get a caller; `sent`: for each officer the column of `visit`, -1: nobody.
        value: of the plan; `bound`: no plan is worth more.
        price: of a caller, of the first bound; `root`: that bound; `gains`: the assignment's gains and `matched` its columns at it.
    """

    called: Flags
    sent: Ints
    value: float
    bound: float
    price: float = 0.0
    root: float = 0.0
    gains: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    matched: Ints = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(slots=True)
class _Point:
    """The relaxed problem at one price: its bound, how many callers it uses and where, its officers."""

    price: float
    bound: float
    used: int
    called: Flags
    sent: Ints
    gains: Floats


@dataclass(slots=True)
class _Search:
    best: Found
    left: int
    dropped: float = -np.inf
    root: list[_Point] = field(default_factory=list)


def assign(problem: Problem, force: Ints) -> Found:
    """The best plan.

    Args:
        problem: what can be gained.
        force: for each case `WITH` (gets a caller whatever it is worth), `WITHOUT` or `FREE`; at most `callers` of `WITH`.
    """
    nobody = np.full(len(problem.visit), -1, np.int64)
    none = Found(np.zeros(len(problem.call), np.bool_), nobody, -np.inf, np.inf)
    search = _Search(none, problem.solves)
    _branch(problem, force, search)
    found, root = search.best, search.root[0]
    found.root, found.price, found.gains, found.matched = root.bound, root.price, root.gains, root.sent
    found.bound = min(max(found.value, search.dropped), root.bound)
    return found


def _branch(problem: Problem, force: Ints, search: _Search) -> None:
    """Bound; if that leaves a gap, decide one case both ways."""
    low, high = _lowest_bound(problem, force, search)
    bound = min(point.bound for point in (low, high))
    if not search.root:
        search.root.append(low if low.bound <= high.bound else high)
    if _close(search.best.value, bound, problem.gap):
        search.dropped = max(search.dropped, bound)
        return
    differ = np.flatnonzero((low.called != high.called) & (force == FREE))
    if not len(differ) or search.left <= 0:
        search.dropped = max(search.dropped, bound)
        return
    case = int(differ[np.argmax(problem.call[differ])])
    for decided in (WITH, WITHOUT):
        if decided == WITH and np.count_nonzero(force == WITH) >= problem.callers:
            continue
        further = force.copy()
        further[case] = decided
        _branch(problem, further, search)


def _close(value: float, bound: float, gap: float) -> bool:
    return bound - value <= gap * max(abs(bound), 1e-300)


def _lowest_bound(problem: Problem, force: Ints, search: _Search) -> tuple[_Point, _Point]:
    """Two prices of a caller, around the one with the lowest bound: the lower uses too many callers, the higher does not.

    The bound is convex in the price with slope callers - used, so the tangents at two prices cross below its least value, at
    the next price to try (Kelley); where they cross on the bound itself, that is the least. The first two guesses, which are
    mostly enough, come from what the last caller adds.
    """
    low: _Point | None = None
    high: _Point | None = None
    price, guesses, foreseen = _last_caller(problem, force, _likely_lost(problem)), 1, -np.inf
    for _ in range(_PRICES):
        point = _relax(problem, force, price, search)
        if point.used > problem.callers:
            low = point
        else:
            high = point
        least = point.bound <= foreseen + TOLERANCE * abs(foreseen)
        at_nought = price <= 0.0 and point is high
        done = point.used == problem.callers or _close(search.best.value, point.bound, problem.gap)
        if least or at_nought or done or search.left <= 0:
            break
        price = _last_caller(problem, force, _lost_to_officers(problem, point.sent))
        foreseen = -np.inf
        guesses += 1
        if guesses > 2 or not _between(price, low, high):
            if low is None:
                price = 0.0
            elif high is None:
                price = float(problem.call[force == FREE].max(initial=0.0))
            else:
                price, foreseen = _crossing(low, high, problem.callers)
    return low or high or point, high or low or point


def _between(price: float, low: _Point | None, high: _Point | None) -> bool:
    return (0.0 if low is None else low.price) < price < (np.inf if high is None else high.price)


def _crossing(low: _Point, high: _Point, callers: int) -> tuple[float, float]:
    """The price at which the tangents cross, and their height there."""
    falls, rises = callers - low.used, callers - high.used
    at = (high.bound - rises * high.price - low.bound + falls * low.price) / (falls - rises)
    at = min(max(at, low.price), high.price)
    return at, low.bound + falls * (at - low.price)


def _relax(problem: Problem, force: Ints, price: float, search: _Search) -> _Point:
    """Let callers be bought at a price; note the plan that follows from the officers' places."""
    search.left -= 1
    net = problem.call - price
    wish = np.where(force == WITH, np.inf, np.where(force == WITHOUT, 0.0, np.maximum(net, 0.0)))
    gains = problem.visit
    wish_here = wish[problem.candidates]
    touched = np.flatnonzero(wish_here > 0.0)
    if len(touched) and len(gains):
        gains = gains.copy()
        ends = problem.ends[problem.candidates[touched]]
        part = gains[:, touched]
        gains[:, touched] = part - np.minimum(wish_here[touched], ends * part)
    sent = _officers(gains)
    lost = _lost_to_officers(problem, sent)
    called = (force == WITH) | ((force == FREE) & (net > lost))
    rows = np.flatnonzero(sent >= 0)
    base = np.where(force == WITH, net, np.where(force == WITHOUT, 0.0, np.maximum(net, 0.0)))
    bound = price * problem.callers + float(base.sum()) + float(gains[rows, sent[rows]].sum())
    _note(problem, force, sent, lost, search)
    return _Point(price, bound, int(np.count_nonzero(called)), called, sent, gains)


def _officers(gains: Floats) -> Ints:
    """The best assignment; a gain of nought is none."""
    from scipy.optimize import linear_sum_assignment

    sent = np.full(len(gains), -1, np.int64)
    if gains.size:
        rows, columns = linear_sum_assignment(gains, maximize=True)
        worth = gains[rows, columns] > 0.0
        sent[rows[worth]] = columns[worth]
    return sent


def _lost_to_officers(problem: Problem, sent: Ints) -> Floats:
    """For each case, by how much a caller lessens what its officer adds."""
    lost = np.zeros(len(problem.call))
    rows = np.flatnonzero(sent >= 0)
    cases = problem.candidates[sent[rows]]
    lost[cases] = problem.ends[cases] * problem.visit[rows, sent[rows]]
    return lost


def _note(problem: Problem, force: Ints, sent: Ints, lost: Floats, search: _Search) -> None:
    """The best callers for these officers; keep the plan if it is the best so far."""
    called = _best_callers(problem, force, lost)
    rows = np.flatnonzero(sent >= 0)
    visits = float(problem.visit[rows, sent[rows]].sum())
    value = visits + float((problem.call - lost)[called].sum())
    if value > search.best.value:
        search.best = Found(called, sent, value, np.inf)


def _best_callers(problem: Problem, force: Ints, lost: Floats) -> Flags:
    called: Flags = np.asarray(force == WITH, np.bool_)
    more = min(problem.callers - int(np.count_nonzero(called)), len(called))
    gain = np.where(force == FREE, problem.call - lost, 0.0)
    order = np.argsort(-gain, kind="stable")[: max(more, 0)]
    called[order[gain[order] > 0.0]] = True
    return called


def _likely_lost(problem: Problem) -> Floats:
    """A guess at `_lost_to_officers` before they are assigned: the best cases get the officer who suits them best."""
    lost = np.zeros(len(problem.call))
    count = min(problem.visit.shape)
    if count:
        best = problem.visit.max(axis=0)
        top = np.argpartition(-best, count - 1)[:count]
        lost[problem.candidates[top]] = problem.ends[problem.candidates[top]] * best[top]
    return lost


def _last_caller(problem: Problem, force: Ints, lost: Floats) -> float:
    """Between what the last caller adds who is used and what the next would add, where officers take `lost`."""
    more = problem.callers - int(np.count_nonzero(force == WITH))
    gain = np.where(force == FREE, problem.call - lost, 0.0)
    if more < 1 or more >= len(gain):
        return 0.0
    ordered = np.partition(gain, (len(gain) - more - 1, len(gain) - more))
    last, following = ordered[len(gain) - more], ordered[len(gain) - more - 1]
    return float(max((last + following) / 2.0, 0.0))


def officer_prices(gains: Floats, sent: Ints) -> Floats:
    """What each officer is worth in an optimal assignment (dual): at least gain minus price at every case.

    The least prices of cases, v: v_i >= gain_ij - u_j, where u_j is the officer's own gain less the price of their
    case; reached from below by repetition (Bellman and Ford).
    """
    rows = np.flatnonzero(sent >= 0)
    idle = sent < 0
    price: Floats = np.maximum(gains[idle].max(axis=0, initial=0.0), 0.0)
    worth = np.zeros(len(gains))
    own = gains[rows, sent[rows]]
    for _ in range(len(gains) + 2):
        worth[rows] = own - price[sent[rows]]
        higher = np.maximum(price, (gains[rows] - worth[rows, None]).max(axis=0, initial=0.0))
        if np.allclose(higher, price, rtol=0.0, atol=1e-13 * float(own.max(initial=1.0))):
            break
        price = higher
    return worth
