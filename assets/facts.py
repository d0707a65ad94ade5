"""Rows of facts, collected in memory by whoever decides and appended as one set a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from assets.ports import UnitOfWork

Row = tuple[Any, ...]


def in_columns(names: Sequence[str], rows: Sequence[Row]) -> dict[str, Sequence[Any]]:
    """Rows, each in the order of the names, as columns."""
    return dict(zip(names, zip(*rows, strict=True), strict=True))


class FactRows(dict[str, list[Row]]):
    """Rows by table, each a tuple in the order of the table's columns.

    Args:
        columns: The columns of each table, in the order in which tables are written.
    """

    def __init__(self, columns: Mapping[str, Sequence[str]]) -> None:
        super().__init__({table: [] for table in columns})
        self._columns = columns

    def flush(self, unit_of_work: UnitOfWork) -> None:
        """Append what was collected, by one statement a table, and begin anew."""
        for table, rows in self.items():
            if rows:
                unit_of_work.append(table, in_columns(self._columns[table], rows))
                rows.clear()
