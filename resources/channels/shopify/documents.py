"""What a document is: its kind, and the name that the Admin API gives it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Document = Mapping[str, Any]


class NotTaken(Exception):
    """A document, or a part of one, that no contract takes, with the reason."""


def named_by_topic(topic: str, payload: Document) -> Document:
    """A webhook's bare object as the API would name it: ``orders/create`` → ``{"order": …}``."""
    plural = topic.partition("/")[0]
    name = {"order_transactions": "transaction"}.get(plural, plural.removesuffix("s"))
    return {name: payload}


def items_of(document: Any) -> Iterable[tuple[str, Any]]:
    """Each object of a document with its kind in the singular."""
    if isinstance(document, list):
        # Lists of transactions come without a name around them.
        return [("transaction" if _is_payment(item) else "list", item) for item in document]
    if not isinstance(document, Mapping) or len(document) != 1:
        return [("document", document)]
    ((name, content),) = document.items()
    if not isinstance(content, list):
        return [(name, content)]
    singular = name.removesuffix("s")
    if singular == "transaction" and content and not any(map(_is_payment, content)):
        # Payouts list their bookings under the same name.
        return [("payout", content)]
    return [(singular, item) for item in content]


def _is_payment(item: Any) -> bool:
    return isinstance(item, Mapping) and "kind" in item and "order_id" in item
