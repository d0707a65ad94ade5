"""What people are told, and where each word of it has arrived."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Table, Text, Uuid, text

from resources.operational_store.schema.conventions import (
    Instant,
    effective,
    fact,
    metadata,
    occurred,
    recorded,
)

notification = fact(
    "notification",
    # Follows from what is told to whom, so that nobody is told twice.
    Column("message_id", Uuid, primary_key=True),
    Column("occasion", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("recipient", String, nullable=False),
    Column("title", Text, nullable=False, info={"lake": False}),
    Column("body", Text, nullable=False, info={"lake": False}),
    occurred(),
    effective(),
    CheckConstraint(
        "occasion in ('case_routed', 'case_escalated', 'consent_wanted', 'playbook_stopped')",
        name="occasion",
    ),
)

notification_delivery = Table(
    "notification_delivery",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("sink", String, primary_key=True),
    Column("status", String, nullable=False, server_default="pending"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Instant),
    Column("delivered_at", Instant),
    Column("last_error", Text),
    *recorded(),
    CheckConstraint("status in ('pending', 'delivered', 'dead')", name="status"),
    Index(
        "ix_notification_delivery_pending",
        "sink",
        "message_id",
        postgresql_where=text("status = 'pending'"),
    ),
    info={"mutable": True},
)
