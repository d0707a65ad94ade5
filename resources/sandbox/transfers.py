"""Goods that the ERP moves between two places of its own: they leave, and come a day later."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from assets.contracts.fields import Key, Quantity, SkuCode
from assets.contracts.inventory import (
    AdjustedLine,
    InboundAnnounced,
    InboundLine,
    InventoryAdjusted,
    InventoryReceived,
    ReceivedLine,
)
from resources.sandbox.partner import Command

if TYPE_CHECKING:
    from resources.sandbox.erp import Erp

_LOADED_WITHIN = timedelta(minutes=30)
_ON_THE_ROAD = timedelta(days=1)


class _Line(msgspec.Struct, gc=False):
    line_number: int
    sku: SkuCode
    quantity: Quantity


class _Transfer(msgspec.Struct, gc=False):
    transfer_number: Key
    from_node_id: Key
    to_node_id: Key
    lines: list[_Line]


_transfer = msgspec.json.Decoder(_Transfer).decode


def move(erp: Erp, command: Command) -> None:
    """Take goods off one place, announce them at the other, and receive them there."""
    wanted = _transfer(command.payload)
    number = wanted.transfer_number
    leaves_at = command.effective_at + _LOADED_WITHIN
    comes_at = leaves_at + _ON_THE_ROAD
    units = [(line.line_number, line.sku, line.quantity) for line in wanted.lines]
    for _, sku, quantity in units:
        erp.receive(leaves_at, wanted.from_node_id, sku, -quantity)
        erp.receive(comes_at, wanted.to_node_id, sku, quantity)
    left = InventoryAdjusted(
        document_number=f"{number}/out",
        node_id=wanted.from_node_id,
        to_node_id=wanted.to_node_id,
        reason="stock_transfer",
        lines=[AdjustedLine(line_number=n, sku=sku, quantity=-units) for n, sku, units in units],
    )
    erp.answer(command, "retail.inventory.adjusted.v1", leaves_at, left, number)
    announced = InboundAnnounced(
        document_number=number,
        node_id=wanted.to_node_id,
        status="in_transit",
        expected_at=comes_at,
        lines=[InboundLine(line_number=n, sku=sku, quantity=units) for n, sku, units in units],
    )
    erp.answer(command, "retail.inventory.inbound_announced.v1", leaves_at, announced, number)
    came = InventoryReceived(
        document_number=f"{number}/in",
        node_id=wanted.to_node_id,
        from_node_id=wanted.from_node_id,
        inbound_document=number,
        lines=[ReceivedLine(line_number=n, sku=sku, quantity=units) for n, sku, units in units],
    )
    erp.answer(command, "retail.inventory.received.v1", comes_at, came, number)
