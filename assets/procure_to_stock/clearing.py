"""Clearing ends where nothing more is expected: what is open of a line becomes price variance."""

from __future__ import annotations

from assets.commerce.identifiers import identify
from assets.contracts.purchasing import ClearingDecided
from assets.ports import CaseType, InboxEvent
from assets.procure_to_stock.writes import Writes


def take_clearings(events: list[InboxEvent], writes: Writes) -> None:
    """Clear lines as people have decided, each by an entry of its own.

    What is open for another quantity by now, because goods or an invoice came, is not cleared.
    """
    writes.load(event.data.purchase_order_id for event in events)
    for event in events:
        data: ClearingDecided = event.data
        line = writes.lines.get((data.purchase_order_id, data.purchase_order_line_id))
        if line is None or line.open_quantity != data.quantity or not data.quantity:
            reason = "another quantity is open by now" if line else "there is no such line"
            writes.refuse(event, CaseType.RELEASE_NOT_ASKED_FOR, reason)
        elif data.decision == "approved":
            clearing_id = str(identify("clearing", event.source, event.event_id))
            line.cleared_quantity += data.quantity
            writes.rows["clearing_entry"].append(
                (
                    clearing_id,
                    data.purchase_order_id,
                    data.purchase_order_line_id,
                    data.quantity,
                    line.unit_price,
                    line.currency_code,
                    data.decided_by,
                    event.occurred_at,
                )
            )
            accounts = writes.journal.accounts(event)
            amount = data.quantity * line.unit_price
            writes.journal.post(
                event,
                "clearing",
                clearing_id,
                line.currency_code,
                event.occurred_at,
                [
                    (accounts.goods_invoice_clearing, amount),
                    (accounts.purchase_price_variance, -amount),
                ],
            )
