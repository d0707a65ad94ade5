"""The decisions of this flow but sourcing: which state follows which, who is still in time."""

from __future__ import annotations

from datetime import date

import numpy as np

from assets.errors import IllegalTransition

TRANSITIONS: dict[tuple[str, str], str] = {
    ("new", "reserved"): "awaiting_payment",
    ("new", "found_nothing"): "unfilled",
    ("new", "nothing_to_pay_or_ship"): "completed",
    ("awaiting_payment", "payment_authorised"): "allocated",
    ("awaiting_payment", "waits_for_supply"): "backordered",
    ("awaiting_payment", "charges_authorised"): "awaiting_capture",
    ("awaiting_payment", "stock_lost"): "unfilled",
    ("awaiting_payment", "payment_declined"): "declined",
    ("awaiting_payment", "cancelled"): "cancelled",
    ("awaiting_payment", "expired"): "expired",
    ("awaiting_payment", "screening_asked"): "screening",
    ("backordered", "supplied"): "allocated",
    ("backordered", "gave_up_waiting"): "allocated",
    ("backordered", "stock_lost"): "unfilled",
    ("backordered", "cancelled"): "cancelled",
    ("screening", "cleared"): "allocated",
    ("screening", "held"): "held",
    ("screening", "screening_rejected"): "rejected",
    ("screening", "stock_lost"): "unfilled",
    ("screening", "cancelled"): "cancelled",
    ("screening", "expired"): "expired",
    ("held", "cleared"): "allocated",
    ("held", "screening_rejected"): "rejected",
    ("held", "stock_lost"): "unfilled",
    ("held", "cancelled"): "cancelled",
    ("held", "expired"): "expired",
    ("awaiting_capture", "completed"): "completed",
    ("allocated", "all_dispatched"): "dispatched",
    ("allocated", "all_rejected"): "unfilled",
    ("allocated", "moved"): "allocated",
    ("allocated", "ready"): "ready_for_pickup",
    ("allocated", "collected"): "delivered",
    ("ready_for_pickup", "moved"): "allocated",
    ("ready_for_pickup", "collected"): "delivered",
    ("ready_for_pickup", "unclaimed"): "unclaimed",
    ("ready_for_pickup", "all_rejected"): "unfilled",
    ("dispatched", "all_delivered"): "delivered",
}

FINAL_STATES = frozenset(
    {
        "unfilled",
        "declined",
        "rejected",
        "cancelled",
        "expired",
        "completed",
        "delivered",
        "unclaimed",
    }
)


#: Taken back, or out of time, before anybody had paid.
ENDED_UNPAID = frozenset({"cancelled", "expired"})
#: Of these nothing has left, and their customers know that nothing will.
ENDED_BY_US = frozenset({"unfilled", "declined", "rejected", "expired"})


def can_happen(status: str, happening: str) -> bool:
    """Whether an order can go there from where it is."""
    return (status, happening) in TRANSITIONS


def next_status(status: str, happening: str) -> str:
    """The state that follows.

    Raises:
        IllegalTransition: If the order cannot go there from where it is.
    """
    try:
        return TRANSITIONS[status, happening]
    except KeyError:
        raise IllegalTransition(f"an order that is {status} cannot become {happening}") from None


def first_day_in_time(today: date, working_days: int) -> date:
    """The earliest despatch day of which a carrier may still owe us an answer.

    Args:
        today: The trading day; it is not over yet.
        working_days: How many a carrier has after the despatch day, Monday to Friday.

    Returns:
        A working day. What was despatched on an earlier day should have arrived before today.
    """
    day = np.busday_offset(np.datetime64(today), -working_days, roll="forward")
    return date.fromisoformat(str(day))
