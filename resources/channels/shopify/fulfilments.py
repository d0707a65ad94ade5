"""What left for the customer, and what arrived."""

from __future__ import annotations

from typing import Any

from assets.commerce.identifiers import fulfilment_order_id, order_id
from resources.channels.shopify.directory import Directory, of_order
from resources.channels.shopify.documents import Document, NotTaken
from resources.channels.shopify.envelopes import envelope
from resources.channels.shopify.shop import Shop
from resources.channels.shopify.values import instant, listed, sku_of


def fulfillment_events(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    """That goods of an order were handed over."""
    number, shipment = str(item["order_id"]), str(item["id"])
    if item.get("status") != "success":
        raise NotTaken(
            f"fulfillment {shipment}: it is {item.get('status')}, so nothing was handed over"
        )
    order = known.order_by_id.get(number)
    if order is None:
        raise NotTaken(f"fulfillment {shipment}: order {number} is not known, nor are its lines")
    line_numbers = {
        str(line["id"]): line_number
        for line_number, line in enumerate(listed(order, "line_items"), start=1)
    }
    lines = [
        {
            "line_number": line_numbers[str(line["id"])],
            "sku": sku_of(line),
            "quantity": line["quantity"],
        }
        for line in listed(item, "line_items")
    ]
    if not lines:
        raise NotTaken(f"fulfillment {shipment}: it lists no line items")
    node_id = str(item.get("location_id") or shop.node_id)
    about = of_order(number, shop, known)
    ours = fulfilment_order_id(order_id(str(about["channel"]), number), node_id)
    data = {
        "order_number": number,
        "fulfilment_order_id": str(ours),
        "shipment_number": shipment,
        "node_id": node_id,
        "carrier": str(item.get("tracking_company") or "unknown"),
        "lines": lines,
    }
    time = instant(item, "created_at")
    return [
        envelope(shop, "retail.shipment.dispatched.v1", (shipment,), number, time, data, **about)
    ]


def delivery_events(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    """That a shipment arrived."""
    number, shipment = str(item["order_id"]), str(item["fulfillment_id"])
    if item.get("status") != "delivered":
        raise NotTaken(
            f"fulfillment event {item['id']}: {item.get('status')} is not a delivery to the "
            "customer"
        )
    return [
        envelope(
            shop,
            "retail.shipment.delivered.v1",
            (shipment,),
            number,
            instant(item, "happened_at", "created_at"),
            {"order_number": number, "shipment_number": shipment},
            **of_order(number, shop, known),
        )
    ]
