"""A new order is set on its way: ERP and customer hear of it, and the money is asked for."""

from __future__ import annotations

from datetime import datetime

from assets.commerce.money import to_ten_thousandths, to_text
from assets.contracts.order import Authorisation
from assets.order_to_fulfillment.intake import Candidate
from assets.order_to_fulfillment.paying import authorise
from assets.order_to_fulfillment.releasing import void
from assets.order_to_fulfillment.rules import next_status
from assets.order_to_fulfillment.writes import Writes
from assets.ports import About, CaseType, OrderView, Reservation


def set_on_its_way(
    candidate: Candidate,
    order: OrderView,
    reservations: list[Reservation],
    expires_at: datetime,
    writes: Writes,
) -> None:
    """Tell ERP and customer, and ask for the money, unless there is nothing to do."""
    _tell_erp(candidate, order, writes)
    if candidate.data.lines and not reservations and not candidate.pooled:
        order.status = next_status(order.status, "found_nothing")
        writes.cancel_at_erp(order, candidate.why_unfilled)
        writes.tell_customer(order, "order_cancelled")
    else:
        _confirm(order, writes)
        if order.payable_amount or reservations or candidate.pooled:
            order.status = next_status(order.status, "reserved")
            order.expires_at = expires_at
            _ask_for_the_money(candidate, order, reservations, writes)
            return
        order.status = next_status(order.status, "nothing_to_pay_or_ship")
    if candidate.data.authorisation is not None:
        void(order, candidate.data.authorisation.reference, writes)


def _confirm(order: OrderView, writes: Writes) -> None:
    pickup = writes.pickups.get(order.order_id)
    if pickup is None and writes.pools.waiting(order.order_id):
        # What is not there yet is the first thing that a customer wants to know.
        writes.tell_customer(order, "order_backordered", promised_date=order.promised_date)
    elif pickup is None:
        writes.tell_customer(order, "order_confirmed")
    else:
        writes.tell_customer(
            order,
            "order_confirmed",
            store_id=pickup.node_id,
            promised_ready_at=pickup.promised_ready_at,
        )


def _tell_erp(candidate: Candidate, order: OrderView, writes: Writes) -> None:
    writes.send(
        "erp",
        "sales_order.create",
        order,
        {
            "order_number": order.order_number,
            "order_id": order.order_id,
            "channel": order.channel,
            "region": order.region,
            "ordered_at": candidate.event.occurred_at,
            "currency": order.currency_code,
            "total_amount": to_text(order.total_amount),
            "lines": [
                {"sku": line.sku, "quantity": line.quantity, "unit_price": line.unit_price}
                for line in candidate.data.lines
            ],
        },
    )


def _ask_for_the_money(
    candidate: Candidate, order: OrderView, reservations: list[Reservation], writes: Writes
) -> None:
    event = candidate.event
    granted = _enough_granted(candidate.data.authorisation, order, writes)
    if granted is not None:
        amount = to_ten_thousandths(granted.amount)
        authorise(order, event, granted.reference, amount, reservations, writes)
    elif not order.payable_amount:
        authorise(order, event, None, 0, reservations, writes)
    else:
        writes.send(
            "payment_provider",
            "payment.authorise",
            order,
            {
                "order_number": order.order_number,
                "amount": to_text(order.payable_amount),
                "currency": order.currency_code,
            },
            owner="payments",
        )


def _enough_granted(
    granted: Authorisation | None, order: OrderView, writes: Writes
) -> Authorisation | None:
    """What the channel authorised at checkout, if all of the order can be captured from it."""
    if granted is None:
        return None
    amount = to_ten_thousandths(granted.amount)
    if amount >= order.payable_amount:
        return granted
    # Not enough to capture from: give it back and ask for all of it.
    void(order, granted.reference, writes)
    writes.open_case(
        CaseType.AUTHORISATION_MISMATCH,
        f"{order.channel}/{order.order_number}",
        f"{to_text(order.payable_amount)} {order.currency_code} is to pay,"
        f" {to_text(amount)} was authorised at checkout",
        About.order(order, value_at_risk=order.payable_amount - amount),
    )
    return None
