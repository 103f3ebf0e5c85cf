"""Rows that come in another order, late, again, or not at all."""

import random
import shutil
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shell.service.floods import BEGIN, SECOND, VICTIM, batch, call, flood, told_live
from tests.shell.service.made import NOW, plan, records_of, running, small_city, stored
from tests.shell.service.test_faults import raised, tell, until

from ringfence.detect.screening import Arriving, Screen
from ringfence.detect.shard import Limits
from ringfence.ingest.live_order import LiveOrder
from ringfence.shell.judge import Charge, Judge
from ringfence.shell.service import service as service_module
from ringfence.shell.service.decoders import EVENTS, Events, to_payload
from ringfence.shell.service.pipeline import Pipeline
from ringfence.shell.service.segments import Record
from ringfence.shell.service.service import Service
from ringfence.shell.store.alerts import AlertChange

FRIEND = "+8613700000001"
SPAN_S = 2.0
Told = list[tuple[str, pa.RecordBatch]]


class Store:
    """Alerts as they are now, and the events that were told."""

    def __init__(self) -> None:
        self.alerts: dict[str, Any] = {}
        self.events: list[str] = []

    def apply(self, seq: int, changes: Sequence[AlertChange]) -> int:
        for change in changes:
            self.alerts[change.alert_id] = dict(change.document)
            if change.n and change.event_id not in self.events:
                self.events.append(change.event_id)
        return 0


class Rows:
    def append(self, table: str, rows: pa.RecordBatch, seq: int) -> None:
        """Nobody asks for them."""


def judged(told: Iterable[tuple[str, pa.RecordBatch]], at_once: int = 1) -> tuple[Store, Pipeline]:
    """What a pipeline finds in records, taken so many at a time."""
    store = Store()
    judge = Judge(Charge(limits=Limits()))
    order = LiveOrder(int(SPAN_S * SECOND), 60 * SECOND)
    pipeline = Pipeline(judge, order, {"told": Events}, store, Rows(), clock=lambda: NOW)
    records = [
        Record(seq, NOW, {"source": "told", "kind": EVENTS, "table": table}, to_payload(rows))
        for seq, (table, rows) in enumerate(told, 1)
    ]
    for first in range(0, len(records), at_once):
        pipeline.take(records[first : first + at_once])
        pipeline.write()
    pipeline.finish()
    return store, pipeline


def life() -> list[dict[str, Any]]:
    """A flood, and other calls of the same time."""
    chance = random.Random(4)
    rows = list(flood())
    for n in range(40):
        start = BEGIN + chance.randrange(480) * SECOND
        answer = start + chance.randrange(1, 20) * SECOND if n % 3 else None
        end = (answer or start) + chance.randrange(1, 90) * SECOND
        rows.append(
            call(
                start,
                f"+86136{n % 7:08d}",
                f"+86137{n % 11:08d}",
                answer=answer,
                end=end,
                call_id=f"c{n}",
                cause=16,
            )
        )
    return told_live(rows)


LIFE = life()


@pytest.fixture(scope="module")
def in_order() -> Store:
    store, pipeline = judged(("calls", batch([row])) for row in LIFE)
    assert [alert["subject"] for alert in store.alerts.values()] == [VICTIM]
    assert pipeline.tallies["told"].late == 0
    return store


@pytest.fixture(scope="module")
def town() -> Told:
    """Four days of a town."""
    return list(records_of(small_city(5, 250, 4), 3600 * SECOND))


def happened(row: dict[str, Any]) -> int:
    """When a row is told, µs."""
    return int(max(time for time in (row["start_time"], row["answer_time"], row["end_time"]) if time))


@settings(max_examples=12)
@given(
    delays=st.lists(st.integers(0, 1_900_000), min_size=len(LIFE), max_size=len(LIFE)),
    at_once=st.integers(1, 9),
)
def test_rows_within_the_window_may_come_in_any_order(
    in_order: Store, delays: list[int], at_once: int
) -> None:
    arriving = sorted(zip(LIFE, delays, strict=True), key=lambda each: happened(each[0]) + each[1])
    store, pipeline = judged((("calls", batch([row])) for row, _ in arriving), at_once)
    assert pipeline.tallies["told"].late == 0
    assert store.alerts == in_order.alerts
    assert store.events == in_order.events


@settings(max_examples=10)
@given(sizes=st.lists(st.integers(1, 25), min_size=1, max_size=20), at_once=st.integers(1, 9))
def test_however_rows_are_put_into_records(in_order: Store, sizes: list[int], at_once: int) -> None:
    records, first, place = [], 0, 0
    while first < len(LIFE):
        size = sizes[place % len(sizes)]
        records.append(("calls", batch(LIFE[first : first + size])))
        first, place = first + size, place + 1
    store, _ = judged(records, at_once)
    assert store.alerts == in_order.alerts
    assert store.events == in_order.events


