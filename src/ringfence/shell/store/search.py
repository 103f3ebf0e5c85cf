"""Alerts looked for: what can be asked, as conditions of a query."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Select, and_, or_, select

from ringfence.shell.store.database import bounded
from ringfence.shell.store.schema import ALERT_NUMBERS, ALERTS

MOST: Final = 1000
"""The most alerts on a page."""


class CursorError(ValueError):
    """A cursor that no search gave out."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts are looked for; what is None or empty does not matter.

    Attributes:
        text: the beginning of a number that the alert names, with or without its +, or of the alert's id.
        since, until: µs, of `raised_at`; the first is included, the second is not.
        is_open: not closed by the engine yet.
        probability: the least.
        cursor: `Page.cursor` of the page before.
        limit: alerts on a page, 1 to `MOST`.
    """

    kinds: Sequence[str] = ()
    statuses: Sequence[str] = ()
    subject: str | None = None
    case: str | None = None
    trunk: str | None = None
    text: str | None = None
    since: int | None = None
    until: int | None = None
    is_open: bool | None = None
    probability: float | None = None
    cursor: str | None = None
    limit: int = 100


def where(query: Select[Any], wanted: Wanted) -> Select[Any]:
    """The query with all conditions, but for order and limit.

    Raises:
        CursorError: the cursor is none.
    """
    columns = ALERTS.c
    if wanted.kinds:
        query = query.where(columns.kind.in_(wanted.kinds))
    if wanted.statuses:
        query = query.where(columns.status.in_(wanted.statuses))
    for column, value in (
        (columns.subject, wanted.subject),
        (columns.case_id, wanted.case),
        (columns.trunk, wanted.trunk),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(columns.raised_at >= bounded(wanted.since))
    if wanted.until is not None:
        query = query.where(columns.raised_at < bounded(wanted.until))
    if wanted.probability is not None:
        query = query.where(columns.probability >= wanted.probability)
    if wanted.is_open is not None:
        query = query.where(columns.closed_at.is_(None) if wanted.is_open else columns.closed_at.is_not(None))
    if wanted.text:
        query = query.where(_begins(wanted.text))
    if wanted.cursor:
        at, alert_id = _place_of(wanted.cursor)
        query = query.where(
            or_(columns.raised_at < at, and_(columns.raised_at == at, columns.alert_id < alert_id))
        )
    return query


def _begins(text: str) -> Any:
    """Alerts that name a number, or have an id, that begins so. By order, not by pattern: the index serves it."""
    numbers = ALERT_NUMBERS.c.number
    named = or_(*(_between(numbers, beginning) for beginning in (text, f"+{text}")))
    return or_(
        _between(ALERTS.c.alert_id, text),
        ALERTS.c.alert_id.in_(select(ALERT_NUMBERS.c.alert_id).where(named)),
    )


def _between(column: Any, beginning: str) -> Any:
    return and_(column >= beginning, column < beginning + "\U0010ffff")


def cursor(row: Row[Any]) -> str:
    """Where a page that ends with this row goes on."""
    return base64.urlsafe_b64encode(f"{row.raised_at}:{row.alert_id}".encode()).decode().rstrip("=")


def _place_of(cursor: str) -> tuple[int, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, alert_id = text.split(":", 1)
        return bounded(int(at)), alert_id
    except (ValueError, binascii.Error, UnicodeDecodeError) as error:
        raise CursorError("the cursor was given out by no search; begin without one") from error
