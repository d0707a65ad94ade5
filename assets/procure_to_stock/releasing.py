"""People let a held line be paid although it does not match."""

from __future__ import annotations

from dataclasses import replace

from assets.commerce.money import to_ten_thousandths
from assets.contracts.purchasing import InvoiceReleaseDecided
from assets.ports import CaseType, InboxEvent
from assets.procure_to_stock.curing import settle
from assets.procure_to_stock.writes import Writes


def take_releases(events: list[InboxEvent], writes: Writes) -> None:
    """Apply decisions: each is about one line, one reason and the amount that was asked about."""
    invoices = {event.data.invoice_id for event in events}
    held = {
        (hold.invoice_id, hold.line_number, hold.reason_code): hold
        for hold in writes.unit_of_work.purchasing.holds_of_invoices(invoices)
        if hold.status == "held"
    }
    changed: dict[str, InboxEvent] = {}
    for event in events:
        data: InvoiceReleaseDecided = event.data
        key = (data.invoice_id, data.line_number, data.reason_code)
        hold = held.get(key)
        if hold is None or abs(hold.value_difference) != to_ten_thousandths(data.value_difference):
            said = "nothing of the kind is held" if hold is None else "it is off by another amount"
            writes.refuse(event, CaseType.RELEASE_NOT_ASKED_FOR, said)
        elif data.decision == "approved":
            writes.holds.append(
                replace(
                    hold,
                    revision=hold.revision + 1,
                    status="released",
                    decided_by=data.decided_by,
                    occurred_at=event.occurred_at,
                )
            )
            del held[key]
            changed[data.invoice_id] = event
    posted = writes.unit_of_work.purchasing.invoice_lines(changed)
    settle(changed, posted, "people have released what was held", writes)
