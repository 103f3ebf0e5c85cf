"""The compiled pass and the plain one find the same, to the microsecond and to a thousandth of a bit."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from bench._calls import calls_in_order
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.reference import plain

from ringfence.detect.detectors import DETECTORS
from ringfence.detect.engine import Engine
from ringfence.detect.evidence import ENDED, RAISED, REOPENED
from ringfence.detect.memory import DAY, HOUR, SECOND
from ringfence.model.calls import NEVER, Calls, no_calls
from ringfence.samples.salesman import copenhagen, sample
from ringfence.simulate.attempts import table
from ringfence.simulate.city import City
from ringfence.simulate.town import busy_town
from ringfence.simulate.write import tables

EPOCH = 1_767_225_600 * SECOND  # a midnight, UTC

# The compiled state is float32: 24 bits of a number, so one step at 20 bits (a threshold) is 2e-6, and a few dozen steps make
# up an alert. What an open case has gathered may be thousands of bits: there the last of the 24 count, once for each of
# its observations (relative 6e-8 each, a few thousand of them).
ABSOLUTE = 1e-3
RELATIVE = 2e-4


def both(calls: Calls) -> tuple[Any, Any, plain.PlainPass]:
    """What the compiled pass gives out, and the plain pass."""
    outcomes, entries = Engine(["flood"]).process(calls, NEVER)
    return outcomes, entries, plain.PlainPass().run(plain.rows_of(calls))


def differences(calls: Calls) -> list[str]:
    """What is not the same, in words."""
    outcomes, entries, reference = both(calls)
    ours = sorted(reference.entries, key=lambda entry: (entry.subject, entry.story))
    theirs = entries[np.lexsort((entries["story"], entries["subject"]))]
    return _compare(outcomes, reference.outcomes, {"bits", "odds"}) + _compare(
        theirs, ours, {"value", "bits", "total"}
    )


def _compare(records: Any, tuples: list[Any], measured: set[str]) -> list[str]:
    found = [] if len(records) == len(tuples) else [f"{len(records)} compiled, {len(tuples)} plain"]
    for record, other in zip(records, tuples, strict=False):
        row = dict(zip(record.dtype.names, record.item(), strict=True))
        row["detector"] = DETECTORS[row["detector"]].NAME
        for (
            name,
            expected,
        ) in other._asdict().items():  # where the line was, and with whom linked, is no evidence of a flood
            value = row[name]
            same = (
                abs(value - expected) <= ABSOLUTE + RELATIVE * abs(expected)
                if name in measured
                else value == expected
            )
            if not same:
                found.append(f"{name}: compiled {value}, plain {expected}, in {other}")
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_towns(seed: int) -> None:
    town = busy_town(np.random.default_rng(seed), lines=300, days=6, events=30, floods=20)
    calls = calls_in_order(table(town.attempts, EPOCH))
    outcomes, _, _ = both(calls)
    assert (outcomes["what"] == RAISED).sum() >= 15
    assert (outcomes["what"] == ENDED).any()
    assert differences(calls) == []


@pytest.mark.parametrize("rows", [copenhagen, sample])
def test_copenhagen(rows: Any) -> None:
    assert differences(calls_in_order(rows())) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_cities(seed: int) -> None:
    """Towns tell nothing of how calls come in, cities do."""
    made, _ = tables(City(600, 5, seed=seed, intensity={"flood": 150, "look_alike": 40}))
    calls = calls_in_order(made["calls"])
    outcomes, _, _ = both(calls)
    assert (outcomes["what"] == RAISED).sum() >= 10
    assert differences(calls) == []


# gap before it, caller, callee, ring, talk, cause, and where it is told the way; all times in ms
Row = tuple[int, ...]


def calls_of(rows: Sequence[Row]) -> Calls:
    """Calls, one after the other; ring -1: neither answered nor ended, talk -1: not answered, -2: answered, never ended.

    A way is the ingress and four times the trunk, or the phone.
    """
    columns = np.array([(*row, 0)[:7] for row in rows], np.int64).reshape(-1, 7)
    start = EPOCH + 23 * HOUR + np.cumsum(columns[:, 0]) * 1_000
    ring, talk = columns[:, 3], columns[:, 4]
    answered = (ring >= 0) & (talk != -1)
    answer = np.where(answered, start + ring * 1_000, NEVER)
    end = start + (ring + np.maximum(talk, 0)) * 1_000
    end[(ring < 0) | (talk == -2)] = NEVER
    count = len(start)
    codes = np.zeros((count, 4), np.int16)
    codes[:, 0] = columns[:, 5]
    codes[:, 2] = columns[:, 6] % 4
    words = np.zeros((count, 4), np.int64)
    words[:, 0] = np.where(columns[:, 6] % 4 >= 2, columns[:, 6] // 4 * 0x1357, 0)
    words[:, 1] = np.where(columns[:, 6] % 4 < 2, columns[:, 6] // 4, 0)
    words[:, 3] = columns[:, 6] % 4 == 1
    key = np.arange(1, count + 1)
    return Calls(
        start, answer, end, columns[:, 1], columns[:, 2], key, words, codes, key, pa.nulls(count, pa.string())
    )


NOBODY = -1
"""Stands for an ever-new number."""

gaps = st.one_of(
    st.just(0),
    st.sampled_from([1_000, 20_000, 37_500, 60_000, 90_000, 600_000, 1_800_000]),
    st.integers(0, 900_000),
)
silences = st.sampled_from([0, HOUR, 6 * HOUR, 25 * HOUR, 8 * DAY, 22 * DAY, 31 * DAY, 95 * DAY, 200 * DAY])
rings = st.one_of(st.sampled_from([0, 1_000, 3_000, 6_000, 25_000, -1]), st.integers(0, 60_000))
talks = st.one_of(
    st.sampled_from([-1, -1, -2, 0, 1, 3_000, 3_001, 8_000, 22_000, 21_999, 60_000, 60_001]),
    st.integers(0, 7_200_000),
)


@st.composite
def sequences(draw: st.DrawFn) -> list[Row]:
    """Stretches of calls: a few lines, a few callers, withheld and made-up numbers, silences between."""
    rows: list[Row] = []
    new = 1_000
    for _ in range(draw(st.integers(1, 6))):
        silence = draw(silences) // 1_000
        callers = draw(st.lists(st.sampled_from([0, NOBODY, 1, 2, 3, 11, 12, 13]), min_size=1, max_size=4))
        callees = draw(st.lists(st.sampled_from([1, 1, 1, 2, 3, 11]), min_size=1, max_size=2))
        pace = draw(st.lists(gaps, min_size=1, max_size=4))
        forms = draw(
            st.lists(st.tuples(rings, talks, st.sampled_from([0, 16, 17, 19])), min_size=1, max_size=4)
        )
        ways = draw(
            st.lists(st.one_of(st.sampled_from([0, 1, 6]), st.integers(0, 60)), min_size=1, max_size=3)
        )
        count = draw(st.integers(1, 60))
        for n in range(count):
            caller = callers[n % len(callers)]
            if caller == NOBODY:
                new += 1
                caller = new
            gap = silence if n == 0 else pace[n % len(pace)]
            form, way = forms[n % len(forms)], ways[n % len(ways)]
            rows.append((gap, caller, callees[n % len(callees)], *form, way))
    return rows


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=150)
@given(sequences())
@example([(0, 0, 1, 5_000, 1_000, 16)] * 40)
@example([(60_000, 0, 1, 5_000, -2, 16)] * 40)
def test_any_calls(rows: list[Row]) -> None:
    assert differences(calls_of(rows)) == []


def test_thousands_of_repeats() -> None:
    rows = [(45_000, 0, 1, 4_000, 500, 16)] * 6_000 + [(30_000, 7, 2, 20_000, -1, 19)] * 6_000
    assert differences(calls_of(rows)) == []


def test_a_flood_over_midnight_that_returns() -> None:
    flood: list[Row] = [(40_000, 0, 1, 5_000, 800, 16)] * 60
    back: list[Row] = [(3 * DAY // 1_000, 0, 1, 5_000, 800, 16), *flood]
    late: list[Row] = [(9 * DAY // 1_000, 0, 1, 5_000, 800, 16), *flood]
    calls = calls_of(flood + back + late)
    outcomes, _, _ = both(calls)
    # a return within days is the same story, one after nine days is a new one; the last is not over when the records end
    assert outcomes["what"].tolist() == [RAISED, ENDED, REOPENED, ENDED, RAISED]
    assert differences(calls) == []


def test_nothing() -> None:
    assert differences(no_calls()) == []


Timed = tuple[int, ...]  # as Row, but the time in ms since the beginning


def alerts_of(line: int, rows: list[Timed], shards: int = 1) -> list[tuple[int, int]]:
    """Time and sort of what the compiled pass says about a line."""
    ordered = sorted(rows)
    times = np.diff([row[0] for row in ordered], prepend=0).tolist()
    calls = calls_of([(gap, *row[1:]) for gap, row in zip(times, ordered, strict=True)])
    outcomes, _ = Engine(["flood"], shards=shards).process(calls, NEVER)
    return [(int(o["at"]), int(o["what"])) for o in outcomes if o["subject"] == line]


def crowd(time: int, talk: int) -> list[Timed]:
    """So many other lines ring within 14 s that the tables of one shard are swept."""
    ring = -1 if talk == -2 else 1_000
    return [(time + 10 * n, 5_000 + n, 20_000 + n, ring, talk, 16) for n in range(1_400)]


HOURS = 3_600_000


def test_a_case_out_of_date_is_absent_before_it_is_swept() -> None:
    again = 7 * 120_000 + 61_000 + 6 * HOURS + 100_000
    talk: list[Timed] = [(120_000 * n, 100 + n, 1, 5_000, 61_000, 16) for n in range(8)]
    flood: list[Timed] = [(again + 40_000 * n, 500 + n, 1, 5_000, 1_000, 16) for n in range(30)]
    others = crowd(again - 60_000, 500)
    assert alerts_of(1, talk + flood + others) == alerts_of(1, talk + flood)
    assert alerts_of(1, talk + flood + others) == alerts_of(1, talk + flood + others, shards=4)


def test_a_call_out_of_date_is_absent_before_it_is_swept() -> None:
    first: list[Timed] = [(0, 0, 9, 5_000, -1, 19), (1_000, 50, 1, 5_000, 13 * HOURS, 16)]
    flood: list[Timed] = [(14 * HOURS + 60_000 * n, 50 + n, 1, 5_000, 1_000, 16) for n in range(30)]
    others = crowd(12 * HOURS + 1_800_000, -2)
    assert alerts_of(1, first + flood + others) == alerts_of(1, first + flood)
