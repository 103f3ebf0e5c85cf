"""What a scam call is, and what it is not; whatever way the records are cut."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.forgeries import DAY, HOUR, Records, life
from tests.passes import EPOCH, calls_from

from ringfence.detect.engine import Engine
from ringfence.model.alert import Alert
from ringfence.model.calls import NEVER
from ringfence.model.numbers import Names, NumberPlan
from ringfence.model.transfers import Transfers
from ringfence.respond.influence import NOBODY, influence
from ringfence.shell.stories import Stories

VICTIM, SECOND, RELATIVE = "+8613800000001", "+8615000000088", "+8613800000002"
FRIENDS = tuple(f"+86137000000{n:02d}" for n in range(8))
TELECOM, POLICE = "+862152160000", "+862122029110"
MINUTE = 60.0
MORNING = 12 * DAY + HOUR


def ordinary() -> Records:
    made = Records()
    for seed, line in enumerate((VICTIM, RELATIVE)):
        life(made, line, FRIENDS, seed, 12.0)
    for day in range(1, 12):
        made.add(day * DAY + 11 * HOUR, RELATIVE, VICTIM, callee_cell="4100-1", talk=90.0)
    return made


def scam(made: Records, at: float = MORNING, victim: str = VICTIM, **more: Any) -> None:
    """Contact, hand-over, grip."""
    made.abroad(at, TELECOM, victim, talk=9 * MINUTE, **more)
    made.abroad(at + 11 * MINUTE, POLICE, victim, talk=6 * MINUTE, **more)
    made.abroad(at + 18 * MINUTE, POLICE, victim, talk=140 * MINUTE, **more)


def paid(names: Names, *rows: tuple[float, str, int, float]) -> Transfers:
    """Transfers: s, payer, account, sum."""
    time = np.array([EPOCH + int(at * 1e6) for at, *_ in rows], np.int64)
    payer = np.array([NumberPlan.of("CN").parse_one(who) for _, who, *_ in rows], np.int64)
    account = np.array([account for *_, account, _ in rows], np.int64)
    amount = np.array([amount for *_, amount in rows], np.float64)
    return Transfers(
        time, payer, account, amount, np.arange(1, len(rows) + 1), np.zeros(len(rows), np.int16), time
    )


def judged(
    made: Records, transfers: Sequence[tuple[float, str, int, float]] = (), *, shards: int = 1, cuts: Sequence[int] = (),
    until: int | None = None,
) -> tuple[list[Alert], Engine]:  # fmt: skip
    """The alerts of a pass with this detector alone, cut at some rows, of what was known by a time (µs)."""
    calls, names = calls_from(made.table())
    if until is not None:
        calls = calls.slice(0, int(np.searchsorted(calls.start, until)))
        calls = replace(
            calls,
            answer=np.where(calls.answer >= until, NEVER, calls.answer),
            end=np.where(calls.end >= until, NEVER, calls.end),
        )
    moved = paid(names, *transfers)
    if until is not None:
        moved = moved.take(moved.time < until)
    engine, stories = Engine(["scam_call"], shards), Stories(names)
    first = 0
    for place in [
        *sorted({int(np.searchsorted(calls.start, calls.start[c])) for c in cuts if c < len(calls)}),
        len(calls),
    ]:
        part = calls.slice(first, place)
        watermark = int(calls.start[place]) if place < len(calls) else until or NEVER
        stories.ids.add(part)
        now = moved.time < watermark
        stories.take(*engine.process(part, watermark, moved.take(now)))
        moved = moved.take(~now)
        first = place
    stories.settle(engine)
    return [story.alert for story in stories], engine


def everything() -> tuple[Records, list[tuple[float, str, int, float]]]:
    """A scam with all that belongs to it: hotel, second number, somebody who does not get through, a transfer."""
    made = ordinary()
    phone: dict[str, Any] = {"callee_device": "phone", "callee_cell": "4100-1"}
    scam(made, **phone)
    made.add(MORNING + 40 * MINUTE, RELATIVE, VICTIM, talk=None, ring=2.0)
    made.abroad(
        MORNING + 170 * MINUTE, POLICE, SECOND, talk=30 * MINUTE, callee_device="phone", callee_cell="4100-77"
    )
    made.add(MORNING + 3 * DAY, FRIENDS[0], FRIENDS[1])
    usual = [(n * DAY + 8 * HOUR, VICTIM, 900, 300.0 + n) for n in range(1, 10)]
    return made, [*usual, (MORNING + 190 * MINUTE, VICTIM, 901, 90_000.0)]


def test_alerts_do_not_depend_on_batches_or_shards() -> None:
    made, transfers = everything()
    (whole,), _ = judged(made, transfers)
    assert whole.victim is not None
    assert whole.victim.numbers == [VICTIM, SECOND]
    assert whole.victim.stage == "payment"
    rng = np.random.default_rng(2)
    for shards in (1, 2, 7):
        cuts = rng.integers(0, len(made.rows), 30).tolist()
        (alert,), _ = judged(made, transfers, shards=shards, cuts=cuts)
        assert alert.as_dict() == whole.as_dict()


@pytest.mark.parametrize("minutes", [15, 25, 29, 33, 60, 180, 200])
def test_no_alert_uses_the_future(minutes: int) -> None:
    made, transfers = everything()
    (whole,), _ = judged(made, transfers)
    until = EPOCH + int((MORNING + minutes * MINUTE) * 1e6)
    cut, _ = judged(made, transfers, until=until)
    assert [a.raised_at for a in cut] == [a.raised_at for a in (whole,) if a.raised_at < until]
    for alert in cut:
        assert [e.as_dict() for e in alert.ledger] == [e.as_dict() for e in whole.ledger]


def test_whoever_was_warned_is_watched_for_weeks() -> None:
    """A weaker scam 18 days later is told, but not to somebody who was never in one."""

    def weak(made: Records, at: float, victim: str) -> None:
        made.abroad(at, "+862152169999", victim, talk=8 * MINUTE, callee_cell="4100-1")

    later = MORNING + 18 * DAY
    made = ordinary()
    scam(made, callee_cell="4100-1")
    for line in (VICTIM, RELATIVE):
        weak(made, later, line)
    made.add(later + 2 * DAY, FRIENDS[0], FRIENDS[1])
    alerts, _ = judged(made)
    assert [alert.subject for alert in alerts] == [VICTIM, VICTIM]
    assert [alert.victim.watch for alert in alerts if alert.victim] == [False, True]


FALSE_FRIENDS = {
    "support that was rung first": [
        (-600.0, VICTIM, "+862195588000", "subscriber", 4),
        (0.0, "+862195588000", VICTIM, "domestic", 70),
    ],
    "a friend for hours": [(0.0, RELATIVE, VICTIM, "subscriber", 200)],
    "a relative who travels": [(0.0, RELATIVE, VICTIM, "international", 120)],
    "a stranger for a quarter of an hour": [(0.0, "+8613911112222", VICTIM, "domestic", 15)],
    "a new partner": [(n * 5 * HOUR, "+8613911112222", VICTIM, "domestic", 80) for n in range(3)]
    + [(n * 5 * HOUR + 2 * HOUR, VICTIM, "+8613911112222", "subscriber", 30) for n in range(3)],
    "couriers": [(n * 1_200.0, f"+86139222200{n:02d}", VICTIM, "domestic", 1) for n in range(8)],
    "an interview": [
        (0.0, "+862161234567", VICTIM, "domestic", 5),
        (3 * HOUR, "+862161234568", VICTIM, "domestic", 45),
    ],
}


@pytest.mark.parametrize("name", FALSE_FRIENDS)
def test_false_friends_are_quiet(name: str) -> None:
    made = ordinary()
    for at, caller, callee, ingress, minutes in FALSE_FRIENDS[name]:
        made.add(
            MORNING + at, caller, callee, ingress, talk=minutes * MINUTE, callee_cell="4100-1", trunk="t"
        )
    made.add(MORNING + 2 * DAY, FRIENDS[0], FRIENDS[1])
    assert judged(made)[0] == []


def test_a_sim_box_is_recognised_with_hardly_any_columns() -> None:
    made = ordinary()
    for at, caller, minutes in (
        (0, "+8617000001234", 9),
        (11, "+8617000005678", 6),
        (18, "+8617000005678", 120),
    ):
        made.add(MORNING + at * MINUTE, caller, VICTIM, None, talk=minutes * MINUTE)
    (alert,), _ = judged(made)
    assert alert.hypothesis.startswith("callers at home")
    assert alert.raised_at <= EPOCH + int((MORNING + 40 * MINUTE) * 1e6)
    assert alert.victim is not None
    assert set(alert.victim.missing) >= {"ingress", "callee_cell", "callee_device", "caller_device"}


def test_a_bank_is_told_a_probability_and_no_call() -> None:
    made = ordinary()
    scam(made, callee_cell="4100-1")
    calls, _ = calls_from(made.table())
    number = NumberPlan.of("CN").parse_one(VICTIM)
    stranger = NumberPlan.of("CN").parse_one(FRIENDS[0])

    def at(minutes: float) -> tuple[Engine, int]:
        now = EPOCH + int((MORNING + minutes * MINUTE) * 1e6)
        engine = Engine(["scam_call"])
        engine.process(calls.slice(0, int(np.searchsorted(calls.start, now))), now)
        return engine, now

    engine, now = at(-30)
    assert influence(engine.case_of("scam_call", number), now).probability == NOBODY
    engine, now = at(60)
    answer = influence(engine.case_of("scam_call", number), now)
    assert answer.probability > 0.8
    assert answer.stage == "grip"
    assert answer.minutes is not None
    assert 41 <= answer.minutes <= 42
    assert set(answer.as_dict()) == {"probability", "stage", "minutes_since_grip", "alerted"}
    assert influence(engine.case_of("scam_call", stranger), now).probability < 0.01
    day = influence(engine.case_of("scam_call", number), now + int(36 * HOUR * 1e6))
    assert day.probability == pytest.approx(answer.probability)  # the call is still up, as far as is known
