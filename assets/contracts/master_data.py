"""Master data events: product, price, node and customer, told by the systems that own them."""

from __future__ import annotations

from typing import Literal

import msgspec

from assets.contracts.fields import (
    AddressLine,
    BasisPoints,
    CostMoney,
    Country,
    Currency,
    CustomerNumber,
    Email,
    Key,
    PersonName,
    Postcode,
    SkuCode,
    Text,
    UnsignedMoney,
)


class ProductRegistered(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A SKU as the ERP knows it; sending it again replaces it."""

    sku: SkuCode
    description: Text = ""
    standard_cost: CostMoney
    currency: Currency
    tax_rate: BasisPoints
    gtin: Key | None = None
    is_synthetic: bool = False


class PriceChanged(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The approved price of a SKU in a channel, from the event's time on."""

    sku: SkuCode
    price_channel: Key
    unit_price: UnsignedMoney
    currency: Currency


class NodeRegistered(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place that holds stock."""

    node_id: Key
    kind: Literal["warehouse", "store", "drop_ship"]
    zone: Key
    country: Country
    is_active: bool = True


class CustomerRegistered(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A customer as the CRM knows them; all but the number and country is personal data."""

    customer_number: CustomerNumber
    country: Country | None = None
    name: PersonName | None = None
    email: Email | None = None
    address: AddressLine | None = None
    city: AddressLine | None = None
    postcode: Postcode | None = None
