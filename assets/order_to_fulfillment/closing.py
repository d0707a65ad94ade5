"""Orders that end without goods: cancelled, declined or expired. What they held is freed."""

from __future__ import annotations

from datetime import datetime

from assets.order_to_fulfillment.backordering.ending import give_up_waiting
from assets.order_to_fulfillment.releasing import release_rest
from assets.order_to_fulfillment.rules import ENDED_BY_US, can_happen, next_status
from assets.order_to_fulfillment.writes import Writes, order_id_of
from assets.ports import CaseType, InboxEvent, OrderView, Reservation

#: The case that an order may have while it waits for a payment.
_ABOUT_PAYMENT = {
    "awaiting_payment": CaseType.PAYMENT_FAILED,
    "held": CaseType.PAYMENT_HELD,
}


def take_cancellations(events: list[InboxEvent], writes: Writes) -> None:
    """A customer takes an order back; once a node was told to ship it, a person has to decide.

    Of an order that has ended without goods there is nothing to take back any more.
    """
    open_ones = [order_id_of(event) for event in events]
    reserved = writes.reservations_of(open_ones)
    for event in events:
        order = writes.order_of(event)
        if order.status in ENDED_BY_US:
            continue
        if not can_happen(order.status, "cancelled"):
            reason = f"cancelled by the customer, but the order is {order.status} already"
            writes.refuse(event, CaseType.ILLEGAL_TRANSITION, reason)
            continue
        end_without_goods(
            order,
            "cancelled",
            "released",
            event.occurred_at,
            reserved.get(order.order_id, []),
            writes,
        )


def expire(writes: Writes, limit: int) -> int:
    """End orders whose payment did not come in time, and the wait for supply that never came."""
    now = writes.unit_of_work.effective_at
    expired = writes.unit_of_work.orders.lock_expired(now, limit)
    reserved = writes.reservations_of(expired)
    writes.pools.load(writes.unit_of_work.supply.pooled_of_orders(expired))
    for order in expired.values():
        writes.orders[order.order_id] = order
        held = reserved.get(order.order_id, [])
        if order.status == "backordered":
            give_up_waiting(order, now, held, writes)
        else:
            end_without_goods(order, "expired", "expired", now, held, writes)
    return len(expired)


def end_hold(order: OrderView, happening: str, writes: Writes) -> None:
    """What was to be decided about a payment has been, by whom- or whatever."""
    case_type = _ABOUT_PAYMENT.get(order.status)
    if case_type is not None:
        key = f"{order.channel}/{order.order_number}"
        writes.close_case(case_type, key, happening.replace("_", " "))


def end_without_goods(
    order: OrderView,
    happening: str,
    reservation_end: str,
    occurred_at: datetime,
    reservations: list[Reservation],
    writes: Writes,
) -> None:
    """Free an order's stock and money, end it, and tell ERP and customer."""
    end_hold(order, happening, writes)
    order.status = next_status(order.status, happening)
    order.expires_at = None
    for order_id, line_number, node, sku, quantity in reservations:
        writes.rows["reservation_movement"].append(
            (order_id, line_number, node, sku, reservation_end, -quantity, False, None)
        )
        writes.positions.add(node, sku, reserved=-quantity)
    for line in writes.pools.waiting(order.order_id):
        writes.pools.end(line, "cancelled", occurred_at)
    release_rest(order, occurred_at, writes)
    writes.cancel_at_erp(order, happening)
    writes.tell_customer(order, "order_cancelled")
    writes.process.add(
        f"order {order.status}",
        order.order_id,
        occurred_at,
        [("order", order.order_id, "ended")],
        order.order_id,
    )
