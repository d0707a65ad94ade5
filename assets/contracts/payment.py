"""Payment events: what the payment provider answers. Amounts are in the order's currency."""

from __future__ import annotations

from typing import Literal

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


class PaymentScreened(EventData, frozen=True, kw_only=True):
    """The provider screened the order's payment for fraud; a held one is answered again later."""

    order_number: Key
    payment_reference: Key
    outcome: Literal["cleared", "held", "rejected"]
    reason: Code | None = None


class PaymentRefunded(EventData, frozen=True, kw_only=True):
    """The provider has given this amount back to the customer."""

    order_number: Key
    payment_reference: Key
    refund_reference: Key
    amount: UnsignedMoney
    currency: Currency


class PaymentRefundDeclined(EventData, frozen=True, kw_only=True):
    """The provider cannot give the money back, for example because the account is closed."""

    order_number: Key
    payment_reference: Key
    refund_reference: Key
    reason: Code
