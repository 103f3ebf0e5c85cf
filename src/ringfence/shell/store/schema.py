"""The tables of the store. A change here needs a migration in `migrations/versions/`; a test holds the two together.

Times are µs since 1970, UTC. Documents are JSON as text. Every number that an alert names stands in `alert_numbers`, so that
a person's alerts are found and erased by an index and not by reading everything.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

VERSION: Final = "0001"
"""The newest migration."""

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_ID: Final = BigInteger().with_variant(
    Integer, "sqlite"
)  # SQLite numbers rows by itself only if the type is INTEGER


def _of_an_alert() -> Column[str]:
    return Column(
        "alert_id",
        String,
        ForeignKey("alerts.alert_id", ondelete="CASCADE"),
        primary_key=True,
        nullable=False,
    )


META: Final = Table(
    "meta",
    METADATA,
    Column("name", String, primary_key=True),
    Column("value", Text, nullable=False),
)

ALERTS: Final = Table(
    "alerts",
    METADATA,
    Column("alert_id", String, primary_key=True),
    Column("seq", BigInteger, nullable=False),  # of the journal, when it was last written
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("case_id", String),
    Column("callee", String),
    Column("trunk", String),
    Column("stage", String),
    Column("raised_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("bits", Float),
    Column("probability", Float),
    Column("document", Text, nullable=False),
    Column("observations", Text, nullable=False),
    Column("status", String, nullable=False),
    Column("label", String),  # what a person said it was
    Column("reason", Text),  # why it is no attack
    Column("version", Integer, nullable=False),  # of what people said
    Column("marked_at", BigInteger),
    Column("marked_by", String),
    Index(None, "raised_at", "alert_id"),
    Index(None, "kind", "raised_at"),
    Index(None, "status", "raised_at"),
    Index(None, "subject"),
    Index(None, "case_id"),
    Index(None, "closed_at"),
    Index(None, "kind", "status", "closed_at"),  # holds all that counting needs
)

ALERT_NUMBERS: Final = Table(
    "alert_numbers",
    METADATA,
    _of_an_alert(),
    Column("number", String, primary_key=True, nullable=False),
    Index(None, "number"),
)

HISTORY: Final = Table(
    "history",
    METADATA,
    _of_an_alert(),
    Column("version", Integer, primary_key=True, nullable=False, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("who", String, nullable=False),
    Column("before", String, nullable=False),
    Column("after", String, nullable=False),
    Column("label", String),
    Column("reason", Text),
    Column("note", Text),
)

# Numbers and alerts that were erased while the journal, or an attack that goes on, may still bring them back. A number
# stands here only as a digest with a salt of its own row.
ERASURES: Final = Table(
    "erasures",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("alert_id", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("salt", String),  # null: the whole alert
    Column("digest", String),
    Index(None, "alert_id"),
)

# The feed. Ids are never used twice (AUTOINCREMENT): a reader goes on after the last that it has seen.
EVENTS: Final = Table(
    "events",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("event_id", String, nullable=False),
    Column("alert_id", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("type", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    UniqueConstraint("event_id"),
    Index(None, "alert_id"),
    Index(None, "at"),
    sqlite_autoincrement=True,
)

WEBHOOKS: Final = Table(
    "webhooks",
    METADATA,
    Column("name", String, primary_key=True),
    Column("read_to", BigInteger, nullable=False),  # id of the last event that was looked at for it
    Column("disabled_at", BigInteger),
    Column("disabled_why", String),
    Column("delivered_at", BigInteger),  # the last time that something arrived
    Column("overflowed", Integer, nullable=False),  # given up because too much was waiting
)

DELIVERIES: Final = Table(
    "deliveries",
    METADATA,
    Column(
        "webhook", String, ForeignKey("webhooks.name", ondelete="CASCADE"), primary_key=True, nullable=False
    ),
    Column(
        "event",
        _ID,
        ForeignKey("events.id", ondelete="CASCADE"),
        primary_key=True,
        nullable=False,
        autoincrement=False,
    ),
    Column("subject", String, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),  # when it began to wait
    Column("next_at", BigInteger, nullable=False),
    Column("last_status", Integer),
    Column("last_error", String),
    Index(None, "webhook", "state", "subject", "event"),
    Index(None, "event"),
)

TOKENS: Final = Table(
    "tokens",
    METADATA,
    Column("name", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("beginning", String, nullable=False),
    Column("scopes", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("used_at", BigInteger),
    UniqueConstraint("digest"),
)

AUDIT: Final = Table(
    "audit",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("who", String, nullable=False),
    Column("what", String, nullable=False),
    Column("object", String),
    Column("details", Text, nullable=False),
    Column("number", String),  # erasable, with its salt; the digest stays
    Column("salt", String),
    Column("digest", String),
    Column("hash", String, nullable=False),
    Index(None, "number"),
    Index(None, "at"),
)
