"""A person's number found and erased, to the bytes; alerts that were kept long enough."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.shell.store.making import DAY, T0, alert, change, number, victim

from ringfence.model.alert import Episode
from ringfence.shell.store.redact import ERASED, numbers_in, without
from ringfence.shell.store.search import Wanted
from ringfence.shell.store.store import Store

PERSON = number(1)
OWN = alert(1, callers=(number(50), None))
"""An alert about the person."""
RELATIVE = alert(2, kind="scam_call", victim=victim(number(2), PERSON), callers=(PERSON, number(60)))
"""Somebody else's, which names the person."""
OTHER = alert(3, callers=(number(60),))


def fill(store: Store) -> None:
    store.alerts.apply(
        1,
        [
            change(each, observations=[{"caller": PERSON}] * (each is RELATIVE))
            for each in (OWN, RELATIVE, OTHER)
        ],
    )
    store.deliveries.configure(["w"], T0)
    for seq, each in enumerate((OWN, RELATIVE), 2):
        store.alerts.apply(seq, [change(each, "changed", 2)])
        note = f"spoke to {PERSON}, all well"
        store.marks.mark(each.alert_id, "not_an_attack", who="desk", at=T0, version=0, reason=note, note=note)
    store.deliveries.enlist("w", types={"alert.changed"}, kinds=(), now=T0, most=99, longest=DAY)


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_found_wherever_it_is_named(store: Store) -> None:
    fill(store)
    found = store.people.find(PERSON)
    assert [each["alert_id"] for each in found] == [OWN.alert_id, RELATIVE.alert_id]
    assert found[0]["history"][0]["after"] == "not_an_attack"
    assert found[0]["history"][0]["at"] == "2026-03-05T02:00:00.000000Z"
    assert found[1]["reach"]["numbers"] == [number(2), PERSON]
    assert [each["alert_id"] for each in store.people.find(number(60))] == [RELATIVE.alert_id, OTHER.alert_id]
    assert store.people.find(PERSON[:-1]) == []


def test_erased_to_the_bytes(store: Store, tmp_path: Path) -> None:
    fill(store)
    assert PERSON.encode() in on_disk(tmp_path / "data")
    erased = store.people.erase(PERSON, T0)
    assert (erased.alerts, erased.redacted, erased.events) == (1, 1, 3)
    assert PERSON.encode() not in on_disk(tmp_path / "data")
    assert store.people.find(PERSON) == []
    assert store.alerts.get(OWN.alert_id) is None
    assert store.marks.history(OWN.alert_id) == []
    assert [due.event.subject for due in store.deliveries.due("w", T0, 9)] == [number(2)]
    relative = store.alerts.get(RELATIVE.alert_id)
    assert relative is not None
    assert relative.document["reach"]["numbers"] == [number(2), ERASED]
    assert [entry["caller"] for entry in relative.document["ledger"]] == [ERASED, number(60)]
    assert relative.reason == f"spoke to {ERASED}, all well"
    other = store.alerts.get(OTHER.alert_id)
    assert other is not None
    assert other.document == OTHER.as_dict(), "nobody else's alert is touched"


def test_what_was_erased_does_not_come_back(store: Store, tmp_path: Path) -> None:
    """After a crash the journal is applied once more, and the attack that it belongs to goes on."""
    fill(store)
    store.people.erase(PERSON, T0)
    again = [change(OWN), change(OWN, "changed", 2), change(OWN, "closed", 3), change(RELATIVE, "changed", 3)]
    assert store.alerts.apply(9, again) == 1
    assert store.alerts.get(OWN.alert_id) is None
    assert store.people.find(PERSON) == []
    assert PERSON.encode() not in on_disk(tmp_path / "data")
    later = alert(9, subject=PERSON, raised_at=T0 + DAY)
    assert store.alerts.apply(10, [change(later)]) == 1, "another attack is another alert"


def test_erasing_nobody(store: Store) -> None:
    fill(store)
    before = [each.document for each in store.alerts.search(Wanted()).alerts]
    erased = store.people.erase(number(999), T0)
    assert (erased.alerts, erased.redacted, erased.events) == (0, 0, 0)
    assert [each.document for each in store.alerts.search(Wanted()).alerts] == before


def test_a_short_number_is_no_part_of_others(store: Store) -> None:
    """A service number such as 10086 must not be cut out of figures and other numbers."""
    store.alerts.apply(
        1, [change(alert(1, subject="10086", raised_at=T0)), change(alert(2), calls=10086, call_id="c10086")]
    )
    assert store.people.erase("10086", T0).alerts == 1
    found = store.alerts.get(alert(2).alert_id)
    assert found is not None
    assert (found.document["calls"], found.document["call_id"]) == (10086, "c10086")


def test_retention(store: Store) -> None:
    def over(n: int, at: int) -> Any:
        return alert(n, episodes=[Episode(T0, "c", T0, T0, closed_at=at)])

    store.alerts.apply(
        1, [change(over(1, T0)), change(over(2, T0 + DAY)), change(alert(3)), change(alert(4))]
    )
    store.marks.mark(alert(4).alert_id, "closed", who="desk", at=T0, version=0)
    retired = store.people.retire(alerts_before=T0 + DAY, events_before=0)
    assert (retired.alerts, retired.events) == (2, 0)
    assert [each.document["subject"] for each in store.alerts.search(Wanted()).alerts] == [
        number(3),
        number(2),
    ]
    assert len(store.outbox.after(0)) == 5, "events are kept by their own measure"


def test_an_event_that_still_waits_is_kept(store: Store) -> None:
    store.deliveries.configure(["w"], T0)
    store.alerts.apply(1, [change(alert(1)), change(alert(2))])
    store.deliveries.enlist("w", types={"alert.raised"}, kinds=(), now=T0, most=99, longest=DAY)
    first, second = store.outbox.after(0)
    store.deliveries.delivered("w", first.id, status=200, now=T0)
    assert store.people.retire(alerts_before=0, events_before=T0 + DAY).events == 1
    assert store.outbox.after(0) == [second]


documents = st.recursive(
    st.none()
    | st.integers()
    | st.sampled_from([PERSON, PERSON + "7", number(2), "10086", "x", f"to {PERSON}."]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
)


@given(documents)
def test_redaction_takes_out_one_number_and_nothing_else(document: Any) -> None:
    left = without(document, PERSON)
    assert numbers_in(left) == numbers_in(document) - {PERSON}
    assert f"{PERSON}." not in str(left)
    assert without(left, PERSON) == left
    assert without(document, number(3)) == document
    if PERSON + "7" in numbers_in(document):
        assert PERSON + "7" in numbers_in(left)


@pytest.mark.parametrize("text", ["+8613800000001", "+110"])
def test_numbers_are_recognised(text: str) -> None:
    assert numbers_in({"a": [{"b": text}]}) == {text}
