"""Inventory events: physical facts about stock, told by ERP and WMS, one event per document."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from assets.contracts.fields import (
    Code,
    EventData,
    Key,
    LineNumber,
    NonNegativeQuantity,
    Quantity,
    SignedQuantity,
    SkuCode,
    Text,
)


class CountedLine(EventData, frozen=True, kw_only=True):
    """How many sellable units of a SKU were counted."""

    sku: SkuCode
    quantity: NonNegativeQuantity


class InventoryCounted(EventData, frozen=True, kw_only=True):
    """A count of a node, true at the event's time."""

    document_number: Key
    node_id: Key
    lines: Annotated[list[CountedLine], Meta(max_length=5_000)]
    is_synthetic: bool = False


class ReceivedLine(EventData, frozen=True, kw_only=True):
    """Units received of one SKU."""

    line_number: LineNumber
    sku: SkuCode
    quantity: Quantity


class InventoryReceived(EventData, frozen=True, kw_only=True):
    """A goods receipt at a node."""

    document_number: Key
    node_id: Key
    lines: Annotated[list[ReceivedLine], Meta(max_length=5_000)]
    is_synthetic: bool = False


class AdjustedLine(EventData, frozen=True, kw_only=True):
    """Units found (positive) or written off (negative)."""

    line_number: LineNumber
    sku: SkuCode
    quantity: SignedQuantity


class InventoryAdjusted(EventData, frozen=True, kw_only=True):
    """A correction of stock with its reason; it may touch no goods at all."""

    document_number: Key
    node_id: Key
    reason: Code
    note: Text = ""
    lines: Annotated[list[AdjustedLine], Meta(max_length=5_000)]
