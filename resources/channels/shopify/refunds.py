"""What was given back, in goods and in money: a return of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assets.commerce.money import to_ten_thousandths, to_text
from resources.channels.shopify.directory import Directory, of_order
from resources.channels.shopify.documents import Document, NotTaken
from resources.channels.shopify.envelopes import envelope
from resources.channels.shopify.shop import Shop
from resources.channels.shopify.values import instant, listed, money, sku_of, written


def refund_events(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    """That goods came back, money was given back, or both."""
    if "id" not in item:
        raise NotTaken("refund: it is a calculation of one, nothing was given back")
    key, number = str(item["id"]), str(item["order_id"])
    lines = _lines(item)
    payments = [
        payment
        for payment in listed(item, "transactions")
        if payment.get("kind") == "refund" and payment.get("status") == "success"
    ]
    charges = written(_charges(item, lines, payments))
    if not lines and not charges:
        raise NotTaken(f"refund {key}: it gives back neither goods nor money")
    order = known.order_by_id.get(number) or {}
    currencies = [str(payment["currency"]) for payment in payments if payment.get("currency")]
    data: dict[str, Any] = {
        "return_number": key,
        "order_number": number,
        "currency": (currencies or [str(order.get("currency") or shop.currency)])[0],
        "lines": lines,
        "charges": charges,
    }
    customer = order.get("customer")
    if isinstance(customer, Mapping) and customer.get("id"):
        data["customer_number"] = str(customer["id"])
    return [
        envelope(
            shop,
            "retail.return.requested.v1",
            (key,),
            number,
            instant(item, "created_at"),
            data,
            **of_order(number, shop, known),
        )
    ]


def _lines(item: Document) -> list[dict[str, Any]]:
    return [
        {
            "line_number": line_number,
            "sku": sku_of(refunded["line_item"]),
            "quantity": refunded["quantity"],
            "unit_price": to_text(money(refunded["line_item"]["price"])),
        }
        for line_number, refunded in enumerate(listed(item, "refund_line_items"), start=1)
    ]


def _charges(
    item: Document, lines: list[dict[str, Any]], payments: list[Document]
) -> list[tuple[str, int]]:
    """What is given back beside the goods, below 0; the unexplained rest at the end."""
    charges = [
        ("tax", -money(refunded.get("total_tax"))) for refunded in listed(item, "refund_line_items")
    ]
    for adjustment in listed(item, "order_adjustments"):
        code = "shipping" if adjustment.get("kind") == "shipping_refund" else "adjustment"
        amount = money(adjustment.get("amount")) + money(adjustment.get("tax_amount"))
        charges.append((code, amount))
    if payments:
        goods = sum(line["quantity"] * to_ten_thousandths(line["unit_price"]) for line in lines)
        given_back = sum(money(payment["amount"]) for payment in payments)
        accounted = goods - sum(amount for _, amount in charges)
        charges.append(("channel_difference", accounted - given_back))
    return charges
