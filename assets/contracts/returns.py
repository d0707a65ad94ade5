"""Return events: goods that a customer gives back. They wait for the flow return-to-resolution."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from assets.contracts.fields import (
    Currency,
    CustomerNumber,
    EventData,
    Key,
    LineNumber,
    Quantity,
    SkuCode,
    UnsignedMoney,
)
from assets.contracts.order import OrderCharge


class ReturnLine(EventData, frozen=True, kw_only=True):
    """Units of one SKU that come back, at the price that is credited for each."""

    line_number: LineNumber
    sku: SkuCode
    quantity: Quantity
    unit_price: UnsignedMoney


class ReturnRequested(EventData, frozen=True, kw_only=True):
    """A customer gives goods back, or a charge is reversed; the order may be unknown."""

    return_number: Key
    currency: Currency
    lines: Annotated[list[ReturnLine], Meta(max_length=5_000)]
    charges: Annotated[list[OrderCharge], Meta(max_length=1_000)] = msgspec.field(
        default_factory=list
    )
    order_number: Key | None = None
    customer_number: CustomerNumber | None = None
