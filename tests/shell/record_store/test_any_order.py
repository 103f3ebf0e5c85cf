"""Whatever comes in whatever order, with crashes in between: the store answers as a plain one in memory."""

import tempfile
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shell.record_store.made import (
    CHEN,
    DAY,
    ENDS,
    NOON,
    NUMBERS,
    ODD,
    SCHEMAS,
    SHOP,
    TIME,
    WANG,
    Plain,
    Row,
    asked,
    check,
    same,
    table,
)

from ringfence.shell.records import RecordStore

HELD = [(CHEN, NOON, NOON + timedelta(hours=13)), (WANG, NOON + DAY, None)]
MOMENTS = st.builds(
    lambda day, offset: NOON.replace(hour=0) + day * DAY + offset,
    st.integers(0, 2),
    st.sampled_from([timedelta(0), timedelta(microseconds=-1), timedelta(hours=12), timedelta(hours=13)]),
)
ANY_NUMBER = st.sampled_from(NUMBERS)
MAYBE = st.none() | ANY_NUMBER
FEW = st.none() | st.sampled_from(["a", "b"])
CALLS = [  # few, so that their rows meet
    {"call_id": call_id, "start_time": NOON.replace(hour=0) + offset, "caller": caller, "callee": callee}
    for call_id, caller, callee in [
        ("1", CHEN, WANG),
        (None, SHOP, WANG),
        ("1", None, CHEN),
        ("2", ODD, CHEN),
    ]
    for offset in (timedelta(0), DAY + timedelta(hours=13))
]
CALL_ROWS = st.builds(
    lambda identity, known: identity | known,
    st.sampled_from(CALLS),
    st.fixed_dictionaries(
        {
            "answer_time": st.none() | MOMENTS,
            "end_time": st.none() | MOMENTS,
            "cause": st.none() | st.integers(1, 3),
            "caller_device": FEW,
            "callee_device": FEW,
            "trunk": FEW,
        }
    ),
) | st.fixed_dictionaries(
    {
        "call_id": st.sampled_from([None, "1", "2"]),
        "start_time": MOMENTS,
        "caller": MAYBE,
        "callee": ANY_NUMBER,
    }
)
TEXT_ROWS = st.fixed_dictionaries({"time": MOMENTS, "sender": MAYBE, "recipient": ANY_NUMBER, "body": FEW})
TRANSFER_ROWS = st.fixed_dictionaries(
    {"time": MOMENTS, "subscriber": ANY_NUMBER, "amount": st.sampled_from([None, 1.5])}
)
APPENDS = (
    st.tuples(st.just("calls"), st.lists(CALL_ROWS, min_size=1, max_size=6))
    | st.tuples(st.just("texts"), st.lists(TEXT_ROWS, min_size=1, max_size=6))
    | st.tuples(st.just("transfers"), st.lists(TRANSFER_ROWS, min_size=1, max_size=6))
)
STEPS = st.lists(
    st.one_of(
        APPENDS,
        APPENDS,
        st.just(("flush",)),
        st.just(("crash",)),
        st.tuples(st.just("tidy"), st.sampled_from([NOON, NOON + 20 * DAY])),
        st.tuples(st.just("expire"), MOMENTS.map(lambda at: at + 30 * DAY)),
        st.tuples(st.just("erase"), ANY_NUMBER, MOMENTS),
        st.tuples(st.just("ask"), ANY_NUMBER, MOMENTS, MOMENTS, st.integers(1, 4)),
    ),
    max_size=14,
)


class Both:
    """A store and its plain twin; a journal gives back to the store what a crash took."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = self._open()
        self.plain = Plain(held=HELD)
        self.journal: list[tuple[str, list[Row]]] = []
        self.snapshot = 0
        self.now = NOON

    def _open(self) -> RecordStore:
        return RecordStore(self.folder, spill_rows=12, threads=1)

    def append(self, name: str, rows: list[Row]) -> None:
        self.journal.append((name, rows))
        self.plain.append(name, rows)
        self.store.append(name, table(name, rows), len(self.journal))

    def flush(self) -> None:
        self.snapshot = len(self.journal)
        self.store.flush(self.snapshot)

    def crash(self) -> None:
        self.store.close()
        self.store = self._open()
        self.store.recover(self.snapshot)
        self.store.expire(self.now, HELD)
        for seq, (name, rows) in enumerate(self.journal[self.snapshot :], self.snapshot + 1):
            self.store.append(name, table(name, rows), seq)
            self.plain.append(name, rows)  # what had expired comes again
        self.expire(self.now)

    def tidy(self, now: datetime) -> None:
        self.store.tidy(now)

    def expire(self, now: datetime) -> None:
        self.now = max(self.now, now)
        self.store.expire(self.now, HELD)
        self.plain.expire(self.now, 30)
        last = self.now - 31 * DAY  # the store forgets what was erased once all from then is too old anyway
        self.plain.erased = [
            (number, before)
            for number, before in self.plain.erased
            if before >= last or any(self.plain.of(name, number) for name in SCHEMAS)
        ]

    def erase(self, number: str, before: datetime) -> None:
        erased = self.store.erase(number, before, HELD)
        self.plain.erase(number, before)
        before = max(until for erased_number, until in self.plain.erased if erased_number == number)
        for name in SCHEMAS:
            left = [row for row in self.plain.of(name, number) if row[TIME[name]] < before]
            assert erased.held[name] == len(left)

    def ask(self, number: str, since: datetime, until: datetime, limit: int) -> None:
        for name in SCHEMAS:
            expected = [row for row in self.plain.of(name, number) if since <= row[TIME[name]] < until]
            assert same(asked(self.store, name, number, since, until), expected)
            found = asked(self.store, name, number, since, until, limit)
            times = sorted((row[TIME[name]] for row in expected), reverse=True)
            assert [row[TIME[name]] for row in found] == times[:limit]


@settings(max_examples=25)
@given(STEPS)
def test_the_store_answers_as_a_plain_one(steps: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
        both = Both(Path(folder))
        closing.callback(lambda: both.store.close())  # noqa: PLW0108  a crash opens another
        for name, *rest in steps:
            if name in ENDS:
                both.append(name, *rest)
            else:
                getattr(both, name)(*rest)
        check(both.store, both.plain)
        both.crash()
        check(both.store, both.plain)
        both.flush()
        both.tidy(NOON + 20 * DAY)
        check(both.store, both.plain)
