"""What channels were told and other systems believe: publications, snapshots, drift, prices."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Uuid,
    text,
)

from resources.operational_store.schema.conventions import (
    Instant,
    Money,
    effective,
    fact,
    occurred,
)

availability_published = fact(
    "availability_published",
    Column("publication_id", Uuid, nullable=False),
    Column("channel", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("published_quantity", BigInteger, nullable=False),
    Column("available_quantity", BigInteger, nullable=False),
    occurred(),
    effective(),
    PrimaryKeyConstraint("publication_id", "sku"),
    CheckConstraint(
        "published_quantity between 0 and available_quantity", name="not_more_than_available"
    ),
    # What a channel had been told by an instant, however long ago that was.
    Index("ix_availability_published_level", "channel", "sku", "effective_at"),
)

availability_acknowledged = fact(
    "availability_acknowledged",
    Column("publication_id", Uuid, primary_key=True),
    Column("channel", String, nullable=False),
    occurred(),
    effective(),
)

inventory_snapshot = fact(
    "inventory_snapshot",
    Column("snapshot_id", Uuid, nullable=False),
    Column("system", String, nullable=False),
    Column("node_id", String),
    Column("channel", String),
    Column("document_number", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("unit_of_measure", String, nullable=False),
    Column("units_per_case", Integer),
    Column("stated_quantity", BigInteger, nullable=False),
    Column("held_quantity", BigInteger, nullable=False),
    Column("drift_quantity", BigInteger, nullable=False),
    Column("ledger_watermark", BigInteger, nullable=False),
    occurred(),
    effective(),
    PrimaryKeyConstraint("snapshot_id", "sku"),
    CheckConstraint("drift_quantity = stated_quantity - held_quantity", name="drift"),
    CheckConstraint("(node_id is null) <> (channel is null)", name="place"),
    # The last of a system at a place, and what it has spoken of lately.
    Index(
        "ix_inventory_snapshot_node",
        "node_id",
        "system",
        "occurred_at",
        postgresql_where=text("node_id is not null"),
    ),
    Index(
        "ix_inventory_snapshot_channel",
        "channel",
        "system",
        "occurred_at",
        postgresql_where=text("channel is not null"),
    ),
    # What a movement that comes late may explain: few lines of many.
    Index(
        "ix_inventory_snapshot_differing",
        "node_id",
        "occurred_at",
        postgresql_where=text("drift_quantity <> 0"),
    ),
)

# A line is coded anew as a whole when a movement explains it later; its last revision counts.
inventory_drift_reason = fact(
    "inventory_drift_reason",
    Column("snapshot_id", Uuid, nullable=False),
    Column("sku", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("reason_code", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("amount", Money, nullable=False),
    Column("currency_code", String(3), nullable=False),
    occurred(),
    effective(),
    PrimaryKeyConstraint("snapshot_id", "sku", "revision", "reason_code"),
    CheckConstraint("quantity <> 0", name="quantity"),
    CheckConstraint(
        "reason_code in ('unit_of_measure', 'duplicate', 'out_of_order', 'lost', 'late',"
        " 'oversell', 'miscount')",
        name="reason_code",
    ),
)

stock_correction = fact(
    "stock_correction",
    Column("snapshot_id", Uuid, nullable=False),
    Column("sku", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("node_id", String, nullable=False),
    Column("status", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("amount", Money, nullable=False),
    Column("currency_code", String(3), nullable=False),
    Column("reference_id", Uuid),
    occurred(),
    effective(),
    PrimaryKeyConstraint("snapshot_id", "sku", "revision"),
    CheckConstraint("status in ('booked', 'proposed', 'rejected', 'reversed')", name="status"),
    CheckConstraint(
        "(status in ('proposed', 'rejected')) = (reference_id is null)", name="booked_by_a_movement"
    ),
    Index(
        "ix_stock_correction_reference_id",
        "reference_id",
        postgresql_where=text("reference_id is not null"),
    ),
)

price_shown = fact(
    "price_shown",
    Column("document_id", Uuid, nullable=False),
    Column("channel", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("unit_price", Money, nullable=False),
    Column("currency_code", String(3), nullable=False),
    Column("graced_from", Instant, nullable=False),
    occurred(),
    effective(),
    PrimaryKeyConstraint("document_id", "sku"),
    Index("ix_price_shown_channel_sku_occurred_at", "channel", "sku", "occurred_at"),
)
