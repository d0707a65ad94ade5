"""The tables of the operational store, by subject.

Facts are append-only and carry three times: ``occurred_at`` (the event's own), ``effective_at``
(the Clock) and ``recorded_at`` (the wall), with ``recorded_xid`` so that an incremental export
never misses a transaction that commits late. Tables that change in place (`MUTABLE`) hold only
what the next decision needs; everything in them can be rebuilt from the facts.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.sql.schema import SchemaItem
from sqlalchemy.types import UserDefinedType

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The type's name."""
        return "xid8"


Money = Numeric(19, 4)
Instant = DateTime(timezone=True)


def _occurred() -> Column[object]:
    return Column("occurred_at", Instant, nullable=False)


def _effective() -> Column[object]:
    return Column("effective_at", Instant, nullable=False)


def _recorded() -> tuple[Column[object], Column[object]]:
    return (
        Column("recorded_at", Instant, nullable=False, server_default=text("now()")),
        Column("recorded_xid", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
    )


def _fact(name: str, *items: SchemaItem) -> Table:
    """An append-only table that is exported to the lake, found there by its transaction id."""
    return Table(
        name,
        metadata,
        *items,
        *_recorded(),
        Index(f"ix_{name}_recorded_xid", "recorded_xid"),
        info={"lake": True},
    )


# The door

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
    _occurred(),
    Column("effective_at", Instant),
    *_recorded(),
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
    *_recorded(),
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
    *_recorded(),
    CheckConstraint("received = accepted + duplicates + quarantined", name="nothing_is_lost"),
)

# Master data

product = Table(
    "product",
    metadata,
    Column("sku", String, primary_key=True),
    Column("description", String, nullable=False),
    Column("standard_cost", Money, nullable=False),
    Column("currency_code", String(3), nullable=False),
    Column("tax_rate_basis_points", Integer, nullable=False),
    Column("gtin", String),
    Column("is_synthetic", Boolean, nullable=False),
    _occurred(),
    _effective(),
    *_recorded(),
    info={"mutable": True},
)

