"""Reservations become allocations: each node is told what to ship, or to have at its counter."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from assets.commerce.identifiers import identify
from assets.order_to_fulfillment.pickup.promising import answer_due
from assets.order_to_fulfillment.writes import Writes
from assets.ports import FulfilmentOrderView, OrderView, Reservation


def reserve(reservation: Reservation, expires_at: datetime, writes: Writes) -> None:
    """Hold units of a node for an order line."""
    order_id, line_number, node, sku, quantity = reservation
    writes.rows["reservation_movement"].append(
        (order_id, line_number, node, sku, "reserved", quantity, True, expires_at)
    )
    writes.positions.add(node, sku, reserved=quantity)


def allocate(
    order: OrderView, reservations: list[Reservation], writes: Writes, occasion: str = ""
) -> None:
    """Consume an order's reservations and hand them to their nodes.

    Args:
        order: Whose part it is; what it has open beside that stays open.
        reservations: All that is held for it.
        writes: Where it is stored.
        occasion: Tells a later allocation of the order from its first.
    """
    by_node: dict[str, list[Reservation]] = defaultdict(list)
    for reservation in reservations:
        order_id, line_number, node, sku, quantity = reservation
        writes.rows["reservation_movement"].append(
            (order_id, line_number, node, sku, "consumed", -quantity, False, None)
        )
        writes.positions.add(node, sku, reserved=-quantity, allocated=quantity)
        by_node[node].append(reservation)
    order.open_fulfilment_orders += len(by_node)
    order.undelivered_fulfilment_orders += len(by_node)
    objects = [("order", order.order_id, "allocated for")]
    for node, held in by_node.items():
        identity = str(identify("fulfilment_order", order.order_id, node))
        quantity = sum(reservation.quantity for reservation in held)
        fulfilment_order = FulfilmentOrderView(
            identity, order.order_id, node, "requested", quantity, None
        )
        writes.hold([fulfilment_order])
        objects += [("fulfilment_order", identity, "created"), ("node", node, "ships")]
        _tell_node(order, fulfilment_order, held, writes)
    writes.process.add(
        "stock allocated",
        order.order_id + occasion,
        writes.unit_of_work.effective_at,
        objects,
        order.order_id,
    )


def _tell_node(
    order: OrderView,
    fulfilment_order: FulfilmentOrderView,
    held: list[Reservation],
    writes: Writes,
) -> None:
    payload: dict[str, Any] = {
        "order_number": order.order_number,
        "fulfilment_order_id": fulfilment_order.fulfilment_order_id,
        "node_id": fulfilment_order.node_id,
        "lines": [
            {"line_number": number, "sku": sku, "quantity": units}
            for _, number, _, sku, units in held
        ],
    }
    if writes.is_picked_up(fulfilment_order):
        partner, command_type, owner = "store", "pickup.prepare", "store_operations"
        pickup = writes.pickups[order.order_id]
        pickup.due_at = answer_due(order, pickup, writes)
        payload["promised_ready_at"] = pickup.promised_ready_at
    else:
        kind, _ = writes.nodes.get(fulfilment_order.node_id, ("", ""))
        policy = writes.policy(order.region, order.brand)
        partner = policy.ships_from(fulfilment_order.node_id, kind)
        command_type, owner = "fulfilment_order.create", "fulfilment"
        payload |= {"service_level": order.service_level, "country": order.country_code}
    writes.send(
        partner,
        command_type,
        order,
        payload,
        discriminator=fulfilment_order.node_id,
        owner=owner,
    )
