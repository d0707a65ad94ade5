"""What every table has in common: one `MetaData`, its names, types, times and what a fact is.

No table is declared here. Whoever wants tables imports the package, which has declared all of them.
"""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, MetaData, Numeric, Table, text
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
#: What one unit of a currency is worth in another.
Rate = Numeric(18, 8)
Instant = DateTime(timezone=True)


def occurred() -> Column[object]:
    """The event's own time."""
    return Column("occurred_at", Instant, nullable=False)


def effective() -> Column[object]:
    """When it happened by the Clock."""
    return Column("effective_at", Instant, nullable=False)


def recorded() -> tuple[Column[object], Column[object]]:
    """When it was written by the wall, and in which transaction."""
    return (
        Column("recorded_at", Instant, nullable=False, server_default=text("now()")),
        Column("recorded_xid", Xid8, nullable=False, server_default=text("pg_current_xact_id()")),
    )


def fact(name: str, *items: SchemaItem) -> Table:
    """An append-only table that is exported to the lake, found there by its transaction id."""
    return Table(
        name,
        metadata,
        *items,
        *recorded(),
        Index(f"ix_{name}_recorded_xid", "recorded_xid"),
        info={"lake": True},
    )
