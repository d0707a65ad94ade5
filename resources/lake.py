"""The lake: an append-only Parquet copy of the operational facts, by table and recorded day.

Facts are found by the transaction that wrote them, never by a timestamp: a row is exported once
every transaction that could still precede it has ended (`pg_snapshot_xmin`), so one that commits
late is late, not lost. All tables of one export share one snapshot and one upper bound; whoever
reads up to `lake_watermark` therefore sees a consistent cut, an order with its lines or neither.

Master data change in place and are written as whole snapshots. Personal data never come here, and
neither do binary columns, which only a decision's recomputation needs. What the facts mean is the
dbt project's subject, not this module's.
"""

from __future__ import annotations

import fcntl
import io
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import sqlalchemy as sa
from psycopg import pq as libpq
from sqlalchemy.dialects.postgresql import JSON

from assets.errors import EnvironmentProblem
from resources.operational_store import schema

#: Mutable master data, copied whole; every other table of the lake only ever grows.
SNAPSHOT_TABLES = [schema.product, schema.node, schema.customer]

#: Rows of one Parquet row group, and so of what an export holds in memory at once.
ROW_GROUP_ROWS = 61_440
CSV_BLOCK_BYTES = 1 << 20
#: Days of one export that are written at the same time; rows arrive nearly in order of recording.
OPEN_DAYS = 8

_PART = re.compile(r"part-(?P<first>\d+)-(?P<below>\d+)(?:-(?P<again>\d+|merged))?\.parquet")


@dataclass(frozen=True)
class TableTally:
    """What one export wrote of one table."""

    rows: int
    files: int
    bytes_written: int


@dataclass(frozen=True)
class ExportTally:
    """What one export wrote.

    Attributes:
        exported_below_xid: Every fact of a smaller transaction id is in the lake now.
        tables: By table name; a table that had nothing new says 0 rows.
        seconds: Wall time.
    """

    exported_below_xid: int
    tables: dict[str, TableTally] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        """All rows of all tables, snapshots of master data included."""
        return sum(tally.rows for tally in self.tables.values())


class _LineBreakInValueError(Exception):
    """A quoted value holds a line break, which the fast way of parsing cannot take."""


@dataclass(frozen=True)
class LakeColumn:
    """How one column leaves PostgreSQL and arrives in Parquet."""

    name: str
    expression: str
    arrow_type: pa.DataType


def lake_columns(table: sa.Table) -> list[LakeColumn]:
    """The columns of a table's Parquet files, derived from the schema; binary ones are left out."""
    columns = (_lake_column(column) for column in table.columns)
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
        case sa.Numeric():
            return LakeColumn(column.name, name, pa.decimal128(18, 4))
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


