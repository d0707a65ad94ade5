"""Which tables the lake has, and how their columns leave PostgreSQL and arrive in Parquet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON

from resources.operational_store import schema

#: What changes in place, copied whole; every other table of the lake only ever grows.
SNAPSHOT_TABLES = [
    schema.product,
    schema.node,
    schema.customer,
    schema.exception_case,
    schema.approval_request,
    schema.supplier,
    schema.purchase_order_line,
    schema.supplier_terms,
    schema.replenishment_level,
]

#: The type of an amount.
MONEY_IN_THE_LAKE = pa.decimal128(18, 4)
#: The type of an exchange rate.
RATE_IN_THE_LAKE = pa.decimal128(18, 8)
#: The lake's own table: up to where the others are complete.
WATERMARK_SCHEMA = pa.schema(
    [
        ("table_name", pa.string()),
        ("exported_below_xid", pa.int64()),
        ("exported_rows", pa.int64()),
    ]
)


@dataclass(frozen=True)
class LakeColumn:
    """How one column leaves PostgreSQL and arrives in Parquet."""

    name: str
    expression: str
    arrow_type: pa.DataType


def lake_columns(table: sa.Table) -> list[LakeColumn]:
    """The columns of a table's Parquet files, derived from the schema.

    Binary ones are left out, and words that people may have typed.
    """
    columns = (_lake_column(column) for column in table.columns if column.info.get("lake", True))
    return [column for column in columns if column is not None]


def lake_schema(table: sa.Table) -> pa.Schema:
    """The Arrow schema of a table's Parquet files."""
    return pa.schema([(column.name, column.arrow_type) for column in lake_columns(table)])


def _lake_column(column: sa.Column[Any]) -> LakeColumn | None:
    name = f'"{column.name}"'
    match column.type:
        case sa.LargeBinary():
            return None
        case schema.Xid8():
            return LakeColumn(column.name, name, pa.int64())
        case sa.Float():
            return LakeColumn(column.name, name, pa.float64())
        case sa.Numeric(scale=8):
            return LakeColumn(column.name, name, RATE_IN_THE_LAKE)
        case sa.Numeric():
            return LakeColumn(column.name, name, MONEY_IN_THE_LAKE)
        case sa.DateTime():
            return LakeColumn(column.name, name, pa.timestamp("us", "UTC"))
        case sa.Date():
            return LakeColumn(column.name, name, pa.date32())
        case sa.Boolean():
            return LakeColumn(column.name, name, pa.bool_())
        case sa.SmallInteger():
            return LakeColumn(column.name, name, pa.int16())
        case sa.BigInteger():
            return LakeColumn(column.name, name, pa.int64())
        case sa.Integer():
            return LakeColumn(column.name, name, pa.int32())
        case sa.ARRAY():
            return LakeColumn(column.name, f"array_to_json({name})::text", pa.string())
        case sa.String() | sa.Uuid() | JSON():
            return LakeColumn(column.name, name, pa.string())
    raise TypeError(f"{column.table.name}.{column.name}: no Parquet type for {column.type!r}")
