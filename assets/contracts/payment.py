"""Payment events: what the payment provider answers. Amounts are in the order's currency."""

from __future__ import annotations

from assets.contracts.fields import Code, Currency, EventData, Key, UnsignedMoney


class PaymentAuthorised(EventData, frozen=True, kw_only=True):
    """The provider holds this amount for the order."""

    order_number: Key
    payment_reference: Key
    amount: UnsignedMoney
    currency: Currency


class PaymentDeclined(EventData, frozen=True, kw_only=True):
    """The provider refuses the payment of the order."""

    order_number: Key
    payment_reference: Key
    reason: Code


class PaymentCaptured(EventData, frozen=True, kw_only=True):
    """The provider has taken this amount of what was authorised."""

    order_number: Key
    payment_reference: Key
    amount: UnsignedMoney
    currency: Currency
