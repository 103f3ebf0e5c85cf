"""The same checks for every detector that is found: a new file is tested without touching this one."""

import re
import string
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.passes import DAY, EPOCH, Run, alerts_of, as_dicts, calls_from, stories_of

from ringfence.detect.detectors import DETECTORS, MOMENTS
from ringfence.detect.engine import Engine
from ringfence.detect.evidence import CASE_HEADER, HYPOTHESES
from ringfence.detect.shard import Limits
from ringfence.model.calls import NEVER
from ringfence.simulate.attempts import UNANSWERED, Attempts
from ringfence.simulate.floods import SHAPES, Victim, flood
from ringfence.simulate.town import LOOK_ALIKES, add_flood, look_alike, make_town

every_detector = pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: str(detector.NAME))


def small_town(seed: int, lines: int = 150, days: int = 5) -> Attempts:
    """Some days of a town with one of everything."""
    rng = np.random.default_rng(seed)
    town = make_town(rng, lines, days)
    for n, kind in enumerate(LOOK_ALIKES):
        look_alike(rng, town, kind, n, 3 * DAY + rng.uniform(0, DAY), days)
    for n, shape in enumerate(SHAPES):
        add_flood(rng, town, shape, 20 + n, float(rng.uniform(2.5, 4) * DAY), 40)
    return town.attempts


@pytest.fixture(scope="module")
def town() -> Attempts:
    return small_town(5)


@every_detector
def test_it_has_what_the_engine_and_the_reader_need(detector: ModuleType) -> None:
    assert detector.__name__.rpartition(".")[2] == detector.NAME
    assert detector.__doc__
    assert all(detector.TITLE)
    handlers = [name for name in vars(detector) if name.startswith("on_")]
    assert set(handlers) <= set(MOMENTS)
    assert all(getattr(detector, name).__doc__ for name in [*handlers, "stale"])
    header = [field[0] for field in CASE_HEADER]
    assert [name for name in detector.CASE.names if name in header] == header
    assert len(detector.HYPOTHESES) <= HYPOTHESES
    assert 0 < detector.FALSE_ALARMS < detector.STARTS


@every_detector
def test_its_words_stand_in_both_languages_with_the_same_figure(detector: ModuleType) -> None:
    for english, chinese in [*detector.WORDS.values(), *detector.HYPOTHESES, detector.TITLE]:
        fields = [re.findall(r"\{[^}]*\}", text) for text in (english, chinese)]
        assert fields[0] == fields[1]
        assert len(fields[0]) <= 1
        assert set(english) <= set(string.printable)
        assert any("一" <= letter <= "鿿" for letter in chinese)


def test_alerts_do_not_depend_on_batches_or_shards(town: Attempts) -> None:
    whole = as_dicts(alerts_of(town))
    assert len(whole) >= len(SHAPES) - 2
    rng = np.random.default_rng(1)
    for shards in (1, 2, 7):
        cuts = rng.integers(0, len(town), 40).tolist()
        assert as_dicts(alerts_of(town, shards, cuts)) == whole


@settings(max_examples=12)
@given(st.lists(st.integers(0, 8_000), max_size=12), st.integers(1, 5))
def test_no_cut_changes_an_alert(cuts: list[int], shards: int) -> None:
    attempts = flood(
        np.random.default_rng(1), "contacts", Victim("+8613800000001", ("+8613700000001",)), 9.0, 30
    )
    attempts.extend(flood(np.random.default_rng(2), "minute", Victim("+8613800000002"), 50.0, 30))
    attempts.extend(flood(np.random.default_rng(3), "linger", Victim("+8613800000003"), 3 * DAY, 30))
    assert as_dicts(alerts_of(attempts, shards, cuts)) == as_dicts(alerts_of(attempts))


@pytest.mark.parametrize("share", [0.3, 0.5, 0.62, 0.7, 0.85])
def test_no_alert_uses_the_future(town: Attempts, share: float) -> None:
    """Cut the records at a moment, as if they had been fetched then: what was raised before is the same."""
    moment = share * max(town.start)
    known = Attempts()
    order = np.argsort(town.start, kind="stable").tolist()
    for i in order:
        if town.start[i] < moment:
            known.add(
                town.start[i], town.caller[i], town.callee[i], town.ring[i], town.talk[i], town.what[i], town.cause[i]
            )  # fmt: skip
    until = EPOCH + int(moment * 1e6)
    calls, names = calls_from(known)
    calls = replace(
        calls,
        answer=np.where(calls.answer >= until, NEVER, calls.answer),
        end=np.where(calls.end >= until, NEVER, calls.end),
    )
    run = Run.new(names)
    run.feed(calls)
    cut = [alert for alert in (story.alert for story in run.stories) if alert.raised_at < until]
    whole = [alert for alert in alerts_of(town) if alert.raised_at < until]
    facts = [(a.alert_id, a.call_id, a.bits, [e.as_dict() for e in a.ledger]) for a in whole]
    assert [(a.alert_id, a.call_id, a.bits, [e.as_dict() for e in a.ledger]) for a in cut] == facts


