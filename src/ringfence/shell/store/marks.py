"""What people say of alerts: seen, confirmed, over, no attack. It is kept with name and time, and learned from.

    new ──► acknowledged ──► confirmed ──► closed          not_an_attack (with a reason) can be said at any time,
                                                           and closed or not_an_attack be taken back

The engine's own closing (the attack is over) is another matter: `closed_at` of the alert.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import select

from ringfence.model.alert import rfc3339
from ringfence.shell.store import outbox
from ringfence.shell.store.alerts import CLOSED, NEW, StoredAlert, mark_row, stored
from ringfence.shell.store.database import Database
from ringfence.shell.store.schema import ALERTS, HISTORY

ACKNOWLEDGED: Final = "acknowledged"
CONFIRMED: Final = "confirmed"
NOT_AN_ATTACK: Final = "not_an_attack"
ATTACK: Final = "attack"

NEXT: Final = {
    NEW: (ACKNOWLEDGED, CONFIRMED, CLOSED, NOT_AN_ATTACK),
    ACKNOWLEDGED: (CONFIRMED, CLOSED, NOT_AN_ATTACK),
    CONFIRMED: (CLOSED, NOT_AN_ATTACK),
    CLOSED: (ACKNOWLEDGED, CONFIRMED, NOT_AN_ATTACK),
    NOT_AN_ATTACK: (ACKNOWLEDGED, CONFIRMED),
}
"""Which status may follow which."""
STATUSES: Final = tuple(NEXT)


class NoSuchAlertError(LookupError):
    """There is no alert of this id."""


class ChangedMeanwhileError(Exception):
    """Somebody else was quicker. `alert`: as it is now."""

    def __init__(self, alert: StoredAlert) -> None:
        super().__init__(
            f"{alert.marked_by or 'somebody'} has changed it meanwhile: it is {alert.status}; read it again"
        )
        self.alert = alert


class NotAllowedError(ValueError):
    """This cannot be said of this alert: one line, why."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody said, from the table of history. `at`: µs; `label` and `reason`: as they were after it."""

    version: int
    at: int
    who: str
    before: str
    after: str
    label: str | None
    reason: str | None
    note: str | None


class Marks:
    """What people say of the alerts of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def mark(
        self,
        alert_id: str,
        status: str,
        *,
        who: str,
        at: int,
        version: int,
        reason: str | None = None,
        note: str | None = None,
    ) -> StoredAlert:
        """Give an alert another status.

        Args:
            alert_id: which.
            status: one of `STATUSES`.
            who: the name of the token of whoever says so.
            at: µs since 1970, UTC.
            version: of the alert as that one saw it.
            reason: why it is no attack; needed for not_an_attack.
            note: anything else.

        Returns:
            The alert as it is now.

        Raises:
            NoSuchAlertError: there is none.
            ChangedMeanwhileError: its version is another one.
            NotAllowedError: the status does not exist, cannot follow, or has no reason.
            StoreError: it could not be written.
        """
        if status not in STATUSES:
            raise NotAllowedError(f"there is no status {status}; there are {', '.join(STATUSES)}")
        if status == NOT_AN_ATTACK and not (reason or "").strip():
            raise NotAllowedError("not_an_attack needs a reason: it is learned from")
        with self._database.writing() as connection:
            query = select(ALERTS).where(ALERTS.c.alert_id == alert_id)
            row = connection.execute(query.with_for_update()).one_or_none()
            if row is None:
                raise NoSuchAlertError(f"there is no alert {alert_id}")
            if row.version != version:
                raise ChangedMeanwhileError(stored(row))
            if status not in NEXT[row.status]:
                raise NotAllowedError(f"it is {row.status}; then it can be {', '.join(NEXT[row.status])}")
            label = _label(row.status, status, row.label)
            kept = (reason if status == NOT_AN_ATTACK else None) or (
                row.reason if label == NOT_AN_ATTACK else None
            )
            mark_row(connection, alert_id, version + 1, at, who, row.status, status, label, kept, note)
            now = stored(connection.execute(query).one())
            outbox.tell(
                connection,
                event_id=f"{alert_id}:status:{now.version}",
                kind="alert.status",
                at=at,
                alert={**now.document, "status": status, "label": label, "version": now.version},
            )
        return now

    def history(self, alert_id: str) -> list[Mark]:
        """What was said of an alert, the first first."""
        columns = [column for column in HISTORY.c if column.name != "alert_id"]
        query = select(*columns).where(HISTORY.c.alert_id == alert_id).order_by(HISTORY.c.version)
        with self._database.reading() as connection:
            return [Mark(*row) for row in connection.execute(query)]

    def labels(self) -> Iterator[dict[str, Any]]:
        """All alerts of which somebody has said what they were, in order of time; the form stands in docs/alert_store.md."""
        columns = ALERTS.c
        query = (
            select(columns.alert_id, columns.kind, columns.subject, columns.raised_at, columns.probability,
                   columns.label, columns.reason, columns.marked_at, columns.marked_by)
            .where(columns.label.is_not(None))
            .order_by(columns.raised_at, columns.alert_id)
        )  # fmt: skip
        with self._database.reading() as connection:
            for row in connection.execute(query):
                yield {
                    "alert_id": row.alert_id,
                    "kind": row.kind,
                    "subject": row.subject,
                    "raised_at": rfc3339(row.raised_at),
                    "probability": row.probability,
                    "label": row.label,
                    "reason": row.reason,
                    "at": rfc3339(row.marked_at),
                    "by": row.marked_by,
                }

    def label_lines(self) -> Iterator[bytes]:
        """The same as JSON Lines."""
        for label in self.labels():
            yield orjson.dumps(label, option=orjson.OPT_APPEND_NEWLINE)


def _label(before: str, after: str, label: str | None) -> str | None:
    """What somebody has said it was, after another status."""
    if after == CONFIRMED:
        return ATTACK
    if after == NOT_AN_ATTACK:
        return NOT_AN_ATTACK
    return None if before == NOT_AN_ATTACK else label
