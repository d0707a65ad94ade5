"""Sets of rows in and out of PostgreSQL: COPY for facts, arrays for updates. Nothing row by row."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.csv as pacsv
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

from resources.operational_store.schema import metadata

Columns = Mapping[str, Sequence[Any]]

_CSV = pacsv.WriteOptions(include_header=False)
_MONEY, _RATE = pa.decimal128(19, 4), pa.decimal128(19, 8)


@cache
def _column_kinds(table: str) -> dict[str, str]:
    """How each column is written: a key of `_ARROW`, or money, rate, array or bytes."""
    return {column.name: _kind(column.type) for column in metadata.tables[table].columns}


def _kind(column_type: Any) -> str:
    if isinstance(column_type, sa.Numeric) and column_type.scale == 4:
        return "money"
    if isinstance(column_type, sa.Numeric) and column_type.scale == 8:
        return "rate"
    if isinstance(column_type, sa.Float):
        return "float"
    if isinstance(column_type, sa.Uuid):
        return "text"
    if isinstance(column_type, (ARRAY, sa.ARRAY)):
        return "array"
    if isinstance(column_type, sa.LargeBinary):
        return "bytes"
    if isinstance(column_type, (sa.String, JSON, JSONB)):
        return "text"
    if isinstance(column_type, sa.DateTime):
        return "instant"
    if isinstance(column_type, sa.Date):
        return "date"
    return "boolean" if isinstance(column_type, sa.Boolean) else "integer"


_ARROW = {
    "text": pa.string(),
    "instant": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "float": pa.float64(),
}


def as_money(ten_thousandths: pa.Array) -> pa.Array:
    """Integers in ten-thousandths as decimals, exactly, without a look at each."""
    return _as_decimals(ten_thousandths, _MONEY)


def _as_decimals(integers: pa.Array, decimals: pa.Decimal128Type) -> pa.Array:
    whole = integers.cast(pa.decimal128(decimals.precision, 0))
    return pa.Array.from_buffers(decimals, len(whole), whole.buffers(), offset=whole.offset)


def _written(values: Sequence[Any], kind: str) -> pa.Array:
    """One column as COPY's CSV wants it.

    Money comes as ten-thousandths, a rate as hundred-millionths; both leave as decimals.
    """
    if kind in ("money", "rate"):
        decimals = _MONEY if kind == "money" else _RATE
        return _as_decimals(pa.array(values, pa.int64()), decimals).cast(pa.string())
    if kind == "array":
        return pa.array(["{" + ",".join(value) + "}" for value in values], pa.string())
    if kind == "bytes":
        return pa.array([f"\\x{value.hex()}" for value in values], pa.string())
    return pa.array(values, _ARROW[kind])


def driver_cursor(connection: sa.Connection) -> psycopg.Cursor[tuple[Any, ...]]:
    """The psycopg cursor beneath a SQLAlchemy connection, in the same transaction."""
    driver = connection.connection.driver_connection
    return cast("psycopg.Connection[tuple[Any, ...]]", driver).cursor()


def copy_into(
    connection: sa.Connection, table: str, columns: Columns, target: str | None = None
) -> int:
    """COPY columns into a table (or into ``target``, a table shaped like it); gives the rows."""
    kinds = _column_kinds(table)
    names = list(columns)
    arrays = [_written(columns[name], kinds[name]) for name in names]
    sink = io.BytesIO()
    pacsv.write_csv(pa.Table.from_arrays(arrays, names=names), sink, _CSV)
    statement = f"copy {target or table} ({', '.join(names)}) from stdin (format csv)"
    with driver_cursor(connection) as cursor, cursor.copy(statement) as copy:
        copy.write(sink.getbuffer())
    return len(arrays[0])


def upsert(connection: sa.Connection, table: str, columns: Columns, key: Sequence[str]) -> int:
    """Insert rows, or replace what is there under their key; gives the rows."""
    names = list(columns)
    staging = f"staged_{table}"
    with driver_cursor(connection) as cursor:
        cursor.execute(
            f"create temporary table if not exists {staging}"
            f" (like {table} including defaults including generated) on commit delete rows"
        )
        cursor.execute(f"truncate {staging}")
    count = copy_into(connection, table, columns, staging)
    changed = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
    with driver_cursor(connection) as cursor:
        cursor.execute(
            f"insert into {table} ({', '.join(names)}) select {', '.join(names)} from {staging}"
            f" order by {', '.join(key)}"
            f" on conflict ({', '.join(key)}) do update set {changed}"
        )
    return count


#: PostgreSQL's types, by number, as Arrow reads their text.
_ARROW_BY_OID: Mapping[int, pa.DataType] = {
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int64(),
    23: pa.int64(),
    701: pa.float64(),
    1082: pa.date32(),
    1184: pa.timestamp("us", "UTC"),
}


def _copied(connection: sa.Connection, statement: str, arguments: Sequence[Any]) -> bytes:
    """What a COPY says. Asking libpq directly costs a tenth of psycopg's own reader a row."""
    driver = cast("psycopg.Connection[tuple[Any, ...]]", connection.connection.driver_connection)
    query = psycopg.ClientCursor(driver).mogrify(statement, arguments)
    result = driver.pgconn.exec_(query.encode())
    if result.status != psycopg.pq.ExecStatus.COPY_OUT:
        raise psycopg.errors.error_from_result(result)
    pieces = []
    while (received := driver.pgconn.get_copy_data(0))[0] > 0:
        pieces.append(received[1])
    while (ended := driver.pgconn.get_result()) is not None:
        if ended.status != psycopg.pq.ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(ended)
    return b"".join(pieces)


def fetch_frame(connection: sa.Connection, statement: str, *arguments: Any) -> pd.DataFrame:
    """All rows of a statement as a frame, for sets too large for a Python object a value.

    Times are UTC. Whole numbers and booleans among which one is missing are objects, so that none
    becomes a float on the way.
    """
    with driver_cursor(connection) as cursor:
        cursor.execute("set local timezone to 'UTC'")
        cursor.execute("set local datestyle to 'ISO'")
        cursor.execute(f"select * from ({statement}) as told limit 0", arguments)
        types = {
            column.name: _ARROW_BY_OID.get(column.type_code, pa.string())
            for column in cursor.description or ()
        }
    content = _copied(connection, f"copy ({statement}) to stdout (format csv)", arguments)
    if not content:
        table = pa.schema(list(types.items())).empty_table()
    else:
        table = pacsv.read_csv(
            io.BytesIO(content),
            pacsv.ReadOptions(column_names=list(types), use_threads=False),
            pacsv.ParseOptions(newlines_in_values=True),
            pacsv.ConvertOptions(
                column_types=types,
                null_values=[""],
                strings_can_be_null=True,
                # COPY quotes an empty text and leaves a missing one bare.
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
    frame: pd.DataFrame = table.to_pandas(integer_object_nulls=True, date_as_object=False)
    return frame


def fetch(connection: sa.Connection, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """All rows of a statement whose parameters are ``%s``."""
    with driver_cursor(connection) as cursor:
        return cursor.execute(statement, arguments, binary=True).fetchall()


def execute(connection: sa.Connection, statement: str, *arguments: Any) -> int:
    """Run a statement; gives the rows that it touched."""
    with driver_cursor(connection) as cursor:
        cursor.execute(statement, arguments)
        return cursor.rowcount
