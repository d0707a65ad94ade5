"""Positions of stock, and what changes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from assets.ports.columns import Columns
from assets.ports.master_data import Components


class StockPosition(NamedTuple):
    """Units (each) of one SKU at one node."""

    node_id: str
    sku: str
    on_hand: int
    reserved: int
    allocated: int

    @property
    def unpromised(self) -> int:
        """Units that nobody was promised."""
        return self.on_hand - self.reserved - self.allocated


class Reservation(NamedTuple):
    """Units (each) that a node holds for one order line."""

    order_id: str
    line_number: int
    node_id: str
    sku: str
    quantity: int


class LostLine(NamedTuple):
    """Units (each) of an order line whose reservation gave way; price in ten-thousandths a unit.

    ``nodes`` are those that had or have any of the line, and are asked for no more of it.
    """

    sku: str
    quantity: int
    unit_price: int
    nodes: list[str]


class Count(NamedTuple):
    """What was counted of one SKU at one node, and when."""

    node_id: str
    sku: str
    quantity: int
    occurred_at: datetime


class Stock(Protocol):
    """Positions and what changes them. Read positions are locked until the transaction ends."""

    def lock_positions(self, skus: Iterable[str]) -> list[StockPosition]:
        """Every node's position of these SKUs, ordered by node and SKU."""
        ...

    def change_positions(self, changes: Mapping[tuple[str, str], tuple[int, int, int]]) -> None:
        """Add to (on hand, reserved, allocated) of each (node_id, sku)."""
        ...

    def open_reservations(self, order_ids: Sequence[str]) -> list[Reservation]:
        """Reservations of these orders that have no end yet."""
        ...

    def open_reservations_of_positions(
        self, positions: Iterable[tuple[str, str]]
    ) -> list[Reservation]:
        """Open reservations at (node_id, sku), the newest first."""
        ...

    def open_with(self, order_id: str, component_number: int) -> list[tuple[Reservation, int]]:
        """Open reservations of the bundle that a component is of, its own included.

        Each with its units in one bundle; none where the line is no component.
        """
        ...

    def lost_to_shortage(self, order_ids: Sequence[str]) -> dict[tuple[str, int], LostLine]:
        """By (order_id, line_number): units whose reservation gave way, not replaced yet."""
        ...

    def hold_sale(self, holds: Sequence[tuple[str, str, str, int]], at: datetime) -> None:
        """From now on a channel may not sell a SKU, by (channel, sku, case_id, cycle)."""
        ...

    def held_from_sale(self) -> set[tuple[str, str]]:
        """(channel, sku) that may not be sold; what is over since the last call ends here."""
        ...

    def moved_since(
        self, positions: Iterable[tuple[str, str]], instant: datetime
    ) -> dict[tuple[str, str], int]:
        """Σ stock movements per (node_id, sku) that happened after an instant."""
        ...

    def counted_since(self, skus: Iterable[str], instant: datetime) -> list[Count]:
        """The last count of each position of these SKUs, if it is of that instant or later."""
        ...

    def take_unpublished(self) -> tuple[Columns, dict[str, datetime]]:
        """``node_id``, ``sku`` and ``unpromised_quantity`` of all nodes of SKUs that changed.

        They count as told from now on; no columns where nothing changed. Also when the earliest
        change of each of these SKUs happened.
        """
        ...

    def take_unpublished_bundles(self, skus: Iterable[str]) -> dict[str, Components]:
        """What is in bundles of these SKUs, and in those that changed themselves, by their SKU.

        They count as told from now on.
        """
        ...

    def unpromised(self, skus: Iterable[str]) -> Columns:
        """``node_id``, ``sku`` and ``unpromised_quantity`` of all nodes, unlocked."""
        ...

    def waiting(self, skus: Iterable[str]) -> dict[str, int]:
        """Units that order lines wait for, by SKU; those for which nobody waits are left out."""
        ...

    def published(self, skus: Iterable[str]) -> dict[tuple[str, str], int]:
        """What each (channel, sku) was last told."""
        ...

    def put_published(self, columns: Columns) -> None: ...
    def mark_unpublished(self, skus: Iterable[str]) -> None:
        """What channels may sell of these SKUs, now or later, is to be told again if it changed."""
        ...

    def outlook(self, skus: Iterable[str]) -> dict[tuple[str, str], list[tuple[datetime, int]]]:
        """What each (channel, sku) was last told of later: (expected at, units) by time."""
        ...

    def put_outlook(self, told: Mapping[tuple[str, str], Sequence[tuple[datetime, int]]]) -> None:
        """Replace what these (channel, sku) are told of later."""
        ...

    def forget_published(self, channel: str, skus: Sequence[str]) -> None:
        """Let a channel be told of these SKUs again, whatever it was told last."""
        ...
