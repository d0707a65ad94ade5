"""Parquet files by recorded day, written aside; who puts them into place is the export."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from resources.lake.tallies import TableTally

#: Rows of one Parquet row group, and so of what an export holds in memory at once.
ROW_GROUP_ROWS = 61_440
#: Days of one export that are written at the same time; rows arrive nearly in order of recording.
OPEN_DAYS = 8

FolderOf = Callable[[date], Path]


class DayFiles:
    """The files of one table in one export, one per recorded day, written aside."""

    def __init__(
        self, table_folder: Path, arrow_schema: pa.Schema, folder_of: FolderOf | None, name: str
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
            writer = pq.ParquetWriter(partial, self._schema, **writer_options(self._schema))
            self._writers[folder] = writer
        batches = self._waiting[folder]
        if batches:
            writer.write_table(pa.Table.from_batches(batches, schema=self._schema))
        self._waiting[folder] = []

    def _finish(self, folder: Path) -> None:
        self._flush(folder)
        self._writers.pop(folder).close()
        del self._waiting[folder]


def writer_options(arrow_schema: pa.Schema) -> dict[str, Any]:
    """How all files of the lake are written."""
    # A dictionary of identifiers that never repeat is built only to be thrown away.
    repeating = [
        name for name in arrow_schema.names if not name.endswith("_id") or name == "node_id"
    ]
    return {"compression": "zstd", "compression_level": 1, "use_dictionary": repeating}
