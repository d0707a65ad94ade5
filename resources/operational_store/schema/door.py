"""The door: which events came in, what waits, what was refused, and the count of each delivery."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
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
    # While what is personal of it lies in `event_personal_data`.
    Column("has_personal_data", Boolean, nullable=False, server_default=text("false")),
    # Since when ``data`` holds only what the laws ask for.
    Column("body_removed_at", Instant),
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
    Column("body_hash", LargeBinary, nullable=False),
    Column("status", String, nullable=False, server_default="open"),
    *recorded(),
    UniqueConstraint("source", "body_hash", "reason_code", "position"),
    CheckConstraint("status in ('open', 'replayed')", name="status"),
    Index(
        "ix_quarantined_event_open",
        "source",
        "event_type",
        postgresql_where=text("status = 'open'"),
    ),
)

# What may hold personal data of events is erased by person and by policy; nothing else is lost
# with it, since identities, hashes and reasons lie in the tables above.

event_personal_data = Table(
    "event_personal_data",
    metadata,
    Column("source", String, nullable=False),
    Column("event_id", String, nullable=False),
    Column("customer_number", String),
    Column("fields", JSON, nullable=False),
    *recorded(),
    PrimaryKeyConstraint("source", "event_id"),
    info={"personal": True, "mutable": True},
    comment="What is personal in events that are not applied yet; joined back when they are",
)

quarantined_body = Table(
    "quarantined_body",
    metadata,
    Column("source", String, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    *recorded(),
    PrimaryKeyConstraint("source", "body_hash"),
    info={"personal": True, "mutable": True},
    comment="Bodies that the door refused, as they came: nobody knows what is personal in them",
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
