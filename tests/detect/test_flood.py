"""What is a flood, and what in ordinary life only looks like one. Each case is told as its calls."""

from collections.abc import Callable

import numpy as np
import pytest
from tests import passes
from tests.passes import DAY, calls_until

from ringfence.model.alert import Alert
from ringfence.simulate.attempts import UNANSWERED, Attempts
from ringfence.simulate.floods import SHAPES, Victim, flood

LINE = "+8613800000001"
FRIENDS = tuple(f"+86137000000{n:02d}" for n in range(40))
DAYS = 10
EVENT = DAYS * DAY + 10 * 3600


def alerts_of(attempts: Attempts) -> list[Alert]:
    """The floods; made-up numbers that no plan has are another detector's."""
    return [alert for alert in passes.alerts_of(attempts) if alert.kind == "flood"]


def life(seed: int = 0, days: int = DAYS, strangers: float = 0.4) -> Attempts:
    """Ten days of a line: friends ring and are rung, now and then a stranger."""
    rng = np.random.default_rng(seed)
    attempts = Attempts()
    for day in range(days):
        for _ in range(rng.poisson(3)):
            friend = str(rng.choice(FRIENDS))
            time = day * DAY + rng.uniform(8, 22) * 3600
            ends = (friend, LINE) if rng.random() < 0.5 else (LINE, friend)
            attempts.add(time, *ends, 8.0, float(rng.lognormal(3.8, 1.2)))
        for _ in range(rng.poisson(strangers)):
            attempts.add(
                day * DAY + rng.uniform(8, 20) * 3600, number(rng), LINE, 9.0, float(rng.uniform(5, 90))
            )
    for friend in FRIENDS:  # everybody was talked to once
        attempts.add(rng.uniform(0, 2) * DAY, LINE, friend, 8.0, 60.0)
    return attempts


def number(rng: np.random.Generator) -> str:
    return f"+8615{rng.integers(10**9):09d}"


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(4))
def test_every_shape_is_recognised(shape: str, seed: int) -> None:
    attempts = life(seed)
    attempts.extend(flood(np.random.default_rng(seed), shape, Victim(LINE, FRIENDS), EVENT, 60))
    (alert,) = alerts_of(attempts)
    received = calls_until(attempts, alert) - sum(
        c == LINE and s < EVENT for s, c in zip(attempts.start, attempts.callee, strict=True)
    )
    assert received <= {"linger": 14, "contacts": 16}.get(shape, 9)


def relative(a: Attempts, rng: np.random.Generator) -> None:
    time = EVENT
    for _ in range(15):
        a.add(time, FRIENDS[0], LINE, 30.0, UNANSWERED)
        time += 45 + rng.exponential(60)
    a.add(time, FRIENDS[0], LINE, 5.0, 200.0)


def relative_on_a_strange_phone(a: Attempts, rng: np.random.Generator) -> None:
    time, phone = EVENT, number(rng)
    for _ in range(15):
        a.add(time, phone, LINE, 30.0, UNANSWERED)
        time += 45 + rng.exponential(60)


def bad_connection(a: Attempts, rng: np.random.Generator) -> None:
    for n in range(6):
        a.add(EVENT + 30 * n, FRIENDS[1], LINE, 4.0, float(rng.uniform(0.5, 3)))


def birthday(a: Attempts, rng: np.random.Generator) -> None:
    for friend in FRIENDS:
        talk = float(rng.uniform(20, 300)) if rng.random() < 0.6 else UNANSWERED
        a.add(EVENT + rng.uniform(0, 10 * 3600), friend, LINE, 15.0, talk)


def bereavement(a: Attempts, rng: np.random.Generator) -> None:
    for friend in FRIENDS[:20]:
        talk = float(rng.uniform(30, 400)) if rng.random() < 0.5 else UNANSWERED
        a.add(EVENT + rng.uniform(0, 3 * 3600), friend, LINE, 20.0, talk)


def couriers(a: Attempts, rng: np.random.Generator) -> None:
    for n in range(9):
        a.add(EVENT + 1500 * n + rng.uniform(0, 900), number(rng), LINE, 8.0, float(rng.uniform(8, 35)))


def advert(a: Attempts, rng: np.random.Generator) -> None:
    time = EVENT
    for n in range(40):
        time += rng.exponential(200)
        talk = UNANSWERED if n % 4 == 3 else float(rng.uniform(25, 150))
        a.add(time, number(rng), LINE, 12.0, talk)


def call_backs(a: Attempts, rng: np.random.Generator) -> None:
    for n in range(30):
        other = number(rng)
        a.add(EVENT + 40 * n, LINE, other, 20.0, UNANSWERED)
        a.add(EVENT + 1300 + 50 * n + rng.uniform(0, 30), other, LINE, 3.0, float(rng.uniform(0.5, 4)))


