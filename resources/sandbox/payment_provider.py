"""The payment provider: authorises, captures and voids; money moves in its own time, not ours."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import msgspec

from assets.commerce.identifiers import identify
from assets.contracts.fields import Currency, Key, UnsignedMoney
from assets.contracts.payment import PaymentAuthorised, PaymentCaptured, PaymentDeclined
from resources.sandbox.partner import Command, PartnerSystem, Refused


class _Authorise(msgspec.Struct, gc=False):
    order_number: Key
    amount: UnsignedMoney
    currency: Currency


class _Capture(msgspec.Struct, gc=False):
    order_number: Key
    payment_reference: Key
    amount: UnsignedMoney
    currency: Currency


class _Void(msgspec.Struct, gc=False):
    order_number: Key
    payment_reference: Key


class PaymentProvider(PartnerSystem):
    """Answers within seconds; a decline follows from the order, so a retry meets it again."""

    ANSWERS_AFTER: ClassVar = timedelta(seconds=2)
    SETTLES_AFTER: ClassVar = timedelta(seconds=60)

    def perform(self, command: Command) -> None:
        """Authorise, capture or void."""
        match command.command_type:
            case "payment.authorise":
                self._authorise(command)
            case "payment.capture":
                wanted = msgspec.json.decode(command.payload, type=_Capture)
                captured = PaymentCaptured(
                    order_number=wanted.order_number,
                    payment_reference=wanted.payment_reference,
                    amount=wanted.amount,
                    currency=wanted.currency,
                )
                due = command.effective_at + self.SETTLES_AFTER
                event_type = "retail.payment.captured.v1"
                self.answer(command, event_type, due, captured, wanted.order_number)
            case "payment.void":
                msgspec.json.decode(command.payload, type=_Void)
            case unknown:
                raise Refused(f"the payment provider does not know the command {unknown}")

    def _authorise(self, command: Command) -> None:
        wanted = msgspec.json.decode(command.payload, type=_Authorise)
        reference = f"PAY-{identify('payment', command.command_id).hex[:16].upper()}"
        due = command.effective_at + self.ANSWERS_AFTER
        faults, order = self.world.faults, wanted.order_number
        if faults.strikes("payment_decline", order):
            key = f"{self.world.channel_of(command)}/{order}"
            faults.note("payment_decline", due, self.code, key, order)
            declined = PaymentDeclined(
                order_number=wanted.order_number,
                payment_reference=reference,
                reason="insufficient_funds",
            )
            event_type = "retail.payment.declined.v1"
            self.answer(command, event_type, due, declined, wanted.order_number)
            return
        authorised = PaymentAuthorised(
            order_number=wanted.order_number,
            payment_reference=reference,
            amount=wanted.amount,
            currency=wanted.currency,
        )
        event_type = "retail.payment.authorised.v1"
        self.answer(command, event_type, due, authorised, wanted.order_number)