price = _fact(
    "price",
    Column("sku", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("unit_price", Money, nullable=False),
    Column("currency_code", String(3), nullable=False),
    _occurred(),
    _effective(),
    PrimaryKeyConstraint("sku", "channel", "occurred_at"),
)

node = Table(
    "node",
    metadata,
    Column("node_id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("zone", String, nullable=False),
    Column("country_code", String(2), nullable=False),
    Column("is_active", Boolean, nullable=False),
    _occurred(),
    _effective(),
    *_recorded(),
    info={"mutable": True},
)

customer = Table(
    "customer",
    metadata,
    Column("customer_id", Uuid, primary_key=True),
    Column("country_code", String(2)),
    _occurred(),
    _effective(),
    *_recorded(),
    info={"mutable": True},
)

customer_contact = Table(
    "customer_contact",
    metadata,
    Column("customer_id", Uuid, primary_key=True),
    Column("customer_number", String, nullable=False),
    Column("name", String),
    Column("email", String),
    Column("address", String),
    Column("city", String),
    Column("postcode", String),
    *_recorded(),
    info={"personal": True, "mutable": True},
    comment="The one table with personal data; erase a person here and they are gone",
)

# Stock

stock_position = Table(
    "stock_position",
    metadata,
    Column("node_id", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("on_hand_quantity", BigInteger, nullable=False, server_default="0"),
    Column("reserved_quantity", BigInteger, nullable=False, server_default="0"),
    Column("allocated_quantity", BigInteger, nullable=False, server_default="0"),
    Column("is_unpublished", Boolean, nullable=False, server_default=text("true")),
    PrimaryKeyConstraint("node_id", "sku"),
    CheckConstraint("reserved_quantity >= 0", name="reserved_is_not_negative"),
    CheckConstraint("allocated_quantity >= 0", name="allocated_is_not_negative"),
    CheckConstraint(
        "reserved_quantity + allocated_quantity <= on_hand_quantity", name="no_oversell"
    ),
    info={"mutable": True},
    postgresql_with={"fillfactor": 50},
)

# One sequence for both ledgers: its order within a (node, sku) is the order of the effects.
stock_movement = _fact(
    "stock_movement",
    Column(
        "ledger_sequence",
        BigInteger,
        nullable=False,
        server_default=text("nextval('stock_ledger_sequence')"),
        primary_key=True,
    ),
    Column("node_id", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("reason_code", String, nullable=False),
    Column("reference_id", Uuid, nullable=False),
    Column("reference_line", Integer, nullable=False),
    Column("order_id", Uuid),
    _occurred(),
    _effective(),
    UniqueConstraint("reference_id", "reference_line"),
    CheckConstraint("kind in ('received', 'counted', 'adjusted', 'shipped')", name="kind"),
)

reservation_movement = _fact(
    "reservation_movement",
    Column(
        "ledger_sequence",
        BigInteger,
        nullable=False,
        server_default=text("nextval('stock_ledger_sequence')"),
    ),
    Column("order_id", Uuid, nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("node_id", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("is_start", Boolean, nullable=False),
    Column("expires_at", Instant),
    _effective(),
    PrimaryKeyConstraint("order_id", "line_number", "node_id", "is_start"),
    CheckConstraint(
        "kind in ('reserved', 'consumed', 'released', 'expired', 'moved_to_shortage')",
        name="kind",
    ),
    CheckConstraint("is_start = (kind = 'reserved') and is_start = (quantity > 0)", name="sign"),
)

# An allocation that ends other than by being shipped: rejected by the node, cancelled, or lost.
deallocation = _fact(
    "deallocation",
    Column(
        "ledger_sequence",
        BigInteger,
        nullable=False,
        server_default=text("nextval('stock_ledger_sequence')"),
    ),
    Column("order_id", Uuid, nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("node_id", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("reason_code", String, nullable=False),
    _effective(),
    PrimaryKeyConstraint("order_id", "line_number", "node_id"),
    CheckConstraint("quantity > 0", name="quantity"),
)

channel_availability = Table(
    "channel_availability",
    metadata,
    Column("channel", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("published_quantity", BigInteger, nullable=False),
    Column("available_quantity", BigInteger, nullable=False),
    Column("policy_hash", String, nullable=False),
    Column("ledger_watermark", BigInteger, nullable=False),
    _effective(),
    PrimaryKeyConstraint("channel", "sku"),
    CheckConstraint(
        "published_quantity between 0 and available_quantity", name="not_more_than_available"
    ),
    info={"mutable": True},
    comment="What each channel was last told it may sell",
)

# Order to fulfillment

order_placed = _fact(
    "order_placed",
    Column("order_id", Uuid, primary_key=True),
    Column("order_number", String, nullable=False),
    Column("source", String, nullable=False),
    Column("legal_entity", String, nullable=False),
    Column("brand", String, nullable=False),
    Column("region", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("correlation_id", String, nullable=False),
    Column("customer_id", Uuid),
    Column("country_code", String(2), nullable=False),
    Column("service_level", String, nullable=False),
    Column("currency_code", String(3), nullable=False),
    Column("line_count", Integer, nullable=False),
    Column("ordered_quantity", BigInteger, nullable=False),
    Column("goods_amount", Money, nullable=False),
    Column("charge_amount", Money, nullable=False),
    Column("total_amount", Money, nullable=False),
    Column("trading_date", Date, nullable=False),
    Column("promised_date", Date, nullable=False),
    _occurred(),
    _effective(),
    UniqueConstraint("channel", "order_number"),
)

order_line = _fact(
    "order_line",
    Column("order_id", Uuid, nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("sku", String, nullable=False),
    Column("ordered_quantity", BigInteger, nullable=False),
    Column("reserved_quantity", BigInteger, nullable=False),
    Column("unfilled_quantity", BigInteger, nullable=False),
    Column("unfilled_reason_code", String),
    Column("unit_price", Money, nullable=False),
    Column("line_amount", Money, nullable=False),
    Column("tax_amount", Money, nullable=False),
    _effective(),
    PrimaryKeyConstraint("order_id", "line_number"),
    CheckConstraint(
        "reserved_quantity + unfilled_quantity = ordered_quantity", name="every_unit_is_accounted"
    ),
    CheckConstraint(
        "(unfilled_quantity > 0) = (unfilled_reason_code is not null)", name="unfilled_has_a_reason"
    ),
)

order_charge = _fact(
    "order_charge",
    Column("order_id", Uuid, nullable=False),
    Column("charge_number", Integer, nullable=False),
    Column("charge_code", String, nullable=False),
    Column("charge_amount", Money, nullable=False),
    _effective(),
    PrimaryKeyConstraint("order_id", "charge_number"),
)

order_state = Table(
    "order_state",
    metadata,
    Column("order_id", Uuid, primary_key=True),
    Column("status", String, nullable=False),
    Column("expires_at", Instant),
    Column("payment_reference", String),
    Column("authorised_amount", Money, nullable=False, server_default="0"),
    Column("payable_amount", Money, nullable=False),
    Column("capture_requested_amount", Money, nullable=False, server_default="0"),
    Column("captured_amount", Money, nullable=False, server_default="0"),
    Column("open_fulfilment_orders", Integer, nullable=False, server_default="0"),
    Column("undelivered_fulfilment_orders", Integer, nullable=False, server_default="0"),
    _effective(),
    CheckConstraint(
        "captured_amount <= capture_requested_amount"
        " and capture_requested_amount <= authorised_amount",
        name="captured_within_authorised",
    ),
    Index(
        "ix_order_state_expires_at",
        "expires_at",
        postgresql_where=text("expires_at is not null"),
    ),
    info={"mutable": True},
    postgresql_with={"fillfactor": 70},
)

fulfilment_order = Table(
    "fulfilment_order",
    metadata,
    Column("fulfilment_order_id", Uuid, primary_key=True),
    Column("order_id", Uuid, nullable=False),
    Column("node_id", String, nullable=False),
    Column("status", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("shipment_number", String),
    _effective(),
    Index("ix_fulfilment_order_order_id", "order_id"),
    CheckConstraint(
        "status in ('requested', 'accepted', 'dispatched', 'delivered', 'rejected')", name="status"
    ),
    info={"mutable": True},
    postgresql_with={"fillfactor": 70},
)

shipment_dispatched = _fact(
    "shipment_dispatched",
    Column("shipment_id", Uuid, primary_key=True),
    Column("shipment_number", String, nullable=False),
    Column("order_id", Uuid, nullable=False),
    Column("fulfilment_order_id", Uuid, nullable=False),
    Column("node_id", String, nullable=False),
    Column("carrier", String, nullable=False),
    Column("shipped_quantity", BigInteger, nullable=False),
    _occurred(),
    _effective(),
    UniqueConstraint("fulfilment_order_id"),
)

shipment_delivered = _fact(
    "shipment_delivered",
    Column("shipment_id", Uuid, primary_key=True),
    Column("shipment_number", String, nullable=False),
    Column("order_id", Uuid, nullable=False),
    _occurred(),
    _effective(),
)

payment_movement = _fact(
    "payment_movement",
    Column("payment_movement_id", Uuid, primary_key=True),
    Column("order_id", Uuid, nullable=False),
    Column("payment_reference", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("amount", Money, nullable=False),
    Column("currency_code", String(3), nullable=False),
    _occurred(),
    _effective(),
    CheckConstraint("kind in ('authorised', 'declined', 'captured', 'voided')", name="kind"),
)

# Finance

journal_line = _fact(
    "journal_line",
    Column("entry_id", Uuid, nullable=False),
    Column("line_number", SmallInteger, nullable=False),
    Column("entry_kind", String, nullable=False),
    Column("business_key", String, nullable=False),
    Column("account_code", String, nullable=False),
    Column("amount", Money, nullable=False),
    Column("currency_code", String(3), nullable=False),
    Column("legal_entity", String, nullable=False),
    _occurred(),
    _effective(),
    PrimaryKeyConstraint("entry_id", "line_number"),
    CheckConstraint("amount <> 0", name="amount_is_not_zero"),
)

# Decisions, process, outbox

decision_batch = _fact(
    "decision_batch",
    Column("decision_batch_id", Uuid, primary_key=True),
    Column("kind", String, nullable=False),
    Column("policy_hash", String, nullable=False),
    Column("mode", String, nullable=False),
    Column("inputs", LargeBinary, nullable=False),
    Column("outcome_hash", LargeBinary, nullable=False),
    _effective(),
)

decision_record = _fact(
    "decision_record",
    Column("decision_id", Uuid, primary_key=True),
    Column("decision_batch_id", Uuid, nullable=False),
    Column("kind", String, nullable=False),
    Column("business_key", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("reason_codes", ARRAY(String), nullable=False),
    _effective(),
)

process_event = _fact(
    "process_event",
    Column("process_event_id", Uuid, primary_key=True),
    Column("activity", String, nullable=False),
    Column("order_id", Uuid),
    Column("objects", JSONB, nullable=False),
    _occurred(),
    _effective(),
)

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
    _effective(),
    *_recorded(),
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
    CheckConstraint("breaker in ('closed', 'open', 'half_open')", name="breaker"),
    info={"mutable": True},
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
    Column("reason", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    *_recorded(),
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
    *_recorded(),
)

# Gates, clock, lake

gate_pointer = Table(
    "gate_pointer",
    metadata,
    Column("gate", String, primary_key=True),
    Column("accepted", String, nullable=False),
    Column("detail", JSONB, nullable=False),
    *_recorded(),
    comment="What each data gate has accepted; moved in the transaction that it accepts",
)

home_clock = Table(
    "home_clock",
    metadata,
    Column("only", Boolean, primary_key=True, server_default=text("true")),
    Column("mode", String, nullable=False),
    Column("effective_at", Instant, nullable=False),
    CheckConstraint('"only"', name="one_row"),
    CheckConstraint("mode in ('wall', 'simulated')", name="mode"),
)

lake_watermark = Table(
    "lake_watermark",
    metadata,
    Column("table_name", String, primary_key=True),
    Column("exported_below_xid", Xid8, nullable=False),
    Column("exported_rows", BigInteger, nullable=False),
    Column("recorded_at", Instant, nullable=False, server_default=text("now()")),
)

#: Facts, in the order in which they are exported to the lake.
LAKE_TABLES = [table for table in metadata.sorted_tables if table.info.get("lake")]
