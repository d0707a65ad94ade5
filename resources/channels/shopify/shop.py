"""What a shop's documents leave to be declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shop:
    """One shop, as its owner declares it.

    Attributes:
        source: Code under which the shop's events come in.
        price_channel: The channel of its prices, and of orders whose origin is not listed.
        channel_by_source_name: Of an order, by Shopify's ``source_name``.
        node_id: Where goods leave from when a fulfilment names no location.
        country: Of an order without any address, such as one at a till.
    """

    source: str = "shopify"
    legal_entity: str = "shopify_shop"
    brand: str = "shopify_shop"
    zone: str = "UTC"
    currency: str = "USD"
    country: str = "US"
    node_id: str = "shopify"
    price_channel: str = "web_shop"
    channel_by_source_name: Mapping[str, str] = field(
        default_factory=lambda: {
            "web": "web_shop",
            "pos": "store",
            "amazon": "marketplace",
            "ebay": "marketplace",
        }
    )
