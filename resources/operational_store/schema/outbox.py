"""What partners are to be told, and how each of them is."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    String,
    Table,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSON

from resources.operational_store.schema.conventions import Instant, effective, metadata, recorded

command_outbox = Table(
    "command_outbox",
    metadata,
    Column("outbox_sequence", BigInteger, primary_key=True, autoincrement=True),
    Column("command_id", Uuid, nullable=False, unique=True),
    Column("partner", String, nullable=False),
    Column("command_type", String, nullable=False),
    Column("business_key", String, nullable=False),
    Column("correlation_id", String, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("status", String, nullable=False, server_default="pending"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Instant),
    Column("last_error", String),
    Column("owner", String, nullable=False),
    Column("delivered_at", Instant),
    effective(),
    *recorded(),
    # Of the whole payload, once that holds only what the laws ask for.
    Column("removed_payload_md5", String),
    CheckConstraint("status in ('pending', 'delivered', 'dead')", name="status"),
    Index(
        "ix_command_outbox_pending",
        "partner",
        "outbox_sequence",
        postgresql_where=text("status <> 'delivered'"),
    ),
    info={"mutable": True},
)

partner_health = Table(
    "partner_health",
    metadata,
    Column("partner", String, primary_key=True),
    Column("breaker", String, nullable=False, server_default="closed"),
    Column("consecutive_failures", Integer, nullable=False, server_default="0"),
    Column("open_until", Instant),
    Column("last_success_at", Instant),
    Column("last_error", String),
    Column("event_cursor", String),
    # Since when its breaker is not closed.
    Column("away_since", Instant),
    CheckConstraint("breaker in ('closed', 'open', 'half_open')", name="breaker"),
    info={"mutable": True},
)
