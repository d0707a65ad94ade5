"""The journal. What it must balance to is guarded by triggers of the migrations."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, SmallInteger, String, Uuid

from resources.operational_store.schema.conventions import Money, effective, fact, occurred

journal_line = fact(
    "journal_line",
    Column("entry_id", Uuid, nullable=False),
    Column("line_number", SmallInteger, nullable=False),
    Column("entry_kind", String, nullable=False),
    Column("business_key", String, nullable=False),
    Column("account_code", String, nullable=False),
    Column("amount", Money, nullable=False),
    Column("currency_code", String(3), nullable=False),
    Column("legal_entity", String, nullable=False),
    occurred(),
    effective(),
    PrimaryKeyConstraint("entry_id", "line_number"),
    CheckConstraint("amount <> 0", name="amount_is_not_zero"),
)
