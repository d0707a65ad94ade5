"""What was authorised, captured or declined."""

from __future__ import annotations

from typing import Any

from assets.commerce.money import to_text
from resources.channels.shopify.directory import Directory, of_order
from resources.channels.shopify.documents import Document, NotTaken
from resources.channels.shopify.envelopes import envelope
from resources.channels.shopify.shop import Shop
from resources.channels.shopify.values import code_of, instant, money


def transaction_events(item: Document, shop: Shop, known: Directory) -> list[dict[str, Any]]:
    """What a payment came to: authorised, captured, declined, or two of these at once."""
    number, key = str(item["order_id"]), str(item["id"])
    kind, status = item.get("kind"), item.get("status")
    if item.get("test"):
        raise NotTaken(f"transaction {key}: it is a test")
    if kind not in ("authorization", "capture", "sale"):
        raise NotTaken(f"transaction {key}: a {kind} belongs to return-to-resolution")
    if status not in ("success", "failure", "error"):
        raise NotTaken(f"transaction {key}: it is {status}, so nothing is decided")
    if kind == "capture" and status != "success":
        raise NotTaken(f"transaction {key}: a capture that failed moved no money")
    reference = str(item.get("parent_id") or key)
    order = known.order_by_id.get(number) or {}
    amount = {
        "order_number": number,
        "payment_reference": reference,
        "amount": to_text(money(item["amount"])),
        "currency": str(item.get("currency") or order.get("currency") or shop.currency),
    }
    told: list[tuple[str, dict[str, Any]]]
    if status != "success":
        reason = code_of(item.get("error_code"), "declined")
        declined = {"order_number": number, "payment_reference": reference, "reason": reason}
        told = [("retail.payment.declined.v1", declined)]
    elif kind == "authorization":
        told = [("retail.payment.authorised.v1", amount)]
    elif kind == "capture":
        told = [("retail.payment.captured.v1", amount)]
    else:
        # A sale is both at once.
        told = [("retail.payment.authorised.v1", amount), ("retail.payment.captured.v1", amount)]
    time = instant(item, "processed_at", "created_at")
    about = of_order(number, shop, known)
    return [
        envelope(shop, event_type, (key,), number, time, data, **about) for event_type, data in told
    ]
