"""Goods change hands, to a carrier or to the customer: stock, cost, revenue and what is asked for.

Whoever takes them, the ledgers are written here and once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from assets.commerce.identifiers import identify
from assets.commerce.money import tax_included
from assets.contracts.shipment import ShippedLine
from assets.inventory.ledger import Movement
from assets.order_to_fulfillment.completing import Allocated, complete, report_incomplete
from assets.order_to_fulfillment.paying import book_revenue, request_capture
from assets.order_to_fulfillment.refunding import give_back_surplus
from assets.order_to_fulfillment.releasing import release_rest
from assets.order_to_fulfillment.rules import next_status
from assets.order_to_fulfillment.writes import Writes, order_id_of
from assets.ports import (
    AllocatedLine,
    CaseType,
    FulfilmentOrderView,
    InboxEvent,
    OrderView,
    ProductTerms,
)

AT_THE_NODE = frozenset({"requested", "accepted"})
LEFT_THE_NODE = frozenset({"dispatched", "delivered"})


@dataclass(frozen=True)
class Handover:
    """One fulfilment order that leaves its node, with what was allocated to it by line number.

    Attributes:
        number: What the node calls it; the order's other handovers have other numbers.
        lines: What left; the rest stays.
    """

    order: OrderView
    fulfilment_order: FulfilmentOrderView
    allocated: dict[int, AllocatedLine]
    shipment_id: str
    number: str
    lines: Sequence[ShippedLine]
    occurred_at: datetime


def fulfilment_order_of(
    event: InboxEvent, statuses: Collection[str], writes: Writes
) -> FulfilmentOrderView | None:
    """The fulfilment order of an event if it is in one of these states, or a refusal of it."""
    fulfilment_order = writes.fulfilment_orders.get(event.data.fulfilment_order_id)
    if fulfilment_order is None or fulfilment_order.order_id != order_id_of(event):
        writes.refuse(
            event, CaseType.UNKNOWN_FULFILMENT_ORDER, "the order has no such fulfilment order"
        )
        return None
    if fulfilment_order.node_id != event.data.node_id:
        writes.refuse(event, CaseType.WRONG_NODE, f"it was given to {fulfilment_order.node_id}")
        return None
    if fulfilment_order.status not in statuses:
        writes.refuse(
            event, CaseType.ILLEGAL_TRANSITION, f"it is {fulfilment_order.status} already"
        )
        return None
    return fulfilment_order


def handover_of(
    event: InboxEvent,
    fulfilment_order: FulfilmentOrderView,
    number: str,
    allocated: Allocated,
    writes: Writes,
) -> Handover | None:
    """What an event says has left, or a refusal of it."""
    order = writes.order_of(event)
    lines = allocated[order.order_id, fulfilment_order.node_id]
    wrong = _what_is_wrong(event.data.lines, lines)
    if wrong:
        writes.refuse(event, CaseType.SHIPPED_NOT_ALLOCATED, wrong)
        return None
    if number in {held.shipment_number for held in writes.of_order[order.order_id]}:
        # The carrier, the ERP and the delivery would take the two for one.
        writes.refuse(
            event, CaseType.SHIPMENT_NUMBER_USED, "another node shipped under this number"
        )
        return None
    shipment_id = str(identify("shipment", fulfilment_order.fulfilment_order_id))
    return Handover(
        order, fulfilment_order, lines, shipment_id, number, event.data.lines, event.occurred_at
    )


def _what_is_wrong(lines: Sequence[ShippedLine], allocated: dict[int, AllocatedLine]) -> str | None:
    for line in lines:
        sku, units, *_ = allocated.get(line.line_number, (None, 0))
        if sku != line.sku or line.quantity > units:
            return (
                f"line {line.line_number}: {line.quantity} of {line.sku} shipped, {units} allocated"
            )
    return None


def hand_over(
    handover: Handover,
    taker: str,
    products: dict[str, ProductTerms],
    writes: Writes,
    left_because: str = "short_shipped",
) -> list[Movement]:
    """Stock leaves, revenue and cost are booked, the money is asked for, the ERP hears of it.

    Returns:
        What left, which a count that is known already may have seen.
    """
    node = handover.fulfilment_order.node_id
    movements = [
        Movement(
            node,
            line.sku,
            "shipped",
            -line.quantity,
            "sold",
            handover.shipment_id,
            line.line_number,
            handover.order.order_id,
            handover.occurred_at,
        )
        for line in handover.lines
    ]
    writes.rows["stock_movement"] += movements
    left = {number: line.quantity for number, line in handover.allocated.items()}
    for line in handover.lines:
        left[line.line_number] -= line.quantity
        writes.positions.add(node, line.sku, on_hand=-line.quantity, allocated=-line.quantity)
    short = {
        number: handover.allocated[number]._replace(quantity=units)
        for number, units in left.items()
        if units
    }
    if short:
        deallocate(handover.fulfilment_order, short, left_because, writes)
    _record(handover, taker, writes)
    _book(handover, products, writes)
    _tell_erp(handover, writes)
    handover.fulfilment_order.shipment_number = handover.number
    return movements


def _record(handover: Handover, taker: str, writes: Writes) -> None:
    order, fulfilment_order = handover.order, handover.fulfilment_order
    writes.rows["shipment_dispatched"].append(
        (
            handover.shipment_id,
            handover.number,
            order.order_id,
            fulfilment_order.fulfilment_order_id,
            fulfilment_order.node_id,
            taker,
            sum(line.quantity for line in handover.lines),
            handover.occurred_at,
        )
    )
    writes.unit_of_work.inbox.release([f"shipment:{handover.number}"])
    writes.process.add(
        "goods dispatched",
        handover.shipment_id,
        handover.occurred_at,
        [
            ("order", order.order_id, "shipped for"),
            ("fulfilment_order", fulfilment_order.fulfilment_order_id, "fulfilled"),
            ("shipment", handover.shipment_id, "created"),
            ("node", fulfilment_order.node_id, "ships"),
        ],
        order.order_id,
    )


def _book(handover: Handover, products: dict[str, ProductTerms], writes: Writes) -> None:
    """Revenue and cost at handover; the charges of an order go with its first one."""
    order, occurred_at = handover.order, handover.occurred_at
    goods = tax = 0
    cost: dict[str, int] = defaultdict(int)
    for line in handover.lines:
        allocated, terms = handover.allocated[line.line_number], products[line.sku]
        cost[terms.currency_code] += terms.standard_cost * line.quantity
        if allocated.of_bundle is None:
            amount = allocated.unit_price * line.quantity
            goods += amount
            tax += tax_included(amount, terms.tax_rate_basis_points)
    for bundle, units in complete(
        order.order_id, handover.shipment_id, handover.lines, occurred_at, writes
    ):
        amount = bundle.unit_price * units
        goods += amount
        tax += tax_included(amount, products[bundle.sku].tax_rate_basis_points)
    has_shipped = any(
        fulfilment_order.status in LEFT_THE_NODE
        for fulfilment_order in writes.of_order[order.order_id]
    )
    charges = 0 if has_shipped else max(order.charge_amount, -goods)
    # Goods at a counter may be paid for before they are handed over, all of them at once.
    prepaid = 0 if has_shipped else order.capture_requested_amount
    # A discount that was larger than the first shipment goes on with the next.
    still_owed = order.payable_amount - order.capture_requested_amount + prepaid
    charges = min(charges, still_owed - goods)
    book_revenue(order, occurred_at, handover.shipment_id, goods, tax, charges, writes)
    _book_cost(handover, cost, writes)
    owed = goods + charges - prepaid
    request_capture(order, owed, handover.fulfilment_order.node_id, writes)
    if prepaid:
        order.payable_amount = goods + charges
        give_back_surplus(order, "not_taken", occurred_at, writes)


def _book_cost(handover: Handover, cost: dict[str, int], writes: Writes) -> None:
    order = handover.order
    accounts = writes.journal.accounts(order)
    for currency, value in cost.items():
        # Stock is worth what it cost in its own currency, whatever the customer pays in.
        is_foreign = currency != order.currency_code
        writes.journal.post(
            order,
            "cost_of_goods",
            handover.shipment_id + (f"/{currency}" if is_foreign else ""),
            currency,
            handover.occurred_at,
            [(accounts.cost_of_goods, value), (accounts.inventory, -value)],
        )


def _tell_erp(handover: Handover, writes: Writes) -> None:
    order = handover.order
    writes.send(
        "erp",
        "goods_issue.post",
        order,
        {
            "order_number": order.order_number,
            "shipment_number": handover.number,
            "node_id": handover.fulfilment_order.node_id,
            "lines": [{"sku": line.sku, "quantity": line.quantity} for line in handover.lines],
        },
        discriminator=handover.number,
        owner="fulfilment",
    )


def deallocate(
    fulfilment_order: FulfilmentOrderView,
    lines: Mapping[int, AllocatedLine],
    reason: str,
    writes: Writes,
) -> None:
    """Units of a node are no longer meant for the order."""
    node = fulfilment_order.node_id
    for line_number, (sku, units, *_) in lines.items():
        writes.rows["deallocation"].append(
            (fulfilment_order.order_id, line_number, node, sku, units, reason)
        )
        writes.positions.add(node, sku, allocated=-units)


def close(order: OrderView, occurred_at: datetime, writes: Writes) -> None:
    """One node is done with the order; the last one moves the order on."""
    order.open_fulfilment_orders -= 1
    if order.open_fulfilment_orders:
        return
    report_incomplete(order, writes)
    has_left = any(
        fulfilment_order.status in LEFT_THE_NODE
        for fulfilment_order in writes.of_order[order.order_id]
    )
    order.status = next_status(order.status, "all_dispatched" if has_left else "all_rejected")
    if not has_left:
        writes.cancel_at_erp(order, "fulfilment_rejected")
        writes.tell_customer(order, "order_cancelled")
    elif not order.undelivered_fulfilment_orders:
        order.status = next_status(order.status, "all_delivered")
    release_rest(order, occurred_at, writes)
