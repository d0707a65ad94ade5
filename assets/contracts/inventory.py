"""Inventory events: physical facts about stock, told by ERP and WMS. Documents, not single units."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from assets.contracts.fields import (
    Code,
    Key,
    LineNumber,
    NonNegativeQuantity,
    Quantity,
    SignedQuantity,
    SkuCode,
    Text,
)


class CountedLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many sellable units of a SKU were counted."""

    sku: SkuCode
    quantity: NonNegativeQuantity


class InventoryCounted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A count of a node, true at the event's time."""

    document_number: Key
    node_id: Key
    lines: Annotated[list[CountedLine], Meta(max_length=5_000)]
    is_synthetic: bool = False


class ReceivedLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units received of one SKU."""

    line_number: LineNumber
    sku: SkuCode
    quantity: Quantity


class InventoryReceived(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A goods receipt at a node."""

    document_number: Key
    node_id: Key
    lines: Annotated[list[ReceivedLine], Meta(max_length=5_000)]
    is_synthetic: bool = False


class AdjustedLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units found (positive) or written off (negative)."""

    line_number: LineNumber
    sku: SkuCode
    quantity: SignedQuantity


class InventoryAdjusted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A correction of stock with its reason; it may touch no goods at all."""

    document_number: Key
    node_id: Key
    reason: Code
    note: Text = ""
    lines: Annotated[list[AdjustedLine], Meta(max_length=5_000)]
