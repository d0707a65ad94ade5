"""Pools as whoever fills or empties them writes it: their ledger, their sums, who waits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from assets.facts import FactRows
from assets.ports import PooledLine, UnitOfWork

#: The columns of the ledger.
BACKORDER_MOVEMENT = (
    "order_id",
    "line_number",
    "sku",
    "pool",
    "kind",
    "quantity",
    "is_start",
    "occurred_at",
)


class PoolChanges:
    """What one batch does to pools, summed up, so that each is touched once.

    Lines that wait are at hand for every order that was loaded or that was pooled here.
    """

    def __init__(self, rows: FactRows) -> None:
        self._rows = rows
        self._of_order: dict[str, dict[int, PooledLine]] = defaultdict(dict)
        self._units: dict[tuple[str, str], int] = defaultdict(int)
        self._caps: dict[tuple[str, str], int] = defaultdict(int)
        self._opened: list[PooledLine] = []
        self._ended: list[tuple[str, int]] = []

    def load(self, lines: Iterable[PooledLine]) -> None:
        """Have at hand what is stored."""
        for line in lines:
            self._of_order[line.order_id][line.line_number] = line

    def waiting(self, order_id: str) -> list[PooledLine]:
        """The lines of an order that wait, by number."""
        held = self._of_order.get(order_id, {})
        return [held[number] for number in sorted(held)]

    def open(self, line: PooledLine, cap: int, occurred_at: datetime) -> None:
        """A line waits from now on, within the cap (each) of its pool."""
        key = (line.sku, line.pool)
        self._units[key] += line.quantity
        self._caps[key] = max(self._caps[key], cap)
        self._opened.append(line)
        self._of_order[line.order_id][line.line_number] = line
        self._move(line, "opened", line.quantity, occurred_at)

    def end(self, line: PooledLine, kind: str, occurred_at: datetime) -> None:
        """A line waits no longer: supplied, lapsed or cancelled."""
        self._units[line.sku, line.pool] -= line.quantity
        self._ended.append((line.order_id, line.line_number))
        del self._of_order[line.order_id][line.line_number]
        self._move(line, kind, -line.quantity, occurred_at)

    def _move(self, line: PooledLine, kind: str, units: int, occurred_at: datetime) -> None:
        row: tuple[Any, ...] = (
            line.order_id,
            line.line_number,
            line.sku,
            line.pool,
            kind,
            units,
            units > 0,
            occurred_at,
        )
        self._rows["backorder_movement"].append(row)

    def flush(self, unit_of_work: UnitOfWork) -> None:
        """Apply the sums and begin anew."""
        supply = unit_of_work.supply
        supply.change_pools({key: (units, self._caps[key]) for key, units in self._units.items()})
        if self._units:
            # Who waits is taken off what channels may sell.
            unit_of_work.stock.mark_unpublished({sku for sku, _ in self._units})
        supply.put_pooled(self._opened)
        supply.end_pooled(self._ended)
        self._units.clear()
        self._caps.clear()
        self._opened.clear()
        self._ended.clear()
