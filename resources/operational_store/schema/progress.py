"""How far the home has come: what its gates accepted, its clock, and what the lake has."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, String, Table, text
from sqlalchemy.dialects.postgresql import JSONB

from resources.operational_store.schema.conventions import Instant, Xid8, metadata, recorded

gate_pointer = Table(
    "gate_pointer",
    metadata,
    Column("gate", String, primary_key=True),
    Column("accepted", String, nullable=False),
    Column("detail", JSONB, nullable=False),
    *recorded(),
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
