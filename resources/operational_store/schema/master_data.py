"""Master data as partners last told them, and the one table with personal data."""

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
    Column("product_class", String),
    Column("is_synthetic", Boolean, nullable=False),
    Column("is_bundle", Boolean, nullable=False, server_default=text("false")),
    occurred(),
    effective(),
    *recorded(),
    info={"mutable": True},
)

# What is in a bundle today; what was in it when it was ordered is in order_line_component.
bundle_component = Table(
    "bundle_component",
    metadata,
    Column("bundle_sku", String, nullable=False),
    Column("component_sku", String, nullable=False),
    Column("component_number", Integer, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("is_unpublished", Boolean, nullable=False, server_default=text("true")),
    effective(),
    *recorded(),
    PrimaryKeyConstraint("bundle_sku", "component_sku"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("component_sku <> bundle_sku", name="is_not_in_itself"),
    Index("ix_bundle_component_component_sku", "component_sku"),
    Index(
        "ix_bundle_component_is_unpublished",
        "bundle_sku",
        postgresql_where=text("is_unpublished"),
    ),
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
