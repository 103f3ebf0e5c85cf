"""What belongs together, and that nothing later changes it."""

import random

from ringfence.model.alert import Alert, Episode, Victim
from ringfence.respond.cases import DAY, SAME_DAYS, WATCHED, Cases, join

BEGIN = 1_772_676_000_000_000
LINE, OTHER = "+8613800000001", "+8613800000002"


def alert(
    kind: str, at: int, subject: str = LINE, *, last: int | None = None, closed: int | None = None
) -> Alert:
    """An alert; times in µs after BEGIN."""
    end = None if closed is None else BEGIN + closed
    episode = Episode(BEGIN + at, "c", BEGIN + at, BEGIN + (at if last is None else last), end)
    return Alert(kind, subject, BEGIN + at, "c", 20.0, 0.9, "", "", [], [episode])


def cases_of(*alerts: Alert) -> list[str | None]:
    join(alerts)
    return [one.case for one in alerts]


def test_a_flood_and_its_text_are_one_case_with_the_id_of_the_first() -> None:
    flood, text = alert("flood", 0, closed=2 * DAY), alert("extortion_text", DAY)
    assert cases_of(flood, text) == [flood.alert_id] * 2
    text, flood = alert("extortion_text", 0), alert("flood", DAY)
    assert cases_of(flood, text) == [text.alert_id] * 2


def test_three_days_lie_between_at_most() -> None:
    flood = alert("flood", 0, closed=DAY)
    near, far = alert("extortion_text", DAY + SAME_DAYS), alert("extortion_text", DAY + SAME_DAYS + 1)
    assert cases_of(flood, near, far) == [flood.alert_id, flood.alert_id, far.alert_id]
    long = alert("flood", 0)  # still going on
    late = alert("extortion_text", 20 * DAY)
    assert cases_of(long, late) == [long.alert_id] * 2


def test_other_people_and_other_kinds_stay_apart() -> None:
    flood, text = alert("flood", 0), alert("extortion_text", 1, OTHER)
    line = alert("fraud_line", 2)
    assert cases_of(flood, text, line) == [flood.alert_id, text.alert_id, None]
    two = alert("extortion_text", 0), alert("extortion_text", 1)
    assert cases_of(*two) == [one.alert_id for one in two], (
        "two demands are two cases, unless a flood joins them"
    )


def test_scam_calls_are_joined_by_the_numbers_at_which_a_person_is_reached() -> None:
    def scam(at: int, subject: str, *numbers: str) -> Alert:
        made = alert("scam_call", at, subject)
        made.victim = Victim("grip", {}, list(numbers), "c1")
        return made

    first, second = scam(0, LINE, LINE, "+861390000"), scam(10 * DAY, OTHER, OTHER, "+861390000")
    assert cases_of(first, second) == [first.alert_id] * 2
    first, second = scam(0, LINE, OTHER), scam(WATCHED, OTHER)
    assert cases_of(first, second) == [first.alert_id] * 2, (
        "a second number that was known becomes a victim's own"
    )
    first, second = scam(0, LINE, OTHER), scam(WATCHED + 1, OTHER)
    assert cases_of(first, second) == [first.alert_id, second.alert_id]


def test_the_order_in_which_alerts_are_given_does_not_matter() -> None:
    rng = random.Random(3)
    alerts = [
        alert(rng.choice(("flood", "extortion_text")), rng.randrange(30) * DAY, rng.choice((LINE, OTHER)), closed=None if rng.random() < 0.2 else 31 * DAY)
        for _ in range(40)
    ]  # fmt: skip
    alerts = list({one.alert_id: one for one in alerts}.values())
    join(alerts)
    known = {one.alert_id: one.case for one in alerts}
    for _ in range(5):
        rng.shuffle(alerts)
        join(alerts)
        assert {one.alert_id: one.case for one in alerts} == known


def test_what_comes_later_changes_no_case() -> None:
    rng = random.Random(4)
    alerts = sorted(
        (alert(rng.choice(("flood", "extortion_text")), rng.randrange(30 * DAY)) for _ in range(30)),
        key=lambda one: one.raised_at,
    )
    cases = Cases()
    running = [cases.place(one) for one in alerts]
    first = {one.alert_id: one.raised_at for one in alerts}
    assert running == cases_of(*alerts)
    for one, case in zip(alerts, running, strict=True):
        assert case is not None
        assert first[case] <= one.raised_at
    cases = Cases()
    assert [cases.place(one) for one in alerts[:12]] == running[:12]
