"""Builders of small events, as senders would write them."""

from __future__ import annotations

import json
from typing import Any

WEB = "web_shop"


def line(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {"line_number": number, "sku": "MUG", "quantity": 1, "unit_price": "2.55", **changes}


def order_data(number: str = "A1", lines: list[Any] | None = None, **changes: Any) -> Any:
    return {
        "order_number": number,
        "currency": "GBP",
        "lines": [line()] if lines is None else lines,
        "ship_to": {"country": "GB"},
        **changes,
    }


def envelope(data: Any, event_type: str, **changes: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "event-1",
        "source": WEB,
        "type": event_type,
        "subject": "A1",
        "time": "2026-03-01T10:00:00Z",
        "datacontenttype": "application/json",
        "legalentity": "uk_ltd",
        "brand": "main",
        "region": "uk",
        "channel": WEB,
        "correlationid": "A1",
        **changes,
        "data": data,
    }


def order(number: str = "A1", lines: list[Any] | None = None, **changes: Any) -> dict[str, Any]:
    """An order event; keyword arguments change its envelope."""
    return envelope(
        order_data(number, lines),
        "retail.order.placed.v1",
        **{"id": f"order-{number}", "subject": number, **changes},
    )


def cancellation(number: str = "A1", **changes: Any) -> dict[str, Any]:
    return envelope(
        {"order_number": number, "reason": "customer_changed_mind"},
        "retail.order.cancelled.v1",
        **{"id": f"cancel-{number}", "subject": number, **changes},
    )


def return_request(number: str = "R1", **changes: Any) -> dict[str, Any]:
    return envelope(
        {"return_number": number, "currency": "GBP", "lines": [line()]},
        "retail.return.requested.v1",
        **{"id": f"return-{number}", "subject": number, **changes},
    )


def body(event: Any) -> bytes:
    return json.dumps(event).encode()
