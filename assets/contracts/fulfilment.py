"""Fulfilment events: what a warehouse or store says about the work that it was given."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from assets.contracts.fields import Code, EventData, Key, LineNumber, Quantity, SkuCode
from assets.contracts.shipment import ShippedLine


class FulfilmentAccepted(EventData, frozen=True, kw_only=True):
    """The node has taken the fulfilment order into its work."""

    order_number: Key
    fulfilment_order_id: Key
    node_id: Key


class RejectedLine(EventData, frozen=True, kw_only=True):
    """Units of one order line that were not there as they should be."""

    line_number: LineNumber
    sku: SkuCode
    quantity: Quantity


class FulfilmentRejected(EventData, frozen=True, kw_only=True):
    """The node cannot do the fulfilment order; nothing of it was shipped.

    The lines are those that the reason is about; without any it is about all of them.
    """

    order_number: Key
    fulfilment_order_id: Key
    node_id: Key
    reason: Code
    lines: Annotated[list[RejectedLine], Meta(max_length=5_000)] = msgspec.field(
        default_factory=list
    )


class FulfilmentReadyForPickup(EventData, frozen=True, kw_only=True):
    """The store has the goods at its counter."""

    order_number: Key
    fulfilment_order_id: Key
    node_id: Key


class FulfilmentCollected(EventData, frozen=True, kw_only=True):
    """The store handed goods to the customer; what is not named stayed with the store."""

    order_number: Key
    fulfilment_order_id: Key
    handover_number: Key
    node_id: Key
    lines: Annotated[list[ShippedLine], Meta(min_length=1, max_length=5_000)]
