"""A person's number in the alerts: found, and erased; and alerts that have been kept long enough.

Where a number is what the alert is about, the alert goes with all that hangs on it; where another's alert names it (a caller, a
relative to be reached), the word "erased" stands in its place. Neither comes back when the journal is applied once more.
"""

import secrets
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, and_, func, or_, select

from ringfence.model.alert import rfc3339
from ringfence.shell.store.alerts import CLOSED, Document, stored
from ringfence.shell.store.database import Database, to_json
from ringfence.shell.store.marks import NOT_AN_ATTACK, Marks
from ringfence.shell.store.redact import ERASED, digest, without
from ringfence.shell.store.schema import ALERT_NUMBERS, ALERTS, DELIVERIES, ERASURES, EVENTS, HISTORY


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did: alerts that are gone, alerts of others that name the number no more, events gone."""

    alerts: int
    redacted: int
    events: int


@dataclass(frozen=True, slots=True)
class Retired:
    """What was kept long enough: alerts and events."""

    alerts: int
    events: int


class People:
    """The people in the alerts of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._marks = Marks(database)

    def find(self, number: str) -> list[Document]:
        """All alerts that name a number, in order of time: the alert, its observations, what was said of it."""
        with self._database.reading() as connection:
            query = select(ALERTS).where(_names(number)).order_by(ALERTS.c.raised_at, ALERTS.c.alert_id)
            alerts = [stored(row) for row in connection.execute(query)]
        return [
            {
                **alert.document,
                "observations": alert.observations,
                "status": alert.status,
                "label": alert.label,
                "reason": alert.reason,
                "history": [
                    {**asdict(mark), "at": rfc3339(mark.at)} for mark in self._marks.history(alert.alert_id)
                ],
            }
            for alert in alerts
        ]

    def erase(self, number: str, at: int) -> Erased:
        """Take a number out, from the bytes on disk too.

        Args:
            number: as the alerts write it, E.164.
            at: µs since 1970, UTC.

        Raises:
            StoreError: it could not be done; nothing was.
        """
        with self._database.writing() as connection:
            own = list(connection.scalars(select(ALERTS.c.alert_id).where(ALERTS.c.subject == number)))
            query = select(ALERTS.c.alert_id).where(_names(number), ALERTS.c.subject != number)
            others = list(connection.scalars(query))
            events = 0
            for alert_id in own:
                events += _forget(connection, alert_id)
                connection.execute(ERASURES.insert().values(alert_id=alert_id, at=at))
            # events outlive their alerts
            events += connection.execute(EVENTS.delete().where(EVENTS.c.subject == number)).rowcount
            for alert_id in others:
                _redact(connection, alert_id, number, at)
            _redact_events(connection, number)
            _redact_words(connection, number)
        self._database.wipe()
        return Erased(len(own), len(others), events)

    def retire(self, *, alerts_before: int, events_before: int) -> Retired:
        """Delete what has been kept long enough.

        Args:
            alerts_before: µs; alerts that the engine, or a person, closed before.
            events_before: µs; events from before, but for those that still wait to be delivered.
        """
        closed = or_(
            ALERTS.c.closed_at < alerts_before,
            and_(ALERTS.c.status.in_((CLOSED, NOT_AN_ATTACK)), ALERTS.c.marked_at < alerts_before),
        )
        waiting = select(DELIVERIES.c.event).where(DELIVERIES.c.state == "pending")
        with self._database.writing() as connection:
            alerts = connection.execute(ALERTS.delete().where(closed)).rowcount
            old = and_(EVENTS.c.at < events_before, EVENTS.c.id.not_in(waiting))
            events = connection.execute(EVENTS.delete().where(old)).rowcount
            connection.execute(ERASURES.delete().where(ERASURES.c.at < min(alerts_before, events_before)))
        return Retired(alerts, events)


def _names(number: str) -> Any:
    return ALERTS.c.alert_id.in_(select(ALERT_NUMBERS.c.alert_id).where(ALERT_NUMBERS.c.number == number))


def _forget(connection: Connection, alert_id: str) -> int:
    connection.execute(ALERTS.delete().where(ALERTS.c.alert_id == alert_id))
    return connection.execute(EVENTS.delete().where(EVENTS.c.alert_id == alert_id)).rowcount


def _redact(connection: Connection, alert_id: str, number: str, at: int) -> None:
    """Take a number out of another's alert, now and in all changes to come."""
    row = connection.execute(select(ALERTS).where(ALERTS.c.alert_id == alert_id)).one()
    connection.execute(
        ALERTS.update()
        .where(ALERTS.c.alert_id == alert_id)
        .values(
            document=to_json(without(orjson.loads(row.document), number)),
            observations=to_json(without(orjson.loads(row.observations), number)),
            callee=ERASED if row.callee == number else row.callee,
        )
    )
    connection.execute(
        ALERT_NUMBERS.delete().where(ALERT_NUMBERS.c.alert_id == alert_id, ALERT_NUMBERS.c.number == number)
    )
    salt = secrets.token_hex(16)
    connection.execute(
        ERASURES.insert().values(alert_id=alert_id, at=at, salt=salt, digest=digest(number, salt))
    )


def _redact_events(connection: Connection, number: str) -> None:
    """Take a number out of all events, for they may outlive their alert."""
    query = select(EVENTS.c.id, EVENTS.c.document).where(EVENTS.c.document.contains(number, autoescape=True))
    for place, document in connection.execute(query).all():
        redacted = to_json(without(orjson.loads(document), number))
        connection.execute(EVENTS.update().where(EVENTS.c.id == place).values(document=redacted))


def _redact_words(connection: Connection, number: str) -> None:
    """Take a number out of what people wrote."""
    if number.startswith("+"):
        for column in (HISTORY.c.note, HISTORY.c.reason, ALERTS.c.reason):
            written = column.contains(number, autoescape=True)
            replaced = {column.name: func.replace(column, number, ERASED)}
            connection.execute(column.table.update().where(written).values(replaced))
