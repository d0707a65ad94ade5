"""Payment events: what the payment provider answers. Amounts are in the order's currency."""

from __future__ import annotations

import msgspec

from assets.contracts.fields import Code, Currency, Key, UnsignedMoney


class PaymentAuthorised(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The provider holds this amount for the order."""

    order_number: Key
    payment_reference: Key
    amount: UnsignedMoney
    currency: Currency


class PaymentDeclined(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The provider refuses the payment of the order."""

    order_number: Key
    payment_reference: Key
    reason: Code


class PaymentCaptured(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The provider has taken this amount of what was authorised."""

    order_number: Key
    payment_reference: Key
    amount: UnsignedMoney
    currency: Currency
