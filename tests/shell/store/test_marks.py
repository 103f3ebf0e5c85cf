"""What people say of alerts."""

import json
import threading

import pytest
from tests.shell.store.making import SECOND, T0, alert, change

from ringfence.shell.store.marks import (
    NEXT,
    STATUSES,
    ChangedMeanwhileError,
    NoSuchAlertError,
    NotAllowedError,
)
from ringfence.shell.store.store import Store

ONE = alert(1)


@pytest.fixture
def marked(store: Store) -> Store:
    store.alerts.apply(1, [change(ONE)])
    return store


def say(store: Store, *statuses: str, start: int = 0) -> None:
    for version, status in enumerate(statuses, start):
        store.marks.mark(
            ONE.alert_id, status, who=f"desk-{version}", at=T0 + version, version=version, reason="a shop"
        )


def test_a_life(marked: Store) -> None:
    say(marked, "acknowledged", "confirmed", "closed")
    found = marked.alerts.get(ONE.alert_id)
    assert found is not None
    assert (found.status, found.label, found.reason, found.version) == ("closed", "attack", None, 3)
    assert (found.marked_by, found.marked_at) == ("desk-2", T0 + 2)
    history = marked.marks.history(ONE.alert_id)
    assert [(mark.version, mark.who, mark.before, mark.after) for mark in history] == [
        (1, "desk-0", "new", "acknowledged"),
        (2, "desk-1", "acknowledged", "confirmed"),
        (3, "desk-2", "confirmed", "closed"),
    ]


def test_everybody_who_listens_is_told(marked: Store) -> None:
    say(marked, "acknowledged")
    event = marked.outbox.after(0)[-1]
    assert (event.event_id, event.type) == (f"{ONE.alert_id}:status:1", "alert.status")
    assert (event.alert["status"], event.alert["version"]) == ("acknowledged", 1)


@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("after", [*STATUSES, "nonsense"])
def test_what_may_follow_what(marked: Store, before: str, after: str) -> None:
    way = [] if before == "new" else [before]
    say(marked, *way)
    if after in NEXT[before]:
        say(marked, after, start=len(way))
        return
    with pytest.raises(NotAllowedError) as caught:
        say(marked, after, start=len(way))
    assert "\n" not in str(caught.value)
    found = marked.alerts.get(ONE.alert_id)
    assert found is not None
    assert (found.status, found.version) == (before, len(way))


def test_no_attack_needs_a_reason(marked: Store) -> None:
    for reason in (None, "", "  "):
        with pytest.raises(NotAllowedError, match="reason"):
            marked.marks.mark(ONE.alert_id, "not_an_attack", who="desk", at=T0, version=0, reason=reason)
    with pytest.raises(NoSuchAlertError):
        marked.marks.mark("flood-0", "closed", who="desk", at=T0, version=0)


def test_labels_follow_what_was_said_last(marked: Store) -> None:
    def label() -> str | None:
        return next((each["label"] for each in marked.marks.labels()), None)

    for version, (status, expected) in enumerate(
        [
            ("not_an_attack", "not_an_attack"),
            ("acknowledged", None),
            ("confirmed", "attack"),
            ("closed", "attack"),
            ("not_an_attack", "not_an_attack"),
            ("confirmed", "attack"),
        ]
    ):
        say(marked, status, start=version)
        assert label() == expected


def test_labels_as_lines(marked: Store) -> None:
    say(marked, "not_an_attack")
    (line,) = marked.marks.label_lines()
    assert json.loads(line) == {
        "alert_id": ONE.alert_id,
        "kind": "flood",
        "subject": ONE.subject,
        "raised_at": ONE.as_dict()["raised_at"],
        "probability": ONE.as_dict()["probability"],
        "label": "not_an_attack",
        "reason": "a shop",
        "at": "2026-03-05T02:00:00.000000Z",
        "by": "desk-0",
    }
    assert line.endswith(b"\n")


def test_whoever_is_slower_is_told_so(marked: Store) -> None:
    """Many say something at once of what they saw: one is heard."""
    heard: list[str] = []
    refused: list[int] = []
    ready = threading.Barrier(6)

    def one(who: str) -> None:
        ready.wait()
        try:
            marked.marks.mark(ONE.alert_id, "acknowledged", who=who, at=T0, version=0)
            heard.append(who)
        except ChangedMeanwhileError as error:
            refused.append(error.alert.version)

    threads = [threading.Thread(target=one, args=(f"desk-{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(heard), refused) == (1, [1] * 5)
    assert [mark.who for mark in marked.marks.history(ONE.alert_id)] == heard


def test_an_attack_that_returns_is_new_again(marked: Store) -> None:
    say(marked, "confirmed", "closed")
    marked.alerts.apply(2, [change(ONE, "reopened", 2)])
    marked.alerts.apply(3, [change(ONE, "reopened", 2), change(ONE, "changed", 3)])
    found = marked.alerts.get(ONE.alert_id)
    assert found is not None
    assert (found.status, found.version, found.label, found.marked_by) == ("new", 3, "attack", "ringfence")
    assert marked.marks.history(ONE.alert_id)[-1].at == ONE.raised_at + SECOND
    assert marked.outbox.after(0)[-2].alert["status"] == "new"


def test_what_was_no_attack_stays_none_when_it_goes_on(marked: Store) -> None:
    say(marked, "not_an_attack")
    marked.alerts.apply(2, [change(ONE, "changed", 2), change(ONE, "reopened", 3)])
    found = marked.alerts.get(ONE.alert_id)
    assert found is not None
    assert (found.status, found.version, found.reason) == ("not_an_attack", 1, "a shop")