def test_a_snapshot_is_the_whole_state(town: Attempts) -> None:
    """Restored into a fresh engine at any place, the pass goes on as if nothing had happened."""
    calls, names = calls_from(town)
    whole = as_dicts(alerts_of(town))
    rng = np.random.default_rng(2)
    for place in rng.integers(1, len(calls), 6).tolist():
        cut = int(np.searchsorted(calls.start, calls.start[place]))
        one = Run.new(names, 2)
        one.feed(calls.slice(0, cut), int(calls.start[cut]))
        two = Run.new(names, 2)
        two.engine.restore({name: array.copy() for name, array in one.engine.arrays().items()})
        two.stories.restore(one.stories.as_json())
        two.stories.ids.restore(one.stories.ids.arrays())
        two.feed(calls.slice(cut, len(calls)))
        two.stories.settle(two.engine)
        assert as_dicts(story.alert for story in two.stories) == whole


def test_one_story_is_one_alert(town: Attempts) -> None:
    stories = stories_of(town)
    assert len({story.alert.alert_id for story in stories}) == len(stories)
    for story in stories:
        alert = story.alert
        assert alert.raised_at == alert.episodes[0].raised_at == alert.ledger[-1].at
        for before, after in zip(alert.episodes, alert.episodes[1:], strict=False):
            assert before.closed_at is not None
            assert before.closed_at < after.raised_at


def invented(rng: np.random.Generator, n: int) -> str:
    """A made-up number of one sort or another: mobile, landline, from abroad, of no plan at all."""
    digits = f"{rng.integers(10**9):09d}"
    return (f"+8615{digits}", f"+8621{digits[:8]}", f"+44{digits}0", f"+8619{digits}", f"+999{digits}")[n % 5]


@pytest.mark.parametrize("many", [1_000, 100_000])
def test_ever_new_numbers_cannot_grow_the_state_without_limit(many: int) -> None:
    """A hundred times more made-up callers against small limits: the same bound, and the attack is still seen."""
    limits = Limits(1 << 12, 1 << 13, 1 << 13, 1 << 12, 1 << 11, 1 << 14)
    rng = np.random.default_rng(3)
    attempts = Attempts()
    for n in range(40):
        attempts.add(30.0 * n, f"+86137000000{n:02d}", "+8613800000001", 8.0, 60.0)
    for n in range(many):
        callee = f"+8613800{rng.integers(1, 300):06d}"
        attempts.add(2_000 + 50_000 * n / many, invented(rng, n), callee, 3.0, UNANSWERED)
    calls, _ = calls_from(attempts)
    calls.codes[:, 2] = np.where(
        np.arange(len(calls)) % 3 == 0, 3, calls.codes[:, 2]
    )  # by the international gateway
    engine = Engine(limits=limits)
    outcomes, _ = engine.process(calls, NEVER)
    shard = engine.shards[0]
    for table in (
        shard.lines,
        shard.pairs,
        shard.profiles,
        shard.devices,
        shard.holds,
        shard.money,
        *shard.cases,
    ):
        assert len(table.rows) <= table.limit
    assert shard.nbytes() <= limits.bytes_at_rest()
    if many == 100_000:
        assert min(shard.pairs.forgotten, shard.profiles.forgotten) > many // 2
        assert sum(table.forgotten for table in shard.cases) > 1_000
        assert len(outcomes) > 1_000


def test_bytes_of_a_line_and_of_a_known_pair() -> None:
    """State at rest: a table of a city is 35 to 70 % full (docs/capacity.md)."""
    lines, friends = 40_000, 10
    attempts = Attempts()
    for n in range(lines):
        for k in range(1, friends + 1):
            attempts.add(3_600.0 * k + n / 20, f"+86138{n:08d}", f"+86138{(n + k) % lines:08d}", 8.0, 60.0)
    calls, _ = calls_from(attempts)
    engine = Engine()
    engine.process(calls, NEVER)
    shard = engine.shards[0]
    assert (shard.lines.count[0], shard.pairs.count[0]) == (lines, lines * friends)
    assert (shard.lines.dtype.itemsize, shard.profiles.dtype.itemsize, shard.pairs.dtype.itemsize) == (
        88,
        64,
        32,
    )
    for table in (shard.lines, shard.profiles, shard.pairs):
        assert (
            table.rows.nbytes / table.count[0] <= table.dtype.itemsize / 0.175
        )  # a small table grows fourfold


def test_who_was_talked_to_is_remembered_through_a_flood_of_new_numbers() -> None:
    """The table of pairs is full of strangers, but the friends are still known."""
    from ringfence.detect.memory import pair_key
    from ringfence.detect.table import find

    limits = Limits(lines=1 << 12, pairs=1 << 12, profiles=1 << 12, cases=1 << 11)
    line = 8613800000001
    friends = [8613700000000 + n for n in range(40)]
    attempts = Attempts()
    for n, friend in enumerate(friends):
        attempts.add(30.0 * n, f"+{friend}", f"+{line}", 8.0, 60.0)
    for n in range(20_000):
        attempts.add(2_000 + 2 * n, f"+8615{n:09d}", f"+{line}", 1.0, UNANSWERED)
    calls, _ = calls_from(attempts)
    engine = Engine(limits=limits)
    engine.process(calls, NEVER)
    pairs = engine.shards[0].pairs
    assert pairs.forgotten > 0
    assert all(find(pairs.rows, pair_key(line, friend)) >= 0 for friend in friends)


def test_an_unknown_detector_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no such detector: nosuch"):
        Engine(["nosuch"])
