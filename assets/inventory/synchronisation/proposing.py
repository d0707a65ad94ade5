"""Corrections that are too large to be booked by a rule: what people are asked, and when not again.

Asked by one snapshot after the other it is one question, as long as the units are the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from assets.commerce.money import to_text
from assets.facts import FactRows
from assets.inventory.service import Books
from assets.inventory.synchronisation.comparison import Comparison
from assets.ports import ApprovalRequest, Case, CaseType
from assets.waiting_events import as_row, waiting_event

DECIDED = "retail.inventory.correction_decided.v1"
#: Who tells the door what people have decided.
DECIDED_BY = "approvals"


def ask(
    comparison: Comparison, large: pd.DataFrame, books: Books, rows: FactRows
) -> dict[tuple[str, str], str]:
    """Propose what is large, but not again what was rejected; gives those by (snapshot, SKU)."""
    data, node_id = comparison.data, str(comparison.data.node_id)
    places = [(data.system, node_id, sku) for sku in large["sku"]]
    before = {one.sku: one for one in books.unit_of_work.synchronisation.proposals(places)}
    rejected: dict[tuple[str, str], str] = {}
    requests: list[ApprovalRequest] = []
    asked: Iterable[Any] = large.itertuples(index=False)
    for sku, quantity, amount, currency, _ in asked:
        former = before.get(sku)
        if former is not None and (former.status, former.quantity) == ("rejected", int(quantity)):
            rejected[comparison.snapshot_id, sku] = "rejected"
            continue
        requests.append(_request(comparison, sku, int(quantity), int(amount), currency))
        rows["stock_correction"].append(
            (
                comparison.snapshot_id,
                sku,
                1,
                data.node_id,
                "proposed",
                int(quantity),
                int(amount),
                currency,
                None,
                comparison.as_of,
            )
        )
        books.cases.append(
            Case(
                CaseType.STOCK_CORRECTION,
                comparison.key(sku),
                f"{quantity:+d} units of {sku} at {data.node_id}, worth {to_text(amount)}"
                f" {currency}, wait for a person: {data.system} counts them otherwise",
                comparison.about(abs(int(amount)), currency),
            )
        )
    books.unit_of_work.request_approvals(requests)
    return rejected


def _request(
    comparison: Comparison, sku: str, quantity: int, amount: int, currency: str
) -> ApprovalRequest:
    """Consent to a correction. Asked again by the next snapshot, it is the same question."""
    event, data = comparison.event, comparison.data
    content = {
        "system": data.system,
        "node_id": data.node_id,
        "sku": sku,
        "quantity": quantity,
        "reason": "decided",
    }

    def said(decision: str) -> dict[str, Any]:
        key = comparison.key(sku)
        return waiting_event(DECIDED, key, as_row(event, key), {**content, "decision": decision})

    return ApprovalRequest(
        subject_type=CaseType.STOCK_CORRECTION,
        subject_key=comparison.key(sku),
        summary=f"{quantity:+d} units of {sku} at {data.node_id}, as {data.system} counts them,"
        f" worth {to_text(abs(amount))} {currency}",
        source=DECIDED_BY,
        event=said("approved"),
        denial=said("denied"),
        amount=abs(amount),
        currency_code=currency,
        region=event.region,
        brand=event.brand,
        requested_by="policy:inventory_synchronisation",
    )
