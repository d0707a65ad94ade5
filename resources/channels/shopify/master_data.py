"""Products, places, stock and customers.

Their ids hold what they say: the same said again is the same event, and what two documents say
differently of one moment are two.
"""

from __future__ import annotations

from typing import Any

from assets.commerce.money import to_text
from resources.channels.shopify.directory import Directory
from resources.channels.shopify.documents import Document, NotTaken
from resources.channels.shopify.envelopes import envelope
from resources.channels.shopify.shop import Shop
from resources.channels.shopify.values import (
    LONGEST_TEXT,
    full_name,
    instant,
    item_id_of,
    listed,
    money,
    personal,
    sku_of,
)


def product_events(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    """What a product says of each of its variants."""
    return [
        event
        for variant in listed(item, "variants")
        for event in variant_events(variant, shop, known)
    ]


def variant_events(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    """That we sell it, and for how much."""
    sku = sku_of(item)
    time = instant(item, "updated_at", "created_at")
    price = money(item["price"])
    cost = to_text(money(known.cost_by_item.get(item_id_of(item), "0")))
    description = known.description_by_variant.get(str(item["id"])) or str(item.get("title") or "")
    registered = {
        "sku": sku,
        "description": description[:LONGEST_TEXT],
        "standard_cost": cost,
        "currency": shop.currency,
        # Shopify works the tax out by place; it comes with each order.
        "tax_rate": 0,
    }
    changed = {
        "sku": sku,
        "price_channel": shop.price_channel,
        "unit_price": to_text(price),
        "currency": shop.currency,
    }
    return [
        envelope(
            shop,
            "retail.product.registered.v1",
            (sku, time, *registered.values()),
            sku,
            time,
            registered,
        ),
        envelope(
            shop, "retail.price.changed.v1", (sku, time, *changed.values()), sku, time, changed
        ),
    ]


def inventory_item_events(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    """What a unit costs us."""
    if not item.get("cost"):
        raise NotTaken(
            f"inventory item {item['id']}: it names the SKU of its levels and has no cost to tell"
        )
    sku = sku_of(item)
    descriptions = {
        sku_of_item: known.description_by_variant[key]
        for key, sku_of_item in known.sku_by_item.items()
        if key in known.description_by_variant
    }
    time = instant(item, "updated_at", "created_at")
    data = {
        "sku": sku,
        "description": descriptions.get(sku, "")[:LONGEST_TEXT],
        "standard_cost": to_text(money(item["cost"])),
        "currency": shop.currency,
        "tax_rate": 0,
    }
    return [
        envelope(shop, "retail.product.registered.v1", (sku, time, *data.values()), sku, time, data)
    ]


def location_events(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    """That a place exists, and whether it is the shop's own."""
    del known
    node_id = str(item["id"])
    time = instant(item, "updated_at", "created_at")
    country = str(item.get("country_code") or item.get("country") or shop.country)
    data = {
        "node_id": node_id,
        # A location that an app fulfils from is not the shop's own; all others can be walked into.
        "kind": "drop_ship" if item.get("legacy") else "store",
        "zone": shop.zone,
        "country": country,
        "is_active": bool(item.get("active", True)) and not item.get("deleted_at"),
    }
    return [
        envelope(
            shop,
            "retail.node.registered.v1",
            (time, *data.values()),
            node_id,
            time,
            data,
            country=country,
        )
    ]


def inventory_level_events(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    """What a location counted of one SKU."""
    item_id, node_id = str(item["inventory_item_id"]), str(item["location_id"])
    sku = known.sku_by_item.get(item_id)
    if sku is None:
        raise NotTaken(
            f"inventory level of item {item_id}: no product, variant or inventory item names its "
            "SKU"
        )
    available = item.get("available")
    if not isinstance(available, int) or available < 0:
        raise NotTaken(f"inventory level of item {item_id}: {available} units cannot be counted")
    time = instant(item, "updated_at")
    number = f"{item_id}-{node_id}-{time}"
    data = {
        "document_number": number,
        "node_id": node_id,
        "lines": [{"sku": sku, "quantity": available}],
    }
    return [
        envelope(shop, "retail.inventory.counted.v1", (number, sku, available), number, time, data)
    ]


def customer_events(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    """Who somebody is, as far as our contracts ask."""
    del known
    number = str(item["id"])
    time = instant(item, "updated_at", "created_at")
    address = item.get("default_address") or {}
    country = address.get("country_code")
    data: dict[str, Any] = {"customer_number": number}
    if country:
        data["country"] = country
    data |= personal(address, full_name(item), item.get("email"))
    return [
        envelope(
            shop,
            "retail.customer.registered.v1",
            # Not what it says: an id made of personal data would outlive their erasure.
            (number, time),
            number,
            time,
            data,
            country=country,
        )
    ]
