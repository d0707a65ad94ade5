"""Money of an order: authorised, declined, captured. Stock is allocated when it is authorised."""

from __future__ import annotations

from datetime import datetime, timedelta

from assets.commerce.identifiers import identify
from assets.commerce.money import tax_included, to_ten_thousandths, to_text
from assets.order_to_fulfillment.allocating import allocate
from assets.order_to_fulfillment.backordering.ending import wait_for_supply
from assets.order_to_fulfillment.closing import end_without_goods
from assets.order_to_fulfillment.refunding import give_back_surplus
from assets.order_to_fulfillment.releasing import release_rest, void
from assets.order_to_fulfillment.rules import ENDED_UNPAID, FINAL_STATES, next_status
from assets.order_to_fulfillment.screening import screen
from assets.order_to_fulfillment.writes import Writes, order_id_of
from assets.ports import About, CaseType, InboxEvent, OrderView, Playbook, Reservation


def take_authorisations(events: list[InboxEvent], writes: Writes) -> None:
    """The provider holds the money: allocate what is still reserved."""
    waiting = [
        event for event in events if writes.orders[order_id_of(event)].status == "awaiting_payment"
    ]
    reserved = writes.reservations_of([order_id_of(event) for event in waiting])
    for event in events:
        order = writes.order_of(event)
        data = event.data
        amount = to_ten_thousandths(data.amount)
        if order.status != "awaiting_payment":
            if data.payment_reference != order.payment_reference:
                void(order, data.payment_reference, writes)
        elif amount < order.payable_amount or data.currency != order.currency_code:
            writes.refuse(
                event,
                CaseType.AUTHORISATION_MISMATCH,
                f"{order.payable_amount / 10_000:.2f} {order.currency_code} was asked for",
            )
        else:
            key = f"{order.channel}/{order.order_number}"
            writes.close_case(CaseType.PAYMENT_FAILED, key, "the payment was authorised")
            authorise(
                order,
                event,
                data.payment_reference,
                amount,
                reserved.get(order.order_id, []),
                writes,
            )


def authorise(
    order: OrderView,
    event: InboxEvent,
    reference: str | None,
    amount: int,
    reservations: list[Reservation],
    writes: Writes,
) -> None:
    """Turn an order's reservations into allocations and hand them to their nodes."""
    order.payment_reference = reference
    order.authorised_amount = amount
    order.expires_at = None
    if reference is not None:
        _book_authorisation(order, event, reference, amount, writes)
    if writes.pools.waiting(order.order_id):
        wait_for_supply(order, event.occurred_at, writes)
    elif reservations:
        if screen(order, event.occurred_at, writes):
            return
        order.status = next_status(order.status, "payment_authorised")
        allocate(order, reservations, writes)
    elif order.payable_amount and not order.line_count:
        order.status = next_status(order.status, "charges_authorised")
        request_capture(order, order.payable_amount, "charges", writes)
    else:
        order.status = next_status(order.status, "stock_lost")
        writes.cancel_at_erp(order, "stock_lost")
        writes.tell_customer(order, "order_cancelled")
        release_rest(order, event.occurred_at, writes)


def _book_authorisation(
    order: OrderView, event: InboxEvent, reference: str, amount: int, writes: Writes
) -> None:
    writes.rows["payment_movement"].append(
        (
            str(identify("payment_authorised", order.order_id, reference)),
            order.order_id,
            reference,
            "authorised",
            amount,
            order.currency_code,
            event.occurred_at,
        )
    )
    accounts = writes.journal.accounts(order)
    writes.journal.post(
        order,
        "authorisation",
        order.order_id,
        order.currency_code,
        event.occurred_at,
        [(accounts.authorised_payments, amount), (accounts.authorised_payments_contra, -amount)],
    )
    writes.process.add(
        "payment authorised",
        order.order_id,
        event.occurred_at,
        [("order", order.order_id, "paid for"), ("payment", reference, "authorised")],
        order.order_id,
    )


def request_capture(order: OrderView, amount: int, discriminator: str, writes: Writes) -> None:
    """Ask the provider for money that the order owes now."""
    if order.payment_reference is None or amount <= 0:
        return
    order.capture_requested_amount += amount
    writes.send(
        "payment_provider",
        "payment.capture",
        order,
        {
            "order_number": order.order_number,
            "payment_reference": order.payment_reference,
            "amount": to_text(amount),
            "currency": order.currency_code,
        },
        discriminator=discriminator,
        owner="payments",
    )


