"""Rows told at a pace: all of them, once, in order of time, whatever pieces they come in and wherever it is interrupted."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shell.service.floods import BEGIN, SECOND, call

from ringfence.model.tables import CALLS, TEXTS, TRANSFERS
from ringfence.shell.service.decoders import Events
from ringfence.shell.service.journal import JournalError
from ringfence.shell.service.live_rows import Teller, stretches, told, with_time
from ringfence.shell.service.segments import Record
from ringfence.shell.service.sources import feed as module
from ringfence.shell.service.sources.feed import Feed, Part

Row = tuple[Any, ...]
TIMES = st.integers(0, 20)
CALLED = st.tuples(TIMES, st.none() | TIMES, st.none() | TIMES)
OTHERS = st.lists(TIMES, max_size=6)


def calls_of(drawn: list[tuple[int, int | None, int | None]]) -> pa.Table:
    """Calls in order of set-up; answer and end follow it, if there are any."""
    rows = []
    for n, (start, answer, end) in enumerate(sorted(drawn, key=lambda each: each[0])):
        at = BEGIN + start * SECOND
        answered = None if answer is None else at + answer * SECOND
        ended = None if end is None else (answered or at) + end * SECOND
        rows.append(call(at, None, "+8613800000001", answer=answered, end=ended, call_id=str(n)))
    return pa.Table.from_pylist(rows, CALLS)


def others_of(schema: pa.Schema, times: list[int]) -> pa.Table:
    rows = [
        dict.fromkeys(schema.names)
        | {"time": BEGIN + time * SECOND, "recipient": f"+86138{n:08d}", "subscriber": f"+86138{n:08d}"}
        for n, time in enumerate(sorted(times))
    ]
    return pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in rows], schema)


def before(table: pa.Table, column: str, first: int, until: int) -> pa.Table:
    times = table[column].cast(pa.int64()).to_pylist()
    return table.take(
        pa.array([n for n, time in enumerate(times) if first <= time - BEGIN < until], pa.int64())
    )


def rows_of(table: pa.Table | pa.RecordBatch) -> list[Row]:
    return [tuple(row.values()) for row in table.to_pylist()]


@given(st.lists(CALLED, max_size=12), st.lists(st.integers(0, 70), max_size=5))
def test_any_pieces_give_the_same_rows(
    drawn: list[tuple[int, int | None, int | None]], cuts: list[int]
) -> None:
    calls = calls_of(drawn)
    whole = told(calls)
    teller, found, first = Teller(), [], 0
    for until in [*sorted(cuts), 1 << 40]:
        part = before(calls, "start_time", first * SECOND, until * SECOND)
        rows = teller.take(part, BEGIN + until * SECOND)
        assert all(time < BEGIN + until * SECOND for time in rows["told"].to_pylist())
        found.append(rows)
        first = until
    assert len(teller) == 0
    joined = pa.concat_tables(found)
    assert joined["told"].to_pylist() == whole["told"].to_pylist()
    assert sorted(map(repr, rows_of(joined))) == sorted(map(repr, rows_of(whole)))


@given(st.lists(CALLED, max_size=12), OTHERS, st.integers(1, 30))
def test_stretches_lose_nothing_and_cut_no_moment_apart(
    drawn: list[tuple[int, int | None, int | None]], texts: list[int], seconds: int
) -> None:
    tables = {"texts": with_time(others_of(TEXTS, texts)), "calls": told(calls_of(drawn))}
    found = list(stretches(tables, seconds * SECOND))
    for name, rows in tables.items():
        assert sum(len(batch) for _, parts in found for table, batch in parts if table == name) == len(rows)
    ends = [until for until, _ in found]
    assert ends == sorted(set(ends))
    assert ends[-1:] == sorted(time for rows in tables.values() for time in rows["told"].to_pylist())[-1:]


def test_a_call_is_told_at_set_up_answer_and_end() -> None:
    row = call(
        BEGIN, None, "+8613800000001", answer=BEGIN + 3 * SECOND, end=BEGIN + 9 * SECOND, cause=16, released_by="caller",
        call_id="c", trunk="t",
    )  # fmt: skip
    rows = told(pa.Table.from_pylist([row], CALLS)).to_pylist()
    known = [(r["answer_time"] is not None, r["end_time"] is not None, r["cause"], r["trunk"]) for r in rows]
    assert known == [(False, False, None, "t"), (True, False, None, "t"), (True, True, 16, "t")]
    assert [r["told"] - BEGIN for r in rows] == [0, 3 * SECOND, 9 * SECOND]


class Taken:
    """A journal that ends the service after so many records."""

    def __init__(self, most: int = 1 << 30, refuse: Callable[[int], bool] = lambda _: False) -> None:
        self.records: list[Record] = []
        self.most, self.refuse, self._asked = most, refuse, 0

    def append(
        self, note: dict[str, Any], payload: bytes, done: Callable[[int, JournalError | None], None]
    ) -> None:
        self._asked += 1
        if self.refuse(self._asked):
            raise JournalError("the disk is full")
        if len(self.records) >= self.most:
            raise asyncio.CancelledError
        self.records.append(Record(len(self.records) + 1, 0, note, payload))
        done(len(self.records), None)

    def since(self) -> int:
        """What a service would say after a restart."""
        kept = [record.note["position"]["told"] for record in self.records if "position" in record.note]
        return kept[-1] if kept else 0

    def rows(self, table: str) -> list[Row]:
        found = []
        for record in self.records:
            if record.note.get("table") == table:
                for chunk in Events().decode(record):
                    found += rows_of(chunk.records)
        return found


def run(source: Feed) -> bool:
    """Tell everything; says whether it came to the end."""

    async def told_all() -> None:
        await source.run()

    try:
        asyncio.run(told_all())
    except asyncio.CancelledError:
        return False
    return source.finished


def parts_of(tables: dict[str, pa.Table], cuts: list[int]) -> Callable[[], Iterator[Part]]:
    """The tables in parts, as a replay or a city gives them."""

    def parts() -> Iterator[Part]:
        first = -1
        for until in [*sorted(set(cuts)), 1 << 40]:
            span = (first * SECOND, until * SECOND)
            yield Part(
                before(tables["calls"], "start_time", *span),
                before(tables["texts"], "time", *span),
                before(tables["transfers"], "time", *span),
                BEGIN + until * SECOND,
            )
            first = until

    return parts


@settings(max_examples=60)
@given(
    drawn=st.lists(CALLED, max_size=8),
    texts=OTHERS,
    transfers=OTHERS,
    cuts=st.lists(st.integers(0, 70), max_size=3),
    stops=st.lists(st.integers(0, 6), max_size=4),
    at_once=st.integers(1, 4),
    speed=st.sampled_from([0.0, 1e9]),
    data=st.data(),
)
def test_interrupted_anywhere_nothing_is_missing(
    drawn: list[tuple[int, int | None, int | None]],
    texts: list[int],
    transfers: list[int],
    cuts: list[int],
    stops: list[int],
    at_once: int,
    speed: float,
    data: st.DataObject,
) -> None:
    tables = {
        "calls": calls_of(drawn),
        "texts": others_of(TEXTS, texts),
        "transfers": others_of(TRANSFERS, transfers),
    }
    journal = Taken()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "AT_ONCE", at_once)
        patch.setattr(module, "HOUR", data.draw(st.integers(1, 30)) * SECOND)
        patch.setattr(module, "PIECE_S", 0.01)
        ended = False
        for stop in [*stops, 1 << 30]:
            journal.most = len(journal.records) + stop
            source = Feed("feed", journal.append, parts_of(tables, cuts), speed=speed, since=journal.since)
            ended = run(source)
    assert ended
    for name, table in tables.items():
        rows = told(table).drop_columns(["told"]) if name == "calls" else table
        found = journal.rows(name)
        assert sorted(set(map(repr, found))) == sorted(set(map(repr, rows_of(rows)))), name
        if not stops:
            assert len(found) == len(rows), "told once"


def test_texts_alone_are_told_too() -> None:
    tables = {
        "calls": CALLS.empty_table(),
        "texts": others_of(TEXTS, [1, 2, 3]),
        "transfers": others_of(TRANSFERS, [4]),
    }
    journal = Taken()
    assert run(Feed("feed", journal.append, parts_of(tables, []), speed=0))
    assert len(journal.rows("texts")) == 3
    assert len(journal.rows("transfers")) == 1


def test_a_disk_that_is_full_for_a_while_delays_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.shell.service.intake.AGAIN_S", 0.001)
    tables = {
        "calls": calls_of([(n, 1, 1) for n in range(5)]),
        "texts": others_of(TEXTS, []),
        "transfers": others_of(TRANSFERS, []),
    }
    journal = Taken(refuse=lambda asked: asked % 3 != 0)
    assert run(Feed("feed", journal.append, parts_of(tables, [2, 4]), speed=0))
    assert len(journal.rows("calls")) == 15
    assert journal.since() == BEGIN + 6 * SECOND


def test_texts_come_before_the_calls_of_their_stretch_and_never_before_earlier_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "HOUR", 2 * SECOND)
    tables = {
        "calls": calls_of([(n, None, None) for n in range(10)]),
        "texts": others_of(TEXTS, list(range(12))),
        "transfers": others_of(TRANSFERS, []),
    }
    journal = Taken()
    assert run(Feed("feed", journal.append, parts_of(tables, [5]), speed=0))
    newest = BEGIN
    for record in journal.records:
        (chunk,) = Events().decode(record)
        column = "start_time" if record.note["table"] == "calls" else "time"
        times = chunk.records[column].cast(pa.int64()).to_pylist()
        assert times[0] > newest - 2 * SECOND
        newest = max(newest, times[-1])
