"""Many small files of one recorded day become one, whatever is killed meanwhile."""

from __future__ import annotations

import fcntl
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from resources.lake.columns import lake_schema
from resources.lake.day_files import ROW_GROUP_ROWS, writer_options
from resources.lake.folder import LakeFolder, Part, settle
from resources.operational_store import schema


def merge_day(lake: LakeFolder, table: str, day: date) -> int:
    """Merge the files of one recorded day; gives how many there were, 0 for fewer than two."""
    folder = lake.day(table, day)
    with lake.locked(fcntl.LOCK_EX):
        below = lake.published_below(table)
        lake.remove_superseded(folder)
        # Files beyond the watermark may still be withdrawn by the next export.
        parts = sorted(
            (part for part in lake.parts(folder) if part.below <= below),
            key=lambda part: part.first,
        )
        if len(parts) < 2:
            return 0
        first, last = parts[0].first, max(part.below for part in parts)
        target = folder / f"part-{first:020d}-{last:020d}-merged.parquet"
        for leftover in folder.glob(".*-merged.parquet.partial"):
            leftover.unlink()
        partial = folder / f".{target.name}.partial"
        _write_merged(partial, parts, lake_schema(schema.metadata.tables[table]))
        settle(partial, target)
        # From here on the merged file covers the others' ranges: a crash leaves them
        # superseded, and whoever comes next removes them before anybody reads.
        for part in parts:
            if part.path != target:
                part.path.unlink()
        return len(parts)


def _write_merged(path: Path, parts: list[Part], arrow_schema: pa.Schema) -> None:
    with pq.ParquetWriter(path, arrow_schema, **writer_options(arrow_schema)) as writer:
        waiting: list[pa.RecordBatch] = []
        for part in parts:
            with pq.ParquetFile(part.path) as file:
                for batch in file.iter_batches(ROW_GROUP_ROWS):
                    waiting.append(_conform(batch, arrow_schema))
                    if sum(found.num_rows for found in waiting) >= ROW_GROUP_ROWS:
                        writer.write_table(pa.Table.from_batches(waiting))
                        waiting = []
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting))


def _conform(batch: pa.RecordBatch, arrow_schema: pa.Schema) -> pa.RecordBatch:
    """An older file's rows in today's columns; those it did not have yet are null."""
    columns = [
        batch.column(field.name).cast(field.type)
        if field.name in batch.schema.names
        else pa.nulls(batch.num_rows, field.type)
        for field in arrow_schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=arrow_schema)
