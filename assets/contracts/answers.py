"""What the outside may ask of us and is told: governed like the events, and never personal."""

from __future__ import annotations

from datetime import date, datetime

import msgspec


class OrderLineStatus(msgspec.Struct, frozen=True):
    """One line of an order, in units (each)."""

    line_number: int
    sku: str
    ordered_quantity: int
    promised_quantity: int
    unfilled_quantity: int
    unfilled_reason_code: str | None
    backordered_quantity: int = 0


class FulfilmentStatus(msgspec.Struct, frozen=True):
    """The part of an order that one node ships."""

    fulfilment_order_id: str
    status: str
    quantity: int
    shipment_number: str | None


class OrderStatus(msgspec.Struct, frozen=True):
    """Where an order stands. Nothing in it is personal.

    ``promised_date`` is what the customer was promised last.
    """

    channel: str
    order_number: str
    status: str
    ordered_at: datetime
    promised_date: date
    currency_code: str
    total_amount: str
    lines: list[OrderLineStatus]
    fulfilment: list[FulfilmentStatus]


class LaterAvailability(msgspec.Struct, frozen=True):
    """What may be sold of one SKU (each) once supply is at the dock, if it comes as announced."""

    expected_at: datetime
    quantity: int


class SkuAvailability(msgspec.Struct, frozen=True):
    """What a channel may sell of one SKU (each), as it was last told, and what it may later."""

    sku: str
    quantity: int
    as_of: datetime | None
    later: list[LaterAvailability] = []