def take_captures(events: list[InboxEvent], writes: Writes) -> None:
    """The provider took the money: it is owed to the customer until the goods are handed over."""
    for event in events:
        order = writes.order_of(event)
        amount = to_ten_thousandths(event.data.amount)
        if order.captured_amount + amount > order.capture_requested_amount:
            writes.refuse(
                event, CaseType.CAPTURE_NOT_ASKED_FOR, "more was captured than was asked for"
            )
            continue
        if event.data.currency != order.currency_code:
            writes.refuse(
                event,
                CaseType.CAPTURE_NOT_ASKED_FOR,
                f"{order.currency_code} was asked for, not this",
            )
            continue
        if event.data.payment_reference != order.payment_reference:
            writes.refuse(
                event, CaseType.CAPTURE_NOT_ASKED_FOR, "it is of another payment than the order's"
            )
            continue
        order.captured_amount += amount
        movement = str(identify("payment_captured", event.source, event.event_id))
        writes.rows["payment_movement"].append(
            (
                movement,
                order.order_id,
                event.data.payment_reference,
                "captured",
                amount,
                order.currency_code,
                event.occurred_at,
            )
        )
        accounts = writes.journal.accounts(order)
        writes.journal.post(
            order,
            "capture",
            movement,
            order.currency_code,
            event.occurred_at,
            [
                (accounts.payment_clearing, amount),
                (accounts.customer_deposits, -amount),
                (accounts.authorised_payments_contra, amount),
                (accounts.authorised_payments, -amount),
            ],
        )
        writes.process.add(
            "payment captured",
            movement,
            event.occurred_at,
            [
                ("order", order.order_id, "paid for"),
                ("payment", event.data.payment_reference, "captured"),
            ],
            order.order_id,
        )
        if order.status == "awaiting_capture":
            _complete(order, event, writes)
        elif order.status in FINAL_STATES:
            # It was on its way when the order ended, perhaps with less than it was for.
            reason = "not_taken" if order.status == "delivered" else order.status
            give_back_surplus(order, reason, event.occurred_at, writes)


def _complete(order: OrderView, event: InboxEvent, writes: Writes) -> None:
    """An order of charges only is done when they are paid."""
    order.status = next_status(order.status, "completed")
    book_revenue(order, event.occurred_at, order.order_id, 0, 0, order.charge_amount, writes)
    release_rest(order, event.occurred_at, writes)


def book_revenue(
    order: OrderView,
    occurred_at: datetime,
    business_key: str,
    goods: int,
    goods_tax: int,
    charges: int,
    writes: Writes,
) -> None:
    """Revenue at handover: what the customer paid for becomes ours, less the tax in it."""
    accounts = writes.journal.accounts(order)
    rate = writes.policy(order.region, order.brand).charge_tax_rate_basis_points
    charge_tax = tax_included(charges, rate)
    writes.journal.post(
        order,
        "revenue",
        business_key,
        order.currency_code,
        occurred_at,
        [
            (accounts.customer_deposits, goods + charges),
            (accounts.goods_revenue, goods_tax - goods),
            (accounts.charge_revenue, charge_tax - charges),
            (accounts.tax_payable, -goods_tax - charge_tax),
        ],
    )


def take_declines(events: list[InboxEvent], writes: Writes) -> None:
    """The provider refuses: free the stock and tell everybody, unless it is to be asked again.

    No case where it is not: the customer is told and can order again, and nobody here can do more.
    An order that was taken back or ran out of time before the answer has nothing left to free.
    """
    reserved = writes.reservations_of(order_id_of(event) for event in events)
    declined = writes.unit_of_work.orders.declined([order_id_of(event) for event in events])
    for event in events:
        order = writes.order_of(event)
        if order.status != "awaiting_payment" and order.status not in ENDED_UNPAID:
            writes.refuse(
                event, CaseType.ILLEGAL_TRANSITION, f"the order is {order.status} already"
            )
            continue
        writes.rows["payment_movement"].append(
            (
                str(identify("payment_declined", event.source, event.event_id)),
                order.order_id,
                event.data.payment_reference,
                "declined",
                order.payable_amount,
                order.currency_code,
                event.occurred_at,
            )
        )
        if order.status in ENDED_UNPAID:
            continue
        declined[order.order_id] += 1
        if _is_asked_again(order, event, declined[order.order_id], writes):
            continue
        end_without_goods(
            order,
            "payment_declined",
            "released",
            event.occurred_at,
            reserved.get(order.order_id, []),
            writes,
        )


def _is_asked_again(order: OrderView, event: InboxEvent, declined: int, writes: Writes) -> bool:
    """Keep an order's stock while a playbook asks the provider again for what may pass by itself.

    It is as long as the ladder of the playbook, and the time to pay runs from its last step.
    """
    if event.data.reason not in writes.policy(order.region, order.brand).retried_decline_reasons:
        return False
    ladder = writes.playbook(Playbook.RETRY_PAYMENT, order.region, order.brand).at_minutes
    if declined > len(ladder):
        return False
    minutes = ladder[-1] + writes.policy(order.region, order.brand).reservation_minutes
    order.expires_at = writes.unit_of_work.effective_at + timedelta(minutes=minutes)
    writes.open_case(
        CaseType.PAYMENT_FAILED,
        f"{order.channel}/{order.order_number}",
        f"{to_text(order.payable_amount)} {order.currency_code} were declined {declined} time(s):"
        f" {event.data.reason}",
        About.order(order),
    )
    return True
