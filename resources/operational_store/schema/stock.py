"""Stock: positions, the ledgers behind them, and what each channel was told it may sell."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
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

stock_position = Table(
    "stock_position",
    metadata,
    Column("node_id", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("on_hand_quantity", BigInteger, nullable=False, server_default="0"),
    Column("reserved_quantity", BigInteger, nullable=False, server_default="0"),
    Column("allocated_quantity", BigInteger, nullable=False, server_default="0"),
    Column("is_unpublished", Boolean, nullable=False, server_default=text("true")),
    # When the earliest of what channels have not been told yet happened.
    Column("unpublished_since", Instant),
    PrimaryKeyConstraint("node_id", "sku"),
    CheckConstraint("reserved_quantity >= 0", name="reserved_is_not_negative"),
    CheckConstraint("allocated_quantity >= 0", name="allocated_is_not_negative"),
    CheckConstraint(
        "reserved_quantity + allocated_quantity <= on_hand_quantity", name="no_oversell"
    ),
    # Positions are asked for by SKU, at all nodes; a SKU never changes, so updates stay cheap.
    Index("ix_stock_position_sku", "sku"),
    info={"mutable": True},
    postgresql_with={"fillfactor": 50},
)

# One sequence for both ledgers: its order within a (node, sku) is the order of the effects.
stock_movement = fact(
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
    occurred(),
    effective(),
    UniqueConstraint("reference_id", "reference_line"),
    CheckConstraint("kind in ('received', 'counted', 'adjusted', 'shipped')", name="kind"),
    # Rows come nearly in order of time, so an index of block ranges finds the recent ones for free.
    # One by node, SKU and time was measured to halve the speed of inserting, and saves little.
    Index("ix_stock_movement_occurred_at", "occurred_at", postgresql_using="brin"),
)

# What was counted, differences or not: a fact of the time before it changes nothing any more.
inventory_counted = fact(
    "inventory_counted",
    Column("reference_id", Uuid, nullable=False),
    Column("reference_line", Integer, nullable=False),
    Column("node_id", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("counted_quantity", BigInteger, nullable=False),
    occurred(),
    effective(),
    PrimaryKeyConstraint("reference_id", "reference_line"),
    CheckConstraint("counted_quantity >= 0", name="counted_is_not_negative"),
    Index("ix_inventory_counted_sku", "sku", "occurred_at"),
)

reservation_movement = fact(
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
    effective(),
    PrimaryKeyConstraint("order_id", "line_number", "node_id", "is_start"),
    CheckConstraint(
        "kind in ('reserved', 'consumed', 'released', 'expired', 'moved_to_shortage')",
        name="kind",
    ),
    CheckConstraint("is_start = (kind = 'reserved') and is_start = (quantity > 0)", name="sign"),
)

# An allocation that ends other than by being shipped: rejected by the node, cancelled, or lost.
deallocation = fact(
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
    effective(),
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
    effective(),
    PrimaryKeyConstraint("channel", "sku"),
    CheckConstraint(
        "published_quantity between 0 and available_quantity", name="not_more_than_available"
    ),
    info={"mutable": True},
    comment="What each channel was last told it may sell",
)
