"""What was proposed and consented to is ordered; what suppliers sell is known before."""

from __future__ import annotations

from assets.commerce.money import to_ten_thousandths, to_text
from assets.contracts.purchasing import RequisitionDecided, SupplierTermsSet
from assets.ports import CaseType, InboxEvent, RequisitionLine
from assets.procure_to_stock.writes import Writes

_TERMS = (
    "supplier_id",
    "sku",
    "unit_price",
    "currency_code",
    "lead_time_days",
    "minimum_quantity",
    "case_quantity",
    "is_anchored_at_minimum",
    "pallet_quantity",
    "maximum_quantity",
    "is_preferred",
    "occurred_at",
)


def set_terms(events: list[InboxEvent], writes: Writes) -> None:
    """Keep how suppliers sell; of a supplier that is not known yet, when it is."""
    unit_of_work = writes.unit_of_work
    suppliers = unit_of_work.purchasing.suppliers({event.data.supplier_id for event in events})
    rows: dict[tuple[str, str], tuple[object, ...]] = {}
    for event in events:
        data: SupplierTermsSet = event.data
        if data.supplier_id not in suppliers:
            unit_of_work.inbox.park(event, "unknown_supplier", f"supplier:{data.supplier_id}")
            continue
        for item in data.items:
            rows[data.supplier_id, item.sku] = (
                data.supplier_id,
                item.sku,
                to_ten_thousandths(item.unit_price),
                data.currency,
                item.lead_time_days,
                item.minimum_quantity,
                item.case_quantity,
                item.is_anchored_at_minimum,
                item.pallet_quantity,
                item.maximum_quantity,
                item.is_preferred,
                event.occurred_at,
            )
    if rows:
        unit_of_work.purchasing.put_terms(_TERMS, list(rows.values()))


def take_requisitions(events: list[InboxEvent], writes: Writes) -> None:
    """Order what was consented to; once, and only what was asked about."""
    purchasing = writes.unit_of_work.purchasing
    wanted = {event.data.requisition_id for event in events}
    lines = purchasing.requisition_lines(wanted)
    decided = writes.unit_of_work.known("requisition_decided", "requisition_id", wanted)
    for event in events:
        data: RequisitionDecided = event.data
        of_one = lines.get(data.requisition_id, [])
        amount = sum(line.order_quantity * line.unit_price for line in of_one)
        wrong = (
            "there is no such requisition"
            if not of_one
            else "it is of another amount"
            if amount != to_ten_thousandths(data.total_amount)
            else "it is decided already"
            if data.requisition_id in decided
            else None
        )
        if wrong is not None:
            writes.refuse(event, CaseType.RELEASE_NOT_ASKED_FOR, wrong)
            continue
        decided.add(data.requisition_id)
        writes.rows["requisition_decided"].append(
            (data.requisition_id, data.decision, data.decided_by, amount, event.occurred_at)
        )
        writes.process.add(
            f"requisition {data.decision}",
            data.requisition_id,
            event.occurred_at,
            [("requisition", data.requisition_id, data.decision)],
        )
        if data.decision == "approved":
            _order(event, data, of_one, writes)


def _order(
    event: InboxEvent, data: RequisitionDecided, lines: list[RequisitionLine], writes: Writes
) -> None:
    first = lines[0]
    writes.send(
        "purchase_order.create",
        data.requisition_id,
        event,
        data.requisition_id,
        requisition_id=data.requisition_id,
        supplier_id=first.supplier_id,
        node_id=first.node_id,
        currency=first.currency_code,
        approved_by=data.decided_by,
        lines=[
            {
                "line_number": number,
                "sku": line.sku,
                "quantity": line.order_quantity,
                "unit_price": to_text(line.unit_price),
                "due_at": line.due_at,
            }
            for number, line in enumerate(lines, 1)
        ],
    )
