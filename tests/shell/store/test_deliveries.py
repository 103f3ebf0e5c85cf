"""What waits for a webhook: in order for each subject, bounded, and given up with a reason."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shell.store.making import DAY, SECOND, T0, alert, change, number, opened

from ringfence.shell.store.deliveries import AT_ONCE, OVERFLOW, REMOVED, TOO_OLD, Standing
from ringfence.shell.store.store import Store

ALL = {"alert.raised", "alert.changed", "alert.closed"}


@pytest.fixture
def listening(store: Store) -> Store:
    store.deliveries.configure(["w"], T0)
    return store


def happen(store: Store, *subjects: int) -> None:
    """One event about each of the subjects."""
    for subject in subjects:
        seq = store.alerts.applied_seq + 1
        store.alerts.apply(seq, [change(alert(subject), "changed" if seq else "raised", seq + 1)])


def enlist(store: Store, now: int = T0, most: int = 99, longest: int = DAY, **more: Any) -> bool:
    return store.deliveries.enlist(
        "w", **{"types": ALL, "kinds": ()} | more, now=now, most=most, longest=longest
    )


def due(store: Store, now: int = T0, limit: int = 99) -> list[tuple[str, int]]:
    return [(each.event.subject, each.event.id) for each in store.deliveries.due("w", now, limit)]


def standing(store: Store) -> Standing:
    (one,) = store.deliveries.standing()
    return one


def test_of_each_subject_the_first_that_waits(listening: Store) -> None:
    happen(listening, 1, 2, 1, 3, 2)
    enlist(listening)
    assert due(listening) == [(number(1), 1), (number(2), 2), (number(3), 4)]
    assert due(listening, limit=2) == [(number(1), 1), (number(2), 2)]
    listening.deliveries.delivered("w", 1, status=200, now=T0)
    assert due(listening) == [(number(2), 2), (number(1), 3), (number(3), 4)]
    listening.deliveries.failed("w", 2, error="HTTP 500", status=500, next_at=T0 + 9)
    assert due(listening) == [(number(1), 3), (number(3), 4)], "what comes after it waits for it"
    assert listening.deliveries.next_at("w", T0) == T0 + 9
    assert due(listening, now=T0 + 9) == [(number(2), 2), (number(1), 3), (number(3), 4)]
    listening.deliveries.failed("w", 2, error="HTTP 500", status=500, next_at=None)
    assert due(listening) == [(number(1), 3), (number(3), 4), (number(2), 5)], "until it is given up"
    assert listening.deliveries.next_at("w", T0) is None


def test_nothing_is_enlisted_twice(listening: Store) -> None:
    happen(listening, 1, 2)
    for _ in range(3):
        assert not enlist(listening)
    assert standing(listening).pending == 2
    listening.deliveries.delivered("w", 1, status=200, now=T0)
    enlist(listening)
    assert due(listening) == [(number(2), 2)]


def test_only_what_is_wanted(listening: Store) -> None:
    listening.alerts.apply(
        0, [change(alert(1)), change(alert(2, kind="fraud_line")), change(alert(1), "changed", 2)]
    )
    enlist(listening, types={"alert.raised"}, kinds={"fraud_line"})
    assert due(listening) == [(number(2), 2)]
    enlist(listening)
    assert due(listening) == [(number(2), 2)], "what was passed over is not looked at again"


def test_a_new_one_gets_what_happens_from_now_on(store: Store) -> None:
    happen(store, 1)
    store.deliveries.configure(["w"], T0)
    happen(store, 2)
    store.deliveries.configure(["w"], T0)
    enlist(store)
    assert due(store) == [(number(2), 2)]


def test_much_is_read_in_parts(listening: Store) -> None:
    one = alert(1)
    listening.alerts.apply(0, [change(one, "changed", n) for n in range(1, AT_ONCE + 3)])
    assert enlist(listening, most=10 * AT_ONCE)
    assert not enlist(listening, most=10 * AT_ONCE)
    assert standing(listening).pending == AT_ONCE + 2


def test_too_much_gives_up_the_oldest(listening: Store) -> None:
    happen(listening, 1, 2, 3, 4, 5)
    enlist(listening, most=2)
    assert due(listening) == [(number(4), 4), (number(5), 5)]
    assert (standing(listening).dead, standing(listening).overflowed) == (3, 3)
    assert {each.error for each in listening.deliveries.dead_letters()} == {OVERFLOW}


def test_what_waits_too_long_is_given_up(listening: Store) -> None:
    happen(listening, 1)
    enlist(listening)
    happen(listening, 2)
    enlist(listening, now=T0 + DAY)
    assert standing(listening).dead == 0
    enlist(listening, now=T0 + DAY + 1)
    assert [(each.place, each.error) for each in listening.deliveries.dead_letters()] == [(1, TOO_OLD)]
    assert standing(listening).oldest == T0 + DAY


def test_dead_letters_are_listed_and_sent_again(listening: Store) -> None:
    happen(listening, 1, 2, 1)
    enlist(listening)
    for place in (1, 2):
        listening.deliveries.failed("w", place, error="no connection", status=None, next_at=None)
    letters = listening.deliveries.dead_letters("w")
    assert [(each.place, each.attempts, each.error) for each in letters] == [
        (1, 1, "no connection"),
        (2, 1, "no connection"),
    ]
    assert [each.place for each in listening.deliveries.dead_letters(after=1)] == [2]
    assert listening.deliveries.dead_letters(after=10**30) == []
    assert listening.deliveries.dead_letters("other") == []
    assert listening.deliveries.requeue("w", 3, now=T0) == 0, "what waits is no dead letter"
    assert listening.deliveries.requeue("w", 10**30, now=T0) == 0
    assert listening.deliveries.requeue("w", 1, now=T0 + 5) == 1
    assert due(listening, now=T0 + 5) == [(number(1), 1)], "before what is newer about this subject"
    assert listening.deliveries.requeue("w", now=T0 + 5) == 1
    assert due(listening, now=T0 + 5) == [(number(1), 1), (number(2), 2)]


def test_disabled_and_enabled(listening: Store) -> None:
    assert not listening.deliveries.is_disabled("w")
    listening.deliveries.disable("w", "it is gone", T0)
    assert listening.deliveries.is_disabled("w")
    assert (standing(listening).disabled_at, standing(listening).disabled_why) == (T0, "it is gone")
    listening.deliveries.configure(["w"], T0)
    assert listening.deliveries.is_disabled("w"), "a restart does not enable it"
    listening.deliveries.enable("w")
    assert not listening.deliveries.is_disabled("w")


def test_one_that_is_no_longer_configured(listening: Store) -> None:
    happen(listening, 1)
    enlist(listening)
    listening.deliveries.configure([], T0)
    assert [(each.webhook, each.error) for each in listening.deliveries.dead_letters()] == [("w", REMOVED)]
    assert listening.deliveries.is_disabled("w")
    happen(listening, 2)
    listening.deliveries.configure(["w"], T0)
    happen(listening, 3)
    enlist(listening)
    assert due(listening) == [(number(3), 3)], "it begins anew"
    assert not listening.deliveries.is_disabled("w")


@settings(max_examples=15)
@given(
    subjects=st.lists(st.integers(0, 3), min_size=1, max_size=20),
    answers=st.lists(st.sampled_from(["arrived", "again", "never"]), max_size=60),
)
def test_order_of_each_subject(
    tmp_path_factory: pytest.TempPathFactory, subjects: list[int], answers: list[str]
) -> None:
    """However an endpoint answers: about one subject nothing arrives before what came first has arrived or is dead."""
    with opened(tmp_path_factory.mktemp("data")) as store:
        store.deliveries.configure(["w"], T0)
        changes = [change(alert(subject), "changed", n) for n, subject in enumerate(subjects, 1)]
        store.alerts.apply(0, changes)
        enlist(store)
        now, left = T0, dict(enumerate((number(subject) for subject in subjects), 1))
        for answer in answers:
            for subject, place in due(store, now):
                assert place == min(other for other, whose in left.items() if whose == subject)
            waiting = due(store, now, limit=1)
            if waiting:
                _, place = waiting[0]
                if answer == "arrived":
                    store.deliveries.delivered("w", place, status=200, now=now)
                else:
                    next_at = now + SECOND if answer == "again" else None
                    store.deliveries.failed("w", place, error="no", status=None, next_at=next_at)
                if answer != "again":
                    del left[place]
            now += SECOND // 2
        assert standing(store).pending == len(left)
