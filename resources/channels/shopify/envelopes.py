"""The envelope around every event of a shop."""

from __future__ import annotations

from typing import Any

from assets.commerce.identifiers import identify
from resources.channels.shopify.shop import Shop
from resources.channels.shopify.values import region_of


def envelope(
    shop: Shop,
    event_type: str,
    identity: tuple[object, ...],
    subject: str,
    time: str,
    data: dict[str, Any],
    *,
    country: str | None = None,
    channel: str | None = None,
) -> dict[str, Any]:
    """An event of a shop; its id follows from its type and ``identity``."""
    return {
        "specversion": "1.0",
        "id": str(identify(shop.source, event_type, *identity)),
        "source": shop.source,
        "type": event_type,
        "subject": subject,
        "time": time,
        "datacontenttype": "application/json",
        "legalentity": shop.legal_entity,
        "brand": shop.brand,
        "region": region_of(country or shop.country),
        "channel": channel or shop.price_channel,
        "correlationid": subject,
        "data": data,
    }
