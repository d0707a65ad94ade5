"""Orders, with the fulfilments and refunds that they tell once more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assets.commerce.money import to_ten_thousandths, to_text
from resources.channels.shopify.directory import Directory, channel_of
from resources.channels.shopify.documents import Document, NotTaken
from resources.channels.shopify.envelopes import envelope
from resources.channels.shopify.fulfilments import fulfillment_events
from resources.channels.shopify.refunds import refund_events
from resources.channels.shopify.shop import Shop
from resources.channels.shopify.values import (
    code_of,
    full_name,
    instant,
    listed,
    money,
    personal,
    sku_of,
    written,
)


def order_events(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    """That an order was placed, perhaps cancelled, and what has been done about it."""
    number = str(item["id"])
    if item.get("test"):
        raise NotTaken(f"order {number}: it is a test")
    if not listed(item, "line_items"):
        raise NotTaken(f"order {number}: it lists no line items")
    time = instant(item, "created_at")
    address = item.get("shipping_address") or item.get("billing_address") or {}
    country = str(address.get("country_code") or shop.country)
    channel = channel_of(item, shop)
    events = [
        envelope(
            shop,
            "retail.order.placed.v1",
            (number,),
            number,
            time,
            _placed(item, shop, address, country),
            country=country,
            channel=channel,
        )
    ]
    if item.get("cancelled_at"):
        events.append(
            envelope(
                shop,
                "retail.order.cancelled.v1",
                (number,),
                number,
                instant(item, "cancelled_at"),
                {"order_number": number, "reason": code_of(item.get("cancel_reason"), "other")},
                country=country,
                channel=channel,
            )
        )
    return events + _told_once_more(item, shop, known)


def _placed(item: Document, shop: Shop, address: Document, country: str) -> dict[str, Any]:
    lines = [
        {
            "line_number": line_number,
            "sku": sku_of(line),
            "quantity": line["quantity"],
            "unit_price": to_text(money(line["price"])),
        }
        for line_number, line in enumerate(listed(item, "line_items"), start=1)
        if line["quantity"]
    ]
    data: dict[str, Any] = {
        "order_number": str(item["id"]),
        "currency": str(item.get("currency") or shop.currency),
        "lines": lines,
        "charges": written(_charges(item, lines)),
        "ship_to": {"country": country}
        | personal(
            address,
            address.get("name") or full_name(address),
            item.get("email") or item.get("contact_email"),
        ),
    }
    if isinstance(customer := item.get("customer"), Mapping) and customer.get("id"):
        data["customer_number"] = str(customer["id"])
    return data


def _charges(item: Document, lines: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """All that makes an order cost other than its lines do, the unexplained rest at the end."""
    charges = [("discount", -money(item.get("total_discounts")))]
    charges += [("shipping", money(line.get("price"))) for line in listed(item, "shipping_lines")]
    charges += [("tip", money(item.get("total_tip_received")))]
    if not item.get("taxes_included"):
        charges += [("tax", money(item.get("total_tax")))]
    accounted = sum(
        line["quantity"] * to_ten_thousandths(str(line["unit_price"])) for line in lines
    ) + sum(amount for _, amount in charges)
    return [*charges, ("channel_difference", money(item["total_price"]) - accounted)]


def _told_once_more(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    """An order's fulfilments and refunds; what is not yet done is no fact."""
    number = str(item["id"])
    with_itself = Directory(
        known.sku_by_item,
        known.cost_by_item,
        known.description_by_variant,
        known.order_by_id | {number: item},
    )
    events: list[dict[str, Any]] = []
    for part in listed(item, "fulfillments"):
        if part.get("status") == "success":
            events += fulfillment_events(part, shop, with_itself)
    for part in listed(item, "refunds"):
        events += refund_events({"order_id": number, **part}, shop, with_itself)
    return events