class Lake:
    """The Parquet folder of one home.

    Args:
        root: Its folder; made when it is missing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def export(self, engine: sa.Engine) -> ExportTally:
        """Copy what is new since the last export; safe to kill and to repeat.

        Files are written aside, renamed into place and only then covered by the watermark, which
        moves in the transaction that read the rows. A crash in between leaves files beyond the
        watermark; the next export removes them and copies those rows again.

        Args:
            engine: The operational store.

        Raises:
            EnvironmentProblem: If the disk is full, or the database's transactions are older
                than the lake's (it was restored without its transaction counter).
        """
        started = time.monotonic()
        self.root.mkdir(parents=True, exist_ok=True)
        try:
            with engine.connect().execution_options(
                isolation_level="REPEATABLE READ"
            ) as connection:
                tally = self._export(connection)
                watermarks = self._read_watermarks(connection)
                connection.commit()
            self._write_watermarks(watermarks)
        except OSError as error:
            raise EnvironmentProblem(
                f"cannot write the lake in {self.root}: {error.strerror or error}"
            ) from error
        return ExportTally(
            tally.exported_below_xid, tally.tables, round(time.monotonic() - started, 3)
        )

    def compact(self, table: str, day: date) -> int:
        """Merge the small files of one recorded day into one.

        Args:
            table: A table of the lake.
            day: The recorded day (UTC).

        Returns:
            How many files were merged; 0 when there were fewer than two.
        """
        folder = self.root / table / f"recorded_date={day.isoformat()}"
        with self._locked(fcntl.LOCK_EX):
            below = self._published_watermark(table)
            self._remove_superseded(folder)
            # Files beyond the watermark may still be withdrawn by the next export.
            parts = sorted(
                (found for found in self._parts(folder) if found[1] <= below),
                key=lambda found: found[0],
            )
            if len(parts) < 2:
                return 0
            first, last = parts[0][0], max(found[1] for found in parts)
            target = folder / f"part-{first:020d}-{last:020d}-merged.parquet"
            for leftover in folder.glob(".*-merged.parquet.partial"):
                leftover.unlink()
            partial = folder / f".{target.name}.partial"
            arrow_schema = lake_schema(schema.metadata.tables[table])
            with pq.ParquetWriter(partial, arrow_schema, **_writer_options(arrow_schema)) as writer:
                waiting: list[pa.RecordBatch] = []
                for _, _, path in parts:
                    with pq.ParquetFile(path) as file:
                        for batch in file.iter_batches(ROW_GROUP_ROWS):
                            waiting.append(_conform(batch, arrow_schema))
                            if sum(found.num_rows for found in waiting) >= ROW_GROUP_ROWS:
                                writer.write_table(pa.Table.from_batches(waiting))
                                waiting = []
                if waiting:
                    writer.write_table(pa.Table.from_batches(waiting))
            _settle(partial, target)
            # From here on the merged file covers the others' ranges: a crash leaves them
            # superseded, and whoever comes next removes them before anybody reads.
            for _, _, path in parts:
                if path != target:
                    path.unlink()
            return len(parts)

    def compact_crowded_days(self, at_least: int = 24) -> int:
        """Compact each day that has gathered that many files; returns how many were merged."""
        merged = 0
        for folder in sorted(self.root.glob("*/recorded_date=*")):
            if len(self._parts(folder)) >= at_least:
                day = date.fromisoformat(folder.name.removeprefix("recorded_date="))
                merged += self.compact(folder.parent.name, day)
        return merged

    @contextmanager
    def reading(self) -> Iterator[Path]:
        """Keep the files from being merged or withdrawn while somebody reads them.

        New files may still appear; a reader leaves out what lies beyond `lake_watermark`.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        leftovers = [f for f in self.root.glob("*/recorded_date=*") if self._superseded(f)]
        if leftovers:
            with self._locked(fcntl.LOCK_EX):
                for folder in leftovers:
                    self._remove_superseded(folder)
        self._write_empty_files()
        with self._locked(fcntl.LOCK_SH):
            yield self.root

    def files(self, table: str) -> list[Path]:
        """The Parquet files of one table that its watermark covers, oldest first."""
        below = self._published_watermark(table)
        found = [
            part
            for folder in (self.root / table).glob("recorded_date=*")
            for part in self._parts(folder)
            if part[1] <= below
        ]
        return [path for _, _, path in sorted(found)]

    def _export(self, connection: sa.Connection) -> ExportTally:
        # Taken before the snapshot, so that a second exporter waits and then sees our watermark.
        connection.execute(sa.text("lock table lake_watermark in share row exclusive mode"))
        connection.execute(
            sa.text(
                "select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true)"
            )
        )
        below = int(
            connection.execute(
                sa.text("select pg_snapshot_xmin(pg_current_snapshot())::text")
            ).scalar_one()
        )
        marks = {name: (mark, rows) for name, mark, rows in self._read_watermarks(connection)}
        newest = max((mark for mark, _ in marks.values()), default=0)
        if newest > below:
            raise EnvironmentProblem(
                f"the lake in {self.root} holds facts up to transaction {newest}, but the database"
                f" is at {below}: it was restored from a backup with an older transaction counter"
            )
        self._withdraw_uncovered({name: mark for name, (mark, _) in marks.items()})
        self._write_empty_files()
        tallies: dict[str, TableTally] = {}
        settled: list[tuple[Path, Path]] = []
        for table in schema.LAKE_TABLES:
            first = marks.get(table.name, (0, 0))[0]
            partials, tally = self._export_facts(connection, table, first, below)
            settled += partials
            tallies[table.name] = tally
        for table in SNAPSHOT_TABLES:
            partials, tally = self._export_snapshot(connection, table)
            settled += partials
            tallies[table.name] = tally
        for partial, target in settled:
            _settle(partial, target)
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
                    "rows": marks.get(table.name, (0, 0))[1] + tallies[table.name].rows,
                }
                for table in schema.LAKE_TABLES
            ],
        )
        return ExportTally(below, tallies)

    def _export_facts(
        self, connection: sa.Connection, table: sa.Table, first: int, below: int
    ) -> tuple[list[tuple[Path, Path]], TableTally]:
        where = f"where recorded_xid >= '{first}'::xid8 and recorded_xid < '{below}'::xid8"

        def folder_of(day: date) -> Path:
            return self.root / table.name / f"recorded_date={day.isoformat()}"

        name = f"part-{first:020d}-{below:020d}"
        return self._copy(connection, table, where, folder_of, name)

    def _export_snapshot(
        self, connection: sa.Connection, table: sa.Table
    ) -> tuple[list[tuple[Path, Path]], TableTally]:
        version = connection.execute(
            sa.text(
                "select count(*), coalesce(max(recorded_xid::text::bigint), 0),"
                f" coalesce(max(recorded_at)::text, '') from {table.name}"
            )
        ).one()
        stamp = self.root / table.name / ".version"
        wanted = f"{lake_schema(table)}\n{tuple(version)}\n"
        target = self.root / table.name / "part-snapshot.parquet"
        if target.exists() and stamp.exists() and stamp.read_text() == wanted:
            return [], TableTally(0, 0, 0)
        partials, tally = self._copy(connection, table, "", None, "part-snapshot")
        partial = stamp.with_name(".version.partial")
        partial.write_text(wanted)
        # The stamp comes last: one that is missing costs a copy, one too many would hide a change.
        return [*partials, (partial, stamp)], tally

    def _copy(
        self,
        connection: sa.Connection,
        table: sa.Table,
        where: str,
        folder_of: Any,
        name: str,
    ) -> tuple[list[tuple[Path, Path]], TableTally]:
        columns = lake_columns(table)
        selected = ", ".join(column.expression for column in columns)
        query = f"copy (select {selected} from {table.name} {where}) to stdout (format csv)"
        driver = connection.connection.driver_connection
        if driver is None:
            raise EnvironmentProblem("the connection to the operational store was lost")
        try:
            return self._stream(driver.pgconn, query, table, folder_of, name, line_breaks=False)
        except _LineBreakInValueError:
            return self._stream(driver.pgconn, query, table, folder_of, name, line_breaks=True)

    def _stream(
        self,
        pgconn: Any,
        query: str,
        table: sa.Table,
        folder_of: Any,
        name: str,
        *,
        line_breaks: bool,
    ) -> tuple[list[tuple[Path, Path]], TableTally]:
        arrow_schema = lake_schema(table)
        copied = _CopyOut(pgconn, query, line_breaks=line_breaks)
        files = _DayFiles(self.root / table.name, arrow_schema, folder_of, name)
        try:
            for batch in _batches(copied, arrow_schema, line_breaks=line_breaks):
                files.write(batch)
            return files.close()
        except BaseException:
            files.discard()
            copied.drain()
            raise

    def _read_watermarks(self, connection: sa.Connection) -> list[tuple[str, int, int]]:
        rows = connection.execute(
            sa.text(
                "select table_name, exported_below_xid::text::bigint, exported_rows"
                " from lake_watermark order by table_name"
            )
        )
        return [(row[0], int(row[1]), int(row[2])) for row in rows]

    def _write_watermarks(self, watermarks: list[tuple[str, int, int]]) -> None:
        """Publish the cut; until then readers keep the former one, which stays consistent."""
        folder = self.root / schema.lake_watermark.name
        folder.mkdir(exist_ok=True)
        table = pa.table(
            {
                "table_name": [name for name, _, _ in watermarks],
                "exported_below_xid": [below for _, below, _ in watermarks],
                "exported_rows": [rows for _, _, rows in watermarks],
            },
            schema=_WATERMARK_SCHEMA,
        )
        partial = folder / ".part-watermark.parquet.partial"
        pq.write_table(table, partial)
        _settle(partial, folder / "part-watermark.parquet")

    def _published_watermark(self, table: str) -> int:
        path = self.root / schema.lake_watermark.name / "part-watermark.parquet"
        if not path.exists():
            return 0
        marks = pq.read_table(path).to_pylist()
        return next(
            (int(row["exported_below_xid"]) for row in marks if row["table_name"] == table), 0
        )

    def _write_empty_files(self) -> None:
        """Give every table a typed file: a reader finds its columns before its first row."""
        for table in [*schema.LAKE_TABLES, *SNAPSHOT_TABLES]:
            self._write_empty_file(table.name, lake_schema(table))
        self._write_empty_file(schema.lake_watermark.name, _WATERMARK_SCHEMA)

    def _write_empty_file(self, table: str, arrow_schema: pa.Schema) -> None:
        path = self.root / table / "part-empty.parquet"
        if path.exists() and pq.read_schema(path).equals(arrow_schema):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        pq.write_table(arrow_schema.empty_table(), partial)
        _settle(partial, path)

    def _withdraw_uncovered(self, marks: dict[str, int]) -> None:
        """Remove what an export that did not live to move the watermark has left."""
        for partial in self.root.glob("*/recorded_date=*/.part-*.partial"):
            if "-merged" not in partial.name:
                partial.unlink(missing_ok=True)
        uncovered = [
            path
            for table in schema.LAKE_TABLES
            for folder in (self.root / table.name).glob("recorded_date=*")
            for _, below, path in self._parts(folder)
            if below > marks.get(table.name, 0)
        ]
        if uncovered:
            with self._locked(fcntl.LOCK_EX):
                for path in uncovered:
                    path.unlink(missing_ok=True)

    @staticmethod
    def _parts(folder: Path) -> list[tuple[int, int, Path]]:
        found = ((_PART.fullmatch(path.name), path) for path in folder.glob("part-*.parquet"))
        return [
            (int(match["first"]), int(match["below"]), path)
            for match, path in found
            if match is not None
        ]

    def _superseded(self, folder: Path) -> list[Path]:
        """Files that a merged file of their day repeats: its merge was cut short."""
        parts = self._parts(folder)
        merged = [part for part in parts if part[2].stem.endswith("-merged")]
        return [
            path
            for first, below, path in parts
            if any(
                other_first <= first and below <= other_below
                for other_first, other_below, other in merged
                if other != path
            )
        ]

    def _remove_superseded(self, folder: Path) -> None:
        for path in self._superseded(folder):
            path.unlink(missing_ok=True)

    @contextmanager
    def _locked(self, mode: int) -> Iterator[None]:
        """Lock the folder; the lock goes with its process."""
        descriptor = os.open(self.root / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, mode)
            yield
        finally:
            os.close(descriptor)


