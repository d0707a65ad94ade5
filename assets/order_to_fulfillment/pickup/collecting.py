"""A customer comes: goods, revenue and money change hands at the counter."""

from __future__ import annotations

from assets.inventory.late_facts import correct_counts
from assets.inventory.ledger import Movement
from assets.order_to_fulfillment.completing import Allocated, hold_bundles, report_incomplete
from assets.order_to_fulfillment.handing_over import (
    fulfilment_order_of,
    hand_over,
    handover_of,
)
from assets.order_to_fulfillment.pickup.answering import IN_THE_STORE
from assets.order_to_fulfillment.pickup.promising import step
from assets.order_to_fulfillment.releasing import release_rest
from assets.order_to_fulfillment.rules import next_status
from assets.order_to_fulfillment.writes import Writes, order_id_of
from assets.ports import CaseType, FulfilmentOrderView, InboxEvent, ProductTerms, Scope

#: Who takes the goods, where a shipment names its carrier.
CUSTOMER = "customer"


def take_collections(events: list[InboxEvent], writes: Writes) -> None:
    """The store handed goods to the customer, whether or not it had said that they are ready."""
    products = writes.unit_of_work.master_data.products(
        {line.sku for event in events for line in event.data.lines}
    )
    allocated = writes.unit_of_work.orders.allocated_lines(map(order_id_of, events))
    hold_bundles(allocated, writes, products)
    taken: list[tuple[Scope, Movement]] = []
    for event in events:
        fulfilment_order = fulfilment_order_of(event, IN_THE_STORE, writes)
        if fulfilment_order is None:
            continue
        if not writes.is_picked_up(fulfilment_order):
            writes.refuse(event, CaseType.NOT_A_PICKUP, "a carrier takes it, not its customer")
            continue
        taken += _collect(event, fulfilment_order, products, allocated, writes)
    correct_counts(taken, products, writes.stock_ledgers)


def _collect(
    event: InboxEvent,
    fulfilment_order: FulfilmentOrderView,
    products: dict[str, ProductTerms],
    allocated: Allocated,
    writes: Writes,
) -> list[tuple[Scope, Movement]]:
    number = event.data.handover_number
    handover = handover_of(event, fulfilment_order, number, allocated, writes)
    if handover is None:
        return []
    order = handover.order
    movements = hand_over(handover, CUSTOMER, products, writes, left_because="not_taken")
    fulfilment_order.status = "delivered"
    order.open_fulfilment_orders -= 1
    report_incomplete(order, writes)
    order.undelivered_fulfilment_orders -= 1
    order.status = next_status(order.status, "collected")
    release_rest(order, event.occurred_at, writes)
    pickup = writes.pickups[order.order_id]
    pickup.due_at = None
    step(pickup, "collected", event.occurred_at, writes)
    writes.rows["shipment_delivered"].append(
        (handover.shipment_id, number, order.order_id, event.occurred_at)
    )
    writes.process.add(
        "order collected",
        handover.shipment_id,
        event.occurred_at,
        [("order", order.order_id, "collected"), ("shipment", handover.shipment_id, "collected")],
        order.order_id,
    )
    writes.tell_customer(order, "pickup_collected")
    return [(order, movement) for movement in movements]
