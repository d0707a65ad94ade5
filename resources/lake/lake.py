"""The lake of one home, as everybody else sees it: exported into, compacted, read."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from assets.errors import EnvironmentProblem
from resources.lake import export
from resources.lake.compaction import merge_day
from resources.lake.folder import LakeFolder
from resources.lake.tallies import ExportTally


class Lake:
    """The Parquet folder of one home.

    Args:
        root: Its folder; made when it is missing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folder = LakeFolder(root)

    def export(self, engine: sa.Engine) -> ExportTally:
        """Copy what is new since the last export; safe to kill and to repeat.

        A crash leaves files beyond the watermark; the next export removes them and copies those
        rows again.

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
                tally = export.export_new(connection, self._folder)
                watermarks = export.read_watermarks(connection)
                connection.commit()
            self._folder.publish(watermarks)
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
        return merge_day(self._folder, table, day)

    def compact_crowded_days(self, at_least: int = 24) -> int:
        """Compact each day that has gathered that many files; returns how many were merged."""
        merged = 0
        for folder in sorted(self.root.glob("*/recorded_date=*")):
            if len(self._folder.parts(folder)) >= at_least:
                day = date.fromisoformat(folder.name.removeprefix("recorded_date="))
                merged += self.compact(folder.parent.name, day)
        return merged

    @contextmanager
    def reading(self) -> Iterator[Path]:
        """Keep the files from being merged or withdrawn while somebody reads them.

        New files may still appear; a reader leaves out what lies beyond `lake_watermark`.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        days = self.root.glob("*/recorded_date=*")
        leftovers = [folder for folder in days if self._folder.superseded(folder)]
        if leftovers:
            with self._folder.locked(fcntl.LOCK_EX):
                for folder in leftovers:
                    self._folder.remove_superseded(folder)
        self._folder.write_empty_files()
        with self._folder.locked(fcntl.LOCK_SH):
            yield self.root

    def files(self, table: str) -> list[Path]:
        """The Parquet files of one table that its watermark covers, oldest first."""
        below = self._folder.published_below(table)
        found = [
            part
            for folder in (self.root / table).glob("recorded_date=*")
            for part in self._folder.parts(folder)
            if part.below <= below
        ]
        return [part.path for part in sorted(found)]