def test_a_call_told_too_late_is_counted_and_makes_people_acquainted() -> None:
    talk = call(
        BEGIN, FRIEND, VICTIM, answer=BEGIN + 5 * SECOND, end=BEGIN + 95 * SECOND, call_id="talk", cause=16
    )
    brief = call(
        BEGIN, "+8613700000002", VICTIM, answer=BEGIN + 5 * SECOND, end=BEGIN + 6 * SECOND, call_id="brief"
    )
    others = [call(BEGIN + n * SECOND, None, f"+86136{n:08d}") for n in range(120, 140)]
    store, pipeline = judged([("calls", batch([row])) for row in [*others, talk, brief]])
    tally = pipeline.tallies["told"]
    assert (tally.late, tally.rejected.total(), tally.calls) == (2, 0, 22)
    screen, plan_ = Screen(pipeline.judge.engine), pipeline.judge.plan
    at = BEGIN + 3600 * SECOND
    relation = {
        who: screen.look(Arriving(at, plan_.parse_one(who), plan_.parse_one(VICTIM))).relation
        for who in (FRIEND, "+8613700000002")
    }
    assert relation == {FRIEND: "known", "+8613700000002": "stranger"}
    assert store.alerts == {}


def test_an_answer_that_comes_late_is_learned_while_the_call_is_up() -> None:
    up = call(BEGIN, FRIEND, VICTIM, call_id="talk")
    others = [
        call(BEGIN + n * SECOND, None, f"+86136{n:08d}", end=BEGIN + n * SECOND + 1) for n in range(1, 20)
    ]
    answered = up | {"answer_time": BEGIN + 5 * SECOND}
    ended = answered | {"end_time": BEGIN + 95 * SECOND, "cause": 16}
    _, pipeline = judged([("calls", batch([row])) for row in [up, *others, answered, ended]])
    assert pipeline.tallies["told"].late == 0
    screen, plan_ = Screen(pipeline.judge.engine), pipeline.judge.plan
    asked = Arriving(BEGIN + 3600 * SECOND, plan_.parse_one(FRIEND), plan_.parse_one(VICTIM))
    assert screen.look(asked).relation == "known"


@pytest.mark.parametrize("behind", [0, 7])
def test_whatever_is_delivered_again_changes_nothing(town: Told, behind: int) -> None:
    records = town
    once, _ = judged(records, 4)
    kinds = {alert["kind"] for alert in once.alerts.values()}
    assert kinds >= {"flood", "extortion_text"}
    again = []
    for place, record in enumerate(records):
        again.append(record)
        if place >= behind:
            again.append(records[place - behind])
    twice, pipeline = judged(again, 4)
    assert twice.alerts == once.alerts
    assert _without_changes(twice.events) == _without_changes(once.events)
    assert pipeline.tallies["told"].late == 0


def _without_changes(events: list[str]) -> list[str]:
    """Changes that follow one another closely are told as one."""
    return sorted(event for event in events if ":changed:" not in event)


def test_the_clock_closes_a_flood_whose_source_has_gone_silent_and_a_replay_finds_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried = SimpleNamespace(monotonic=lambda: time.monotonic() * 10_000, time_ns=time.time_ns)
    with running(tmp_path / "a", snapshot_s=1e12) as service:
        tell(service, told_live(list(flood())))
        monkeypatch.setattr(service_module, "time", hurried)
        assert until(lambda: bool(stored(service)), 30)
        assert until(lambda: all(alert["closed_at"] for alert in stored(service).values()), 60)
        assert until(lambda: not service.pipeline.waits, 60), "and then it rests"
        expected, told = stored(service), raised(service)
        last = service.journal.last
    monkeypatch.undo()
    (tmp_path / "b").mkdir()
    shutil.copytree(tmp_path / "a" / "journal", tmp_path / "b" / "journal")
    replayed = Service(plan(tmp_path / "b"), clock=lambda: NOW)
    replayed.recover()
    assert replayed.pipeline.seq == last
    assert stored(replayed) == expected
    assert raised(replayed) == told == [VICTIM]
    replayed.stop()


def test_time_goes_on_by_the_clock_only_where_something_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried = SimpleNamespace(monotonic=lambda: time.monotonic() * 10_000, time_ns=time.time_ns)
    with running(tmp_path) as service:
        tell(service, [call(BEGIN, FRIEND, VICTIM, end=BEGIN + SECOND)])
        monkeypatch.setattr(service_module, "time", hurried)
        assert until(lambda: not service.pipeline.waits, 60)
        last = service.journal.last
        time.sleep(0.3)
        assert service.journal.last == last, "an idle service writes nothing"
