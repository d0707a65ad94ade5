"""A paid order waits for its supply, and gives up when that does not come."""

from __future__ import annotations

from datetime import datetime

from assets.order_to_fulfillment.allocating import allocate
from assets.order_to_fulfillment.releasing import release_rest
from assets.order_to_fulfillment.rules import next_status
from assets.order_to_fulfillment.writes import Writes
from assets.ports import About, CaseType, OrderView, Reservation


def wait_for_supply(order: OrderView, occurred_at: datetime, writes: Writes) -> None:
    """What is there stays reserved until the rest has come, or the wait is over."""
    order.status = next_status(order.status, "waits_for_supply")
    order.expires_at = waits_until(order, writes)
    writes.process.add(
        "order waits for supply",
        order.order_id,
        occurred_at,
        [("order", order.order_id, "waits")],
        order.order_id,
    )


def waits_until(order: OrderView, writes: Writes) -> datetime:
    """When an order gives up: a whole wait after the day on which its last supply should be there.

    What is reserved for it in the meantime is held until then.
    """
    latest = max(line.available_from for line in writes.pools.waiting(order.order_id))
    wait = writes.backorder_policy(order.region, order.brand).longest_wait
    return max(latest + wait, order.expires_at or latest)


def give_up_waiting(
    order: OrderView, occurred_at: datetime, reservations: list[Reservation], writes: Writes
) -> None:
    """The supply has not come: what is there is sent, the rest is never charged, a person asked."""
    order.expires_at = None
    for line in writes.pools.waiting(order.order_id):
        writes.pools.end(line, "lapsed", occurred_at)
        order.payable_amount = max(0, order.payable_amount - line.unit_price * line.quantity)
    writes.open_case(
        CaseType.BACKORDER_NOT_SUPPLIED,
        f"{order.channel}/{order.order_number}",
        f"order {order.order_number} waited until {occurred_at:%Y-%m-%d} for supply that did not"
        " come",
        About.order(order),
    )
    if reservations:
        order.status = next_status(order.status, "gave_up_waiting")
        writes.tell_customer(order, "order_reduced")
        allocate(order, reservations, writes)
        return
    order.status = next_status(order.status, "stock_lost")
    writes.cancel_at_erp(order, CaseType.BACKORDER_NOT_SUPPLIED)
    writes.tell_customer(order, "order_cancelled")
    release_rest(order, occurred_at, writes)
