"""Master data events: product, price, node and customer, told by the systems that own them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from assets.contracts.fields import (
    AddressLine,
    BasisPoints,
    CostMoney,
    Country,
    Currency,
    CustomerNumber,
    Email,
    EventData,
    Instant,
    Key,
    PersonName,
    Postcode,
    SkuCode,
    Text,
    UnsignedMoney,
)


class BundleComponent(EventData, frozen=True, kw_only=True):
    """What is in one unit of a bundle."""

    sku: SkuCode
    quantity: Annotated[int, Meta(ge=1, le=1_000, description="Each, in one bundle")]


class ProductRegistered(EventData, frozen=True, kw_only=True):
    """A SKU as the ERP knows it; sending it again replaces it.

    What is ordered before ``available_from`` is a preorder: it leaves no earlier than that.
    One with ``components`` is a bundle: it is ordered, priced and invoiced as one SKU, and has no
    stock but that of its components. A component is no bundle itself.
    """

    sku: SkuCode
    description: Text = ""
    standard_cost: CostMoney
    currency: Currency
    tax_rate: BasisPoints
    gtin: Key | None = None
    is_synthetic: bool = False
    available_from: Instant | None = None
    product_class: Key | None = None
    components: Annotated[list[BundleComponent], Meta(max_length=100)] = msgspec.field(
        default_factory=list
    )


class PriceChanged(EventData, frozen=True, kw_only=True):
    """The approved price of a SKU in a channel, from the event's time on."""

    sku: SkuCode
    price_channel: Key
    unit_price: UnsignedMoney
    currency: Currency


class ShownPrice(EventData, frozen=True, kw_only=True):
    """What customers of a channel are asked for one unit of a SKU."""

    sku: SkuCode
    unit_price: UnsignedMoney


class PriceShown(EventData, frozen=True, kw_only=True):
    """The prices that a channel shows its customers, true at ``as_of``."""

    document_number: Key
    channel: Key
    as_of: Instant
    currency: Currency
    lines: Annotated[list[ShownPrice], Meta(max_length=5_000)]


class NodeRegistered(EventData, frozen=True, kw_only=True):
    """A place that holds stock."""

    node_id: Key
    kind: Literal["warehouse", "store", "drop_ship"]
    zone: Key
    country: Country
    is_active: bool = True


class CustomerRegistered(EventData, frozen=True, kw_only=True):
    """A customer as the CRM knows them; all but the number and country is personal data."""

    customer_number: CustomerNumber
    country: Country | None = None
    name: PersonName | None = None
    email: Email | None = None
    address: AddressLine | None = None
    city: AddressLine | None = None
    postcode: Postcode | None = None
