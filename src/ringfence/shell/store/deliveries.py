"""What each webhook still has to get, what it got, and what was given up (dead letters).

A webhook reads the feed up to a place of its own (`read_to`); what it wants of it is enlisted, and then waits until it is
delivered or dead. Of the events about one subject only the first that waits is ever due: their order is kept. Several
subjects do not wait for each other.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Select, and_, func, select

from ringfence.shell.store.database import Database, bounded
from ringfence.shell.store.outbox import StoredEvent, event_of, last_place
from ringfence.shell.store.schema import DELIVERIES, EVENTS, WEBHOOKS

PENDING: Final = "pending"
DELIVERED: Final = "delivered"
DEAD: Final = "dead"
OVERFLOW: Final = "too much was waiting"
TOO_OLD: Final = "waited for too long"
REMOVED: Final = "no longer configured"
AT_ONCE: Final = 2000
_MINE: Final = DELIVERIES.c


@dataclass(frozen=True, slots=True)
class Due:
    """An event that is to be sent now. `attempts`: made before; `since`: µs, when it began to wait."""

    event: StoredEvent
    attempts: int
    since: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that was given up. `place`: its id in the feed; `error`: why, without any number."""

    webhook: str
    place: int
    event_id: str
    type: str
    at: int
    attempts: int
    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a webhook stands; times in µs.

    Attributes:
        name: of the webhook.
        unread: events of the feed that were not looked at for it yet.
        pending: that wait for it; dead: that were given up; oldest: since when the first of those that wait does, None: none.
        delivered_at: the last time that something arrived, None: never.
        disabled_at: since when it gets nothing, None: it does; disabled_why: in words.
        overflowed: how many were given up because too much was waiting.
    """

    name: str
    unread: int
    pending: int
    dead: int
    oldest: int | None
    delivered_at: int | None
    disabled_at: int | None
    disabled_why: str | None
    overflowed: int


class Deliveries:
    """The deliveries of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def configure(self, names: Collection[str], now: int) -> None:
        """Say which webhooks there are. A new one gets what happens from now on; what waits for one that is gone is given up."""
        with self._database.writing() as connection:
            last = last_place(connection)
            gone = {row.name: row.disabled_why == REMOVED for row in connection.execute(select(WEBHOOKS))}
            for name in names:
                if name not in gone:
                    connection.execute(WEBHOOKS.insert().values(name=name, read_to=last, overflowed=0))
                elif gone[name]:
                    back = {"read_to": last, "disabled_at": None, "disabled_why": None}
                    connection.execute(WEBHOOKS.update().where(WEBHOOKS.c.name == name).values(back))
            for name in gone.keys() - set(names):
                _give_up(connection, _waits_for(name), REMOVED)
                values = {"disabled_at": now, "disabled_why": REMOVED}
                connection.execute(WEBHOOKS.update().where(WEBHOOKS.c.name == name).values(values))

    def enlist(
        self,
        webhook: str,
        *,
        types: Collection[str],
        kinds: Collection[str],
        now: int,
        most: int,
        longest: int,
        least: float = 0.0,
    ) -> bool:
        """Read the feed for a webhook, and give up what has waited too long or is too much.

        Args:
            webhook: that was configured.
            types: of events that it wants.
            kinds: of alerts that it wants, empty: all.
            now: µs.
            most: that may wait; beyond it the oldest become dead letters.
            longest: µs that an event may wait.
            least: probability of an alert that it wants.

        Returns:
            Whether there is more to read: at most `AT_ONCE` events are read in one transaction.
        """
        old = and_(_waits_for(webhook), _MINE.since < now - longest)
        with self._database.reading() as connection:
            read_to = _read_to(connection, webhook)
            if last_place(connection) <= read_to and not connection.scalar(
                select(func.count()).where(old).limit(1)
            ):
                return False
        with self._database.writing() as connection:
            read_to = _read_to(connection, webhook)
            query = select(EVENTS.c.id, EVENTS.c.subject, EVENTS.c.type, EVENTS.c.kind, EVENTS.c.document)
            rows = connection.execute(
                query.where(EVENTS.c.id > read_to).order_by(EVENTS.c.id).limit(AT_ONCE)
            ).all()
            waiting = [
                {
                    "webhook": webhook,
                    "event": row.id,
                    "subject": row.subject,
                    "state": PENDING,
                    "attempts": 0,
                    "since": now,
                    "next_at": now,
                }
                for row in rows
                if row.type in types
                and (not kinds or row.kind in kinds)
                and (not least or _probability(row.document) >= least)
            ]
            if waiting:
                connection.execute(DELIVERIES.insert(), waiting)
            if rows:
                _set(connection, webhook, read_to=rows[-1].id)
            _give_up(connection, old, TOO_OLD)
            self._bound(connection, webhook, most)
        return len(rows) == AT_ONCE

    def due(self, webhook: str, now: int, limit: int) -> list[Due]:
        """What may be sent now, of each subject the first that waits; the oldest first."""
        query = (
            _heads(webhook)
            .join(EVENTS, EVENTS.c.id == _MINE.event)
            .add_columns(*EVENTS.c)
            .where(_MINE.next_at <= now)
            .order_by(_MINE.event)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [Due(event_of(row), row.attempts, row.since) for row in connection.execute(query)]

    def next_at(self, webhook: str, now: int) -> int | None:
        """When something more becomes due, µs; None: nothing waits that is not due already."""
        heads = _heads(webhook).where(_MINE.next_at > now).subquery()
        with self._database.reading() as connection:
            found: int | None = connection.scalar(select(func.min(heads.c.next_at)))
        return found

    def delivered(self, webhook: str, place: int, *, status: int, now: int) -> None:
        """An event has arrived."""
        with self._database.writing() as connection:
            _note(connection, webhook, place, state=DELIVERED, last_status=status, last_error=None)
            _set(connection, webhook, delivered_at=now)

    def failed(
        self, webhook: str, place: int, *, error: str, status: int | None, next_at: int | None
    ) -> None:
        """An event has not arrived.

        Args:
            webhook: to which.
            place: of the event in the feed.
            error: why, in words without any number.
            status: of HTTP, None: there was no answer.
            next_at: when it is tried again, µs; None: never.
        """
        values = {"state": DEAD} if next_at is None else {"next_at": next_at}
        with self._database.writing() as connection:
            _note(connection, webhook, place, last_status=status, last_error=error, **values)

    def disable(self, webhook: str, why: str, now: int) -> None:
        """Send a webhook nothing more until somebody enables it; what it should get waits."""
        with self._database.writing() as connection:
            _set(connection, webhook, disabled_at=now, disabled_why=why)

    def enable(self, webhook: str) -> None:
        """Send a webhook again what waits for it."""
        with self._database.writing() as connection:
            _set(connection, webhook, disabled_at=None, disabled_why=None)

    def standing(self) -> list[Standing]:
        """How all webhooks stand, by name."""
        counted = (
            select(
                _MINE.webhook,
                _MINE.state,
                func.count().label("letters"),
                func.min(_MINE.since).label("since"),
            )
            .where(_MINE.state != DELIVERED)
            .group_by(_MINE.webhook, _MINE.state)
        )
        with self._database.reading() as connection:
            found = {
                (row.webhook, row.state): (row.letters, row.since) for row in connection.execute(counted)
            }
            rows = connection.execute(select(WEBHOOKS).order_by(WEBHOOKS.c.name)).all()
            last = last_place(connection)
        return [_standing(row, found, last) for row in rows]

    def is_disabled(self, webhook: str) -> bool:
        """Whether it gets nothing."""
        query = select(WEBHOOKS.c.disabled_at).where(WEBHOOKS.c.name == webhook)
        with self._database.reading() as connection:
            return connection.scalar(query) is not None

    def dead_letters(
        self, webhook: str | None = None, *, after: int = 0, limit: int = 100
    ) -> list[DeadLetter]:
        """What was given up, in the order of the feed, after a place in it."""
        query = (
            select(_MINE.webhook, EVENTS.c.id, EVENTS.c.event_id, EVENTS.c.type, EVENTS.c.at, _MINE.attempts,
                   _MINE.last_status, _MINE.last_error)
            .join(EVENTS, EVENTS.c.id == _MINE.event)
            .where(_MINE.state == DEAD, _MINE.event > bounded(after))
            .order_by(_MINE.event, _MINE.webhook)
            .limit(limit)
        )  # fmt: skip
        if webhook is not None:
            query = query.where(_MINE.webhook == webhook)
        with self._database.reading() as connection:
            return [DeadLetter(*row) for row in connection.execute(query)]

    def requeue(self, webhook: str, place: int | None = None, *, now: int) -> int:
        """Have dead letters sent once more, one or all of a webhook; returns how many. They come before what is newer."""
        dead = and_(_MINE.webhook == webhook, _MINE.state == DEAD)
        if place is not None:
            dead = and_(dead, _MINE.event == bounded(place))
        fresh = {"state": PENDING, "attempts": 0, "since": now, "next_at": now}
        with self._database.writing() as connection:
            return connection.execute(DELIVERIES.update().where(dead).values(fresh)).rowcount

    def _bound(self, connection: Connection, webhook: str, most: int) -> None:
        waiting = connection.scalar(select(func.count()).where(_waits_for(webhook))) or 0
        if waiting <= most:
            return
        oldest = select(_MINE.event).where(_waits_for(webhook)).order_by(_MINE.event).limit(waiting - most)
        places = list(connection.scalars(oldest))
        _give_up(connection, and_(_waits_for(webhook), _MINE.event <= places[-1]), OVERFLOW)
        _set(connection, webhook, overflowed=WEBHOOKS.c.overflowed + len(places))


def _probability(document: str) -> float:
    return float(orjson.loads(document).get("probability") or 0.0)


def _waits_for(webhook: str) -> Any:
    return and_(_MINE.webhook == webhook, _MINE.state == PENDING)


def _heads(webhook: str) -> Select[Any]:
    """Of each subject the first that waits."""
    first = select(func.min(_MINE.event)).where(_waits_for(webhook)).group_by(_MINE.subject)
    mine = select(_MINE.attempts, _MINE.since, _MINE.next_at)
    return mine.where(_waits_for(webhook), _MINE.event.in_(first))


def _read_to(connection: Connection, webhook: str) -> int:
    return connection.scalar(select(WEBHOOKS.c.read_to).where(WEBHOOKS.c.name == webhook)) or 0


def _set(connection: Connection, webhook: str, **values: Any) -> None:
    connection.execute(WEBHOOKS.update().where(WEBHOOKS.c.name == webhook).values(values))


def _note(connection: Connection, webhook: str, place: int, **values: Any) -> None:
    mine = and_(_MINE.webhook == webhook, _MINE.event == place)
    connection.execute(DELIVERIES.update().where(mine).values(attempts=_MINE.attempts + 1, **values))


def _give_up(connection: Connection, which: Any, why: str) -> None:
    connection.execute(DELIVERIES.update().where(which).values(state=DEAD, last_error=why))


def _standing(row: Any, found: dict[tuple[str, str], tuple[int, int]], last: int) -> Standing:
    pending, oldest = found.get((row.name, PENDING), (0, None))
    dead, _ = found.get((row.name, DEAD), (0, None))
    return Standing(
        name=row.name,
        unread=max(last - row.read_to, 0),
        pending=pending,
        dead=dead,
        oldest=oldest,
        delivered_at=row.delivered_at,
        disabled_at=row.disabled_at,
        disabled_why=row.disabled_why,
        overflowed=row.overflowed,
    )
