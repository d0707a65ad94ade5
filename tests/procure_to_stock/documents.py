"""Short words for what the ERP and suppliers say of purchases."""

from __future__ import annotations

from typing import Any

from tests.builders import WAREHOUSE, Event, event, minutes

SUPPLIER, RIVAL = "NORTHMILL", "SOUTHMILL"
#: (order's line, sku, units, price)
Ordered = tuple[str, str, int, str]


def supplier(supplier_id: str = SUPPLIER, at: float = -60, **said: Any) -> Event:
    data = {"supplier_id": supplier_id, "name": supplier_id.title(), "currency": "GBP", **said}
    return event(
        "retail.supplier.registered.v1", f"supplier-{supplier_id}-{at}", supplier_id, at, data=data
    )


def purchase_order(
    number: str, *lines: Ordered, at: float = 0, due: float = 1_440, version: int = 1, **said: Any
) -> Event:
    data = {
        "purchase_order_id": number,
        "version": version,
        "supplier_id": SUPPLIER,
        "node_id": WAREHOUSE,
        "currency": "GBP",
        "approved_by": "olga",
        "lines": [
            {
                "purchase_order_line_id": line,
                "sku": sku,
                "quantity": units,
                "unit_price": price,
                "due_at": minutes(due).isoformat(),
            }
            for line, sku, units, price in lines
        ],
        **said,
    }
    identity = f"purchase-order-{number}-{version}"
    return event("retail.purchase_order.placed.v1", identity, number, at, data=data)


def goods(order: str, *lines: tuple[str, int, int], at: float = 1_440, document: str = "") -> Event:
    """A receipt: ``goods("P1", ("1", 10, 2))`` is ten of line 1, of which two are rejected."""
    number = document or f"{order}-{at}"
    data = {
        "document_number": number,
        "purchase_order_id": order,
        "node_id": WAREHOUSE,
        "lines": [
            {
                "line_number": position,
                "purchase_order_line_id": line,
                "delivered_quantity": delivered,
                "rejected_quantity": rejected,
            }
            for position, (line, delivered, rejected) in enumerate(lines, start=1)
        ],
    }
    return event("retail.goods.received.v1", f"goods-{number}", number, at, data=data)


def invoice(
    number: str,
    order: str | None,
    *lines: tuple[str | None, int, str],
    at: float = 1_500,
    total: str | None = None,
    event_id: str = "",
    **said: Any,
) -> Event:
    """An invoice: ``invoice("I1", "P1", ("1", 10, "2.50"))``; its total is the sum of its parts."""
    parts = sum(round(units * float(price) * 10_000) for _, units, price in lines)
    for extra in ("freight_amount", "tax_amount"):
        parts += round(float(said.get(extra, "0")) * 10_000)
    data = {
        "invoice_number": number,
        "supplier_id": SUPPLIER,
        "currency": "GBP",
        "total_amount": total or f"{parts // 10_000}.{parts % 10_000:04d}",
        "lines": [
            {
                "line_number": position,
                "quantity": units,
                "unit_price": price,
                **({"purchase_order_line_id": line} if line is not None else {}),
            }
            for position, (line, units, price) in enumerate(lines, start=1)
        ],
        **({"purchase_order_id": order} if order is not None else {}),
        **said,
    }
    identity = event_id or f"invoice-{number}-{data.get('kind', 'invoice')}-{at}"
    return event("retail.supplier_invoice.received.v1", identity, number, at, data=data)
