"""What waits for consent, who has given it, and who may give it for whom."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from resources.operational_store.schema.conventions import (
    Instant,
    Money,
    effective,
    fact,
    metadata,
    recorded,
)

_PENDING = text("status = 'pending'")

approval_request = Table(
    "approval_request",
    metadata,
    Column("approval_id", Uuid, primary_key=True),
    Column("subject_type", String, nullable=False),
    Column("subject_key", String, nullable=False),
    Column("request_number", Integer, nullable=False),
    Column("status", String, nullable=False, server_default="pending"),
    Column("summary", Text, nullable=False, info={"lake": False}),
    # The events that wait before the door: one that consent lets in, one that its denial does.
    Column("source", String, nullable=False),
    Column("event", Text, nullable=False, info={"lake": False}),
    Column("denial", Text, info={"lake": False}),
    Column("content_hash", String, nullable=False),
    Column("amount", Money, nullable=False),
    Column("currency_code", String, nullable=False),
    Column("region", String, nullable=False),
    Column("brand", String, nullable=False),
    Column("requested_by", String, nullable=False),
    # Whoever edited it or gains by it: they decide nothing of it.
    Column("involved", ARRAY(String), nullable=False),
    # As they were when it was asked for, as JSON.
    Column("tiers", Text, nullable=False, info={"lake": False}),
    Column("tier", Integer, nullable=False, server_default="1"),
    Column("policy_hash", String, nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("end_reason", Text, info={"lake": False}),
    *recorded(),
    UniqueConstraint("subject_type", "subject_key", "request_number"),
    CheckConstraint(
        "status in ('pending', 'approved', 'denied', 'expired', 'void')", name="status"
    ),
    CheckConstraint("(status = 'pending') = (ended_at is null)", name="ended"),
    CheckConstraint("amount >= 0", name="amount"),
    Index(
        "ix_approval_request_pending",
        "subject_type",
        "subject_key",
        unique=True,
        postgresql_where=_PENDING,
    ),
    Index("ix_approval_request_expires_at", "expires_at", postgresql_where=_PENDING),
    info={"mutable": True},
)

approval_decision = fact(
    "approval_decision",
    Column("approval_id", Uuid, primary_key=True),
    Column("decision_number", Integer, primary_key=True),
    Column("tier", Integer, nullable=False),
    Column("decision", String, nullable=False),
    Column("person_id", String, nullable=False),
    # From whoever has the role to whoever delegated to this person; empty where it is their own.
    Column("on_behalf_of", ARRAY(String), nullable=False),
    Column("content_hash", String, nullable=False),
    Column("reason", Text, nullable=False, info={"lake": False}),
    effective(),
    UniqueConstraint("approval_id", "person_id"),
    CheckConstraint("decision in ('approved', 'denied')", name="decision"),
)

approval_delegation = fact(
    "approval_delegation",
    Column("delegation_id", Uuid, primary_key=True),
    Column("delegator", String, nullable=False),
    Column("delegate", String, nullable=False),
    Column("subject_type", String, nullable=False),
    Column("up_to_amount", Money, nullable=False),
    Column("valid_from", Instant, nullable=False),
    Column("valid_until", Instant, nullable=False),
    Column("reason", Text, nullable=False, info={"lake": False}),
    effective(),
    CheckConstraint("valid_from < valid_until", name="dates"),
    CheckConstraint("delegator <> delegate", name="is_to_another"),
)