def broadcast(a: Attempts, rng: np.random.Generator) -> None:
    """A school rings three hundred families; some ring back and ask."""
    school = "+862154000000"
    for n in range(300):
        family = f"+8613911{n:06d}"
        a.add(EVENT + 4 * n, school, family, 8.0, 25.0)
        if n % 4 == 0:
            a.add(EVENT + 4 * n + 600 + rng.exponential(900), family, school, 5.0, float(rng.uniform(2, 60)))


def a_withheld_surgery(a: Attempts, rng: np.random.Generator) -> None:
    for n in range(3):
        a.add(EVENT + 200 * n, None, LINE, 25.0, UNANSWERED)
    a.add(EVENT + 1000, None, LINE, 8.0, float(rng.uniform(60, 200)))


def a_withheld_office(a: Attempts, rng: np.random.Generator) -> None:
    """Tries every half hour all afternoon."""
    for n in range(8):
        a.add(EVENT + 1800 * n + rng.uniform(-300, 300), None, LINE, 25.0, UNANSWERED)


LOOK_ALIKES: list[Callable[[Attempts, np.random.Generator], None]] = [
    relative, relative_on_a_strange_phone, bad_connection, birthday, bereavement, couriers, advert, call_backs, broadcast,
    a_withheld_surgery, a_withheld_office,
]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("event", LOOK_ALIKES, ids=lambda event: event.__name__)
def test_ordinary_life_is_no_flood(event: Callable[[Attempts, np.random.Generator], None], seed: int) -> None:
    attempts = life(seed)
    event(attempts, np.random.default_rng(seed))
    assert alerts_of(attempts) == []


@pytest.mark.parametrize("seed", range(4))
def test_a_restaurant_at_noon_is_used_to_strangers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    attempts = life(seed)
    for day in range(DAYS + 2):
        for _ in range(25):
            talk = float(rng.uniform(15, 60)) if rng.random() < 0.8 else UNANSWERED
            attempts.add(day * DAY + rng.uniform(11, 13) * 3600, number(rng), LINE, 10.0, talk)
    assert alerts_of(attempts) == []


def test_a_line_without_a_past_that_talks_to_strangers_is_no_victim() -> None:
    rng = np.random.default_rng(1)
    attempts = life()
    new = "+8613800000099"
    for n in range(12):
        attempts.add(EVENT + 300 * n, number(rng), new, 8.0, float(rng.uniform(25, 120)))
    assert alerts_of(attempts) == []


def test_a_line_without_a_past_can_be_flooded() -> None:
    attempts = life()
    new = "+8613800000099"
    attempts.extend(flood(np.random.default_rng(1), "minute", Victim(new), EVENT, 40))
    (alert,) = alerts_of(attempts)
    assert alert.subject == new
    assert calls_until(attempts, alert) <= 8


def test_records_that_begin_with_the_flood_are_enough() -> None:
    attempts = flood(np.random.default_rng(1), "newspaper", Victim(LINE), 0.0, 40, answers=0.6)
    (alert,) = alerts_of(attempts)
    assert calls_until(attempts, alert) <= 7


def test_storm_of_those_whom_the_forged_number_rang_is_seen_as_call_backs() -> None:
    """Somebody shows this number to hundreds, within the network; they ring back and are cross."""
    rng = np.random.default_rng(1)
    attempts = life()
    for _ in range(200):
        other = number(rng)
        time = EVENT + rng.uniform(0, 3600)
        attempts.add(time, LINE, other, 3.0, UNANSWERED)
        if rng.random() < 0.5:
            attempts.add(time + 60 + rng.exponential(300), other, LINE, 5.0, float(rng.uniform(0.5, 12)))
    assert alerts_of(attempts) == []


def test_an_important_stranger_during_the_flood_does_not_hide_it() -> None:
    attempts = life()
    attempts.extend(flood(np.random.default_rng(1), "minute", Victim(LINE), EVENT, 120, answers=0.3))
    attempts.add(EVENT + 1900, "+862155550000", LINE, 8.0, 240.0)
    (alert,) = alerts_of(attempts)
    assert len(alert.episodes) == 1
    assert alert.episodes[0].calls >= 118


def test_a_second_flood_on_another_line_is_its_own_alert() -> None:
    attempts = life()
    for n, line in enumerate((LINE, "+8613800000002")):
        attempts.extend(flood(np.random.default_rng(n), "minute", Victim(line), EVENT + 700 * n, 60))
    assert {alert.subject for alert in alerts_of(attempts)} == {LINE, "+8613800000002"}


def test_one_clock_far_behind_does_not_make_everybody_long_known() -> None:
    attempts = life()
    attempts.extend(flood(np.random.default_rng(1), "minute", Victim(LINE), EVENT, 40))
    alone = [alert.as_dict() for alert in alerts_of(attempts)]
    attempts.add(-9_000 * DAY, FRIENDS[0], LINE, 5.0, 60.0)
    for one, other in zip(alone, alerts_of(attempts), strict=True):
        assert (one["raised_at"], one["bits"]) == (other.as_dict()["raised_at"], other.as_dict()["bits"])
