"""Order events: what a channel tells us about the orders that it took."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from assets.contracts.fields import (
    AddressLine,
    Code,
    Country,
    Currency,
    CustomerNumber,
    Email,
    EventData,
    Key,
    LineNumber,
    Money,
    PersonName,
    Postcode,
    Quantity,
    SkuCode,
    Text,
    UnsignedMoney,
)


class OrderLine(EventData, frozen=True, kw_only=True):
    """One ordered line; lines that look the same are all real."""

    line_number: LineNumber
    sku: SkuCode
    quantity: Quantity
    unit_price: UnsignedMoney


class OrderCharge(EventData, frozen=True, kw_only=True):
    """What an order costs beside its goods: postage, fees; a discount is negative."""

    code: Code
    amount: Money


class ShipTo(EventData, frozen=True, kw_only=True):
    """Where the goods go. Everything but the country is personal data."""

    country: Country
    name: PersonName | None = None
    email: Email | None = None
    address: AddressLine | None = None
    city: AddressLine | None = None
    postcode: Postcode | None = None


class Authorisation(EventData, frozen=True, kw_only=True):
    """A payment that the channel has authorised at checkout already."""

    reference: Key
    amount: UnsignedMoney


class Pickup(EventData, frozen=True, kw_only=True):
    """The store at which the customer collects the goods, and what may be done if it cannot."""

    node_id: Key
    accepts_other_store: bool = False
    accepts_shipping: bool = False


class OrderPlaced(EventData, frozen=True, kw_only=True):
    """A customer ordered. Prices include tax. An order has lines, charges, or both."""

    order_number: Key
    currency: Currency
    lines: Annotated[list[OrderLine], Meta(max_length=5_000)]
    charges: Annotated[list[OrderCharge], Meta(max_length=1_000)] = msgspec.field(
        default_factory=list
    )
    customer_number: CustomerNumber | None = None
    ship_to: ShipTo
    service_level: Literal["standard", "express", "pickup"] = "standard"
    promised_date: date | None = None
    authorisation: Authorisation | None = None
    pickup: Pickup | None = None


class OrderCancelled(EventData, frozen=True, kw_only=True):
    """A customer or a channel takes an order back before it is shipped."""

    order_number: Key
    reason: Code


class OrderHoldDecided(EventData, frozen=True, kw_only=True):
    """A person decided about an order that was held for suspected fraud."""

    order_number: Key
    decision: Literal["release", "cancel"]
    decided_by: Key
    reason: Text
