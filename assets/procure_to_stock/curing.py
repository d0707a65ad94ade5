"""Holds end by themselves when their cause does: goods come late, or a credit note takes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from assets.ports import CaseType, Hold, InboxEvent, InvoiceLineView
from assets.procure_to_stock.rules.matching import Reason, excess, is_short
from assets.procure_to_stock.writes import Writes


def cure_quantities(touched: Mapping[tuple[str, str], InboxEvent], writes: Writes) -> None:
    """Judge anew what is held for its quantity of these order lines; only that key is cured.

    Args:
        touched: The event that changed what is payable of each (order, line).
        writes: What the batch stores.
    """
    holds = writes.unit_of_work.purchasing.held_for(touched, Reason.QUANTITY)
    if not holds:
        return
    posted = writes.unit_of_work.purchasing.invoice_lines({hold.invoice_id for hold in holds})
    by_line = {(line.invoice_id, line.line_number): line for line in posted}
    changed: dict[str, InboxEvent] = {}
    asked: list[str] = []
    for hold in holds:
        key = (str(hold.purchase_order_id), str(hold.purchase_order_line_id))
        charged = by_line[hold.invoice_id, hold.line_number]
        now = _judged_anew(hold, charged, touched[key], writes)
        if now is not None:
            writes.holds.append(now)
            changed[hold.invoice_id] = touched[key]
            invoice = f"{charged.supplier_id}/{charged.invoice_number}"
            asked.append(f"{invoice}/{hold.line_number}/{hold.reason_code}")
    # What people were asked about is not so any more.
    writes.unit_of_work.withdraw_approvals("invoice_release", asked, "it is off by another amount")
    settle(changed, by_line.values(), "its cause is gone", writes)


def _judged_anew(
    hold: Hold, charged: InvoiceLineView, event: InboxEvent, writes: Writes
) -> Hold | None:
    line = writes.lines[str(hold.purchase_order_id), str(hold.purchase_order_line_id)]
    quantity, price = np.array([charged.quantity]), np.array([charged.order_unit_price])
    before, payable = np.array([charged.quantity_before]), np.array([line.payable_quantity])
    not_payable = excess(quantity, before, payable)
    units = int(not_payable[0])
    if units == hold.quantity_difference:
        return None
    was_first, tolerances = np.array([charged.is_before_receipt]), writes.policy(line).tolerances
    (is_held,) = is_short(
        not_payable, quantity, price, was_first, tolerances, line.currency_code
    ).tolist()
    return replace(
        hold,
        revision=hold.revision + 1,
        status="held" if is_held else "cured",
        quantity_difference=units,
        value_difference=units * charged.order_unit_price,
        occurred_at=event.occurred_at,
    )


def settle(
    changed: Mapping[str, InboxEvent],
    posted: Iterable[InvoiceLineView],
    resolution: str,
    writes: Writes,
) -> None:
    """Let lines be paid that nothing holds any more, and end the case where none is held.

    Args:
        changed: The event that changed the holds of each invoice.
        posted: Lines of these invoices.
        resolution: Why the case is over.
        writes: What the batch stores; its last word about a hold counts.
    """
    before = {
        _key(hold): hold for hold in writes.unit_of_work.purchasing.holds_of_invoices(changed)
    }
    now = before | {_key(hold): hold for hold in writes.holds}
    held_lines = {
        (hold.invoice_id, hold.line_number) for hold in now.values() if hold.status == "held"
    }
    were_held = {
        (hold.invoice_id, hold.line_number) for hold in before.values() if hold.status == "held"
    }
    numbers = {line.invoice_id: line for line in posted}
    for invoice_id, line_number in sorted(were_held - held_lines):
        rounds = sum(
            hold.revision for key, hold in now.items() if key[:2] == (invoice_id, line_number)
        )
        writes.send(
            "supplier_invoice.release",
            invoice_id,
            changed[invoice_id],
            f"{line_number}/{rounds}",
            invoice_id=invoice_id,
            line_number=line_number,
        )
    for invoice_id in sorted(changed):
        is_held = any(invoice == invoice_id for invoice, _ in held_lines)
        if not is_held and invoice_id in numbers:
            of = numbers[invoice_id]
            key = f"{of.supplier_id}/{of.invoice_number}"
            writes.close_case(CaseType.INVOICE_HELD, key, resolution)


def _key(hold: Hold) -> tuple[str, int, str]:
    return hold.invoice_id, hold.line_number, hold.reason_code
