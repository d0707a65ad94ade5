"""The folder of the lake: names of its files, what readers may see of them, and its lock.

Nothing here knows the database, nor how rows become files.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from resources.lake.columns import SNAPSHOT_TABLES, WATERMARK_SCHEMA, lake_schema
from resources.operational_store import schema

_PART = re.compile(r"part-(?P<first>\d+)-(?P<below>\d+)(?:-(?P<again>\d+|merged))?\.parquet")


class Part(NamedTuple):
    """A file of facts and the transactions it covers, from ``first`` and below ``below``."""

    first: int
    below: int
    path: Path


class Watermark(NamedTuple):
    """Up to where a table is complete."""

    table: str
    below: int
    rows: int


class LakeFolder:
    """The Parquet folder of one home.

    Args:
        root: Where it is.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def day(self, table: str, day: date) -> Path:
        """Where the facts of a recorded day are."""
        return self.root / table / f"recorded_date={day.isoformat()}"

    def parts(self, folder: Path) -> list[Part]:
        """The files of facts of one day."""
        found = ((_PART.fullmatch(path.name), path) for path in folder.glob("part-*.parquet"))
        return [
            Part(int(match["first"]), int(match["below"]), path)
            for match, path in found
            if match is not None
        ]

    def published_below(self, table: str) -> int:
        """Up to which transaction readers may see a table."""
        path = self.root / schema.lake_watermark.name / "part-watermark.parquet"
        if not path.exists():
            return 0
        marks = pq.read_table(path).to_pylist()
        return next(
            (int(row["exported_below_xid"]) for row in marks if row["table_name"] == table), 0
        )

    def publish(self, watermarks: list[Watermark]) -> None:
        """Publish the cut; until then readers keep the former one, which stays consistent."""
        folder = self.root / schema.lake_watermark.name
        folder.mkdir(exist_ok=True)
        table = pa.table(
            {
                "table_name": [mark.table for mark in watermarks],
                "exported_below_xid": [mark.below for mark in watermarks],
                "exported_rows": [mark.rows for mark in watermarks],
            },
            schema=WATERMARK_SCHEMA,
        )
        partial = folder / ".part-watermark.parquet.partial"
        pq.write_table(table, partial)
        settle(partial, folder / "part-watermark.parquet")

    def write_empty_files(self) -> None:
        """Give every table a typed file: a reader finds its columns before its first row."""
        for table in [*schema.LAKE_TABLES, *SNAPSHOT_TABLES]:
            self._write_empty_file(table.name, lake_schema(table))
        self._write_empty_file(schema.lake_watermark.name, WATERMARK_SCHEMA)

    def _write_empty_file(self, table: str, arrow_schema: pa.Schema) -> None:
        path = self.root / table / "part-empty.parquet"
        if path.exists() and pq.read_schema(path).equals(arrow_schema):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        pq.write_table(arrow_schema.empty_table(), partial)
        settle(partial, path)

    def withdraw_uncovered(self, marks: Mapping[str, int]) -> None:
        """Remove what an export that did not live to move the watermark has left."""
        for partial in self.root.glob("*/recorded_date=*/.part-*.partial"):
            if "-merged" not in partial.name:
                partial.unlink(missing_ok=True)
        uncovered = [
            part.path
            for table in schema.LAKE_TABLES
            for folder in (self.root / table.name).glob("recorded_date=*")
            for part in self.parts(folder)
            if part.below > marks.get(table.name, 0)
        ]
        if uncovered:
            with self.locked(fcntl.LOCK_EX):
                for path in uncovered:
                    path.unlink(missing_ok=True)

    def superseded(self, folder: Path) -> list[Path]:
        """Files that a merged file of their day repeats: its merge was cut short."""
        parts = self.parts(folder)
        merged = [part for part in parts if part.path.stem.endswith("-merged")]
        return [
            part.path
            for part in parts
            if any(
                other.first <= part.first and part.below <= other.below
                for other in merged
                if other.path != part.path
            )
        ]

    def remove_superseded(self, folder: Path) -> None:
        """Finish a merge that was cut short; whoever calls this holds the lock alone."""
        for path in self.superseded(folder):
            path.unlink(missing_ok=True)

    @contextmanager
    def locked(self, mode: int) -> Iterator[None]:
        """Lock the folder; the lock goes with its process."""
        descriptor = os.open(self.root / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, mode)
            yield
        finally:
            os.close(descriptor)


def settle(partial: Path, target: Path) -> None:
    """Move a finished file into place so that it survives a power cut under its final name."""
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(partial, target)  # noqa: PTH105  Path.replace says nothing of atomicity
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
