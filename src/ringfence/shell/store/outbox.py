"""What happened, one event after the other, for whoever listens: the feed that server-sent events and webhooks read.

An event is written in the transaction that made it happen. Its place in the feed (`id`) only grows and is never used twice;
its name (`event_id`) follows from what happened, so that whoever gets an event twice can tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Connection, bindparam, func, select

from ringfence.shell.store.database import Database, bounded, to_json
from ringfence.shell.store.schema import EVENTS

_TOLD: Final = select(EVENTS.c.id).where(EVENTS.c.event_id == bindparam("it"))
_INSERT: Final = EVENTS.insert()


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event.

    Attributes:
        id: its place in the feed; event_id: its name.
        type: alert.raised, alert.changed, alert.closed, alert.reopened or alert.status (somebody said something).
        at: µs since 1970, UTC.
        kind, subject: of the alert.
        alert: in the form of the contract, and its `status`, `label` and `version` at that moment.
    """

    id: int
    event_id: str
    type: str
    at: int
    kind: str
    subject: str
    alert: dict[str, Any]


class Outbox:
    """The feed of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def after(self, place: int, limit: int = 100) -> list[StoredEvent]:
        """Events after a place in the feed, in their order; 0: from the beginning of what is kept."""
        query = select(EVENTS).where(EVENTS.c.id > bounded(place)).order_by(EVENTS.c.id).limit(limit)
        with self._database.reading() as connection:
            return [event_of(row) for row in connection.execute(query)]

    def latest(self) -> int:
        """The place of the newest event; 0: there is none."""
        with self._database.reading() as connection:
            return last_place(connection)


def event_of(row: Any) -> StoredEvent:
    """A row of the table as an event."""
    return StoredEvent(
        id=row.id,
        event_id=row.event_id,
        type=row.type,
        at=row.at,
        kind=row.kind,
        subject=row.subject,
        alert=orjson.loads(row.document),
    )


def last_place(connection: Connection) -> int:
    """The place of the newest event."""
    return connection.scalar(select(func.coalesce(func.max(EVENTS.c.id), 0))) or 0


def is_told(connection: Connection, event_id: str) -> bool:
    """Whether there is an event of this name."""
    return connection.scalar(_TOLD, {"it": event_id}) is not None


def tell(connection: Connection, *, event_id: str, kind: str, at: int, alert: Mapping[str, Any]) -> None:
    """Write an event.

    Args:
        connection: in the transaction of what happened.
        event_id: its name, not there yet.
        kind: its type.
        at: µs.
        alert: as it is now.
    """
    row = {
        "event_id": event_id,
        "alert_id": alert["alert_id"],
        "kind": alert["kind"],
        "subject": alert["subject"],
        "type": kind,
        "at": at,
        "document": to_json(dict(alert)),
    }
    connection.execute(_INSERT, row)
