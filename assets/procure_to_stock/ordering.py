"""Purchase orders and their versions, as the ERP last told them."""

from __future__ import annotations

import msgspec

from assets.commerce.money import share_out, to_rate, to_ten_thousandths
from assets.contracts.purchasing import PurchaseOrderPlaced
from assets.inventory.unknown import awaited
from assets.ports import Command, InboxEvent, OrderLineView
from assets.procure_to_stock.accepting import wait_for_the_rest
from assets.procure_to_stock.writes import Writes

ERP, OWNER = "erp", "purchasing"
#: Who takes our orders for suppliers, by the way in which they want them.
PARTNERS = {"portal": "supplier_portal", "x12": "supplier_x12"}


def place(events: list[InboxEvent], writes: Writes) -> None:
    """Keep purchase orders and their versions; the highest is in force, whenever it came."""
    unit_of_work = writes.unit_of_work
    skus = {line.sku for event in events for line in event.data.lines}
    products = unit_of_work.master_data.products(skus)
    suppliers = unit_of_work.purchasing.suppliers({event.data.supplier_id for event in events})
    orders = {event.data.purchase_order_id for event in events}
    writes.load(orders)
    placed = unit_of_work.purchasing.order_versions(orders)
    for event in events:
        data: PurchaseOrderPlaced = event.data
        waits_for = awaited(event, products, writes.nodes)
        if data.supplier_id not in suppliers:
            waits_for = "unknown_supplier", f"supplier:{data.supplier_id}"
        if waits_for:
            unit_of_work.inbox.park(event, *waits_for)
            continue
        if (data.purchase_order_id, data.version) in placed:
            continue
        placed.add((data.purchase_order_id, data.version))
        prices = [to_ten_thousandths(line.unit_price) for line in data.lines]
        _record(event, data, prices, writes)
        held = list(writes.of_order.get(data.purchase_order_id, {}).values())
        if all(line.version < data.version for line in held):
            _put_in_force(event, data, prices, held, writes)
            channel = suppliers[data.supplier_id].order_channel
            if channel != ERP and _concerns_supplier(data, held):
                _send(event, data, channel, writes)
        unit_of_work.inbox.release([f"purchase_order:{data.purchase_order_id}"])


def _put_in_force(
    event: InboxEvent,
    data: PurchaseOrderPlaced,
    prices: list[int],
    held: list[OrderLineView],
    writes: Writes,
) -> None:
    """The lines are as this version says, and what came of them so far."""
    freight = to_ten_thousandths(data.freight_amount)
    freight_of = share_out(freight, [line.quantity for line in data.lines])
    for line, price, freight_share in zip(data.lines, prices, freight_of, strict=True):
        known = writes.lines.get((data.purchase_order_id, line.purchase_order_line_id))
        view = OrderLineView(
            data.purchase_order_id,
            line.purchase_order_line_id,
            data.version,
            data.supplier_id,
            data.node_id,
            line.sku,
            data.currency,
            event.legal_entity,
            event.brand,
            event.region,
            event.channel,
            event.correlation_id,
            line.quantity,
            price,
            line.due_at,
            data.is_receipt_expected,
            data.status == "closed",
            planned_freight_amount=freight_share,
            is_price_estimated=line.is_price_estimated,
            invoice_currency_code=data.invoice_currency,
            exchange_rate=_rate(data),
            value_limit=_value_limit(data),
            ends_at=data.ends_at,
        )
        if known is not None:
            _go_on(view, known)
            wait_for_the_rest(view, writes)
        writes.hold_line(view)
    named = {line.purchase_order_line_id for line in data.lines}
    for other in held:
        if other.purchase_order_line_id not in named:
            # It is no longer ordered; what came of it before still counts.
            other.version, other.is_closed = data.version, True
            wait_for_the_rest(other, writes)


def _concerns_supplier(data: PurchaseOrderPlaced, before: list[OrderLineView]) -> bool:
    """Whether there is something to tell: what is closed is, while something of it is to come."""
    return data.status != "closed" or any(
        line.is_awaited or line.backordered_quantity for line in before if not line.is_closed
    )


def _send(event: InboxEvent, data: PurchaseOrderPlaced, channel: str, writes: Writes) -> None:
    """Have the supplier told of this version, where the ERP does not do it itself."""
    occasion = str(data.version)
    writes.tell(
        Command(
            partner=PARTNERS[channel],
            command_type="purchase_order.send",
            business_key=data.purchase_order_id,
            scope=event,
            payload={
                "occasion": occasion,
                "purchase_order_id": data.purchase_order_id,
                "version": data.version,
                "status": data.status,
                "supplier_id": data.supplier_id,
                "node_id": data.node_id,
                "currency": data.currency,
                "lines": [msgspec.to_builtins(line) for line in data.lines],
            },
            owner=OWNER,
            caused_at=event.occurred_at,
            discriminator=occasion,
        )
    )


def _rate(data: PurchaseOrderPlaced) -> int | None:
    return None if data.exchange_rate is None else to_rate(data.exchange_rate)


def _value_limit(data: PurchaseOrderPlaced) -> int | None:
    return None if data.value_limit is None else to_ten_thousandths(data.value_limit)


def _record(
    event: InboxEvent, data: PurchaseOrderPlaced, prices: list[int], writes: Writes
) -> None:
    """Keep what this version says, in force or not."""
    writes.rows["purchase_order_terms"] += [
        (
            data.purchase_order_id,
            data.version,
            line.purchase_order_line_id,
            line.sku,
            line.quantity,
            price,
            line.is_price_estimated,
            line.due_at,
        )
        for line, price in zip(data.lines, prices, strict=True)
    ]
    goods = sum(line.quantity * price for line, price in zip(data.lines, prices, strict=True))
    writes.rows["purchase_order_placed"].append(
        (
            data.purchase_order_id,
            data.version,
            data.supplier_id,
            data.node_id,
            event.legal_entity,
            event.brand,
            event.region,
            event.channel,
            event.correlation_id,
            data.currency,
            data.status,
            data.approved_by,
            data.is_receipt_expected,
            len(data.lines),
            goods,
            to_ten_thousandths(data.freight_amount),
            data.invoice_currency,
            _rate(data),
            _value_limit(data),
            data.ends_at,
            data.requisition_id,
            event.occurred_at,
        )
    )
    writes.process.add(
        "purchase order placed",
        f"{data.purchase_order_id}/{data.version}",
        event.occurred_at,
        [
            ("purchase_order", data.purchase_order_id, "placed"),
            ("supplier", data.supplier_id, "ordered from"),
            ("node", data.node_id, "ordered for"),
        ],
    )


def _go_on(view: OrderLineView, known: OrderLineView) -> None:
    """What came of the line before still counts, at the terms that were in force then."""
    view.delivered_quantity = known.delivered_quantity
    view.rejected_quantity = known.rejected_quantity
    view.invoiced_quantity = known.invoiced_quantity
    view.invoiced_amount = known.invoiced_amount
    view.credited_quantity = known.credited_quantity
    view.cleared_quantity = known.cleared_quantity
    view.held_quantity = known.held_quantity
    view.put_away_quantity = known.put_away_quantity
    view.posted_at = known.posted_at
    if known.posted_at is not None:
        is_same_currency = view.currency_code == known.currency_code
        view.unit_price, view.currency_code = known.unit_price, known.currency_code
        view.is_price_estimated = known.is_price_estimated
        # What is agreed for the first time, and of the same currency, is no other rate than before.
        if known.invoice_currency_code is not None or not is_same_currency:
            view.invoice_currency_code = known.invoice_currency_code
            view.exchange_rate = known.exchange_rate
