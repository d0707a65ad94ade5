"""Inventory events: physical facts about stock, and what other systems believe of it.

Facts are told by ERP and WMS, one event per document. A snapshot states no fact: it is what a
system believes at an instant, to be compared with ours.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from assets.contracts.fields import (
    Code,
    EventData,
    Instant,
    Key,
    LineNumber,
    NonNegativeQuantity,
    Quantity,
    SignedQuantity,
    SkuCode,
    SnapshotQuantity,
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
    """A goods receipt at a node, and what announced it, where that is known.

    ``from_node_id`` is another of our places, where that is who sent the goods.
    """

    document_number: Key
    node_id: Key
    lines: Annotated[list[ReceivedLine], Meta(max_length=5_000)]
    is_synthetic: bool = False
    inbound_document: Key | None = None
    from_node_id: Key | None = None


class InboundLine(EventData, frozen=True, kw_only=True):
    """Units of one SKU that are on their way to us."""

    line_number: LineNumber
    sku: SkuCode
    quantity: Quantity


class InboundAnnounced(EventData, frozen=True, kw_only=True):
    """Supply that is to come: a purchase order, its confirmation, or a despatch advice.

    Each announcement replaces all that its document said before; one that is cancelled brings
    nothing. ``expected_at`` is when it is at the node's dock.
    """

    document_number: Key
    node_id: Key
    status: Literal["planned", "confirmed", "in_transit", "cancelled"]
    expected_at: Instant
    lines: Annotated[list[InboundLine], Meta(max_length=5_000)]
    is_synthetic: bool = False


class AdjustedLine(EventData, frozen=True, kw_only=True):
    """Units found (positive) or written off (negative)."""

    line_number: LineNumber
    sku: SkuCode
    quantity: SignedQuantity


class InventoryAdjusted(EventData, frozen=True, kw_only=True):
    """A correction of stock with its reason; it may touch no goods at all.

    ``to_node_id`` is another of our places, where goods leave for it.
    """

    document_number: Key
    node_id: Key
    reason: Code
    note: Text = ""
    to_node_id: Key | None = None
    lines: Annotated[list[AdjustedLine], Meta(max_length=5_000)]


class SnapshotLine(EventData, frozen=True, kw_only=True):
    """What a system believes to have of one SKU, in its own unit of measure.

    A partner that knows how many units a case holds says so in either unit: it is how a quantity in
    the wrong one is recognised.
    """

    sku: SkuCode
    quantity: SnapshotQuantity
    unit_of_measure: Literal["each", "case"] = "each"
    units_per_case: Annotated[int, Meta(ge=2, le=100_000)] | None = None


class InventorySnapshotTaken(EventData, frozen=True, kw_only=True):
    """What ``system`` believes of one node or one channel, true at ``as_of``.

    Of a node: the units on hand. Of a channel: the level that it was last set to, its own sales
    since then not taken off. SKUs that it does not name it says nothing about.
    """

    document_number: Key
    system: Code
    as_of: Instant
    node_id: Key | None = None
    channel: Key | None = None
    lines: Annotated[list[SnapshotLine], Meta(max_length=5_000)]


class CorrectionDecided(EventData, frozen=True, kw_only=True):
    """Whether our books follow another system's word about one SKU at a node.

    ``quantity`` is what was asked about (each, signed): a decision about other units is not one
    about what is proposed by then.
    """

    system: Code
    node_id: Key
    sku: SkuCode
    quantity: SignedQuantity
    decision: Literal["approved", "denied"]
    decided_by: Key
    reason: Text


class AvailabilityAcknowledged(EventData, frozen=True, kw_only=True):
    """A channel shows, from the event's time on, the availability of one message of ours."""

    channel: Key
    publication_id: Annotated[
        str,
        Meta(
            pattern=r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z",
            description="Id of the command that told it",
        ),
    ]
