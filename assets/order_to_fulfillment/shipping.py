"""Goods leave and arrive: what nodes and carriers tell, with its stock and money effects."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from assets.commerce.identifiers import identify
from assets.commerce.money import tax_included
from assets.contracts.shipment import ShipmentDispatched
from assets.inventory.late_facts import correct_counts
from assets.inventory.ledger import Movement
from assets.order_to_fulfillment import silence
from assets.order_to_fulfillment.paying import book_revenue, release_rest, request_capture
from assets.order_to_fulfillment.rules import next_status
from assets.order_to_fulfillment.writes import Writes, order_id_of
from assets.ports import (
    AllocatedLine,
    FulfilmentOrderView,
    InboxEvent,
    OrderView,
    ProductTerms,
    Scope,
)

AT_THE_NODE = frozenset({"requested", "accepted"})
LEFT_THE_NODE = frozenset({"dispatched", "delivered"})


@dataclass(frozen=True)
class Shipment:
    """One fulfilment order on its way, with what was allocated to it by line number."""

    event: InboxEvent
    order: OrderView
    fulfilment_order: FulfilmentOrderView
    allocated: dict[int, AllocatedLine]
    shipment_id: str

    @property
    def data(self) -> ShipmentDispatched:
        """The contract's payload."""
        dispatched: ShipmentDispatched = self.event.data
        return dispatched


def take_acceptances(events: list[InboxEvent], writes: Writes) -> None:
    """The node works on it. Word of that which is overtaken by later news says nothing new."""
    for event in events:
        known = writes.fulfilment_orders.get(event.data.fulfilment_order_id)
        if (
            known is not None
            and known.order_id == order_id_of(event)
            and known.status not in AT_THE_NODE
        ):
            continue
        fulfilment_order = _fulfilment_order(event, writes)
        if fulfilment_order is None:
            continue
        if fulfilment_order.status == "requested":
            fulfilment_order.status = "accepted"


def take_rejections(events: list[InboxEvent], writes: Writes) -> None:
    """The node cannot do it: its allocation ends, and a person is asked."""
    allocated = writes.unit_of_work.orders.allocated_lines(map(order_id_of, events))
    for event in events:
        fulfilment_order = _fulfilment_order(event, writes)
        if fulfilment_order is None:
            continue
        order = writes.order_of(event)
        lines = allocated[order.order_id, fulfilment_order.node_id]
        _deallocate(fulfilment_order, lines, event.data.reason, writes)
        fulfilment_order.status = "rejected"
        order.undelivered_fulfilment_orders -= 1
        writes.open_case(
            "fulfilment_rejected",
            fulfilment_order.fulfilment_order_id,
            f"{fulfilment_order.node_id} rejected order {order.order_number}: {event.data.reason}",
        )
        _close_fulfilment_order(order, event, writes)


def take_dispatches(events: list[InboxEvent], writes: Writes) -> None:
    """Goods are handed over: stock leaves, revenue and cost are booked, the money is asked for."""
    products = writes.unit_of_work.master_data.products(
        {line.sku for event in events for line in event.data.lines}
    )
    allocated = writes.unit_of_work.orders.allocated_lines(map(order_id_of, events))
    shipped: list[tuple[Scope, Movement]] = []
    for event in events:
        fulfilment_order = _fulfilment_order(event, writes)
        if fulfilment_order is None:
            continue
        order = writes.order_of(event)
        lines = allocated[order.order_id, fulfilment_order.node_id]
        wrong = _what_is_wrong(event.data, lines)
        if wrong:
            writes.refuse(event, "shipped_not_allocated", wrong)
            continue
        numbers = {held.shipment_number for held in writes.of_order[order.order_id]}
        if event.data.shipment_number in numbers:
            # The carrier, the ERP and the delivery would take the two for one.
            writes.refuse(event, "shipment_number_used", "another node shipped under this number")
            continue
        shipment_id = str(identify("shipment", fulfilment_order.fulfilment_order_id))
        shipment = Shipment(event, order, fulfilment_order, lines, shipment_id)
        shipped += [(order, movement) for movement in _dispatch(shipment, products, writes)]
    correct_counts(
        shipped, products, writes.unit_of_work, writes.rows, writes.positions, writes.journal
    )


