"""What was decided and by which policy, what happened because of it, and what needs a person."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Date,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from resources.operational_store.schema.conventions import (
    Instant,
    effective,
    fact,
    metadata,
    occurred,
    recorded,
)

decision_batch = fact(
    "decision_batch",
    Column("decision_batch_id", Uuid, primary_key=True),
    Column("kind", String, nullable=False),
    Column("policy_hash", String, nullable=False),
    Column("mode", String, nullable=False),
    Column("inputs", LargeBinary, nullable=False),
    Column("outcome_hash", LargeBinary, nullable=False),
    effective(),
)

decision_record = fact(
    "decision_record",
    Column("decision_id", Uuid, primary_key=True),
    Column("decision_batch_id", Uuid, nullable=False),
    Column("kind", String, nullable=False),
    Column("business_key", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("reason_codes", ARRAY(String), nullable=False),
    effective(),
)

process_event = fact(
    "process_event",
    Column("process_event_id", Uuid, primary_key=True),
    Column("activity", String, nullable=False),
    Column("order_id", Uuid),
    Column("objects", JSONB, nullable=False),
    occurred(),
    effective(),
)

exception_case = Table(
    "exception_case",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("case_type", String, nullable=False),
    Column("business_key", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("status", String, nullable=False, server_default="open"),
    Column("case_count", Integer, nullable=False, server_default="1"),
    # Words for people, some of them typed: they stay here, with the case.
    Column("reason", Text, nullable=False, info={"lake": False}),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    *recorded(),
    # What the person said who closed it.
    Column("resolution", Text, info={"lake": False}),
    UniqueConstraint("case_type", "business_key"),
    CheckConstraint("status in ('open', 'closed')", name="status"),
    info={"mutable": True},
)

policy_version = Table(
    "policy_version",
    metadata,
    Column("policy_hash", String, primary_key=True),
    Column("policy", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("document", JSONB, nullable=False),
    *recorded(),
)
