"""The benchmarks are right about what they compare with; how fast things are is not tested."""

from types import ModuleType

import numpy as np
import pytest
from bench.__main__ import benches, page
from bench._rules import RULES, SECOND, Ring, Rule, lorden_calls, lorden_delay, one_an_hour
from bench._tables import Table, quantile, rate_interval

from bench import copenhagen, shapes
from ringfence.simulate.town import busy_town

BY_NAME = {rule.name: rule for rule in RULES}


def rings(times: list[float], callers: list[int] | int = 0, callee: int = 1) -> list[Ring]:
    who = callers if isinstance(callers, list) else [callers] * len(times)
    return [Ring(int(time * SECOND), caller, callee) for time, caller in zip(times, who, strict=True)]


def first_alarm(rule: Rule, times: list[float], callers: list[int] | int = 0) -> float | None:
    alarms = rule.alarms(rings(times, callers))
    return alarms[0].time / SECOND if alarms else None


@pytest.mark.parametrize(
    ("name", "step", "expected"),
    [
        ("callee, 10 calls in 600 s", 60, 540),
        ("callee, 10 calls in 600 s", 66, 594),
        ("callee, 10 calls in 600 s", 67, None),
        ("callee, 6 calls in 600 s", 100, 500),
        (
            "callee, 6 calls in 600 s",
            120,
            None,
        ),  # the sixth comes at 600 s: the first is just out of the window
        ("caller, 3 calls in 60 s", 20, 40),
        ("caller, 3 calls in 60 s", 30, None),
        ("caller, 5 calls in 600 s", 149, 596),
        ("caller and callee, 3 in 60 s", 20, 40),
        ("caller and callee, 5 in 600 s", 151, None),
        ("callee, 3 distinct callers in 600 s", 20, None),  # withheld is one caller
    ],
)
def test_a_counter_on_calls_of_one_caller(name: str, step: int, expected: float | None) -> None:
    assert first_alarm(BY_NAME[name], [step * n for n in range(20)]) == expected


def test_counters_on_ever_new_numbers() -> None:
    times, callers = [10.0 * n for n in range(20)], list(range(1, 21))
    found = {rule.name: first_alarm(rule, times, callers) for rule in RULES}
    assert found == {
        "callee, 10 calls in 600 s": 90,
        "callee, 6 calls in 600 s": 50,
        "caller, 3 calls in 60 s": None,
        "caller, 5 calls in 600 s": None,
        "caller and callee, 3 in 60 s": None,
        "caller and callee, 5 in 600 s": None,
        "callee, 3 distinct callers in 600 s": 20,
    }


def test_a_counter_by_caller_sees_all_its_lines_and_one_by_pair_only_one() -> None:
    spread = [Ring(n * 10 * SECOND, 7, 100 + n) for n in range(5)]
    assert BY_NAME["caller, 3 calls in 60 s"].alarms(spread)
    assert not BY_NAME["caller and callee, 3 in 60 s"].alarms(spread)
    assert not BY_NAME["callee, 6 calls in 600 s"].alarms(spread)


def test_a_distinct_caller_counts_once() -> None:
    rule = BY_NAME["callee, 3 distinct callers in 600 s"]
    assert first_alarm(rule, [0, 10, 20, 30, 40], [5, 6, 5, 6, 0]) == 40
    assert first_alarm(rule, [0, 10, 611], [5, 6, 7]) is None


def test_one_alarm_an_hour_and_line() -> None:
    alarms = [*rings([0, 100, 3_599, 3_600, 3_700, 7_300]), *rings([50, 60], callee=2)]
    assert one_an_hour(alarms) == 4


@pytest.mark.parametrize(
    ("background", "attack", "seconds", "calls"),
    [
        (2, 96, 71, 1.9),
        (5, 96, 83, 2.2),
        (10, 96, 96, 2.6),
        (30, 96, 127, 3.4),
        (10, 41.7, 270, 3.1),
        (10, 6, 3_960, 6.6),
        (10, 3, 12_240, 10.2),
    ],
)
def test_lordens_bound(background: float, attack: float, seconds: float, calls: float) -> None:
    assert lorden_delay(background, attack) == pytest.approx(seconds, rel=0.01)
    assert lorden_calls(background, attack) == pytest.approx(calls, abs=0.06)


def test_quantiles_and_intervals() -> None:
    assert [quantile([4, 1, 3, 2], part) for part in (0.5, 0.75, 0.95, 1.0)] == [2, 3, 4, 4]
    assert quantile([], 0.5) is None
    assert rate_interval(0, 1_000) == (0.0, 0.003)
    low, high = rate_interval(10, 1.0)  # Garwood: 4.795 to 18.39
    assert (low, high) == pytest.approx((4.795, 18.39), rel=1e-3)


@pytest.mark.parametrize("module", benches().values(), ids=list(benches()))
def test_every_bench_says_what_it_does(module: ModuleType) -> None:
    assert module.__name__.rpartition(".")[2] == module.NAME
    assert module.__doc__
    for words in (module.TITLE, module.MEASURED, module.READING):
        assert words.strip()
        assert "|" not in words
    assert callable(module.run)


def test_the_page_shows_tables_and_words() -> None:
    table = Table("A table", ("", "figure"))
    table.add("a row", 3)
    table.add("another", None)
    text = page([(copenhagen, [table])])
    assert "| a row | 3 |\n| another | - |" in text
    assert copenhagen.MEASURED in text
    assert text.startswith("# Benchmarks\n")


def test_the_newspapers_flood_is_the_newspapers() -> None:
    fresh = iter(range(1_000))
    attempts = copenhagen.newspaper(np.random.default_rng(3), "130", 1_000.0, 0.6, fresh)
    assert len(set(attempts.caller)) == copenhagen.CALLS
    gaps = np.diff(attempts.start)
    assert ((gaps[15:] >= 60) & (gaps[15:] <= 120)).all()
    assert all(talk <= 2.5 for talk in attempts.talk)
    assert 0.4 < np.mean(np.array(attempts.talk) >= 0) < 0.8
    assert set(copenhagen.newspaper(np.random.default_rng(3), "130", 0.0, 0.0, None).caller) == {None}


def test_towns_are_counted() -> None:
    counts = shapes.Counts()
    town = busy_town(np.random.default_rng(5), lines=200, days=5, events=10, floods=10)
    shapes.measure(town, 5, counts)
    assert sum(map(len, counts.delays.values())) == 10
    assert sum(map(len, counts.bursts.values())) == 10
    assert 180 * 5 + 10 * 2 <= counts.ordinary_days <= 180 * 5 + 10 * 5
    delays = [delay for found in counts.delays.values() for delay in found if delay is not None]
    assert len(delays) >= 8
    assert all(calls >= 1 and seconds >= 0 for calls, seconds in delays)
