"""The payment provider: authorises, screens, captures, voids and refunds, in its own time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Literal

import msgspec

from assets.commerce.identifiers import identify
from assets.commerce.money import to_ten_thousandths
from assets.contracts.fields import Currency, Key, UnsignedMoney
from assets.contracts.payment import (
    PaymentAuthorised,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    PaymentScreened,
)
from resources.sandbox.partner import Command, PartnerSystem, Refused


class _Authorise(msgspec.Struct, gc=False):
    order_number: Key
    amount: UnsignedMoney
    currency: Currency
    attempt: int = 1


class _Capture(msgspec.Struct, gc=False):
    order_number: Key
    payment_reference: Key
    amount: UnsignedMoney
    currency: Currency


class _Void(msgspec.Struct, gc=False):
    order_number: Key
    payment_reference: Key


class _Screen(msgspec.Struct, gc=False):
    order_number: Key
    payment_reference: Key


class _Refund(msgspec.Struct, gc=False):
    order_number: Key
    payment_reference: Key
    refund_reference: Key
    amount: UnsignedMoney
    currency: Currency


class PaymentProvider(PartnerSystem):
    """Answers within seconds; a decline follows from the order, so a retry meets it again."""

    ANSWERS_AFTER: ClassVar = timedelta(seconds=2)
    SETTLES_AFTER: ClassVar = timedelta(seconds=60)

    def perform(self, command: Command) -> None:
        """Authorise, screen, capture, void or refund."""
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
            case "fraud.check":
                self._screen(command)
            case "payment.refund":
                self._refund(command)
            case "payment.void":
                msgspec.json.decode(command.payload, type=_Void)
            case unknown:
                raise Refused(f"the payment provider does not know the command {unknown}")

    def _authorise(self, command: Command) -> None:
        wanted = msgspec.json.decode(command.payload, type=_Authorise)
        reference = f"PAY-{identify('payment', command.command_id).hex[:16].upper()}"
        due = command.effective_at + self.ANSWERS_AFTER
        order = wanted.order_number
        key = f"{self.world.channel_of(command)}/{order}"
        self.world.worth[key] = to_ten_thousandths(wanted.amount)
        reason = self._why_declined(wanted, key, due)
        if reason is not None:
            declined = PaymentDeclined(
                order_number=order, payment_reference=reference, reason=reason
            )
            self.answer(command, "retail.payment.declined.v1", due, declined, order)
            return
        authorised = PaymentAuthorised(
            order_number=wanted.order_number,
            payment_reference=reference,
            amount=wanted.amount,
            currency=wanted.currency,
        )
        event_type = "retail.payment.authorised.v1"
        self.answer(command, event_type, due, authorised, wanted.order_number)

    def _why_declined(self, wanted: _Authorise, key: str, due: datetime) -> str | None:
        """Some cards have no money, however often they are asked; some issuers are away a while."""
        faults, order = self.world.faults, wanted.order_number
        if faults.strikes("payment_decline", order):
            faults.note("payment_decline", due, self.code, key, order)
            return "insufficient_funds"
        if faults.strikes("payment_outage", order):
            if wanted.attempt == 1:
                faults.note("payment_outage", due, self.code, key, order, "case:payment_failed")
            if wanted.attempt <= self.world.chance.between(1, 2, "payment_outage", order):
                return "issuer_unavailable"
        return None

    def _screen(self, command: Command) -> None:
        """Clear most at once; hold some for a person of ours or theirs, who clears most of them."""
        wanted = msgspec.json.decode(command.payload, type=_Screen)
        faults, chance, order = self.world.faults, self.world.chance, wanted.order_number
        key = f"{self.world.channel_of(command)}/{order}"
        due = command.effective_at + self.ANSWERS_AFTER
        if faults.strikes("screening_reject", order):
            event_id = self._say_screened(command, wanted, "rejected", self.ANSWERS_AFTER)
            faults.note("screening_reject", due, self.code, key, event_id)
        elif faults.strikes("screening_hold", order):
            event_id = self._say_screened(command, wanted, "held", self.ANSWERS_AFTER)
            faults.note("screening_hold", due, self.code, key, event_id, "case:payment_held")
            later = timedelta(minutes=chance.between(60, 1_200, "screening_time", order))
            is_fraud = chance.happens(0.2, "fraud", order)
            self._say_screened(command, wanted, "rejected" if is_fraud else "cleared", later)
        else:
            self._say_screened(command, wanted, "cleared", self.ANSWERS_AFTER)

    def _say_screened(
        self,
        command: Command,
        wanted: _Screen,
        outcome: Literal["cleared", "held", "rejected"],
        after: timedelta,
    ) -> str:
        screened = PaymentScreened(
            order_number=wanted.order_number,
            payment_reference=wanted.payment_reference,
            outcome=outcome,
            reason=None if outcome == "cleared" else "risk_score",
        )
        due = command.effective_at + after
        event_type = "retail.payment.screened.v1"
        order = wanted.order_number
        return self.answer(command, event_type, due, screened, order, occasion=outcome)

    def _refund(self, command: Command) -> None:
        wanted = msgspec.json.decode(command.payload, type=_Refund)
        refunded = PaymentRefunded(
            order_number=wanted.order_number,
            payment_reference=wanted.payment_reference,
            refund_reference=wanted.refund_reference,
            amount=wanted.amount,
            currency=wanted.currency,
        )
        due = command.effective_at + self.SETTLES_AFTER
        event_type = "retail.payment.refunded.v1"
        self.answer(command, event_type, due, refunded, wanted.order_number)
