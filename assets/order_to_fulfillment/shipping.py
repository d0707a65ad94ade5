"""Goods leave and arrive: what nodes and carriers tell, with its stock and money effects."""

from __future__ import annotations

from assets.commerce.identifiers import identify
from assets.inventory.late_facts import correct_counts
from assets.inventory.ledger import Movement
from assets.order_to_fulfillment import silence
from assets.order_to_fulfillment.allocating import allocate, reserve
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
from assets.order_to_fulfillment.promises import NODE_REJECTED, day_after, promise_later
from assets.order_to_fulfillment.resourcing import Wanted, source_again
from assets.order_to_fulfillment.rules import next_status
from assets.order_to_fulfillment.writes import Writes, order_id_of
from assets.ports import About, CaseType, FulfilmentOrderView, InboxEvent, Scope


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
    """Nodes cannot do it: their allocations end, and other nodes are asked.

    A person hears of each refusal; where another node ships instead, there is nothing left to do.
    Of several refusals of one order each is settled before the next is heard: it may be of the node
    that was asked instead.
    """
    while events:
        first = {order_id_of(event): event for event in reversed(events)}
        now = [event for event in events if first[order_id_of(event)] is event]
        _take_one_each(now, writes)
        events = [event for event in events if event not in now]


def _take_one_each(events: list[InboxEvent], writes: Writes) -> None:
    allocated = writes.unit_of_work.orders.allocated_lines(map(order_id_of, events))
    hold_bundles(allocated, writes)
    refused: list[tuple[FulfilmentOrderView, Wanted]] = []
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
            CaseType.FULFILMENT_REJECTED,
            fulfilment_order.fulfilment_order_id,
            f"{fulfilment_order.node_id} rejected order {order.order_number}: {event.data.reason}",
            About.order(order, fulfilment_order.node_id),
        )
        writes.process.add(
            "fulfilment rejected",
            fulfilment_order.fulfilment_order_id,
            event.occurred_at,
            [
                ("order", order.order_id, "rejected for"),
                ("fulfilment_order", fulfilment_order.fulfilment_order_id, "rejected"),
                ("node", fulfilment_order.node_id, "rejected"),
            ],
            order.order_id,
        )
        asked = {held.node_id for held in writes.of_order[order.order_id]}
        day = order.promised_date or day_after(order, event.occurred_at, writes)
        occasion = f"rejected/{len(asked)}"
        wanted = Wanted(order, lines, asked, event.occurred_at, day, occasion)
        refused.append((fulfilment_order, wanted))
    _ask_other_nodes(refused, writes)


def _ask_other_nodes(refused: list[tuple[FulfilmentOrderView, Wanted]], writes: Writes) -> None:
    """What none of them has ends here."""
    asked = [
        one
        for _, one in refused
        if len(one.refused) < writes.policy(one.order.region, one.order.brand).most_nodes_asked
    ]
    if asked:
        # What the nodes gave back counts from here on.
        writes.flush()
        source_again(asked, "rejected_by_its_node", writes)
    for fulfilment_order, one in refused:
        if one.given:
            _hand_to_others(one, writes)
            writes.close_case(
                CaseType.FULFILMENT_REJECTED,
                fulfilment_order.fulfilment_order_id,
                "other nodes ship it",
            )
            one.order.open_fulfilment_orders -= 1
        else:
            close(one.order, one.wanted_at, writes)
    writes.flush()


def _hand_to_others(one: Wanted, writes: Writes) -> None:
    order = one.order
    order.status = next_status(order.status, "moved")
    until = writes.unit_of_work.effective_at
    for reservation in one.given:
        reserve(reservation, until, writes)
    allocate(order, one.given, writes, occasion=f"/{one.occasion}")
    if one.late_units:
        day = day_after(order, one.wanted_at, writes)
        promise_later(order, day, NODE_REJECTED, one.wanted_at, writes)


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
            writes.refuse(event, CaseType.WAITS_FOR_ITS_CUSTOMER, "it is collected, not shipped")
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
    correct_counts(shipped, products, writes.stock_ledgers)


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
            writes.refuse(event, CaseType.ILLEGAL_TRANSITION, "the shipment was delivered already")
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
