"""From a document to our events: which kind is whose, and what nobody takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from resources.channels.shopify.directory import Directory
from resources.channels.shopify.documents import Document, NotTaken, items_of
from resources.channels.shopify.fulfilments import delivery_events, fulfillment_events
from resources.channels.shopify.master_data import (
    customer_events,
    inventory_item_events,
    inventory_level_events,
    location_events,
    product_events,
    variant_events,
)
from resources.channels.shopify.orders import order_events
from resources.channels.shopify.payments import transaction_events
from resources.channels.shopify.refunds import refund_events
from resources.channels.shopify.shop import Shop

_SETTLEMENT = "belongs to promotion-to-settlement"
_NOT_OURS = {
    "price_rule": f"price rules: {_SETTLEMENT}",
    "discount_code": f"discount codes: {_SETTLEMENT}",
    "payout": f"payouts: {_SETTLEMENT}",
    "dispute": "disputes: no contract takes a chargeback yet",
    "risk": "order risks: no contract takes an assessment of fraud",
}


class Translation(NamedTuple):
    """The events of a document, and what of it was not taken."""

    envelopes: list[dict[str, Any]]
    not_taken: list[str]


def translate(
    document: Any, shop: Shop | None = None, directory: Directory | None = None
) -> Translation:
    """Say in our events what a document says.

    Args:
        document: Decoded JSON. It is not changed.
        shop: What the documents leave to be declared.
        directory: What other documents said; without one, an inventory level is taken only if it
            names its SKU, and a shipment only if it needs no order's line numbers.
    """
    shop = shop or Shop()
    known = Directory() if directory is None else directory
    envelopes: list[dict[str, Any]] = []
    not_taken: list[str] = []
    for kind, item in items_of(document):
        try:
            translator = _TRANSLATORS.get(kind)
            if translator is None:
                raise NotTaken(_NOT_OURS.get(kind, f"{kind}: no contract takes such a document"))
            if not isinstance(item, Mapping):
                raise NotTaken(f"{kind}: it is no object")
            events = translator(item, shop, known)
            for event in events:
                if event not in envelopes:
                    envelopes.append(event)
        except NotTaken as reason:
            not_taken.append(str(reason))
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            missing = f"has no {problem}" if isinstance(problem, KeyError) else "is not readable"
            not_taken.append(f"{kind}: the document {missing}")
    return Translation(envelopes, list(dict.fromkeys(not_taken)))


_TRANSLATORS: dict[str, Callable[[Document, Shop, Directory], list[dict[str, Any]]]] = {
    "product": product_events,
    "variant": variant_events,
    "inventory_item": inventory_item_events,
    "location": location_events,
    "inventory_level": inventory_level_events,
    "customer": customer_events,
    "order": order_events,
    "fulfillment": fulfillment_events,
    "fulfillment_event": delivery_events,
    "transaction": transaction_events,
    "refund": refund_events,
}
