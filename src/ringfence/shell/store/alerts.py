"""Alerts as they are now, written as the pipeline goes on, found again by whoever works with them.

The pipeline says with every batch of changes up to where in the journal it has come (`seq`), and both are written in one
transaction with the events that tell of them. After a crash it goes back to its snapshot and says the same once more: what
is not newer than the store is left out, and an event has an id that is the same each time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import orjson
from sqlalchemy import Connection, Row, bindparam, func, select

from ringfence.shell.store import outbox
from ringfence.shell.store.database import Database, get_meta, set_meta, to_json
from ringfence.shell.store.redact import digest, numbers_in, without
from ringfence.shell.store.schema import ALERT_NUMBERS, ALERTS, ERASURES, HISTORY
from ringfence.shell.store.search import MOST, Wanted, cursor, where

What = Literal["raised", "changed", "closed", "reopened"]
Document = dict[str, Any]

NEW: Final = "new"
CLOSED: Final = "closed"
ITSELF: Final = "ringfence"
"""Who did it, where it was nobody but the program."""

_APPLIED: Final = "applied_seq"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LIGHT: Final = [column for column in ALERTS.c if column.name != "observations"]

# Put together once: this is the way of every change, beside a pipeline that needs the processor.
_IS_IT: Final = ALERTS.c.alert_id == bindparam("it")
_BEFORE: Final = select(ALERTS.c.status, ALERTS.c.label, ALERTS.c.version).where(_IS_IT)
_INSERT: Final = ALERTS.insert()
_UPDATE: Final = ALERTS.update().where(_IS_IT)
_ERASED: Final = select(ERASURES.c.salt, ERASURES.c.digest).where(ERASURES.c.alert_id == bindparam("it"))
_NAMED: Final = select(ALERT_NUMBERS.c.number).where(ALERT_NUMBERS.c.alert_id == bindparam("it"))
_NAME: Final = ALERT_NUMBERS.insert()


@dataclass(frozen=True, slots=True)
class AlertChange:
    """Something happened to an alert.

    Attributes:
        alert_id: of the story.
        what: happened.
        n: the how many-th change of this alert this is, from 1; 0: it only goes on, of which no event tells. It must follow from the journal alone (not from how its records
            were taken together), for the event's id is made of it.
        at_us: when, µs since 1970, UTC (time of the events, not of the clock).
        document: the alert as it is now, in the form of the contract (`Alert.as_dict()`).
        observations: what it was made of, beyond the ledger; kept with it, but not told in events.
    """

    alert_id: str
    what: What
    n: int
    at_us: int
    document: Mapping[str, Any]
    observations: Sequence[Mapping[str, Any]] = ()

    @property
    def event_id(self) -> str:
        """Stable id of the event that tells of it."""
        return f"{self.alert_id}:{self.what}:{self.n}"


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """An alert and what people said of it.

    Attributes:
        document: in the form of the contract; `observations`: empty where a list of alerts was asked for.
        status: new, acknowledged, confirmed, closed or not_an_attack; `version`: counts what people said, for comparing.
        label: attack or not_an_attack; None: nobody has said. `reason`: why it is none.
        marked_at: µs, when somebody last said something; `marked_by`: the name of that one's token.
    """

    document: Document
    observations: list[Document]
    status: str
    version: int
    label: str | None
    reason: str | None
    marked_at: int | None
    marked_by: str | None

    @property
    def alert_id(self) -> str:
        """Its id."""
        return str(self.document["alert_id"])


@dataclass(frozen=True, slots=True)
class Page:
    """Alerts, the newest first. `cursor`: where the next page begins, None: this is the last."""

    alerts: list[StoredAlert]
    cursor: str | None


@dataclass(slots=True)
class Counts:
    """How many alerts there are: in all, not closed by the engine, by kind and then by status."""

    all: int = 0
    open: int = 0
    by_kind: dict[str, dict[str, int]] = field(default_factory=dict)


class AlertStore:
    """The alerts of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def applied_seq(self) -> int:
        """Up to where in the journal the store is; -1 before anything was applied."""
        with self._database.reading() as connection:
            return _applied(connection)

    def apply(self, seq: int, changes: Sequence[AlertChange]) -> int:
        """Write what happened up to a place in the journal, whole and on disk when this returns.

        Args:
            seq: of the newest journal record that is behind the changes.
            changes: all since the `seq` before, in the order in which they happened.

        Returns:
            How many events are new; 0 where all of it was there already.

        Raises:
            StoreError: it could not be written; nothing of it is.
        """
        told = 0
        with self._database.writing() as connection:
            if seq < _applied(connection, lock=True):
                return 0
            for change in changes:
                told += _apply(connection, seq, change)
            set_meta(connection, _APPLIED, str(seq))
        return told

    def get(self, alert_id: str) -> StoredAlert | None:
        """One alert with its observations, or None."""
        with self._database.reading() as connection:
            row = connection.execute(select(ALERTS).where(ALERTS.c.alert_id == alert_id)).one_or_none()
        return None if row is None else stored(row)

    def search(self, wanted: Wanted) -> Page:
        """Alerts by what is known of them. Pages stay as they are while new alerts come in.

        Raises:
            CursorError: the cursor is none.
        """
        limit = min(max(wanted.limit, 1), MOST)
        query = where(select(*_LIGHT), wanted).order_by(ALERTS.c.raised_at.desc(), ALERTS.c.alert_id.desc())
        with self._database.reading() as connection:
            rows = connection.execute(query.limit(limit + 1)).all()
        more = len(rows) > limit
        return Page([stored(row) for row in rows[:limit]], cursor(rows[limit - 1]) if more else None)

    def counts(self) -> Counts:
        """How many there are."""
        is_open = ALERTS.c.closed_at.is_(None)
        query = select(ALERTS.c.kind, ALERTS.c.status, is_open, func.count()).group_by(
            ALERTS.c.kind, ALERTS.c.status, is_open
        )
        counts = Counts()
        with self._database.reading() as connection:
            for kind, status, still, count in connection.execute(query):
                counts.all += count
                counts.open += count if still else 0
                by_status = counts.by_kind.setdefault(kind, {})
                by_status[status] = by_status.get(status, 0) + count
        return counts


