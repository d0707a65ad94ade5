"""Master data events: product, price, node and customer, told by the systems that own them."""

from __future__ import annotations

from typing import Literal

from assets.contracts.fields import (
    AddressLine,
    BasisPoints,
    CostMoney,
    Country,
    Currency,
    CustomerNumber,
    Email,
    EventData,
    Key,
    PersonName,
    Postcode,
    SkuCode,
    Text,
    UnsignedMoney,
)


class ProductRegistered(EventData, frozen=True, kw_only=True):
    """A SKU as the ERP knows it; sending it again replaces it."""

    sku: SkuCode
    description: Text = ""
    standard_cost: CostMoney
    currency: Currency
    tax_rate: BasisPoints
    gtin: Key | None = None
    is_synthetic: bool = False


class PriceChanged(EventData, frozen=True, kw_only=True):
    """The approved price of a SKU in a channel, from the event's time on."""

    sku: SkuCode
    price_channel: Key
    unit_price: UnsignedMoney
    currency: Currency


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
