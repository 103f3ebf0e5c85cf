"""Alerts: written with their events, found again."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shell.store.making import DAY, MINUTE, SECOND, T0, alert, change, number, opened, victim

from ringfence.model.alert import Episode, rfc3339
from ringfence.shell.store.alerts import AlertStore, Page, microseconds
from ringfence.shell.store.database import StoreError
from ringfence.shell.store.search import CursorError, Wanted
from ringfence.shell.store.store import Store


def ids(page: Page) -> list[str]:
    return [each.alert_id for each in page.alerts]


def test_what_is_applied_is_there(store: Store) -> None:
    one = alert(1)
    seen = [{"at": rfc3339(T0), "caller": number(9), "what": 3}]
    assert store.alerts.applied_seq == -1
    assert store.alerts.apply(0, [change(one, observations=seen)]) == 1
    assert store.alerts.applied_seq == 0
    found = store.alerts.get(one.alert_id)
    assert found is not None
    assert found.document == one.as_dict()
    assert found.observations == seen
    assert (found.status, found.version, found.label) == ("new", 0, None)
    (event,) = store.outbox.after(0)
    assert (event.event_id, event.type, event.at) == (
        f"{one.alert_id}:raised:1",
        "alert.raised",
        one.raised_at,
    )
    assert event.alert == {**one.as_dict(), "status": "new", "label": None, "version": 0}
    assert store.alerts.get("flood-0") is None


def test_an_alert_goes_on_and_the_feed_tells_each_step(store: Store) -> None:
    one = alert(1, kind="scam_call", victim=victim(number(1)))
    over = alert(
        1, kind="scam_call", victim=victim(number(1)), episodes=[Episode(one.raised_at, "c1", T0, T0, closed_at=T0 + DAY)]
    )  # fmt: skip
    store.alerts.apply(3, [change(one)])
    store.alerts.apply(7, [change(one, "changed", 2, stage="isolation"), change(over, "closed", 3)])
    found = store.alerts.get(one.alert_id)
    assert found is not None
    assert found.document["closed_at"] == rfc3339(T0 + DAY)
    assert [event.type for event in store.outbox.after(0)] == [
        "alert.raised",
        "alert.changed",
        "alert.closed",
    ]
    assert [event.alert["stage"] for event in store.outbox.after(0)] == ["grip", "isolation", "grip"]
    assert ids(store.alerts.search(Wanted(is_open=True))) == []
    assert ids(store.alerts.search(Wanted(is_open=False))) == [one.alert_id]


def test_what_was_applied_is_not_applied_again(store: Store) -> None:
    one, other = alert(1), alert(2)
    store.alerts.apply(5, [change(one), change(one, "changed", 2)])
    assert store.alerts.apply(5, [change(one), change(one, "changed", 2)]) == 0
    assert store.alerts.apply(4, [change(other)]) == 0
    assert store.alerts.get(other.alert_id) is None, (
        "what belongs to an earlier seq was there already, or was erased"
    )
    told = [change(one, "changed", 2), change(one, "changed", 3, hypothesis="linger"), change(other)]
    assert store.alerts.apply(9, told) == 2, "records may be taken together otherwise than before"
    found = store.alerts.get(one.alert_id)
    assert found is not None
    assert found.document["hypothesis"] == "linger"
    assert [event.event_id for event in store.outbox.after(0)] == [
        f"{one.alert_id}:raised:1",
        f"{one.alert_id}:changed:2",
        f"{one.alert_id}:changed:3",
        f"{other.alert_id}:raised:1",
    ]


def test_a_batch_is_whole_or_not_there(store: Store) -> None:
    broken = change(alert(2), raised_at="no time at all")
    with pytest.raises(ValueError, match="isoformat"):
        store.alerts.apply(5, [change(alert(1)), broken])
    assert store.alerts.applied_seq == -1
    assert store.alerts.get(alert(1).alert_id) is None
    assert store.outbox.after(0) == []


def test_the_feed_goes_on_where_one_has_stopped(store: Store) -> None:
    store.alerts.apply(1, [change(alert(n)) for n in range(5)])
    first = store.outbox.after(0, limit=2)
    rest = store.outbox.after(first[-1].id)
    assert [event.subject for event in first + rest] == [number(n) for n in range(5)]
    assert store.outbox.latest() == rest[-1].id
    assert store.outbox.after(rest[-1].id) == []
    assert store.outbox.after(10**30) == []
    assert len(store.outbox.after(-(10**30))) == 5


def test_a_place_in_the_feed_is_never_given_twice(store: Store) -> None:
    store.alerts.apply(1, [change(alert(1))])
    last = store.outbox.latest()
    store.people.retire(alerts_before=0, events_before=T0 + DAY)
    assert store.outbox.latest() == 0
    store.alerts.apply(2, [change(alert(2))])
    assert store.outbox.latest() > last


def test_search(store: Store) -> None:
    flood, scam = (
        alert(1, case="case-1"),
        alert(2, kind="scam_call", probability=0.5, victim=victim(number(2), number(77))),
    )
    forged = alert(3, kind="forged_caller", callee=number(4), trunk="t-9")
    store.alerts.apply(1, [change(each) for each in (flood, scam, forged)])
    store.marks.mark(scam.alert_id, "acknowledged", who="desk", at=T0, version=0)
    f, s, c = flood.alert_id, scam.alert_id, forged.alert_id
    for wanted, found in (
        (Wanted(), [c, s, f]),
        (Wanted(kinds=("flood", "scam_call")), [s, f]),
        (Wanted(statuses=("acknowledged",)), [s]),
        (Wanted(subject=number(1)), [f]),
        (Wanted(case="case-1"), [f]),
        (Wanted(trunk="t-9"), [c]),
        (Wanted(since=T0 + 2 * MINUTE), [c, s]),
        (Wanted(until=T0 + 2 * MINUTE), [f]),
        (Wanted(probability=0.9), [c, f]),
        (Wanted(text="+8613800000"), [c, s, f]),
        (Wanted(text="8613800000004"), [c]),
        (Wanted(text="+861380000007"), [s]),
        (Wanted(text="8613800000077"), [s]),
        (Wanted(text=f[:12]), [f]),
        (Wanted(text="%"), []),
        (Wanted(text="_"), []),
        (Wanted(text="+86138' OR 1=1 --"), []),
        (Wanted(since=10**40), []),
        (Wanted(until=-(10**40)), []),
        (Wanted(limit=0), [c]),
    ):
        assert ids(store.alerts.search(wanted)) == found, wanted


def test_counts(store: Store) -> None:
    over = alert(3, episodes=[Episode(T0, "c", T0, T0, closed_at=T0)])
    store.alerts.apply(1, [change(alert(1)), change(alert(2, kind="scam_call")), change(over)])
    store.marks.mark(alert(1).alert_id, "confirmed", who="desk", at=T0, version=0)
    counts = store.alerts.counts()
    assert (counts.all, counts.open) == (3, 2)
    assert counts.by_kind == {"flood": {"confirmed": 1, "new": 1}, "scam_call": {"new": 1}}


@pytest.mark.parametrize("cursor", ["x", "AAAA", "eDp5", "💥", "9" * 500, "OTk5OTk5"])
def test_a_cursor_from_elsewhere(store: Store, cursor: str) -> None:
    with pytest.raises(CursorError):
        store.alerts.search(Wanted(cursor=cursor))


@settings(max_examples=15)
@given(
    times=st.lists(st.integers(0, 5), min_size=1, max_size=25),
    limit=st.integers(1, 7),
    late=st.integers(0, 5),
)
def test_pages_hold_every_alert_once_while_new_ones_come_in(
    tmp_path_factory: pytest.TempPathFactory, times: list[int], limit: int, late: int
) -> None:
    with opened(tmp_path_factory.mktemp("data")) as store:
        there = [alert(n, raised_at=T0 + time * SECOND) for n, time in enumerate(times)]
        store.alerts.apply(1, [change(each) for each in there])
        found: list[str] = []
        cursor: str | None = None
        for page in range(len(there) + 1):
            result = store.alerts.search(Wanted(limit=limit, cursor=cursor))
            assert len(result.alerts) <= limit
            found += ids(result)
            cursor = result.cursor
            if cursor is None:
                break
            newer = alert(1000 + page, raised_at=T0 + (6 + late) * SECOND)
            store.alerts.apply(2 + page, [change(newer)])
        ordered = sorted(there, key=lambda each: (each.raised_at, each.alert_id), reverse=True)
        assert found == [each.alert_id for each in ordered]


@given(st.integers(0, 4_102_444_800_000_000))
def test_times_come_back_to_the_microsecond(at: int) -> None:
    assert microseconds(rfc3339(at)) == at


def test_a_full_disk_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.alerts.apply(1, [change(alert(1))])
        with store.database.reading() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        store.database.engine.dispose()
        from sqlalchemy import event

        def limited(raw: object, _: object) -> None:
            raw.execute(f"PRAGMA max_page_count={pages}").close()  # type: ignore[attr-defined]

        event.listen(store.database.engine, "connect", limited)
        big = change(alert(2), observations=[{"words": "x" * 100_000}])
        with pytest.raises(StoreError, match="disk is full"):
            store.alerts.apply(2, [big])
        assert AlertStore(store.database).applied_seq == 1
        event.remove(store.database.engine, "connect", limited)
        store.database.engine.dispose()
        assert store.alerts.apply(2, [big]) == 1
