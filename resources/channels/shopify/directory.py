"""What one document says that another needs, noted before either is translated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from resources.channels.shopify.documents import Document, items_of
from resources.channels.shopify.shop import Shop
from resources.channels.shopify.values import item_id_of, listed, sku_of


@dataclass
class Directory:
    """What one document says that another needs: ids to names. Filled by `learn`."""

    sku_by_item: dict[str, str] = field(default_factory=dict)
    cost_by_item: dict[str, str] = field(default_factory=dict)
    description_by_variant: dict[str, str] = field(default_factory=dict)
    order_by_id: dict[str, Document] = field(default_factory=dict)


def learn(document: Any, directory: Directory) -> None:
    """Note what a document says that others need; to be called before they are translated."""
    for kind, item in items_of(document):
        if not isinstance(item, Mapping):
            continue
        if kind == "product":
            for variant in listed(item, "variants"):
                title = " - ".join(
                    text for text in (item.get("title"), variant.get("title")) if text
                )
                directory.description_by_variant[str(variant.get("id"))] = title
                _learn_variant(variant, directory)
        elif kind == "variant":
            _learn_variant(item, directory)
        elif kind == "inventory_item":
            key = str(item.get("id"))
            if item.get("sku"):
                directory.sku_by_item[key] = sku_of(item)
            if item.get("cost"):
                directory.cost_by_item[key] = str(item["cost"])
        elif kind == "order" and item.get("line_items"):
            directory.order_by_id[str(item.get("id"))] = item


def _learn_variant(variant: Document, directory: Directory) -> None:
    directory.sku_by_item.setdefault(item_id_of(variant), sku_of(variant))


def channel_of(order: Document | None, shop: Shop) -> str:
    """The channel of an order by its origin."""
    name = str((order or {}).get("source_name") or "")
    return shop.channel_by_source_name.get(name, shop.price_channel)


def of_order(number: str, shop: Shop, known: Directory) -> dict[str, Any]:
    """Region and channel of an order that came before, as its own event had them."""
    order = known.order_by_id.get(number)
    address = (order or {}).get("shipping_address") or (order or {}).get("billing_address") or {}
    return {
        "country": address.get("country_code") or shop.country,
        "channel": channel_of(order, shop),
    }
