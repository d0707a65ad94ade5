"""Orders that their customers collect, and payments that are screened before that."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Uuid,
    text,
)

from resources.operational_store.schema.conventions import (
    Instant,
    effective,
    fact,
    metadata,
    occurred,
)

pickup = Table(
    "pickup",
    metadata,
    Column("order_id", Uuid, primary_key=True),
    Column("node_id", String),
    Column("attempt", SmallInteger, nullable=False),
    Column("promised_ready_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("ready_at", Instant),
    Column("reminders_sent", SmallInteger, nullable=False),
    Column("accepts_other_store", Boolean, nullable=False),
    Column("accepts_shipping", Boolean, nullable=False),
    effective(),
    Index("ix_pickup_due_at", "due_at", postgresql_where=text("due_at is not null")),
    info={"mutable": True},
    postgresql_with={"fillfactor": 70},
)

pickup_step = fact(
    "pickup_step",
    Column("order_id", Uuid, nullable=False),
    Column("attempt", SmallInteger, nullable=False),
    Column("step", String, nullable=False),
    # Tells reminders apart; 1 for whatever happens once.
    Column("step_number", SmallInteger, nullable=False),
    Column("node_id", String),
    Column("promised_ready_at", Instant),
    Column("reason_code", String),
    occurred(),
    effective(),
    PrimaryKeyConstraint("order_id", "attempt", "step", "step_number"),
    CheckConstraint(
        "step in ('promised', 'rejected', 'ready', 'reminded', 'collected', 'unclaimed',"
        " 'shipped_instead')",
        name="step",
    ),
    CheckConstraint(
        "(step = 'promised') = (promised_ready_at is not null)"
        " and (step = 'rejected') = (reason_code is not null)",
        name="says_what_belongs_to_it",
    ),
)

payment_screened = fact(
    "payment_screened",
    Column("payment_screened_id", Uuid, primary_key=True),
    Column("order_id", Uuid, nullable=False),
    Column("payment_reference", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("reason_code", String),
    # Who decided instead of the provider.
    Column("decided_by", String),
    occurred(),
    effective(),
    CheckConstraint(
        "outcome in ('asked', 'cleared', 'held', 'rejected', 'released', 'cancelled')",
        name="outcome",
    ),
    CheckConstraint(
        "(outcome in ('released', 'cancelled')) = (decided_by is not null)",
        name="a_person_is_named",
    ),
)
