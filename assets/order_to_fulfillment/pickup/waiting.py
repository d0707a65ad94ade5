"""What time alone changes about pickups: a silent store, late goods, reminders, the end."""

from __future__ import annotations

from datetime import datetime

from assets.commerce.money import to_text
from assets.order_to_fulfillment.handing_over import deallocate
from assets.order_to_fulfillment.pickup.answering import OWNER, reject
from assets.order_to_fulfillment.pickup.promising import step
from assets.order_to_fulfillment.pickup.rules import next_reminder
from assets.order_to_fulfillment.refunding import give_back_surplus
from assets.order_to_fulfillment.releasing import release_rest
from assets.order_to_fulfillment.rules import next_status
from assets.order_to_fulfillment.writes import Writes
from assets.ports import About, CaseType, FulfilmentOrderView, OrderView, PickupView

#: The reason of a store that says nothing.
NO_ANSWER = "no_answer"


def pass_time(writes: Writes, limit: int) -> int:
    """Do what is due by now; gives for how many pickups.

    What is due happens at its own time, however late it is looked at, so a store of events that
    stood still does not hold goods any longer than it said.
    """
    unit_of_work = writes.unit_of_work
    due = unit_of_work.pickups.lock_due(unit_of_work.effective_at, limit)
    if not due:
        return 0
    writes.orders.update(unit_of_work.orders.lock(due))
    writes.hold(unit_of_work.orders.fulfilment_orders(due))
    writes.pickups.update(due)
    for pickup in due.values():
        order, at = writes.orders[pickup.order_id], pickup.due_at
        fulfilment_order = next(
            held for held in writes.of_order[pickup.order_id] if held.node_id == pickup.node_id
        )
        assert at is not None  # noqa: S101 - that is what was asked for
        order.changed_at = at
        match fulfilment_order.status:
            case "requested":
                _ask_elsewhere(order, fulfilment_order, at, writes)
            case "accepted":
                _report_late(order, pickup, writes)
            case _:
                _remind_or_end(order, pickup, fulfilment_order, at, writes)
    return len(due)


def _ask_elsewhere(
    order: OrderView, fulfilment_order: FulfilmentOrderView, at: datetime, writes: Writes
) -> None:
    """A store that has said nothing is taken to have refused; nobody waits for a person."""
    writes.send(
        "store",
        "pickup.cancel",
        order,
        _about(order, fulfilment_order, NO_ANSWER),
        discriminator=fulfilment_order.node_id,
        owner=OWNER,
    )
    reject(order, fulfilment_order, NO_ANSWER, [], at, writes)


def _report_late(order: OrderView, pickup: PickupView, writes: Writes) -> None:
    pickup.due_at = None
    writes.open_case(
        CaseType.PICKUP_NOT_READY,
        f"{order.channel}/{order.order_number}",
        f"{pickup.node_id} promised order {order.order_number} for"
        f" {pickup.promised_ready_at:%Y-%m-%d %H:%M} UTC and has not said that it is ready",
        About.order(order, pickup.node_id),
    )


def _remind_or_end(
    order: OrderView,
    pickup: PickupView,
    fulfilment_order: FulfilmentOrderView,
    at: datetime,
    writes: Writes,
) -> None:
    now = writes.unit_of_work.effective_at
    if now >= pickup.expires_at:
        order.changed_at = pickup.expires_at
        _end_unclaimed(order, pickup, fulfilment_order, pickup.expires_at, writes)
        return
    policy = writes.pickup_policy(order.region, order.brand)
    assert pickup.ready_at is not None  # noqa: S101 - it lies at the counter
    while pickup.due_at is not None and pickup.due_at <= now:
        # After a standstill several are due at once; the customer hears of it once.
        at = pickup.due_at
        pickup.reminders_sent += 1
        pickup.due_at = next_reminder(
            pickup.ready_at, pickup.reminders_sent, pickup.expires_at, policy
        )
    order.changed_at = at
    step(pickup, "reminded", at, writes, number=pickup.reminders_sent)
    occasion = f"{pickup.attempt}.{pickup.reminders_sent}"
    writes.tell_customer(order, "pickup_reminder", occasion, store_id=pickup.node_id)


def _end_unclaimed(
    order: OrderView,
    pickup: PickupView,
    fulfilment_order: FulfilmentOrderView,
    at: datetime,
    writes: Writes,
) -> None:
    """Nobody came: the stock is free, the money goes back, everybody is told."""
    key = (order.order_id, fulfilment_order.node_id)
    lines = writes.unit_of_work.orders.allocated_lines([order.order_id])[key]
    deallocate(fulfilment_order, lines, "unclaimed", writes)
    fulfilment_order.status = "unclaimed"
    order.open_fulfilment_orders -= 1
    order.undelivered_fulfilment_orders -= 1
    order.status = next_status(order.status, "unclaimed")
    pickup.due_at = None
    step(pickup, "unclaimed", at, writes)
    release_rest(order, at, writes)
    worth, order.payable_amount = order.payable_amount, 0
    give_back_surplus(order, "unclaimed", at, writes)
    writes.cancel_at_erp(order, "unclaimed")
    writes.send(
        "store",
        "pickup.cancel",
        order,
        _about(order, fulfilment_order, "unclaimed"),
        discriminator=fulfilment_order.node_id,
        owner=OWNER,
    )
    writes.tell_customer(order, "pickup_unclaimed")
    writes.process.add(
        "order unclaimed", order.order_id, at, [("order", order.order_id, "ended")], order.order_id
    )
    policy = writes.pickup_policy(order.region, order.brand)
    least = policy.unclaimed_case_from(order.currency_code)
    if least is not None and worth >= least:
        writes.open_case(
            CaseType.PICKUP_UNCLAIMED,
            f"{order.channel}/{order.order_number}",
            f"nobody collected goods of {to_text(worth)} {order.currency_code} from"
            f" {fulfilment_order.node_id}",
            About.order(order, fulfilment_order.node_id, worth),
        )


def _about(order: OrderView, fulfilment_order: FulfilmentOrderView, reason: str) -> dict[str, str]:
    return {
        "order_number": order.order_number,
        "fulfilment_order_id": fulfilment_order.fulfilment_order_id,
        "node_id": fulfilment_order.node_id,
        "reason": reason,
    }
