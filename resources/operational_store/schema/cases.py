"""What needs a person: of what it is, whose it is, by when, and what its time was spent on."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
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
    occurred,
    recorded,
)

exception_case = Table(
    "exception_case",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("case_type", String, nullable=False),
    Column("business_key", String, nullable=False),
    # Whose it is; nobody's until it is routed.
    Column("owner", String),
    Column("status", String, nullable=False, server_default="open"),
    Column("case_count", Integer, nullable=False, server_default="1"),
    # Words for people, some of them typed: they stay here, with the case.
    Column("reason", Text, nullable=False, info={"lake": False}),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    *recorded(),
    # What the person said who closed it.
    Column("resolution", Text, info={"lake": False}),
    # What is known of it by whoever opened it.
    Column("region", String, nullable=False, server_default=""),
    Column("brand", String, nullable=False, server_default=""),
    Column("channel", String, nullable=False, server_default=""),
    Column("node_id", String),
    Column("order_id", Uuid),
    Column("value_at_risk", Money),
    Column("currency_code", String),
    Column("promised_date", Date),
    Column("brought_by", String, nullable=False, server_default=""),
    # A case that opens again begins its next cycle, with all of its time.
    Column("cycle", Integer, nullable=False, server_default="1"),
    Column("cycle_started_at", Instant, nullable=False),
    # What routing says of it.
    Column("severity", String),
    Column("assigned_to", String),
    Column("handling_minutes", Integer),
    Column("delay_cost_per_hour", Money),
    Column("service_level", String),
    Column("calendar", String),
    Column("budget_seconds", BigInteger),
    Column("due_at", Instant),
    Column("paused_at", Instant),
    Column("pause_reason", Text, info={"lake": False}),
    Column("next_rung", Integer, nullable=False, server_default="0"),
    Column("next_rung_at", Instant),
    Column("routed_at", Instant),
    Column("policy_hash", String),
    # What is done about it before a person is asked to.
    Column("playbook", String),
    Column("next_action", Integer, nullable=False, server_default="0"),
    Column("next_action_at", Instant),
    UniqueConstraint("case_type", "business_key"),
    CheckConstraint("status in ('open', 'closed')", name="status"),
    CheckConstraint("severity in ('low', 'medium', 'high', 'critical')", name="severity"),
    CheckConstraint(
        "routed_at is null or (owner is not null and due_at is not null and severity is not null)",
        name="routed",
    ),
    CheckConstraint("(value_at_risk is null) = (currency_code is null)", name="value"),
    Index(
        "ix_exception_case_unrouted",
        "case_id",
        postgresql_where=text("routed_at is null"),
    ),
    Index(
        "ix_exception_case_next_rung_at",
        "next_rung_at",
        postgresql_where=text("status = 'open' and paused_at is null and next_rung_at is not null"),
    ),
    Index(
        "ix_exception_case_next_action_at",
        "playbook",
        "next_action_at",
        postgresql_where=text("status = 'open' and next_action_at is not null"),
    ),
    info={"mutable": True},
)

#: The consumed-budget ledger: working time spent on a case, from which its due time follows.
service_level_movement = fact(
    "service_level_movement",
    Column("case_id", Uuid, primary_key=True),
    Column("cycle", Integer, primary_key=True),
    Column("movement_number", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("calendar", String, nullable=False),
    Column("budget_seconds", BigInteger, nullable=False),
    # Working time that was gone by then, pauses left out.
    Column("consumed_seconds", BigInteger, nullable=False),
    # None while it is paused.
    Column("due_at", Instant),
    Column("reason", Text, info={"lake": False}),
    Column("actor", String, nullable=False),
    occurred(),
    effective(),
    CheckConstraint("kind in ('started', 'paused', 'resumed', 'moved')", name="kind"),
    CheckConstraint("consumed_seconds >= 0", name="consumed"),
)

#: A rung of the ladder that was taken; its key is what lets nobody take it twice.
case_escalated = fact(
    "case_escalated",
    Column("case_id", Uuid, primary_key=True),
    Column("cycle", Integer, primary_key=True),
    Column("rung", Integer, primary_key=True),
    Column("percent_of_budget", Integer, nullable=False),
    Column("told", ARRAY(String), nullable=False),
    Column("assigned_to", String),
    Column("is_breach", Boolean, nullable=False),
    occurred(),
    effective(),
)

#: What a playbook did about a case; its key is what lets nobody do it twice.
playbook_action = fact(
    "playbook_action",
    Column("case_id", Uuid, primary_key=True),
    Column("cycle", Integer, primary_key=True),
    Column("action_number", Integer, primary_key=True),
    Column("playbook", String, nullable=False),
    Column("outcome", String, nullable=False),
    # What it costs by policy, in the house's currency.
    Column("cost", Money, nullable=False),
    # The run that did it, and who started that.
    Column("run_id", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("policy_hash", String, nullable=False),
    occurred(),
    effective(),
    CheckConstraint("outcome in ('done', 'nothing_to_do', 'over_cap', 'failed')", name="outcome"),
    CheckConstraint("cost >= 0", name="cost"),
    Index("ix_playbook_action_occurred_at", "playbook", "occurred_at"),
)

#: What a channel may not sell as long as a case about it is open.
sale_hold = Table(
    "sale_hold",
    metadata,
    Column("channel", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("case_id", Uuid, primary_key=True),
    Column("cycle", Integer, primary_key=True),
    Column("held_at", Instant, nullable=False),
    Column("ended_at", Instant),
    *recorded(),
    Index("ix_sale_hold_open", "sku", postgresql_where=text("ended_at is null")),
    info={"mutable": True},
)
