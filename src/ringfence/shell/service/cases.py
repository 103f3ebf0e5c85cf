"""What cases hold of the records: whose, and of when."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from ringfence.shell.store.alerts import AlertStore
from ringfence.shell.store.marks import NOT_AN_ATTACK, STATUSES
from ringfence.shell.store.search import MOST, Wanted

BEFORE: Final = timedelta(days=2)
"""An attack's first calls lie this long before its alert, at the most (evidence older than hours is forgotten by every detector)."""
AFTER: Final = timedelta(days=1)
_HELD: Final = tuple(status for status in STATUSES if status != NOT_AN_ATTACK)
_SINGLE: Final = {"forged_caller"}


def held_by(alerts: AlertStore) -> Iterator[tuple[str, datetime, datetime | None]]:
    """For each alert that is kept and was no mistake: its numbers, from when on, and until when (None: it is open)."""
    cursor = None
    while True:
        page = alerts.search(Wanted(statuses=_HELD, cursor=cursor, limit=MOST))
        for alert in page.alerts:
            document = alert.document
            began = datetime.fromisoformat(document["raised_at"]) - BEFORE
            closed = document.get("closed_at")
            ended = None if closed is None else datetime.fromisoformat(closed) + AFTER
            numbers = {document["subject"], *((document.get("reach") or {}).get("numbers") or ())}
            if document["kind"] in _SINGLE and document.get("callee"):
                numbers = {document["callee"]}
            for number in numbers:
                yield number, began, ended
        cursor = page.cursor
        if cursor is None:
            return
