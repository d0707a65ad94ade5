"""The door: which events came in, what waits, what was refused, and the count of each delivery."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSON

from resources.operational_store.schema.conventions import Instant, metadata, occurred, recorded

event_identity = Table(
    "event_identity",
    metadata,
    Column("source", String, nullable=False),
    Column("event_id", String, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("source", "event_id"),
)

event_inbox = Table(
    "event_inbox",
    metadata,
    Column("inbox_id", BigInteger, primary_key=True, autoincrement=True),
    Column("source", String, nullable=False),
    Column("event_id", String, nullable=False),
    Column("event_type", String, nullable=False),
    Column("consumer", String, nullable=False),
    Column("phase", SmallInteger, nullable=False),
    Column("subject", String, nullable=False),
    Column("legal_entity", String, nullable=False),
    Column("brand", String, nullable=False),
    Column("region", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("correlation_id", String, nullable=False),
    Column("traceparent", String),
    Column("data", JSON, nullable=False),
    Column("status", String, nullable=False, server_default="pending"),
    Column("waiting_reason", String),
    Column("release_condition", String),
    Column("waiting_since", Instant),
    occurred(),
    Column("effective_at", Instant),
    *recorded(),
    UniqueConstraint("source", "event_id"),
    CheckConstraint("status in ('pending', 'applied', 'waiting', 'quarantined')", name="status"),
    CheckConstraint(
        "(status = 'waiting') = (release_condition is not null)", name="waiting_has_a_release"
    ),
    Index(
        "ix_event_inbox_pending",
        "consumer",
        "phase",
        "occurred_at",
        postgresql_where=text("status = 'pending'"),
    ),
    Index(
        "ix_event_inbox_release",
        "release_condition",
        postgresql_where=text("status = 'waiting'"),
    ),
)

quarantined_event = Table(
    "quarantined_event",
    metadata,
    Column("quarantine_id", BigInteger, primary_key=True, autoincrement=True),
    Column("source", String, nullable=False),
    Column("event_id", String),
    Column("event_type", String),
    Column("reason_code", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("position", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    Column("status", String, nullable=False, server_default="open"),
    *recorded(),
    UniqueConstraint("source", "body_hash", "reason_code", "position"),
    CheckConstraint("status in ('open', 'replayed')", name="status"),
)

door_tally = Table(
    "door_tally",
    metadata,
    Column("tally_id", BigInteger, primary_key=True, autoincrement=True),
    Column("source", String, nullable=False),
    Column("event_type", String, nullable=False),
    Column("received", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),
    Column("quarantined", Integer, nullable=False),
    *recorded(),
    CheckConstraint("received = accepted + duplicates + quarantined", name="nothing_is_lost"),
)
