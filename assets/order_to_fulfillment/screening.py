"""Fraud screening of paid pickups: while it is not cleared, nothing after the reservation happens.

The provider clears, rejects or holds; what is held is decided by the provider's later answer or by
a person, whichever comes first. The stock stays reserved until the pickup's own end.
"""

from __future__ import annotations

from datetime import datetime

from assets.commerce.identifiers import identify
from assets.commerce.money import to_text
from assets.contracts.order import OrderHoldDecided
from assets.contracts.payment import PaymentScreened
from assets.order_to_fulfillment.allocating import allocate
from assets.order_to_fulfillment.closing import end_hold, end_without_goods
from assets.order_to_fulfillment.pickup.promising import promise_again
from assets.order_to_fulfillment.pickup.rules import why_screen
from assets.order_to_fulfillment.releasing import release_rest
from assets.order_to_fulfillment.rules import ENDED_UNPAID, can_happen, next_status
from assets.order_to_fulfillment.writes import Writes, order_id_of
from assets.ports import About, CaseType, InboxEvent, OrderView, Reservation

OWNER = "payments"


def screen(order: OrderView, occurred_at: datetime, writes: Writes) -> bool:
    """Ask the provider to screen a paid pickup if its policy says so; gives whether it did."""
    pickup = writes.pickups.get(order.order_id)
    reference = order.payment_reference
    if pickup is None or reference is None:
        return False
    reasons = _reasons(order, writes)
    if not reasons:
        return False
    order.status = next_status(order.status, "screening_asked")
    order.expires_at = pickup.expires_at
    writes.send(
        "payment_provider",
        "fraud.check",
        order,
        {
            "order_number": order.order_number,
            "payment_reference": reference,
            "amount": to_text(order.payable_amount),
            "currency": order.currency_code,
            "customer_id": order.customer_id,
            "reasons": list(reasons),
        },
        discriminator=reference,
        owner=OWNER,
    )
    identity = str(identify("payment_screened", order.order_id, reference, "asked"))
    _record(identity, order, "asked", reasons[0], None, occurred_at, writes)
    return True


def _reasons(order: OrderView, writes: Writes) -> tuple[str, ...]:
    policy = writes.pickup_policy(order.region, order.brand)
    amount, currency = order.payable_amount, order.currency_code
    # Only where it could matter is the customer's history asked for.
    if why_screen(amount, currency, True, policy) == why_screen(amount, currency, False, policy):
        return why_screen(amount, currency, False, policy)
    customer = order.customer_id
    known = writes.unit_of_work.pickups.have_ordered_before([customer]) if customer else set()
    return why_screen(amount, currency, customer not in known, policy)


def take_screenings(events: list[InboxEvent], writes: Writes) -> None:
    """The provider has screened a payment."""
    reserved = writes.reservations_of(order_id_of(event) for event in events)
    for event in events:
        order = writes.order_of(event)
        data: PaymentScreened = event.data
        happening = "screening_rejected" if data.outcome == "rejected" else data.outcome
        if data.payment_reference != order.payment_reference:
            writes.refuse(event, CaseType.SCREENING_NOT_ASKED_FOR, "it is of another payment")
            continue
        is_news = can_happen(order.status, happening)
        # What was taken back meanwhile is nobody's risk any more.
        if not is_news and data.outcome != "cleared" and order.status not in ENDED_UNPAID:
            writes.refuse(
                event, CaseType.ILLEGAL_TRANSITION, f"the order is {order.status} already"
            )
            continue
        identity = str(identify("payment_screened", event.source, event.event_id))
        _record(identity, order, data.outcome, data.reason, None, event.occurred_at, writes)
        if is_news:
            # A person may have released before the provider cleared; then it says nothing new.
            _decide(order, happening, event, reserved.get(order.order_id, []), writes)


def take_hold_decisions(events: list[InboxEvent], writes: Writes) -> None:
    """A person has decided about an order that was held."""
    reserved = writes.reservations_of(order_id_of(event) for event in events)
    for event in events:
        order = writes.order_of(event)
        data: OrderHoldDecided = event.data
        if order.status != "held":
            writes.refuse(
                event, CaseType.ILLEGAL_TRANSITION, f"the order is {order.status}, not held"
            )
            continue
        outcome, happening = {
            "release": ("released", "cleared"),
            "cancel": ("cancelled", "cancelled"),
        }[data.decision]
        identity = str(identify("payment_screened", event.source, event.event_id))
        _record(identity, order, outcome, None, data.decided_by, event.occurred_at, writes)
        _decide(order, happening, event, reserved.get(order.order_id, []), writes)


def _decide(
    order: OrderView,
    happening: str,
    event: InboxEvent,
    reservations: list[Reservation],
    writes: Writes,
) -> None:
    if happening == "cleared":
        _go_on(order, event, reservations, writes)
    elif happening == "held":
        order.status = next_status(order.status, happening)
        writes.open_case(
            CaseType.PAYMENT_HELD,
            f"{order.channel}/{order.order_number}",
            f"{to_text(order.payable_amount)} {order.currency_code} may be fraud; its stock is held"
            " until it is released, cancelled, or its time is over",
            About.order(order),
        )
    else:
        end_without_goods(order, happening, "released", event.occurred_at, reservations, writes)


def _go_on(
    order: OrderView, event: InboxEvent, reservations: list[Reservation], writes: Writes
) -> None:
    order.expires_at = None
    end_hold(order, "cleared", writes)
    if reservations:
        order.status = next_status(order.status, "cleared")
        promise_again(order, writes.pickups[order.order_id], event.occurred_at, writes)
        allocate(order, reservations, writes)
    else:
        order.status = next_status(order.status, "stock_lost")
        writes.cancel_at_erp(order, "stock_lost")
        writes.tell_customer(order, "order_cancelled")
        release_rest(order, event.occurred_at, writes)


def _record(
    identity: str,
    order: OrderView,
    outcome: str,
    reason: str | None,
    decided_by: str | None,
    occurred_at: datetime,
    writes: Writes,
) -> None:
    reference = order.payment_reference
    writes.rows["payment_screened"].append(
        (identity, order.order_id, reference, outcome, reason, decided_by, occurred_at)
    )
    writes.process.add(
        f"screening {outcome}",
        identity,
        occurred_at,
        [("order", order.order_id, "screened"), ("payment", str(reference), "screened")],
        order.order_id,
    )
