"""What is on its way to us, who waits for it, and what customers were promised and when.

Supply that is announced is no stock: it is a date with a confidence, on which a promise may rest.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Uuid,
)

from resources.operational_store.schema.conventions import (
    Instant,
    Money,
    effective,
    fact,
    metadata,
    occurred,
)

# Each announcement replaces what its document said before, line by line and as a whole.
inbound_announced = fact(
    "inbound_announced",
    Column("announcement_id", Uuid, nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("document_number", String, nullable=False),
    Column("node_id", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("announced_quantity", BigInteger, nullable=False),
    Column("status", String, nullable=False),
    Column("expected_at", Instant, nullable=False),
    occurred(),
    effective(),
    PrimaryKeyConstraint("announcement_id", "line_number"),
    CheckConstraint("status in ('planned', 'confirmed', 'in_transit', 'cancelled')", name="status"),
    CheckConstraint("announced_quantity > 0", name="quantity"),
    Index("ix_inbound_announced_sku", "sku"),
    Index("ix_inbound_announced_document_number", "document_number"),
)

inbound_received = fact(
    "inbound_received",
    Column("reference_id", Uuid, nullable=False),
    Column("reference_line", Integer, nullable=False),
    Column("document_number", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("received_quantity", BigInteger, nullable=False),
    occurred(),
    effective(),
    PrimaryKeyConstraint("reference_id", "reference_line"),
    CheckConstraint("received_quantity > 0", name="quantity"),
    Index("ix_inbound_received_document_number", "document_number"),
)

# A unit in a pool is promised and has no stock yet: more than its cap are never taken in.
supply_pool = Table(
    "supply_pool",
    metadata,
    Column("sku", String, nullable=False),
    Column("pool", String, nullable=False),
    Column("open_quantity", BigInteger, nullable=False),
    Column("cap_quantity", BigInteger, nullable=False),
    effective(),
    PrimaryKeyConstraint("sku", "pool"),
    CheckConstraint("open_quantity >= 0", name="open_is_not_negative"),
    CheckConstraint("open_quantity <= cap_quantity", name="not_more_than_its_cap"),
    CheckConstraint("pool in ('backorder', 'preorder')", name="pool"),
    info={"mutable": True},
)

pooled_line = Table(
    "pooled_line",
    metadata,
    Column("order_id", Uuid, nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("sku", String, nullable=False),
    Column("pool", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("unit_price", Money, nullable=False),
    Column("available_from", Instant, nullable=False),
    Column("opened_at", Instant, nullable=False),
    effective(),
    PrimaryKeyConstraint("order_id", "line_number"),
    Index("ix_pooled_line_sku", "sku"),
    info={"mutable": True},
)

backorder_movement = fact(
    "backorder_movement",
    Column("order_id", Uuid, nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("sku", String, nullable=False),
    Column("pool", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("is_start", Boolean, nullable=False),
    occurred(),
    effective(),
    PrimaryKeyConstraint("order_id", "line_number", "is_start"),
    CheckConstraint("kind in ('opened', 'supplied', 'lapsed', 'cancelled')", name="kind"),
    CheckConstraint("is_start = (kind = 'opened') and is_start = (quantity > 0)", name="sign"),
    CheckConstraint("pool in ('backorder', 'preorder')", name="pool"),
)

availability_outlook = Table(
    "availability_outlook",
    metadata,
    Column("channel", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("expected_at", Instant, nullable=False),
    Column("available_quantity", BigInteger, nullable=False),
    effective(),
    PrimaryKeyConstraint("channel", "sku", "expected_at"),
    Index("ix_availability_outlook_sku", "sku"),
    info={"mutable": True},
    comment="What each channel was last told that it may sell later, if supply comes as announced",
)

# The first promise of an order and every later one, each with what made it necessary.
order_promise = fact(
    "order_promise",
    Column("order_id", Uuid, nullable=False),
    Column("promise_number", SmallInteger, nullable=False),
    Column("promised_date", Date, nullable=False),
    Column("cause_code", String, nullable=False),
    occurred(),
    effective(),
    PrimaryKeyConstraint("order_id", "promise_number"),
    CheckConstraint("promise_number > 0", name="number"),
)
