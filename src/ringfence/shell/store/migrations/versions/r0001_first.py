"""The first tables: alerts, what people said of them, the feed and its deliveries, tokens, the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "alerts",
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=True),
        sa.Column("callee", sa.String(), nullable=True),
        sa.Column("trunk", sa.String(), nullable=True),
        sa.Column("stage", sa.String(), nullable=True),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("bits", sa.Float(), nullable=True),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("observations", sa.Text(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("marked_at", sa.BigInteger(), nullable=True),
        sa.Column("marked_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("alert_id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_case_id", "alerts", ["case_id"], unique=False)
    op.create_index("ix_alerts_closed_at", "alerts", ["closed_at"], unique=False)
    op.create_index("ix_alerts_kind_raised_at", "alerts", ["kind", "raised_at"], unique=False)
    op.create_index(
        "ix_alerts_kind_status_closed_at", "alerts", ["kind", "status", "closed_at"], unique=False
    )
    op.create_index("ix_alerts_raised_at_alert_id", "alerts", ["raised_at", "alert_id"], unique=False)
    op.create_index("ix_alerts_status_raised_at", "alerts", ["status", "raised_at"], unique=False)
    op.create_index("ix_alerts_subject", "alerts", ["subject"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("number", sa.String(), nullable=True),
        sa.Column("salt", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)
    op.create_index("ix_audit_number", "audit", ["number"], unique=False)
    op.create_table(
        "erasures",
        sa.Column("id", _ID, nullable=False),
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("salt", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
    )
    op.create_index("ix_erasures_alert_id", "erasures", ["alert_id"], unique=False)
    op.create_table(
        "events",
        sa.Column("id", _ID, nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint("event_id", name="uq_events_event_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_alert_id", "events", ["alert_id"], unique=False)
    op.create_index("ix_events_at", "events", ["at"], unique=False)
    op.create_table(
        "meta",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_meta"),
    )
    op.create_table(
        "tokens",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("beginning", sa.String(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )
    op.create_table(
        "webhooks",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("read_to", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column("disabled_why", sa.String(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("overflowed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_webhooks"),
    )
    op.create_table(
        "alert_numbers",
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.alert_id"], name="fk_alert_numbers_alert_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("alert_id", "number", name="pk_alert_numbers"),
    )
    op.create_index("ix_alert_numbers_number", "alert_numbers", ["number"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("webhook", sa.String(), nullable=False),
        sa.Column("event", _ID, autoincrement=False, nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["event"], ["events.id"], name="fk_deliveries_event", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["webhook"], ["webhooks.name"], name="fk_deliveries_webhook", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("webhook", "event", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_event", "deliveries", ["event"], unique=False)
    op.create_index(
        "ix_deliveries_webhook_state_subject_event",
        "deliveries",
        ["webhook", "state", "subject", "event"],
        unique=False,
    )
    op.create_table(
        "history",
        sa.Column("alert_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alerts.alert_id"], name="fk_history_alert_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("alert_id", "version", name="pk_history"),
    )
