"""An order that its store refused: another store if the customer takes it, else a parcel."""

from __future__ import annotations

from datetime import datetime

from assets.order_to_fulfillment.allocating import allocate, reserve
from assets.order_to_fulfillment.pickup.promising import other_store, promise_store, step
from assets.order_to_fulfillment.promises import NODE_REJECTED, day_after, promise
from assets.order_to_fulfillment.resourcing import Wanted, source_again
from assets.order_to_fulfillment.rules import next_status
from assets.order_to_fulfillment.writes import Writes
from assets.ports import AllocatedLine, OrderView, PickupView, Reservation


def move_on(
    order: OrderView,
    pickup: PickupView,
    lines: dict[int, AllocatedLine],
    occurred_at: datetime,
    writes: Writes,
) -> bool:
    """Find another way for an order without the stores that had it; gives whether there is one.

    The customer said at checkout what may be done. The number of stores that are asked one after
    the other is limited by policy: every question costs an hour of the day.
    """
    policy = writes.pickup_policy(order.region, order.brand)
    refused = {held.node_id for held in writes.of_order[order.order_id]}
    # What the store gave back counts from here on.
    writes.flush()
    if pickup.accepts_other_store and pickup.attempt < policy.most_stores_asked:
        found = _other_store(order, pickup, refused, lines, occurred_at, writes)
        if found is not None:
            _hand_to(order, pickup, *found, lines, occurred_at, writes)
            return True
    return pickup.accepts_shipping and _ship(order, pickup, refused, lines, occurred_at, writes)


def _other_store(
    order: OrderView,
    pickup: PickupView,
    refused: set[str],
    lines: dict[int, AllocatedLine],
    occurred_at: datetime,
    writes: Writes,
) -> tuple[str, datetime] | None:
    nodes = writes.nodes
    stores = sorted(
        node for node, (kind, _) in nodes.items() if kind == "store" and node not in refused
    )
    if not stores:
        return None
    wanted = [(number, line.sku, line.quantity) for number, line in sorted(lines.items())]
    return other_store(order, wanted, stores, occurred_at, str(pickup.attempt + 1), writes)


def _hand_to(
    order: OrderView,
    pickup: PickupView,
    store: str,
    ready_at: datetime,
    lines: dict[int, AllocatedLine],
    occurred_at: datetime,
    writes: Writes,
) -> None:
    pickup.attempt += 1
    promise_store(order, pickup, store, ready_at, occurred_at, writes)
    _allocate(
        order,
        [
            Reservation(order.order_id, number, store, line.sku, line.quantity)
            for number, line in sorted(lines.items())
        ],
        pickup,
        writes,
    )
    writes.tell_customer(
        order,
        "pickup_moved",
        str(pickup.attempt),
        store_id=store,
        promised_ready_at=ready_at,
    )


def _ship(
    order: OrderView,
    pickup: PickupView,
    refused: set[str],
    lines: dict[int, AllocatedLine],
    occurred_at: datetime,
    writes: Writes,
) -> bool:
    """Send what any other node has; what nobody has is given up and never charged."""
    day = day_after(order, occurred_at, writes)
    if order.promised_date is not None:
        # What was promised for after a holiday is not promised sooner now.
        day = max(day, order.promised_date)
    wanted = Wanted(order, lines, refused, occurred_at, day, str(pickup.attempt + 1))
    source_again([wanted], "refused_by_its_store", writes)
    if not wanted.given:
        return False
    pickup.attempt += 1
    pickup.node_id = None
    step(pickup, "shipped_instead", occurred_at, writes)
    _allocate(order, wanted.given, pickup, writes)
    promise(order, day, NODE_REJECTED, occurred_at, writes)
    writes.tell_customer(order, "pickup_shipped_instead", promised_date=day)
    return True


def _allocate(
    order: OrderView, reservations: list[Reservation], pickup: PickupView, writes: Writes
) -> None:
    order.status = next_status(order.status, "moved")
    order.open_fulfilment_orders -= 1
    for reservation in reservations:
        reserve(reservation, pickup.expires_at, writes)
    allocate(order, reservations, writes, occasion=f"/{pickup.attempt}")
