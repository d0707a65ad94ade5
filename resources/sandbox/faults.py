"""Seeded faults: what can go wrong between systems, how often, and whom it strikes.

The plan is drawn before anything has happened: whether a fault of a kind strikes an order, event or
command is a hash of the seed, the kind and its business key, so it does not depend on the order or
size of requests and is the same after a restart. An event is struck by one fault at most, and a
request is interrupted once at most, so that each fault can be told from the others; of the commands
of a request that were drawn, the first stands for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from resources.sandbox.answer_key import ABSORBED, AnswerKey, Drift, Fault
from resources.sandbox.chance import Chance

Rate = Annotated[float, Meta(ge=0, le=1)]


@dataclass(frozen=True)
class Kind:
    """One kind of fault.

    Attributes:
        strikes: What it is drawn for.
        what_happens: In one clause.
        expected: What a sound product makes of it, as in the answer key.
        is_recovered: Whether stock and money end as if it had not happened.
    """

    name: str
    strikes: str
    what_happens: str
    expected: str
    is_recovered: bool = True


CATALOGUE = (
    Kind("duplicate_delivery", "event", "told again within a day and a half", ABSORBED),
    Kind("late", "event of an order", "told 6 to 20 hours after it happened", ABSORBED),
    Kind("out_of_order", "event of an order", "told after what follows from it", ABSORBED),
    Kind("malformed", "event of an order", "told broken, and whole within the hour", "quarantined"),
    Kind("timeout_after_success", "command", "done, and the answer lost", ABSORBED),
    Kind("too_many_requests", "command", "HTTP 429, once", ABSORBED),
    Kind("server_error", "command", "HTTP 500, once", ABSORBED),
    Kind(
        "store_reject",
        "fulfilment order",
        "the node cannot find the goods",
        "case:fulfilment_rejected",
        is_recovered=False,
    ),
    Kind(
        "carrier_silence",
        "shipment",
        "nothing heard for 17 to 20 working days, then delivered",
        "case:carrier_silence",
        is_recovered=False,
    ),
    Kind("payment_decline", "order", "the provider refuses", ABSORBED, is_recovered=False),
    Kind(
        "payment_outage",
        "order",
        "the card's issuer is away once or twice, then authorises",
        "case:payment_failed",
        is_recovered=False,
    ),
    Kind(
        "pickup_reject",
        "fulfilment order",
        "a store does not have, or cannot prepare, what is collected",
        ABSORBED,
        is_recovered=False,
    ),
    # Where the goods are dear, a person is to look at it: case:pickup_unclaimed.
    Kind("no_show", "fulfilment order", "nobody collects it", ABSORBED, is_recovered=False),
    Kind(
        "screening_hold",
        "order",
        "a payment may be fraud, and is decided about in hours",
        "case:payment_held",
        is_recovered=False,
    ),
    Kind("screening_reject", "order", "a payment is fraud", ABSORBED, is_recovered=False),
    # Not drawn by a rate of its own: one order in a hundred is taken back, and where it was paid
    # for at the checkout, or told to its node before anybody heard of that, it is too late.
    Kind(
        "late_cancellation",
        "order",
        "taken back after it was paid for",
        "case:illegal_transition",
        is_recovered=False,
    ),
    # Asked for by whoever plans the week.
    Kind(
        "demand_rise",
        "region",
        "a class of products is asked for more than usual",
        "case:demand_spike",
        is_recovered=False,
    ),
    Kind(
        "supplier_overcharge",
        "purchase order",
        "a line is charged a tenth dearer than agreed",
        "case:invoice_held",
        is_recovered=False,
    ),
    Kind(
        "supplier_short",
        "purchase order",
        "a quarter of a line does not come and is charged",
        "case:invoice_held",
        is_recovered=False,
    ),
    Kind(
        "supplier_broken",
        "purchase order",
        "a quarter of a line fails inspection and is charged",
        "case:invoice_held",
        is_recovered=False,
    ),
    Kind(
        "supplier_over",
        "purchase order",
        "a quarter more than ordered comes",
        "case:over_receipt",
        is_recovered=False,
    ),
    Kind(
        "supplier_copy",
        "purchase order",
        "an invoice comes twice, written otherwise",
        "case:duplicate_invoice",
        is_recovered=False,
    ),
    Kind("price_mismatch", "shown price", "a channel shows another", "case:price_parity"),
    Kind("stock_late", "goods issue", "in the ERP's book a day later", ABSORBED),
    Kind("stock_lost", "goods issue", "not in the ERP's book for days", "case:stock_drift"),
    Kind("stock_duplicate", "goods issue", "in the ERP's book twice", "case:stock_drift"),
    Kind("stock_out_of_order", "level", "a channel shows the one before last", "case:stock_drift"),
    Kind("stock_unit_of_measure", "counted line", "cases for units", "case:stock_drift"),
    # Small ones are booked, and booked back after the recount; of dear ones a person is asked:
    # case:stock_correction.
    Kind("stock_miscount", "counted line", "off by a few", ABSORBED, is_recovered=False),
    Kind("stock_oversell", "level", "a channel offers more than it was told", "case:stock_drift"),
)


class FaultRates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Share of what each kind of the catalogue can strike that it does strike."""

    duplicate_delivery: Rate = 0.0
    late: Rate = 0.0
    out_of_order: Rate = 0.0
    malformed: Rate = 0.0
    timeout_after_success: Rate = 0.0
    too_many_requests: Rate = 0.0
    server_error: Rate = 0.0
    store_reject: Rate = 0.0
    carrier_silence: Rate = 0.0
    payment_decline: Rate = 0.0
    payment_outage: Rate = 0.0
    pickup_reject: Rate = 0.0
    no_show: Rate = 0.0
    screening_hold: Rate = 0.0
    screening_reject: Rate = 0.0
    supplier_overcharge: Rate = 0.0
    supplier_short: Rate = 0.0
    supplier_broken: Rate = 0.0
    supplier_over: Rate = 0.0
    supplier_copy: Rate = 0.0
    price_mismatch: Rate = 0.0
    stock_late: Rate = 0.0
    stock_lost: Rate = 0.0
    stock_duplicate: Rate = 0.0
    stock_out_of_order: Rate = 0.0
    stock_unit_of_measure: Rate = 0.0
    stock_miscount: Rate = 0.0
    stock_oversell: Rate = 0.0