_WATERMARK_SCHEMA = pa.schema(
    [
        ("table_name", pa.string()),
        ("exported_below_xid", pa.int64()),
        ("exported_rows", pa.int64()),
    ]
)


class _CopyOut(io.RawIOBase):
    """The rows of one COPY as a file for the CSV parser.

    psycopg's own reader costs several microseconds a row in Python; asking libpq directly costs
    half of one.
    """

    def __init__(self, pgconn: Any, query: str, *, line_breaks: bool) -> None:
        self._pgconn = pgconn
        self._line_breaks = line_breaks
        self._rest = b""
        self._open = True
        result = pgconn.exec_(query.encode())
        if result.status != libpq.ExecStatus.COPY_OUT:
            self._open = False
            raise EnvironmentProblem(f"the export was refused: {_message(result)}")

    def readable(self) -> bool:
        """Say so to whoever wraps this."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes; fewer than asked for only at the end."""
        pieces = [self._rest]
        held = len(self._rest)
        rows = 0
        receive = self._pgconn.get_copy_data
        while self._open and (size < 0 or held < size):
            length, row = receive(0)
            if length <= 0:
                self._finish()
                break
            pieces.append(row)
            held += length
            rows += 1
        content = b"".join(pieces)
        if not self._line_breaks and content.count(b"\n", len(pieces[0])) != rows:
            raise _LineBreakInValueError
        if size < 0 or held <= size:
            self._rest = b""
            return content
        self._rest = content[size:]
        return content[:size]

    def drain(self) -> None:
        """Take what is left, so that the connection can be used again."""
        while self._open:
            length, _ = self._pgconn.get_copy_data(0)
            if length <= 0:
                self._finish()

    def _finish(self) -> None:
        self._open = False
        failure = None
        while (result := self._pgconn.get_result()) is not None:
            if result.status != libpq.ExecStatus.COMMAND_OK:
                failure = _message(result)
        if failure is not None:
            raise EnvironmentProblem(f"the export was cut off: {failure}")


