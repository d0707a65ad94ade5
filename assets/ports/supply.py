"""Inbound supply, and the order lines that wait for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol


class InboundSupply(NamedTuple):
    """Units (each) of one SKU that one document still is to bring."""

    sku: str
    document_number: str
    status: str
    expected_at: datetime
    quantity: int


class PooledLine(NamedTuple):
    """An order line that is promised and waits for supply; money in ten-thousandths a unit.

    ``available_from`` is when its supply can be shipped, as it was announced at ``opened_at``.
    """

    order_id: str
    line_number: int
    sku: str
    pool: str
    quantity: int
    unit_price: int
    available_from: datetime
    opened_at: datetime


class Supply(Protocol):
    """What is on its way to us, and the order lines that wait for it."""

    def inbound(self, skus: Iterable[str], expected_since: datetime) -> list[InboundSupply]:
        """What is announced of these SKUs, not received yet and expected since an instant."""
        ...

    def pools(self, skus: Iterable[str]) -> dict[tuple[str, str], int]:
        """Units in each (sku, pool) of these SKUs, locked until the transaction ends."""
        ...

    def pooled_of_skus(self, skus: Iterable[str] | None) -> list[PooledLine]:
        """Lines that wait for these SKUs, or for any, the longest waiting first."""
        ...

    def pooled_of_orders(self, order_ids: Iterable[str]) -> list[PooledLine]:
        """Lines of these orders that wait, by order and line."""
        ...

    def lapsed_of_orders(self, order_ids: Iterable[str]) -> dict[str, list[str]]:
        """SKUs for which these orders waited until they gave up."""
        ...

    def change_pools(self, changes: Mapping[tuple[str, str], tuple[int, int]]) -> None:
        """Add units to (sku, pool); the second number is the cap that more units must keep."""
        ...

    def put_pooled(self, lines: Sequence[PooledLine]) -> None:
        """Store lines that wait from now on."""
        ...

    def end_pooled(self, keys: Sequence[tuple[str, int]]) -> None:
        """These (order_id, line_number) wait no longer."""
        ...
