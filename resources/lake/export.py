"""From the operational store to the folder: one snapshot, one upper bound, all tables.

Files are written aside, renamed into place and only then covered by the watermark, which moves in
the transaction that read the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from assets.errors import EnvironmentProblem
from resources.lake.columns import SNAPSHOT_TABLES, lake_columns, lake_schema
from resources.lake.copied_rows import CopyOut, LineBreakInValueError, batches
from resources.lake.day_files import DayFiles, FolderOf
from resources.lake.folder import LakeFolder, Watermark, settle
from resources.lake.tallies import ExportTally, TableTally
from resources.operational_store import schema

#: Files written aside, with the names that they are to have.
Waiting = list[tuple[Path, Path]]


def export_new(connection: sa.Connection, lake: LakeFolder) -> ExportTally:
    """Copy what is new since the watermarks, and move them; nothing is committed here.

    Args:
        connection: In a transaction with one snapshot (repeatable read).
        lake: Where the files go.
    """
    below = _upper_bound(connection)
    marks = {mark.table: mark for mark in read_watermarks(connection)}
    newest = max((mark.below for mark in marks.values()), default=0)
    if newest > below:
        raise EnvironmentProblem(
            f"the lake in {lake.root} holds facts up to transaction {newest}, but the database"
            f" is at {below}: it was restored from a backup with an older transaction counter"
        )
    lake.withdraw_uncovered({mark.table: mark.below for mark in marks.values()})
    lake.write_empty_files()
    tallies: dict[str, TableTally] = {}
    waiting: Waiting = []
    for table in schema.LAKE_TABLES:
        first = marks[table.name].below if table.name in marks else 0
        files, tallies[table.name] = _copy_facts(connection, lake, table, first, below)
        waiting += files
    for table in SNAPSHOT_TABLES:
        files, tallies[table.name] = _copy_snapshot(connection, lake, table)
        waiting += files
    for partial, target in waiting:
        settle(partial, target)
    _move_watermarks(connection, marks, tallies, below)
    return ExportTally(below, tallies)


def read_watermarks(connection: sa.Connection) -> list[Watermark]:
    """Up to where each table is in the lake, as the database knows it."""
    rows = connection.execute(
        sa.text(
            "select table_name, exported_below_xid::text::bigint, exported_rows"
            " from lake_watermark order by table_name"
        )
    )
    return [Watermark(row[0], int(row[1]), int(row[2])) for row in rows]


def _upper_bound(connection: sa.Connection) -> int:
    """The transaction before which all have ended; no other export runs until ours has."""
    # Taken before the snapshot, so that a second exporter waits and then sees our watermark.
    connection.execute(sa.text("lock table lake_watermark in share row exclusive mode"))
    connection.execute(
        sa.text("select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true)")
    )
    return int(
        connection.execute(
            sa.text("select pg_snapshot_xmin(pg_current_snapshot())::text")
        ).scalar_one()
    )


def _move_watermarks(
    connection: sa.Connection,
    marks: Mapping[str, Watermark],
    tallies: Mapping[str, TableTally],
    below: int,
) -> None:
    connection.execute(
        sa.text(
            "insert into lake_watermark (table_name, exported_below_xid, exported_rows)"
            " values (:table_name, cast(:below as xid8), :rows)"
            " on conflict (table_name) do update set"
            " exported_below_xid = excluded.exported_below_xid,"
            " exported_rows = excluded.exported_rows, recorded_at = now()"
        ),
        [
            {
                "table_name": table.name,
                "below": str(below),
                "rows": (marks[table.name].rows if table.name in marks else 0)
                + tallies[table.name].rows,
            }
            for table in schema.LAKE_TABLES
        ],
    )


def _copy_facts(
    connection: sa.Connection, lake: LakeFolder, table: sa.Table, first: int, below: int
) -> tuple[Waiting, TableTally]:
    where = f"where recorded_xid >= '{first}'::xid8 and recorded_xid < '{below}'::xid8"
    name = f"part-{first:020d}-{below:020d}"
    return _copy(connection, lake, table, where, lambda day: lake.day(table.name, day), name)


def _copy_snapshot(
    connection: sa.Connection, lake: LakeFolder, table: sa.Table
) -> tuple[Waiting, TableTally]:
    version = connection.execute(
        sa.text(
            "select count(*), coalesce(max(recorded_xid::text::bigint), 0),"
            f" coalesce(max(recorded_at)::text, '') from {table.name}"
        )
    ).one()
    stamp = lake.root / table.name / ".version"
    wanted = f"{lake_schema(table)}\n{tuple(version)}\n"
    target = lake.root / table.name / "part-snapshot.parquet"
    if target.exists() and stamp.exists() and stamp.read_text() == wanted:
        return [], TableTally(0, 0, 0)
    partials, tally = _copy(connection, lake, table, "", None, "part-snapshot")
    partial = stamp.with_name(".version.partial")
    partial.write_text(wanted)
    # The stamp comes last: one that is missing costs a copy, one too many would hide a change.
    return [*partials, (partial, stamp)], tally


def _copy(
    connection: sa.Connection,
    lake: LakeFolder,
    table: sa.Table,
    where: str,
    folder_of: FolderOf | None,
    name: str,
) -> tuple[Waiting, TableTally]:
    selected = ", ".join(column.expression for column in lake_columns(table))
    query = f"copy (select {selected} from {table.name} {where}) to stdout (format csv)"
    driver = connection.connection.driver_connection
    if driver is None:
        raise EnvironmentProblem("the connection to the operational store was lost")

    def stream(*, line_breaks: bool) -> tuple[Waiting, TableTally]:
        files = DayFiles(lake.root / table.name, lake_schema(table), folder_of, name)
        return _stream(driver.pgconn, query, files, table, line_breaks=line_breaks)

    try:
        return stream(line_breaks=False)
    except LineBreakInValueError:
        return stream(line_breaks=True)


def _stream(
    pgconn: Any, query: str, files: DayFiles, table: sa.Table, *, line_breaks: bool
) -> tuple[Waiting, TableTally]:
    copied = CopyOut(pgconn, query, line_breaks=line_breaks)
    try:
        for batch in batches(copied, lake_schema(table), line_breaks=line_breaks):
            files.write(batch)
        return files.close()
    except BaseException:
        files.discard()
        copied.drain()
        raise
