"""Master data as partners last told them, and the one table with personal data."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, PrimaryKeyConstraint, String, Table, Uuid

from resources.operational_store.schema.conventions import (
    Instant,
    Money,
    effective,
    fact,
    metadata,
    occurred,
    recorded,
)

product = Table(
    "product",
    metadata,
    Column("sku", String, primary_key=True),
    Column("description", String, nullable=False),
    Column("standard_cost", Money, nullable=False),
    Column("currency_code", String(3), nullable=False),
    Column("tax_rate_basis_points", Integer, nullable=False),
    Column("gtin", String),
    Column("available_from", Instant),
    Column("is_synthetic", Boolean, nullable=False),
    occurred(),
    effective(),
    *recorded(),
    info={"mutable": True},
)

price = fact(
    "price",
    Column("sku", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("unit_price", Money, nullable=False),
    Column("currency_code", String(3), nullable=False),
    occurred(),
    effective(),
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
    occurred(),
    effective(),
    *recorded(),
    info={"mutable": True},
)

customer = Table(
    "customer",
    metadata,
    Column("customer_id", Uuid, primary_key=True),
    Column("country_code", String(2)),
    occurred(),
    effective(),
    *recorded(),
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
    *recorded(),
    info={"personal": True, "mutable": True},
    comment="Who a customer is; beside events that are not applied, the only personal data",
)
