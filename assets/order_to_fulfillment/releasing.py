"""Authorised money that will not be captured: it is given back, once."""

from __future__ import annotations

from datetime import datetime

from assets.commerce.identifiers import identify
from assets.order_to_fulfillment.writes import Writes
from assets.ports import OrderView


def release_rest(order: OrderView, occurred_at: datetime, writes: Writes) -> None:
    """Nothing more will be captured: give back what was authorised beyond that."""
    rest = order.authorised_amount - order.capture_requested_amount
    if order.payment_reference is None or rest <= 0:
        return
    accounts = writes.journal.accounts(order)
    writes.journal.post(
        order,
        "authorisation_release",
        order.order_id,
        order.currency_code,
        occurred_at,
        [(accounts.authorised_payments_contra, rest), (accounts.authorised_payments, -rest)],
    )
    writes.rows["payment_movement"].append(
        (
            str(identify("payment_voided", order.order_id, order.payment_reference)),
            order.order_id,
            order.payment_reference,
            "voided",
            rest,
            order.currency_code,
            occurred_at,
        )
    )
    void(order, order.payment_reference, writes)


def void(order: OrderView, reference: str, writes: Writes) -> None:
    """Give back what an authorisation still holds."""
    writes.send(
        "payment_provider",
        "payment.void",
        order,
        {"order_number": order.order_number, "payment_reference": reference},
        discriminator=reference,
        owner="payments",
    )