def _what_is_wrong(data: ShipmentDispatched, allocated: dict[int, AllocatedLine]) -> str | None:
    for line in data.lines:
        sku, units, _ = allocated.get(line.line_number, (None, 0, 0))
        if sku != line.sku or line.quantity > units:
            return (
                f"line {line.line_number}: {line.quantity} of {line.sku} shipped, {units} allocated"
            )
    return None


def _dispatch(
    shipment: Shipment, products: dict[str, ProductTerms], writes: Writes
) -> list[Movement]:
    event, order, data = shipment.event, shipment.order, shipment.data
    node = shipment.fulfilment_order.node_id
    goods = tax = total = 0
    movements: list[Movement] = []
    cost: dict[str, int] = defaultdict(int)
    left = {number: line.quantity for number, line in shipment.allocated.items()}
    for line in data.lines:
        units, sku = line.quantity, line.sku
        amount = shipment.allocated[line.line_number].unit_price * units
        standard_cost, tax_rate, currency = products[sku]
        goods += amount
        tax += tax_included(amount, tax_rate)
        cost[currency] += standard_cost * units
        total += units
        left[line.line_number] -= units
        movements.append(
            Movement(
                node,
                sku,
                "shipped",
                -units,
                "sold",
                shipment.shipment_id,
                line.line_number,
                order.order_id,
                event.occurred_at,
            )
        )
        writes.positions.add(node, sku, on_hand=-units, allocated=-units)
    writes.rows["stock_movement"] += movements
    short = {
        number: shipment.allocated[number]._replace(quantity=units)
        for number, units in left.items()
        if units
    }
    if short:
        _deallocate(shipment.fulfilment_order, short, "short_shipped", writes)
    _record(shipment, total, writes)
    _book(shipment, goods, tax, cost, writes)
    _tell(shipment, writes)
    shipment.fulfilment_order.status = "dispatched"
    shipment.fulfilment_order.shipment_number = data.shipment_number
    _close_fulfilment_order(order, event, writes)
    return movements


def _record(shipment: Shipment, total: int, writes: Writes) -> None:
    event, order, data = shipment.event, shipment.order, shipment.data
    fulfilment_order = shipment.fulfilment_order
    writes.rows["shipment_dispatched"].append(
        (
            shipment.shipment_id,
            data.shipment_number,
            order.order_id,
            fulfilment_order.fulfilment_order_id,
            fulfilment_order.node_id,
            data.carrier,
            total,
            event.occurred_at,
        )
    )
    writes.unit_of_work.inbox.release([f"shipment:{data.shipment_number}"])
    writes.process.add(
        "goods dispatched",
        shipment.shipment_id,
        event.occurred_at,
        [
            ("order", order.order_id, "shipped for"),
            ("fulfilment_order", fulfilment_order.fulfilment_order_id, "fulfilled"),
            ("shipment", shipment.shipment_id, "created"),
            ("node", fulfilment_order.node_id, "ships"),
        ],
        order.order_id,
    )


def _book(shipment: Shipment, goods: int, tax: int, cost: dict[str, int], writes: Writes) -> None:
    """Revenue and cost at handover; the charges of an order go with its first shipment."""
    order, occurred_at = shipment.order, shipment.event.occurred_at
    has_shipped = any(
        fulfilment_order.status in LEFT_THE_NODE
        for fulfilment_order in writes.of_order[order.order_id]
    )
    charges = 0 if has_shipped else max(order.charge_amount, -goods)
    # A discount that was larger than the first shipment goes on with the next.
    still_owed = order.payable_amount - order.capture_requested_amount
    charges = min(charges, still_owed - goods)
    book_revenue(order, occurred_at, shipment.shipment_id, goods, tax, charges, writes)
    accounts = writes.journal.accounts(order)
    for currency, value in cost.items():
        # Stock is worth what it cost in its own currency, whatever the customer pays in.
        is_foreign = currency != order.currency_code
        writes.journal.post(
            order,
            "cost_of_goods",
            shipment.shipment_id + (f"/{currency}" if is_foreign else ""),
            currency,
            occurred_at,
            [(accounts.cost_of_goods, value), (accounts.inventory, -value)],
        )
    node = shipment.fulfilment_order.node_id
    request_capture(order, goods + charges, node, writes)