def _message(result: Any) -> str:
    text = bytes(result.error_message).decode(errors="replace").strip()
    return text.splitlines()[0] if text else "no reason was given"


def _batches(
    copied: _CopyOut, arrow_schema: pa.Schema, *, line_breaks: bool
) -> Iterator[pa.RecordBatch]:
    try:
        reader = pyarrow.csv.open_csv(
            pa.PythonFile(copied, mode="r"),
            read_options=pyarrow.csv.ReadOptions(
                column_names=arrow_schema.names, block_size=CSV_BLOCK_BYTES, use_threads=False
            ),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=line_breaks),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=arrow_schema,
                null_values=[""],
                strings_can_be_null=True,
                # COPY quotes an empty text and leaves a null bare.
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return
        raise
    yield from reader


class _DayFiles:
    """The files of one table in one export, one per recorded day, written aside."""

    def __init__(
        self, table_folder: Path, arrow_schema: pa.Schema, folder_of: Any, name: str
    ) -> None:
        self._table_folder = table_folder
        self._schema = arrow_schema
        self._folder_of = folder_of
        self._name = name
        self._writers: dict[Path, pq.ParquetWriter] = {}
        self._waiting: dict[Path, list[pa.RecordBatch]] = {}
        self._again: dict[Path, int] = {}
        self._written: list[tuple[Path, Path]] = []
        self._rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Take rows in the order in which they come."""
        self._rows += batch.num_rows
        if self._folder_of is None:
            self._keep(self._table_folder, batch)
            return
        days = pc.cast(batch.column("recorded_at"), pa.date32())
        found = pc.unique(days).to_pylist()
        for day in found:
            rows = batch if len(found) == 1 else batch.filter(pc.equal(days, pa.scalar(day)))
            self._keep(self._folder_of(day), rows)

    def close(self) -> tuple[list[tuple[Path, Path]], TableTally]:
        """Finish the files; they still have to be renamed into place."""
        if self._folder_of is None and not self._waiting and not self._writers:
            self._keep(self._table_folder, pa.RecordBatch.from_pylist([], schema=self._schema))
        for folder in list(self._waiting):
            self._finish(folder)
        size = sum(partial.stat().st_size for partial, _ in self._written)
        return self._written, TableTally(self._rows, len(self._written), size)

    def discard(self) -> None:
        """Leave nothing behind."""
        for writer in self._writers.values():
            writer.close()
        for partial, _ in self._written:
            partial.unlink(missing_ok=True)

    def _keep(self, folder: Path, batch: pa.RecordBatch) -> None:
        waiting = self._waiting.pop(folder, [])
        # Put last again: the day that is first now was used longest ago.
        self._waiting[folder] = waiting
        waiting.append(batch)
        if sum(held.num_rows for held in waiting) >= ROW_GROUP_ROWS:
            self._flush(folder)
        if len(self._waiting) > OPEN_DAYS:
            self._finish(next(iter(self._waiting)))

    def _flush(self, folder: Path) -> None:
        writer = self._writers.get(folder)
        if writer is None:
            folder.mkdir(parents=True, exist_ok=True)
            again = self._again.get(folder, 0)
            self._again[folder] = again + 1
            target = folder / f"{self._name}{f'-{again}' if again else ''}.parquet"
            partial = folder / f".{target.name}.partial"
            self._written.append((partial, target))
            writer = pq.ParquetWriter(partial, self._schema, **_writer_options(self._schema))
            self._writers[folder] = writer
        batches = self._waiting[folder]
        if batches:
            writer.write_table(pa.Table.from_batches(batches, schema=self._schema))
        self._waiting[folder] = []

    def _finish(self, folder: Path) -> None:
        self._flush(folder)
        self._writers.pop(folder).close()
        del self._waiting[folder]


def _writer_options(arrow_schema: pa.Schema) -> dict[str, Any]:
    # A dictionary of identifiers that never repeat is built only to be thrown away.
    repeating = [
        name for name in arrow_schema.names if not name.endswith("_id") or name == "node_id"
    ]
    return {"compression": "zstd", "compression_level": 1, "use_dictionary": repeating}


def _conform(batch: pa.RecordBatch, arrow_schema: pa.Schema) -> pa.RecordBatch:
    """An older file's rows in today's columns; those it did not have yet are null."""
    columns = [
        batch.column(field.name).cast(field.type)
        if field.name in batch.schema.names
        else pa.nulls(batch.num_rows, field.type)
        for field in arrow_schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=arrow_schema)


def _settle(partial: Path, target: Path) -> None:
    """Move a finished file into place so that it survives a power cut under its final name."""
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(partial, target)  # noqa: PTH105  Path.replace says nothing of atomicity
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
