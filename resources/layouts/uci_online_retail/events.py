"""From invoices to events: the four kinds of data, and the envelope around them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from assets.commerce.money import to_text
from assets.contracts.admission import Submission
from resources.layouts.uci_online_retail.declaration import NAME, Declaration
from resources.layouts.uci_online_retail.invoices import (
    ADJUSTMENT,
    LEDGER,
    ORDER,
    RETURN,
    Invoices,
)
from resources.layouts.uci_online_retail.rows import Rows
from resources.layouts.uci_online_retail.timeline import Item

#: As much as our contracts take of a note or a description.
LONGEST_NOTE = 500

_EVENT_TYPES = {
    ORDER: "retail.order.placed.v1",
    RETURN: "retail.return.requested.v1",
    LEDGER: "retail.ledger.adjusted.v1",
    ADJUSTMENT: "retail.inventory.adjusted.v1",
}


def submission(rows: Rows, invoices: Invoices, declared: Declaration, item: Item) -> Submission:
    """The event of one invoice, as it is handed in at the door."""
    start, end = int(invoices.starts[item.invoice]), int(invoices.ends[item.invoice])
    middle = start + int(invoices.goods[item.invoice])
    number = rows.numbers[rows.number[start]]
    customer = rows.customers[rows.customer[start]] if rows.customer[start] >= 0 else None
    country, region = declared.countries[rows.countries[rows.country[start]]]
    charges = _charges(rows, declared, middle, end)
    kind = int(invoices.kind[item.invoice])
    data: dict[str, Any]
    if kind in (ORDER, RETURN):
        data = {
            "order_number" if kind == ORDER else "return_number": number,
            "currency": declared.currency,
            "lines": _lines(rows, start, middle),
        }
        if charges:
            data["charges"] = charges
        if customer is not None:
            data["customer_number"] = customer
        if kind == ORDER:
            data["ship_to"] = {"country": country}
    elif kind == LEDGER:
        data = _ledger_correction(rows, declared, start, end)
    else:
        data = _stock_correction(rows, declared, start, middle, end)
    envelope = {
        "specversion": "1.0",
        "id": item.event_id,
        "source": NAME,
        "type": _EVENT_TYPES[kind],
        "subject": number,
        "time": f"{item.time:%Y-%m-%dT%H:%M:%SZ}",
        "datacontenttype": "application/json",
        "legalentity": declared.legal_entity,
        "brand": declared.brand,
        "region": region,
        "channel": declared.channel({charge["code"] for charge in charges}, bool(customer)),
        "correlationid": number,
        "data": data,
    }
    first_row = int(rows.row[start:end].min())
    return Submission(NAME, msgspec.json.encode(envelope), rows.origin.position(first_row))


def _said(rows: Rows, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """SKU, quantity and price of some rows."""
    said = zip(
        rows.sku[start:end].tolist(),
        rows.quantity[start:end].tolist(),
        rows.price[start:end].tolist(),
        strict=True,
    )
    return ((rows.skus[sku], quantity, price) for sku, quantity, price in said)


def _charges(rows: Rows, declared: Declaration, middle: int, end: int) -> list[dict[str, str]]:
    return [
        {"code": declared.charge_codes[sku], "amount": to_text(price * quantity)}
        for sku, quantity, price in _said(rows, middle, end)
    ]


def _lines(rows: Rows, start: int, middle: int) -> list[dict[str, Any]]:
    return [
        {
            "line_number": line,
            "sku": sku,
            # Returned goods have their sign in the kind of event.
            "quantity": abs(quantity),
            "unit_price": to_text(price),
        }
        for line, (sku, quantity, price) in enumerate(_said(rows, start, middle), start=1)
    ]


def _ledger_correction(rows: Rows, declared: Declaration, start: int, end: int) -> dict[str, Any]:
    accounts = declared.ledger_adjustment
    return {
        "document_number": rows.numbers[rows.number[start]],
        "debit_account": accounts.debit_account,
        "credit_account": accounts.credit_account,
        "amount": to_text(sum(price * quantity for _, quantity, price in _said(rows, start, end))),
        "currency": declared.currency,
        "note": _note(rows, start, end, end),
    }


def _stock_correction(
    rows: Rows, declared: Declaration, start: int, middle: int, end: int
) -> dict[str, Any]:
    return {
        "document_number": rows.numbers[rows.number[start]],
        "node_id": declared.node_id,
        "reason": _reason(rows.quantity[start:end]),
        "note": _note(rows, start, middle, end),
        "lines": [
            {"line_number": line, "sku": sku, "quantity": quantity}
            for line, (sku, quantity, _) in enumerate(_said(rows, start, middle), start=1)
        ],
    }


def _reason(quantities: npt.NDArray[np.int32]) -> str:
    """Why stock was corrected, as far as the signs say."""
    if quantities.min() > 0:
        return "found"
    return "write_off" if quantities.max() < 0 else "correction"


def _note(rows: Rows, start: int, middle: int, end: int) -> str:
    """The descriptions, and what a correction says about codes that are no goods."""
    described = np.unique(rows.description[start:end]).tolist()
    parts = [rows.descriptions[number] for number in described if number >= 0]
    parts += [
        f"{sku} quantity {quantity} at no price" for sku, quantity, _ in _said(rows, middle, end)
    ]
    return "; ".join(parts)[:LONGEST_NOTE]
