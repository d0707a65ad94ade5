"""What was decided and by which policy, and what happened because of it."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    Column,
    Date,
    LargeBinary,
    String,
    Table,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from resources.operational_store.schema.conventions import (
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
