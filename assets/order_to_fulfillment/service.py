"""The one place where this flow's transaction is filled: events in, everything they cause out."""

from __future__ import annotations

from collections.abc import Callable

from assets.contracts import fulfilment, order, payment, shipment
from assets.order_to_fulfillment import (
    closing,
    paying,
    placing,
    promises,
    refunding,
    screening,
    shipping,
    silence,
)
from assets.order_to_fulfillment.backordering import supplying
from assets.order_to_fulfillment.pickup import answering, collecting, waiting
from assets.order_to_fulfillment.writes import Writes, order_id_of
from assets.ports import InboxEvent, UnitOfWork

CONSUMER = "order_to_fulfillment"

#: What applies each kind of event, in the order in which a batch is worked through.
STEPS: tuple[tuple[type, Callable[[list[InboxEvent], Writes], None]], ...] = (
    (order.OrderPlaced, placing.place),
    (payment.PaymentAuthorised, paying.take_authorisations),
    (payment.PaymentDeclined, paying.take_declines),
    (payment.PaymentScreened, screening.take_screenings),
    (order.OrderHoldDecided, screening.take_hold_decisions),
    (fulfilment.FulfilmentAccepted, answering.take_acceptances),
    (fulfilment.FulfilmentRejected, answering.take_rejections),
    (fulfilment.FulfilmentReadyForPickup, answering.take_readiness),
    (fulfilment.FulfilmentCollected, collecting.take_collections),
    (shipment.ShipmentDispatched, shipping.take_dispatches),
    (payment.PaymentCaptured, paying.take_captures),
    (shipment.ShipmentDelivered, shipping.take_deliveries),
    (payment.PaymentRefunded, refunding.take_refunds),
    (payment.PaymentRefundDeclined, refunding.take_refund_declines),
    (order.OrderCancelled, closing.take_cancellations),
)

#: The order of `STEPS`. Money taken and goods arrived do not ask after each other.
RANKS = {kind: rank for rank, (kind, _) in enumerate(STEPS)}
RANKS[shipment.ShipmentDelivered] = RANKS[payment.PaymentCaptured]


def handle(events: list[InboxEvent], unit_of_work: UnitOfWork) -> None:
    """Apply events of this flow, given in order of (phase, occurred_at, source, event_id).

    An event whose order is not known yet is parked until the order comes; one that its order cannot
    take is quarantined with a case. All the others are applied, together or not at all.
    """
    writes = Writes(unit_of_work)
    followers = [event for event in events if not isinstance(event.data, order.OrderPlaced)]
    order_ids = list(dict.fromkeys(map(order_id_of, followers)))
    if order_ids:
        writes.orders.update(unit_of_work.orders.lock(order_ids))
        writes.hold(unit_of_work.orders.fulfilment_orders(order_ids))
        writes.pickups.update(unit_of_work.pickups.of_orders(order_ids))
        writes.pools.load(unit_of_work.supply.pooled_of_orders(order_ids))
    changed: set[str] = set()
    for part in _rounds(events):
        for kind, step in STEPS:
            batch = [event for event in part if isinstance(event.data, kind)]
            if kind is not order.OrderPlaced:
                batch = _known(batch, writes)
            if not batch:
                continue
            touched = set(map(order_id_of, batch))
            if touched & changed:
                # A step reads from the store what an earlier one did to the same order.
                writes.flush()
                changed.clear()
            step(batch, writes)
            changed |= touched
    writes.flush()


def _rounds(events: list[InboxEvent]) -> list[list[InboxEvent]]:
    """Events that can be worked through kind by kind without overtaking one of the same order.

    Only a partner that contradicts itself (declined, then authorised) makes a second round.
    """
    rounds: list[list[InboxEvent]] = [[]]
    reached: dict[str, tuple[int, int]] = {}
    for event in events:
        order_id = order_id_of(event)
        rank = RANKS[type(event.data)]
        number, last = reached.get(order_id, (0, rank))
        if rank < last:
            number += 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(event)
        reached[order_id] = (number, rank)
    return rounds


def expire(unit_of_work: UnitOfWork, limit: int = 10_000) -> int:
    """End unpaid orders and do what time brings to pickups; gives to how many."""
    writes = Writes(unit_of_work)
    count = closing.expire(writes, limit)
    count += waiting.pass_time(writes, limit)
    writes.flush()
    return count


def keep_promises(unit_of_work: UnitOfWork, limit: int = 10_000) -> int:
    """Serve who waits for supply, and promise anew what is late; gives how many promises moved."""
    writes = Writes(unit_of_work)
    supplying.serve_waiting(None, writes)
    moved = supplying.review(writes)
    moved += promises.review(writes, limit)
    writes.flush()
    return moved


def report_silence(unit_of_work: UnitOfWork) -> int:
    """Open cases for parcels of which their carrier says nothing; gives how many."""
    return silence.report(Writes(unit_of_work))


def _known(events: list[InboxEvent], writes: Writes) -> list[InboxEvent]:
    """Those whose order is here; the others wait for it."""
    known = []
    for event in events:
        order_id = order_id_of(event)
        if order_id in writes.orders:
            known.append(event)
        else:
            writes.unit_of_work.inbox.park(event, "order_unknown", f"order:{order_id}")
    return known