def stored(row: Row[Any]) -> StoredAlert:
    """A row of the table as an alert."""
    return StoredAlert(
        document=orjson.loads(row.document),
        observations=orjson.loads(row.observations) if hasattr(row, "observations") else [],
        status=row.status,
        version=row.version,
        label=row.label,
        reason=row.reason,
        marked_at=row.marked_at,
        marked_by=row.marked_by,
    )


def microseconds(text: str | None) -> int | None:
    """A time of the contract (RFC 3339) in µs since 1970."""
    return None if text is None else (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)


def _applied(connection: Connection, *, lock: bool = False) -> int:
    return int(get_meta(connection, _APPLIED, lock=lock) or -1)


def _apply(connection: Connection, seq: int, change: AlertChange) -> bool:
    """Write one change; whether its event is new."""
    erased = _as_erased(connection, change)
    if erased is None:
        return False
    document, observations = erased
    before = connection.execute(_BEFORE, {"it": change.alert_id}).one_or_none()
    _upsert(connection, seq, document, observations, is_new=before is None)
    if change.n == 0 or outbox.is_told(connection, change.event_id):
        return False
    status, label, version = (NEW, None, 0) if before is None else tuple(before)
    if change.what == "reopened" and status == CLOSED:
        # whoever closed it must hear that the attack is back
        status, version = NEW, version + 1
        mark_row(connection, change.alert_id, version, change.at_us, ITSELF, CLOSED, NEW, label)
    outbox.tell(
        connection,
        event_id=change.event_id,
        kind=f"alert.{change.what}",
        at=change.at_us,
        alert={**document, "status": status, "label": label, "version": version},
    )
    return True


def mark_row(
    connection: Connection,
    alert_id: str,
    version: int,
    at: int,
    who: str,
    before: str,
    after: str,
    label: str | None,
    reason: str | None = None,
    note: str | None = None,
) -> None:
    """Give an alert another status, and write down who did so."""
    connection.execute(
        ALERTS.update()
        .where(ALERTS.c.alert_id == alert_id)
        .values(status=after, label=label, reason=reason, version=version, marked_at=at, marked_by=who)
    )
    connection.execute(
        HISTORY.insert().values(
            alert_id=alert_id, version=version, at=at, who=who, before=before, after=after, label=label, reason=reason, note=note
        )
    )  # fmt: skip


def _as_erased(connection: Connection, change: AlertChange) -> tuple[Document, list[Document]] | None:
    """Document and observations without numbers that were erased from this alert; None: all of it was erased."""
    document, observations = dict(change.document), [dict(each) for each in change.observations]
    for salt, known in connection.execute(_ERASED, {"it": change.alert_id}):
        if salt is None:
            return None
        for number in numbers_in([document, observations]):
            if digest(number, salt) == known:
                document, observations = without(document, number), without(observations, number)
    return document, observations


def _upsert(
    connection: Connection, seq: int, document: Document, observations: list[Document], *, is_new: bool
) -> None:
    alert_id = document["alert_id"]
    values = {
        "seq": seq,
        "kind": document["kind"],
        "subject": document["subject"],
        "case_id": document.get("case"),
        "callee": document.get("callee"),
        "trunk": document.get("trunk"),
        "stage": document.get("stage"),
        "raised_at": microseconds(document["raised_at"]),
        "closed_at": microseconds(document.get("closed_at")),
        "bits": document.get("bits"),
        "probability": document.get("probability"),
        "document": to_json(document),
        "observations": to_json(observations),
    }
    if is_new:
        connection.execute(_INSERT, {"alert_id": alert_id, "status": NEW, "version": 0, **values})
    else:
        connection.execute(_UPDATE, {"it": alert_id, **values})
    _index_numbers(connection, alert_id, document, observations, is_new=is_new)


def _index_numbers(
    connection: Connection, alert_id: str, document: Document, observations: list[Document], *, is_new: bool
) -> None:
    numbers = {*numbers_in([document, observations]), document["subject"], document.get("callee") or ""} - {
        ""
    }
    if not is_new:
        numbers -= set(connection.scalars(_NAMED, {"it": alert_id}))
    if numbers:
        connection.execute(_NAME, [{"alert_id": alert_id, "number": number} for number in sorted(numbers)])
