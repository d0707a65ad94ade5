"""Shipment events: goods on their way, told by the node that despatches and the carrier."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from assets.contracts.fields import EventData, Key, LineNumber, Quantity, SkuCode


class ShippedLine(EventData, frozen=True, kw_only=True):
    """Units of one order line in this shipment."""

    line_number: LineNumber
    sku: SkuCode
    quantity: Quantity


class ShipmentDispatched(EventData, frozen=True, kw_only=True):
    """The node handed the goods of one fulfilment order to the carrier."""

    order_number: Key
    fulfilment_order_id: Key
    shipment_number: Key
    node_id: Key
    carrier: Key
    lines: Annotated[list[ShippedLine], Meta(min_length=1, max_length=5_000)]


class ShipmentDelivered(EventData, frozen=True, kw_only=True):
    """The carrier handed the goods to the customer."""

    order_number: Key
    shipment_number: Key
