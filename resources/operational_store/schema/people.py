"""Who may act, and what each of them did. No name of anybody: a person is a short id."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from resources.operational_store.schema.conventions import (
    Instant,
    effective,
    fact,
    metadata,
    recorded,
)

person = Table(
    "person",
    metadata,
    Column("person_id", String, primary_key=True),
    Column("roles", ARRAY(String), nullable=False),
    Column("queues", ARRAY(String), nullable=False),
    # The token itself is known to its person only.
    Column("token_hash", String),
    Column("is_active", Boolean, nullable=False, server_default="true"),
    Column("absent_from", Instant),
    Column("absent_until", Instant),
    Column("deputy", String),
    *recorded(),
    UniqueConstraint("token_hash"),
    CheckConstraint("absent_from < absent_until", name="absence"),
    CheckConstraint("deputy <> person_id", name="is_not_their_own_deputy"),
    info={"mutable": True},
)

#: A chain: each row's hash covers the row and the hash before it.
audit_entry = fact(
    "audit_entry",
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("actor", String, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("outcome", String, nullable=False),
    # JSON as text, as the hash has seen it; words that people have typed may be in it.
    Column("detail", Text, nullable=False, info={"lake": False}),
    Column("previous_hash", String, nullable=False),
    Column("entry_hash", String, nullable=False),
    effective(),
    CheckConstraint("outcome in ('done', 'refused')", name="outcome"),
)