class Interrupted(Exception):
    """A request gets no proper answer; ``kind`` says which fault it is."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


#: The one interruption after which everything was done that was asked for.
DONE_UNHEARD = "timeout_after_success"
#: The kinds that strike a request, in the order in which they are asked.
INTERRUPTIONS = (DONE_UNHEARD, "too_many_requests", "server_error")

#: The partner whose silence of an hour has consequences.
COUNTER = "store"

# What can be late or broken on its way without the order's stock being given to somebody else in
# the meantime, as it is when word of a payment is late: that is another order's gain, not a fault
# that leaves no trace.
_PATIENT = frozenset(
    {
        "retail.order.placed.v1",
        "retail.fulfilment.accepted.v1",
        "retail.shipment.dispatched.v1",
        "retail.shipment.delivered.v1",
        "retail.payment.captured.v1",
    }
)


@dataclass(frozen=True)
class Telling:
    """One event on its way out; ``business_key`` is the channel and number of what it is about."""

    partner: str
    event_id: str
    event_type: str
    business_key: str
    due: datetime
    body: bytes


def _without_number(event: dict[str, Any]) -> None:
    del event["data"]["order_number"]


def _number_as_number(event: dict[str, Any]) -> None:
    event["data"]["order_number"] = 4711


def _field_of_another_version(event: dict[str, Any]) -> None:
    event["data"]["loyalty_tier"] = "gold"


def _time_without_zone(event: dict[str, Any]) -> None:
    event["time"] = event["time"].removesuffix("Z")


#: What breaks an event, with the reason that a door gives who reads its contract.
_DAMAGE: tuple[tuple[str, Callable[[dict[str, Any]], None]], ...] = (
    ("missing_field", _without_number),
    ("wrong_type", _number_as_number),
    ("unknown_field", _field_of_another_version),
    ("time_without_zone", _time_without_zone),
)


class Faults:
    """The plan of one sandbox, and the note of what it came to."""

    def __init__(self, key: AnswerKey) -> None:
        self._key = key
        self.settle(FaultRates(), Chance(""))
        self._interrupted = {
            fault.reference for fault in key.faults() if fault.kind in INTERRUPTIONS
        }

    def settle(self, rates: FaultRates, chance: Chance) -> None:
        """Draw from another seed or at other rates from now on."""
        self._rates = rates
        self._chance = chance
        self._strikes_events = bool(rates.duplicate_delivery or rates.late or rates.malformed)
        self._strikes_requests = any(getattr(rates, kind) for kind in INTERRUPTIONS)

    def injects(self, kind: str) -> bool:
        """Whether faults of a kind strike anything at all."""
        return bool(getattr(self._rates, kind))

    def strikes(self, kind: str, *target: str, weight: int = 1) -> bool:
        """Whether a fault of a kind strikes this target.

        Args:
            kind: With a rate of its own.
            target: The business key of what it may strike.
            weight: How many times as often as its rate says.
        """
        rate: float = getattr(self._rates, kind)
        return self._chance.happens(rate * weight, "fault", kind, *target)

    def note(
        self,
        kind: str,
        at: datetime,
        partner: str,
        business_key: str,
        reference: str,
        expected: str = ABSORBED,
        drift: Drift | None = None,
        over_at: datetime | None = None,
    ) -> None:
        """Write a fault into the answer key, before it strikes."""
        self._key.write(
            Fault(
                kind,
                at,
                partner,
                business_key,
                reference,
                expected,
                drift=drift,
                over_at=over_at,
            )
        )

    def deliveries(self, told: Telling) -> list[tuple[datetime, bytes]]:
        """When and how an event goes out: once, when it is due and whole, unless it is struck."""
        plain = [(told.due, told.body)]
        if not self._strikes_events:
            return plain
        between, identity = self._chance.between, told.event_id
        # A store's counter is no warehouse: who hears nothing of it asks another store.
        if told.event_type in _PATIENT and told.partner != COUNTER:
            if self.strikes("malformed", identity):
                reason, body = self._damaged(told)
                self._note_event("malformed", told.due, told, f"quarantined:{reason}")
                mended_at = told.due + timedelta(minutes=between(10, 50, "mended", identity))
                return [(told.due, body), (mended_at, told.body)]
            if self.strikes("late", identity):
                late_by = timedelta(minutes=between(6 * 60, 20 * 60, "late_by", identity))
                self._note_event("late", told.due + late_by, told)
                return [(told.due + late_by, told.body)]
        if self.strikes("duplicate_delivery", identity):
            again_after = timedelta(minutes=between(0, 36 * 60, "again_after", identity))
            self._note_event("duplicate_delivery", told.due + again_after, told)
            return [*plain, (told.due + again_after, told.body)]
        return plain

    def interruption(self, partner: str, commands: Sequence[tuple[str, str, datetime]]) -> str:
        """The kind of fault that interrupts a request, empty for none.

        One fault a request: when it comes again it passes, whatever its other commands were drawn
        for. A product that is patient for a moment must never need to be patient for long.

        Args:
            partner: Who was asked.
            commands: (command id, business key, effective at) of each.
        """
        if not self._strikes_requests:
            return ""
        if any(identity in self._interrupted for identity, _, _ in commands):
            return ""
        for identity, business_key, at in commands:
            for kind in INTERRUPTIONS:
                if self.strikes(kind, identity):
                    self.note(kind, at, partner, business_key, identity)
                    self._interrupted.add(identity)
                    return kind
        return ""

    def _note_event(self, kind: str, at: datetime, told: Telling, expected: str = ABSORBED) -> None:
        self.note(kind, at, told.partner, told.business_key, told.event_id, expected)

    def _damaged(self, told: Telling) -> tuple[str, bytes]:
        number = self._chance.between(0, len(_DAMAGE) - 1, "damage", told.event_id)
        reason, damage = _DAMAGE[number]
        event = msgspec.json.decode(told.body)
        damage(event)
        return reason, msgspec.json.encode(event)
