"""What cases hold of the records: whose, and of when."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from ringfence.shell.store.alerts import AlertStore, Document
from ringfence.shell.store.marks import NOT_AN_ATTACK, STATUSES
from ringfence.shell.store.search import MOST, Wanted

BEFORE: Final = timedelta(days=2)
"""An attack's first calls lie this long before its alert, at the most (evidence older than hours is forgotten by every detector)."""
AFTER: Final = timedelta(days=1)
_HELD: Final = tuple(status for status in STATUSES if status != NOT_AN_ATTACK)
_SINGLE: Final = {"forged_caller"}


def held_by(alerts: AlertStore) -> Iterator[tuple[str, datetime, datetime | None]]:
    """For each alert that is kept and was no mistake: its numbers, from when on, and until when (None: it is open)."""
    for document in _found(alerts, Wanted(statuses=_HELD, limit=MOST)):
        began = datetime.fromisoformat(document["raised_at"]) - BEFORE
        closed = document.get("closed_at")
        ended = None if closed is None else datetime.fromisoformat(closed) + AFTER
        numbers = {document["subject"], *((document.get("reach") or {}).get("numbers") or ())}
        if document["kind"] in _SINGLE and document.get("callee"):
            numbers = {document["callee"]}
        for number in numbers:
            yield number, began, ended


def open_alerts(alerts: AlertStore) -> dict[str, Document]:
    """The alerts that go on, as far as the store knows, by id."""
    return {document["alert_id"]: document for document in _found(alerts, Wanted(is_open=True, limit=MOST))}


def _found(alerts: AlertStore, wanted: Wanted) -> Iterator[Document]:
    """All alerts of a search, page by page."""
    while True:
        page = alerts.search(wanted)
        yield from (alert.document for alert in page.alerts)
        if page.cursor is None:
            return
        wanted = replace(wanted, cursor=page.cursor)
