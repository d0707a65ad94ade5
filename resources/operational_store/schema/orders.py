"""Orders from placement to delivery: what was ordered, promised, sent and paid."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
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
)

order_placed = fact(
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
    occurred(),
    effective(),
    UniqueConstraint("channel", "order_number"),
    # Whether a customer has ordered before is asked for each pickup of some worth.
    Index("ix_order_placed_customer_id", "customer_id"),
    # What nodes have taken on in a day; rows come nearly in order of time.
    Index("ix_order_placed_occurred_at", "occurred_at", postgresql_using="brin"),
)

order_line = fact(
    "order_line",
    Column("order_id", Uuid, nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("sku", String, nullable=False),
    Column("ordered_quantity", BigInteger, nullable=False),
    Column("reserved_quantity", BigInteger, nullable=False),
    Column("unfilled_quantity", BigInteger, nullable=False),
    Column("backordered_quantity", BigInteger, nullable=False, server_default="0"),
    Column("unfilled_reason_code", String),
    Column("unit_price", Money, nullable=False),
    Column("line_amount", Money, nullable=False),
    Column("tax_amount", Money, nullable=False),
    effective(),
    PrimaryKeyConstraint("order_id", "line_number"),
    CheckConstraint(
        "reserved_quantity + unfilled_quantity + backordered_quantity = ordered_quantity",
        name="every_unit_is_accounted",
    ),
    CheckConstraint(
        "(unfilled_quantity > 0) = (unfilled_reason_code is not null)", name="unfilled_has_a_reason"
    ),
)

# What was in an order's bundles when it was placed. Stock knows the components only, each under a
# number of its own among the order's lines; its price is its share of the bundle's, rounded down.
order_line_component = fact(
    "order_line_component",
    Column("order_id", Uuid, nullable=False),
    Column("component_number", Integer, nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("sku", String, nullable=False),
    Column("quantity_per_bundle", BigInteger, nullable=False),
    Column("unit_price", Money, nullable=False),
    effective(),
    PrimaryKeyConstraint("order_id", "component_number"),
    UniqueConstraint("order_id", "line_number", "sku"),
    CheckConstraint("quantity_per_bundle > 0", name="quantity_per_bundle"),
)

order_charge = fact(
    "order_charge",
    Column("order_id", Uuid, nullable=False),
    Column("charge_number", Integer, nullable=False),
    Column("charge_code", String, nullable=False),
    Column("charge_amount", Money, nullable=False),
    effective(),
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
    Column("refund_requested_amount", Money, nullable=False, server_default="0"),
    Column("refunded_amount", Money, nullable=False, server_default="0"),
    Column("open_fulfilment_orders", Integer, nullable=False, server_default="0"),
    Column("undelivered_fulfilment_orders", Integer, nullable=False, server_default="0"),
    # What the customer was promised last, until the order ends.
    Column("promised_date", Date),
    Column("promise_number", SmallInteger, nullable=False, server_default="0"),
    effective(),
    CheckConstraint(
        "captured_amount <= capture_requested_amount"
        " and capture_requested_amount <= authorised_amount",
        name="captured_within_authorised",
    ),
    CheckConstraint(
        "refunded_amount <= refund_requested_amount and refund_requested_amount <= captured_amount",
        name="refunded_within_captured",
    ),
    Index(
        "ix_order_state_expires_at",
        "expires_at",
        postgresql_where=text("expires_at is not null"),
    ),
    Index(
        "ix_order_state_promised_date",
        "promised_date",
        postgresql_where=text("promised_date is not null"),
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
    effective(),
    Index("ix_fulfilment_order_order_id", "order_id"),
    Index(
        "ix_fulfilment_order_under_way",
        "order_id",
        postgresql_where=text("status = 'dispatched'"),
    ),
    # What a node was asked for and has not answered with goods: few of all there have ever been.
    Index(
        "ix_fulfilment_order_awaited",
        "node_id",
        postgresql_where=text("status in ('requested', 'accepted')"),
    ),
    CheckConstraint(
        "status in ('requested', 'accepted', 'ready', 'dispatched', 'delivered', 'rejected',"
        " 'unclaimed')",
        name="status",
    ),
    info={"mutable": True},
    postgresql_with={"fillfactor": 70},
)

shipment_dispatched = fact(
    "shipment_dispatched",
    Column("shipment_id", Uuid, primary_key=True),
    Column("shipment_number", String, nullable=False),
    Column("order_id", Uuid, nullable=False),
    Column("fulfilment_order_id", Uuid, nullable=False),
    Column("node_id", String, nullable=False),
    Column("carrier", String, nullable=False),
    Column("shipped_quantity", BigInteger, nullable=False),
    occurred(),
    effective(),
    UniqueConstraint("fulfilment_order_id"),
)

# Bundles whose last component left with a shipment: what that shipment is paid for.
bundle_handed_over = fact(
    "bundle_handed_over",
    Column("shipment_id", Uuid, nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("order_id", Uuid, nullable=False),
    Column("sku", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    occurred(),
    effective(),
    PrimaryKeyConstraint("shipment_id", "line_number"),
    CheckConstraint("quantity > 0", name="quantity"),
)

shipment_delivered = fact(
    "shipment_delivered",
    Column("shipment_id", Uuid, primary_key=True),
    Column("shipment_number", String, nullable=False),
    Column("order_id", Uuid, nullable=False),
    occurred(),
    effective(),
)

payment_movement = fact(
    "payment_movement",
    Column("payment_movement_id", Uuid, primary_key=True),
    Column("order_id", Uuid, nullable=False),
    Column("payment_reference", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("amount", Money, nullable=False),
    Column("currency_code", String(3), nullable=False),
    occurred(),
    effective(),
    CheckConstraint(
        "kind in ('authorised', 'declined', 'captured', 'voided', 'refund_requested', 'refunded',"
        " 'refund_declined')",
        name="kind",
    ),
)
