"""Money that goes back to a customer: asked for once, owed until the provider has paid it.

What is asked for or paid never exceeds what was captured; the intent has its id before the
provider hears of it, so a retry cannot pay twice.
"""

from __future__ import annotations

from datetime import datetime

from assets.commerce.identifiers import identify
from assets.commerce.money import to_ten_thousandths, to_text
from assets.order_to_fulfillment.writes import Writes
from assets.ports import About, CaseType, InboxEvent, OrderView


def give_back_surplus(order: OrderView, reason: str, occurred_at: datetime, writes: Writes) -> None:
    """Owe the customer what was captured beyond what is payable, and ask the provider to pay it.

    What is still on its way to us is given back when it comes: this is asked again then.
    """
    amount = order.captured_amount - order.refund_requested_amount - order.payable_amount
    if order.payment_reference is None or amount <= 0:
        return
    # Each intent is known by what was asked for before it, so the same one is never made twice.
    intent = str(
        identify("refund", order.order_id, order.payment_reference, order.refund_requested_amount)
    )
    order.refund_requested_amount += amount
    _record("refund_requested", intent, order, amount, occurred_at, writes)
    accounts = writes.journal.accounts(order)
    writes.journal.post(
        order,
        "refund_request",
        intent,
        order.currency_code,
        occurred_at,
        [(accounts.customer_deposits, amount), (accounts.refunds_payable, -amount)],
    )
    writes.send(
        "payment_provider",
        "payment.refund",
        order,
        {
            "order_number": order.order_number,
            "payment_reference": order.payment_reference,
            "refund_reference": intent,
            "amount": to_text(amount),
            "currency": order.currency_code,
            "reason": reason,
        },
        discriminator=intent,
        owner="payments",
    )


def take_refunds(events: list[InboxEvent], writes: Writes) -> None:
    """The provider has paid: what was owed is settled."""
    for event in events:
        order, data = writes.order_of(event), event.data
        amount = to_ten_thousandths(data.amount)
        is_of_the_order = (
            data.payment_reference == order.payment_reference
            and data.currency == order.currency_code
        )
        if not is_of_the_order or order.refunded_amount + amount > order.refund_requested_amount:
            writes.refuse(event, CaseType.REFUND_NOT_ASKED_FOR, "no such refund was asked for")
            continue
        order.refunded_amount += amount
        movement = str(identify("payment_refunded", event.source, event.event_id))
        _record("refunded", movement, order, amount, event.occurred_at, writes)
        accounts = writes.journal.accounts(order)
        writes.journal.post(
            order,
            "refund",
            movement,
            order.currency_code,
            event.occurred_at,
            [(accounts.refunds_payable, amount), (accounts.payment_clearing, -amount)],
        )
        writes.process.add(
            "payment refunded",
            movement,
            event.occurred_at,
            [
                ("order", order.order_id, "refunded for"),
                ("payment", data.payment_reference, "refunded"),
            ],
            order.order_id,
        )


def take_refund_declines(events: list[InboxEvent], writes: Writes) -> None:
    """The provider cannot pay: the money stays owed, and a person finds another way."""
    for event in events:
        order, data = writes.order_of(event), event.data
        owed = order.refund_requested_amount - order.refunded_amount
        if data.payment_reference != order.payment_reference or not owed:
            writes.refuse(event, CaseType.REFUND_NOT_ASKED_FOR, "no such refund was asked for")
            continue
        movement = str(identify("payment_refund_declined", event.source, event.event_id))
        _record("refund_declined", movement, order, owed, event.occurred_at, writes)
        writes.open_case(
            CaseType.REFUND_DECLINED,
            f"{order.channel}/{order.order_number}",
            f"{to_text(owed)} {order.currency_code} is owed and could not be given back:"
            f" {data.reason}",
            About.order(order, value_at_risk=owed),
        )


def _record(
    kind: str, movement: str, order: OrderView, amount: int, occurred_at: datetime, writes: Writes
) -> None:
    writes.rows["payment_movement"].append(
        (
            movement,
            order.order_id,
            order.payment_reference,
            kind,
            amount,
            order.currency_code,
            occurred_at,
        )
    )
