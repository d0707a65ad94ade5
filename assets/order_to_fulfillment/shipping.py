"""Goods leave and arrive: what nodes and carriers tell, with its stock and money effects."""

from __future__ import annotations

from assets.commerce.identifiers import identify
from assets.inventory.late_facts import correct_counts
from assets.inventory.ledger import Movement
from assets.order_to_fulfillment import silence
from assets.order_to_fulfillment.completing import hold_bundles
from assets.order_to_fulfillment.handing_over import (
    AT_THE_NODE,
    Handover,
    close,
    deallocate,
    fulfilment_order_of,
    hand_over,
    handover_of,
)
from assets.order_to_fulfillment.rules import next_status
from assets.order_to_fulfillment.writes import Writes, order_id_of
from assets.ports import InboxEvent, Scope


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
        fulfilment_order = fulfilment_order_of(event, AT_THE_NODE, writes)
        if fulfilment_order is None:
            continue
        if fulfilment_order.status == "requested":
            fulfilment_order.status = "accepted"


def take_rejections(events: list[InboxEvent], writes: Writes) -> None:
    """The node cannot do it: its allocation ends, and a person is asked."""
    allocated = writes.unit_of_work.orders.allocated_lines(map(order_id_of, events))
    hold_bundles(allocated, writes)
    for event in events:
        fulfilment_order = fulfilment_order_of(event, AT_THE_NODE, writes)
        if fulfilment_order is None:
            continue
        order = writes.order_of(event)
        lines = allocated[order.order_id, fulfilment_order.node_id]
        deallocate(fulfilment_order, lines, event.data.reason, writes)
        fulfilment_order.status = "rejected"
        order.undelivered_fulfilment_orders -= 1
        writes.open_case(
            "fulfilment_rejected",
            fulfilment_order.fulfilment_order_id,
            f"{fulfilment_order.node_id} rejected order {order.order_number}: {event.data.reason}",
        )
        close(order, event.occurred_at, writes)


def take_dispatches(events: list[InboxEvent], writes: Writes) -> None:
    """Goods are handed over: stock leaves, revenue and cost are booked, the money is asked for."""
    products = writes.unit_of_work.master_data.products(
        {line.sku for event in events for line in event.data.lines}
    )
    allocated = writes.unit_of_work.orders.allocated_lines(map(order_id_of, events))
    hold_bundles(allocated, writes, products)
    shipped: list[tuple[Scope, Movement]] = []
    for event in events:
        fulfilment_order = fulfilment_order_of(event, AT_THE_NODE, writes)
        if fulfilment_order is None:
            continue
        if writes.is_picked_up(fulfilment_order):
            writes.refuse(event, "waits_for_its_customer", "it is collected, not shipped")
            continue
        handover = handover_of(
            event, fulfilment_order, event.data.shipment_number, allocated, writes
        )
        if handover is None:
            continue
        movements = hand_over(handover, event.data.carrier, products, writes)
        shipped += [(handover.order, movement) for movement in movements]
        _tell(handover, writes)
        fulfilment_order.status = "dispatched"
        close(handover.order, event.occurred_at, writes)
    correct_counts(
        shipped, products, writes.unit_of_work, writes.rows, writes.positions, writes.journal
    )


def _tell(handover: Handover, writes: Writes) -> None:
    order = handover.order
    common = {"order_number": order.order_number, "shipment_number": handover.number}
    writes.send(
        "carrier",
        "shipment.book",
        order,
        {
            **common,
            "node_id": handover.fulfilment_order.node_id,
            "country": order.country_code,
            "service_level": order.service_level,
        },
        discriminator=handover.number,
        owner="fulfilment",
    )
    writes.send(
        "crm",
        "message.send",
        order,
        {**common, "customer_id": order.customer_id, "template": "order_shipped"},
        discriminator=handover.number,
        owner="customer_care",
    )


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
