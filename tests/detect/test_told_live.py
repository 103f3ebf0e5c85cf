"""A call that is told as it goes on is judged like one that is told when it is over."""

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.detect.test_moments import TIMES, make
from tests.passes import EPOCH, Run, calls_from

from ringfence.detect.engine import Engine
from ringfence.detect.evidence import ENTRY, OUTCOME
from ringfence.detect.moments import Window, kind_of, last_told, row_of, time_of
from ringfence.ingest.live_order import LiveOrder, last_known
from ringfence.model.calls import NEVER, Calls, join, no_calls
from ringfence.model.numbers import Names
from ringfence.simulate.city import City
from ringfence.simulate.write import tables

SECOND = 1_000_000


def told(calls: Calls) -> Calls:
    """The rows of live calls, in the order in which they are told: set-up, answer, end."""
    set_up = Calls(**{name: getattr(calls, name).copy() for name in COLUMNS}, ids=calls.ids)
    set_up.answer[:] = NEVER
    set_up.end[:] = NEVER
    set_up.codes[:, :2] = 0
    answered = Calls(**{name: getattr(calls, name).copy() for name in COLUMNS}, ids=calls.ids)
    answered.end[:] = NEVER
    answered.codes[:, :2] = 0
    rows = join(
        [
            set_up,
            answered.take(np.flatnonzero(calls.answer != NEVER)),
            calls.take(np.flatnonzero(calls.end != NEVER)),
        ]
    )
    return rows.take(np.argsort(last_known(rows), kind="stable"))


COLUMNS = ("start", "answer", "end", "caller", "callee", "key", "words", "codes", "origin")


def live(run: Run, rows: Calls, batch: int, span: int) -> Iterator[object]:
    """Judge rows as they are told."""
    order = LiveOrder(span, 60 * SECOND)
    for first in range(0, len(rows), batch):
        assert not len(order.push(rows.slice(first, min(first + batch, len(rows))), NEVER - 2**60))
        yield from step(run, order.take())
    yield from step(run, order.finish())


def step(run: Run, ready: tuple[Calls, Calls, int]) -> Iterator[object]:
    calls, learned, until = ready
    run.engine.tell(learned)
    yield from run.feed(calls, until)


@pytest.fixture(scope="module")
def town() -> tuple[Calls, Names]:
    rows, _ = tables(City(400, 8, 5))
    return calls_from(rows["calls"])


def outcomes(run: Run) -> list[dict[str, object]]:
    run.stories.settle(run.engine)
    return [story.alert.as_dict() for story in run.stories]


@pytest.mark.parametrize("batch", [1_000_000, 997])
def test_a_town_told_live_gives_the_same_alerts(town: tuple[Calls, Names], batch: int) -> None:
    calls, names = town
    whole = Run.new(names)
    whole.feed(calls)
    expected = outcomes(whole)
    assert len(expected) > 3
    run = Run.new(names)
    for _ in live(run, told(calls), batch, 2 * SECOND):
        pass
    assert outcomes(run) == expected


@settings(max_examples=60)
@given(st.lists(TIMES, min_size=1, max_size=25), st.integers(1, 9), st.integers(0, 20), st.randoms())
def test_disorder_within_the_span_makes_no_difference(
    rows: list[tuple[int, int | None, int | None]], batch: int, jitter: int, random: Random
) -> None:
    calls = make(rows)
    calls.start[:] += EPOCH
    for column in (calls.answer, calls.end):
        column[column != NEVER] += EPOCH
    expected = moments(calls, calls)
    stream = told(calls)
    shaken = last_known(stream) + np.array([random.randint(0, jitter * SECOND) for _ in range(len(stream))])
    stream = stream.take(np.argsort(shaken, kind="stable"))
    found = moments(calls, stream, batch, jitter * SECOND + 1)
    # where records end, a scan's time ends; that of a service goes on, and gives up calls whose records were lost
    assert [moment for moment in found if moment[0] <= last_told(calls)] == expected


def moments(calls: Calls, stream: Calls, batch: int = 10**6, span: int = 0) -> list[tuple[int, int, int]]:
    """What the engine's windows hold, when rows are told in this order."""
    seen: list[tuple[int, int, int]] = []

    def record(window: Window, _: int) -> None:
        seen.extend(
            (time_of(int(key), window.base), int(window.calls["key"][row_of(int(key))]), kind_of(int(key)))
            for key in window.keys
        )

    engine = Engine(recorder=record)
    if stream is calls:
        engine.process(calls, NEVER)
        return seen
    order = LiveOrder(span, 60 * SECOND)
    for first in range(0, len(stream), batch):
        order.push(stream.slice(first, min(first + batch, len(stream))), NEVER - 2**60)
        ready = order.take()
        engine.tell(ready.learned)
        engine.process(ready.calls, ready.until)
    ready = order.finish()
    engine.tell(ready.learned)
    engine.process(ready.calls, ready.until)
    return seen


def one(start: int, answer: int | None = None, end: int | None = None) -> Calls:
    calls = make([(0, None, None)])
    calls.start[:] = start * SECOND
    calls.answer[:] = NEVER if answer is None else answer * SECOND
    calls.end[:] = NEVER if end is None else end * SECOND
    return calls


def test_an_end_told_late_is_learned_late_and_an_answer_keeps_its_time() -> None:
    engine = Engine()
    engine.process(one(100), 500 * SECOND)  # it rang until 280, and its record was lost
    assert not engine.tell(one(100, 110, 120)).any(), "it is over for the pass"
    engine = Engine()
    engine.process(one(100), 200 * SECOND)
    assert engine.tell(one(100, 110, 190)).all()
    plan = engine._timeline._plans[0]
    assert (plan["answer"], plan["told"], plan["end"]) == (110 * SECOND, 200 * SECOND, 200 * SECOND)


def test_talks_told_too_late_make_people_know_each_other() -> None:
    engine = Engine()
    engine.process(no_calls(), 1_000 * SECOND)
    assert engine.acquaint(one(100, 110, 190)) == 1
    assert engine.acquaint(one(100, 110, 112)) == 0, "too short to be a talk"
    (place,) = np.flatnonzero(engine.shards[0].pairs.rows["key"])
    assert engine.shards[0].pairs.rows["talks"][place] == 1


def test_a_snapshot_between_set_up_and_end_changes_nothing(town: tuple[Calls, Names]) -> None:
    calls, names = town
    stream = told(calls.slice(0, 6000))
    whole, parts = Run.new(names), Run.new(names)
    results = []
    for run, saved in ((whole, False), (parts, True)):
        order = LiveOrder(SECOND, SECOND)
        found = []
        for first in range(0, len(stream), 700):
            order.push(stream.slice(first, min(first + 700, len(stream))), NEVER - 2**60)
            ready = order.take()
            run.engine.tell(ready.learned)
            found.append(run.engine.process(ready.calls, ready.until))
            if saved:
                fresh, again = Engine(), LiveOrder(SECOND, SECOND)
                fresh.restore(run.engine.arrays())
                again.restore(order.arrays())
                run.engine, order = fresh, again
        results.append(
            (
                np.concatenate([np.zeros(0, OUTCOME), *(o for o, _ in found)]).tolist(),
                np.concatenate([np.zeros(0, ENTRY), *(e for _, e in found)]).tolist(),
                len(order),
            )
        )
    assert results[0] == results[1]
