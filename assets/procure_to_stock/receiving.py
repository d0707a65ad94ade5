"""Goods come: what is accepted is stock and owed for; what is rejected or on hold is neither."""

from __future__ import annotations

from assets.commerce.identifiers import identify
from assets.contracts.purchasing import GoodsReceived
from assets.inventory.service import Books, flush, open_books
from assets.ports import About, CaseType, InboxEvent, OrderLineView
from assets.procure_to_stock.accepting import accept, wait_for_the_rest
from assets.procure_to_stock.curing import cure_quantities
from assets.procure_to_stock.rules.receipts import tolerated_quantity
from assets.procure_to_stock.writes import Writes


def receive(events: list[InboxEvent], writes: Writes) -> None:
    """Book receipts against their orders; one that comes before its order waits for it.

    A physical fact is never refused: what was not ordered of a line is received all the same, and
    is a case where it is beyond the tolerance.
    """
    unit_of_work = writes.unit_of_work
    writes.load(event.data.purchase_order_id for event in events)
    receipts = [receipt_id(event) for event in events]
    booked = unit_of_work.known("goods_received", "receipt_id", receipts)
    now: list[tuple[InboxEvent, str]] = []
    for event, receipt in zip(events, receipts, strict=True):
        data: GoodsReceived = event.data
        strange = _not_of_the_order(data, writes)
        if data.purchase_order_id not in writes.of_order:
            unit_of_work.inbox.park(
                event, "purchase_order_unknown", f"purchase_order:{data.purchase_order_id}"
            )
        elif data.node_id not in writes.nodes:
            unit_of_work.inbox.park(event, "unknown_node", f"node:{data.node_id}")
        elif receipt in booked:
            unit_of_work.inbox.quarantine(
                event, "document_already_booked", f"{data.document_number} was booked before"
            )
        elif strange:
            reason = f"order {data.purchase_order_id} has no line {strange}"
            writes.refuse(event, CaseType.RECEIPT_NOT_ORDERED, reason)
        else:
            booked.add(receipt)
            now.append((event, receipt))
    if now:
        _book(now, writes)


def receipt_id(event: InboxEvent) -> str:
    """The id of a goods receipt: its document number at its source."""
    return str(identify("goods_receipt", event.source, event.data.document_number))


def _not_of_the_order(data: GoodsReceived, writes: Writes) -> str | None:
    """The first line that the receipt names and its order has not."""
    for line in data.lines:
        if (data.purchase_order_id, line.purchase_order_line_id) not in writes.lines:
            return line.purchase_order_line_id
    return None


def _book(now: list[tuple[InboxEvent, str]], writes: Writes) -> None:
    touched = {
        (event.data.purchase_order_id, line.purchase_order_line_id): event
        for event, _ in now
        for line in event.data.lines
    }
    books = open_books(
        {writes.lines[key].sku for key in touched},
        min(event.occurred_at for event, _ in now),
        writes.unit_of_work,
    )
    writes.know_versions(event.data.purchase_order_id for event, _ in now)
    for event, receipt in now:
        _take_in(event, receipt, books, writes)
    flush(books)
    # What was charged before it came is paid now.
    cure_quantities(touched, writes)
    writes.unit_of_work.inbox.release([f"goods:{order}/{line}" for order, line in touched])


def _take_in(event: InboxEvent, receipt: str, books: Books, writes: Writes) -> None:
    data: GoodsReceived = event.data
    accepted: list[tuple[int, OrderLineView, int]] = []
    for received in data.lines:
        line = writes.lines[data.purchase_order_id, received.purchase_order_line_id]
        before = line.accepted_quantity
        writes.settle_price(line, event.occurred_at)
        line.delivered_quantity += received.delivered_quantity
        line.rejected_quantity += received.rejected_quantity
        line.held_quantity += received.held_quantity
        wait_for_the_rest(line, writes)
        writes.rows["goods_received"].append(
            (
                receipt,
                received.line_number,
                data.document_number,
                data.purchase_order_id,
                received.purchase_order_line_id,
                data.node_id,
                line.sku,
                received.delivered_quantity,
                received.rejected_quantity,
                received.held_quantity,
                line.backordered_quantity,
                received.rejection_reason,
                line.unit_price,
                line.currency_code,
                event.occurred_at,
            )
        )
        accepted.append((received.line_number, line, line.accepted_quantity - before))
        _watch_quantity(event, line, writes)
    accept(event, "goods_receipt", receipt, accepted, books)
    writes.process.add(
        "goods received",
        receipt,
        event.occurred_at,
        [
            ("purchase_order", data.purchase_order_id, "received for"),
            ("node", data.node_id, "received at"),
        ],
    )


def _watch_quantity(event: InboxEvent, line: OrderLineView, writes: Writes) -> None:
    """Ask somebody where more came than was ordered and is tolerated."""
    share = writes.policy(line).over_receipt_basis_points
    if line.delivered_quantity > tolerated_quantity(line.ordered_quantity, share):
        value = (line.delivered_quantity - line.ordered_quantity) * line.unit_price
        writes.open_case(
            CaseType.OVER_RECEIPT,
            f"{line.purchase_order_id}/{line.purchase_order_line_id}",
            f"{line.delivered_quantity} units of {line.sku} came and {line.ordered_quantity} were"
            " ordered",
            About.scope(event, event.data.node_id, value, line.currency_code),
        )
