"""The ledgers of stock as whoever moves units writes them: their columns, and the positions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from assets.facts import FactRows
from assets.finance.journal import Journal
from assets.ports import UnitOfWork


class Movement(NamedTuple):
    """One row of ``stock_movement``: a physical change of one SKU at one node, in each."""

    node_id: str
    sku: str
    kind: str
    quantity: int
    reason_code: str
    reference_id: str
    reference_line: int
    order_id: str | None
    occurred_at: datetime


#: Columns of the ledgers, by table.
LEDGERS = {
    "stock_movement": Movement._fields,
    "inventory_counted": (
        "reference_id",
        "reference_line",
        "node_id",
        "sku",
        "counted_quantity",
        "occurred_at",
    ),
    "inbound_received": (
        "reference_id",
        "reference_line",
        "document_number",
        "sku",
        "received_quantity",
        "occurred_at",
    ),
    "reservation_movement": (
        "order_id",
        "line_number",
        "node_id",
        "sku",
        "kind",
        "quantity",
        "is_start",
        "expires_at",
    ),
}

#: Columns of what is kept of other systems' snapshots, by table.
BELIEFS = {
    "inventory_snapshot": (
        "snapshot_id",
        "system",
        "node_id",
        "channel",
        "document_number",
        "sku",
        "unit_of_measure",
        "units_per_case",
        "stated_quantity",
        "held_quantity",
        "drift_quantity",
        "ledger_watermark",
        "occurred_at",
    ),
    "inventory_drift_reason": (
        "snapshot_id",
        "sku",
        "revision",
        "reason_code",
        "quantity",
        "amount",
        "currency_code",
        "occurred_at",
    ),
    "stock_correction": (
        "snapshot_id",
        "sku",
        "revision",
        "node_id",
        "status",
        "quantity",
        "amount",
        "currency_code",
        "reference_id",
        "occurred_at",
    ),
}


class PositionChanges:
    """What one batch does to stock positions, summed up, so that each is touched once."""

    def __init__(self) -> None:
        self._changes: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])

    def add(
        self, node_id: str, sku: str, on_hand: int = 0, reserved: int = 0, allocated: int = 0
    ) -> None:
        """Change a position by these units."""
        change = self._changes[node_id, sku]
        change[0] += on_hand
        change[1] += reserved
        change[2] += allocated

    def flush(self, unit_of_work: UnitOfWork) -> None:
        """Apply the sums and begin anew."""
        unit_of_work.stock.change_positions(
            {key: (c[0], c[1], c[2]) for key, c in self._changes.items() if any(c)}
        )
        self._changes.clear()


@dataclass(frozen=True)
class StockLedgers:
    """Where whoever moves units writes: movements, positions and value, in one transaction."""

    unit_of_work: UnitOfWork
    rows: FactRows
    positions: PositionChanges
    journal: Journal
