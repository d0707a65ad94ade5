"""Deliveries that the ERP announces: confirmed when they are ordered, again when on the road."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from assets.contracts.inventory import InboundAnnounced, InboundLine

if TYPE_CHECKING:
    from resources.sandbox.erp import Erp

#: A supplier confirms within the day and needs four days.
ORDERED_BEFORE = timedelta(days=4)
_LOADED_BEFORE = timedelta(hours=12)
_SLIPS_BY = timedelta(days=1)
_SLIP_RATE = 0.3


class Delivery(NamedTuple):
    """A delivery that was ordered, by when it comes and of how many of each SKU."""

    number: str
    node_id: str
    comes_at: datetime
    bought: tuple[tuple[str, int], ...]


def chase(erp: Erp, skus: Iterable[str], asked_at: datetime, inquiry: str) -> None:
    """Say again when what is on its way of these SKUs will come."""
    found = {erp.under_way[sku] for sku in skus if sku in erp.under_way}
    for number, node_id, comes_at, bought in sorted(found):
        if comes_at > asked_at:
            _tell(erp, number, node_id, asked_at, "in_transit", comes_at, bought, inquiry)


def announce(
    erp: Erp, node_id: str, ordered_at: datetime, due: datetime, bought: Sequence[tuple[str, int]]
) -> None:
    """Order a delivery for a node, and let it be announced, loaded and received in its time."""
    size = erp.world.settings.document_lines
    for start in range(0, len(bought), size):
        part = tuple(bought[start : start + size])
        number = erp.document_number("PO", node_id, ordered_at)
        slips = erp.world.chance.happens(_SLIP_RATE, "slips", number)
        comes_at = due + _SLIPS_BY if slips else due
        for sku, _ in part:
            erp.under_way[sku] = Delivery(number, node_id, comes_at, part)
        _tell(erp, number, node_id, ordered_at, "confirmed", due, part)
        _tell(erp, number, node_id, due - _LOADED_BEFORE, "in_transit", comes_at, part)
        erp.tell_receipts(node_id, comes_at, list(part), number)


def _tell(
    erp: Erp,
    number: str,
    node_id: str,
    moment: datetime,
    status: Literal["confirmed", "in_transit"],
    expected_at: datetime,
    bought: Sequence[tuple[str, int]],
    version: str = "",
) -> None:
    announced = InboundAnnounced(
        document_number=number,
        node_id=node_id,
        status=status,
        expected_at=expected_at,
        lines=[
            InboundLine(line_number=line, sku=sku, quantity=quantity)
            for line, (sku, quantity) in enumerate(bought, 1)
        ],
        is_synthetic=True,
    )
    event_type = "retail.inventory.inbound_announced.v1"
    erp.tell(event_type, moment, announced, number, version=version or status)
