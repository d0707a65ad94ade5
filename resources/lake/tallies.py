"""What an export says that it did."""

from __future__ import annotations

from dataclasses import dataclass, field


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
