"""What a customer was promised, every time anew, each time with what made it necessary.

A promise is a day. The first is the channel's or the policy's; a later one is only ever made for a
later day, and the customer hears of it once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from assets.commerce.calendar import add_working_days, trading_date
from assets.order_to_fulfillment.writes import Writes
from assets.ports import About, CaseType, OrderView

PLACED = "placed"
SUPPLY_LATE = "supply_late"
NODE_REJECTED = "node_rejected"
HELD_FOR_SCREENING = "held_for_screening"
DESPATCH_LATE = "despatch_late"
CARRIER_LATE = "carrier_late"

#: Why an order that is in a state is late; who waits for supply is asked after by its supply.
_CAUSES = {
    "allocated": DESPATCH_LATE,
    "dispatched": CARRIER_LATE,
    "screening": HELD_FOR_SCREENING,
    "held": HELD_FOR_SCREENING,
}


def promise(order: OrderView, day: date, cause: str, occurred_at: datetime, writes: Writes) -> None:
    """Keep a promise of an order, its first or a new one."""
    order.promised_date = day
    order.promise_number += 1
    writes.rows["order_promise"].append(
        (order.order_id, order.promise_number, day, cause, occurred_at)
    )


def promise_later(
    order: OrderView, day: date, cause: str, occurred_at: datetime, writes: Writes
) -> bool:
    """Move a promise to a later day and tell the customer; gives whether it was moved."""
    if order.promised_date is None or day <= order.promised_date:
        return False
    promise(order, day, cause, occurred_at, writes)
    writes.process.add(
        "promise moved",
        f"{order.order_id}/{order.promise_number}",
        occurred_at,
        [("order", order.order_id, "promised")],
        order.order_id,
    )
    writes.tell_customer(
        order, "promise_moved", str(order.promise_number), promised_date=day, cause=cause
    )
    return True


def day_after(order: OrderView, instant: datetime, writes: Writes) -> date:
    """The day that policy promises for what starts at an instant."""
    policy = writes.policy(order.region, order.brand)
    return add_working_days(
        trading_date(instant, policy.trading_zone),
        policy.promise_days(order.region, order.service_level),
    )


def review(writes: Writes, limit: int) -> int:
    """Promise again where a day has passed without the parcel; gives how often.

    An order gets so many new promises as its policy allows; after that a person is asked, since a
    customer who was put off so often believes no further date.
    """
    unit_of_work = writes.unit_of_work
    now = unit_of_work.effective_at
    moved = 0
    for region, brand in unit_of_work.orders.promise_scopes():
        policy = writes.policy(region, brand)
        today = trading_date(now, policy.trading_zone)
        overdue = unit_of_work.orders.lock_overdue(
            {(region, brand): today}, policy.most_new_promises, limit
        )
        writes.orders.update(overdue)
        for order in overdue.values():
            cause = _CAUSES.get(order.status)
            if cause is None:
                continue
            order.changed_at = now
            if cause == CARRIER_LATE:
                day = add_working_days(today, policy.late_parcel_days(region))
            else:
                day = day_after(order, now, writes)
            moved += promise_later(order, day, cause, now, writes)
        _report_broken({(region, brand): today}, policy.most_new_promises, writes)
    return moved


def _report_broken(
    days: Mapping[tuple[str, str], date], most_promises: int, writes: Writes
) -> None:
    """Open a case for each order whose last promise is broken, once in its life."""
    for order in writes.unit_of_work.orders.broken(days, most_promises):
        cause = _CAUSES.get(order.status)
        if cause is None:
            continue
        writes.open_case(
            CaseType.CARRIER_DELAY if cause == CARRIER_LATE else CaseType.PROMISE_BROKEN,
            f"{order.channel}/{order.order_number}",
            f"promised {order.promise_number} times, last for {order.promised_date}:"
            f" {cause.replace('_', ' ')}",
            About.order(order),
        )
