"""What readers are told of the marts, kept in the file that they read; and how rows are fetched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb

from resources.analytics_store.reports import MartDescription, MartInfo

MART_SCHEMA = "marts"


def columns_of(connection: duckdb.DuckDBPyConnection, mart: str) -> list[tuple[str, str]]:
    """Names and DuckDB types of a mart's columns, in order."""
    return connection.execute(
        "select column_name, data_type from duckdb_columns()"
        " where database_name = current_database() and schema_name = ? and table_name = ?"
        # What incremental builds go by is nothing to a reader.
        " and column_name <> 'recorded_xid' order by column_index",
        [MART_SCHEMA, mart],
    ).fetchall()


def rows_by_table(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows of the tables of all layers that are published, by name."""
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where database_name = current_database() and schema_name in ('core', ?)",
        [MART_SCHEMA],
    ).fetchall()
    return {
        table: int(connection.sql(f'select count(*) from {layer}."{table}"').fetchall()[0][0])
        for layer, table in tables
    }


def write_catalogue(
    connection: duckdb.DuckDBPyConnection,
    described: Mapping[str, MartDescription],
    reasons: Mapping[str, str],
    former: Mapping[str, MartInfo],
) -> tuple[MartInfo, ...]:
    """Write what readers are told of the marts.

    Args:
        connection: The file that is to be published.
        described: By mart, what the project says of it.
        reasons: By mart, why it is held.
        former: What was known of the held ones, whose former version stands in their place.
    """
    published_at = datetime.now(UTC)
    as_of_at = _as_of(connection)
    present = _present(connection)
    marts = []
    for name, said in described.items():
        if name not in present:
            continue
        counted = connection.execute(f'select count(*) from {MART_SCHEMA}."{name}"').fetchone()
        older = former.get(name)
        marts.append(
            MartInfo(
                name=name,
                description=said.description,
                owner=said.owner,
                row_count=int(counted[0]) if counted else 0,
                as_of_at=older.as_of_at if older else as_of_at,
                published_at=older.published_at if older else published_at,
                held_reason=reasons.get(name),
                summary=said.summary,
            )
        )
    _store(connection, marts)
    return tuple(marts)


def _present(connection: duckdb.DuckDBPyConnection) -> set[str]:
    return {
        name
        for (name,) in connection.execute(
            "select table_name from duckdb_tables()"
            " where database_name = current_database() and schema_name = ?",
            [MART_SCHEMA],
        ).fetchall()
    }


def _store(connection: duckdb.DuckDBPyConnection, marts: list[MartInfo]) -> None:
    connection.execute(
        "create or replace table main.published_mart (name text, description text, owner text,"
        " row_count bigint, as_of_at timestamptz, published_at timestamptz, held_reason text,"
        " summary text[])"
    )
    for mart in marts:
        # As texts: the binding of aware datetimes would need a time zone package.
        connection.execute(
            "insert into main.published_mart values"
            " (?, ?, ?, ?, cast(? as timestamptz), cast(? as timestamptz), ?, ?)",
            [
                mart.name,
                mart.description,
                mart.owner,
                mart.row_count,
                mart.as_of_at.isoformat() if mart.as_of_at else None,
                mart.published_at.isoformat(),
                mart.held_reason,
                list(mart.summary),
            ],
        )


def _as_of(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    query = "select as_of_at from core.dim_reporting_time where epoch(as_of_at) > 0"
    rows = fetch(connection, query)
    return rows[0]["as_of_at"] if rows else None


def read_catalogue(connection: duckdb.DuckDBPyConnection, database: str = "") -> list[MartInfo]:
    """The published marts by name."""
    # A file of an earlier version of this product knows less of its marts.
    rows = fetch(connection, f"select * from {database}main.published_mart order by name")
    return [MartInfo(**{**row, "summary": tuple(row.get("summary", ()))}) for row in rows]


def fetch(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """Rows by way of Arrow: DuckDB's own conversion of instants wants a time zone package."""
    relation: Any = connection.sql(query)
    rows: list[dict[str, Any]] = relation.to_arrow_table().to_pylist()
    return rows