def _tell(shipment: Shipment, writes: Writes) -> None:
    order, data = shipment.order, shipment.data
    common = {"order_number": order.order_number, "shipment_number": data.shipment_number}
    lines = [{"sku": line.sku, "quantity": line.quantity} for line in data.lines]
    writes.send(
        "erp",
        "goods_issue.post",
        order,
        {**common, "node_id": data.node_id, "lines": lines},
        discriminator=data.shipment_number,
        owner="fulfilment",
    )
    writes.send(
        "carrier",
        "shipment.book",
        order,
        {
            **common,
            "node_id": data.node_id,
            "country": order.country_code,
            "service_level": order.service_level,
        },
        discriminator=data.shipment_number,
        owner="fulfilment",
    )
    writes.send(
        "crm",
        "message.send",
        order,
        {**common, "customer_id": order.customer_id, "template": "order_shipped"},
        discriminator=data.shipment_number,
        owner="customer_care",
    )


def _deallocate(
    fulfilment_order: FulfilmentOrderView,
    lines: dict[int, AllocatedLine],
    reason: str,
    writes: Writes,
) -> None:
    node = fulfilment_order.node_id
    for line_number, (sku, units, _) in lines.items():
        writes.rows["deallocation"].append(
            (fulfilment_order.order_id, line_number, node, sku, units, reason)
        )
        writes.positions.add(node, sku, allocated=-units)


def _close_fulfilment_order(order: OrderView, event: InboxEvent, writes: Writes) -> None:
    """One node is done with the order; the last one moves the order on."""
    order.open_fulfilment_orders -= 1
    if order.open_fulfilment_orders:
        return
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
    release_rest(order, event.occurred_at, writes)


def take_deliveries(events: list[InboxEvent], writes: Writes) -> None:
    """The customer has the goods."""
    by_shipment = {
        (fulfilment_order.order_id, fulfilment_order.shipment_number): fulfilment_order
        for fulfilment_order in writes.fulfilment_orders.values()
    }
    for event in events:
        order = writes.order_of(event)
        fulfilment_order = by_shipment.get((order.order_id, event.data.shipment_number))
        if fulfilment_order is None:
            writes.unit_of_work.inbox.park(
                event, "shipment_unknown", f"shipment:{event.data.shipment_number}"
            )
            continue
        if fulfilment_order.status != "dispatched":
            writes.refuse(event, "illegal_transition", "the shipment was delivered already")
            continue
        fulfilment_order.status = "delivered"
        order.undelivered_fulfilment_orders -= 1
        shipment_id = str(identify("shipment", fulfilment_order.fulfilment_order_id))
        writes.rows["shipment_delivered"].append(
            (shipment_id, event.data.shipment_number, order.order_id, event.occurred_at)
        )
        silence.end(order, event.data.shipment_number, writes)
        writes.process.add(
            "order delivered",
            shipment_id,
            event.occurred_at,
            [("order", order.order_id, "delivered"), ("shipment", shipment_id, "delivered")],
            order.order_id,
        )
        if not order.undelivered_fulfilment_orders and order.status == "dispatched":
            order.status = next_status(order.status, "all_delivered")


def _fulfilment_order(event: InboxEvent, writes: Writes) -> FulfilmentOrderView | None:
    """The fulfilment order that is still at its node, or a refusal of the event."""
    fulfilment_order = writes.fulfilment_orders.get(event.data.fulfilment_order_id)
    if fulfilment_order is None or fulfilment_order.order_id != order_id_of(event):
        writes.refuse(event, "unknown_fulfilment_order", "the order has no such fulfilment order")
        return None
    if fulfilment_order.node_id != event.data.node_id:
        writes.refuse(event, "wrong_node", f"it was given to {fulfilment_order.node_id}")
        return None
    if fulfilment_order.status not in AT_THE_NODE:
        writes.refuse(event, "illegal_transition", f"it is {fulfilment_order.status} already")
        return None
    return fulfilment_order
