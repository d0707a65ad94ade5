"""The stores: tills during opening hours, and a counter at which web orders are collected."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from assets.commerce.money import to_ten_thousandths
from assets.contracts.fields import Key
from assets.contracts.fulfilment import (
    FulfilmentAccepted,
    FulfilmentCollected,
    FulfilmentReadyForPickup,
    FulfilmentRejected,
    RejectedLine,
)
from assets.contracts.shipment import ShippedLine
from resources.sandbox.answer_key import ABSORBED
from resources.sandbox.chance import Weights
from resources.sandbox.channel import Channel, Habits
from resources.sandbox.partner import Command

HABITS = Habits(
    code="store",
    order_share=0.2,
    weekday_weights=(0.8, 0.8, 0.85, 0.95, 1.2, 1.7, 0.9),
    first_hour=9,
    hour_weights=(2, 4, 5, 7, 7, 5, 5, 6, 4),
    line_weights=(45, 28, 14, 8, 3, 2),
    most_units=3,
    price_basis_points=10_000,
    countries={"GB": 1.0},
    service_levels={"pickup": 1.0},
    is_authorised=True,
    is_known=False,
)

OPENS, CLOSES = time(9), time(18)
#: Staff look at an order this long before it must be ready, or at once if it is later than that.
_LOOKED_AT = timedelta(minutes=85)
_MOST_HOURS_UNTIL_COLLECTED = 60
_REASONS = ("not_found", "too_busy", "damaged")
_REASON_WEIGHTS = Weights([0.5, 0.3, 0.2])


class _Preparation(msgspec.Struct, gc=False):
    order_number: Key
    fulfilment_order_id: Key
    node_id: Key
    promised_ready_at: datetime
    lines: Annotated[list[ShippedLine], Meta(min_length=1, max_length=5_000)]


class _Cancellation(msgspec.Struct, gc=False):
    order_number: Key
    fulfilment_order_id: Key
    node_id: Key
    reason: str


class Store(Channel):
    """A channel that also prepares what customers collect: all of it, or none."""

    def perform(self, command: Command) -> None:
        """Prepare an order, put one back on the shelf, or take new availability."""
        match command.command_type:
            case "pickup.prepare":
                self._prepare(command, msgspec.json.decode(command.payload, type=_Preparation))
            case "pickup.cancel":
                msgspec.json.decode(command.payload, type=_Cancellation)
            case _:
                super().perform(command)

    def _prepare(self, command: Command, wanted: _Preparation) -> None:
        self.world.note_regret(command, wanted.order_number)
        chance, key = self.world.chance, wanted.fulfilment_order_id
        looked_at = max(command.effective_at, wanted.promised_ready_at - _LOOKED_AT)
        answered = looked_at + timedelta(seconds=chance.between(60, 1_200, "answer", key))
        order = {
            "order_number": wanted.order_number,
            "fulfilment_order_id": key,
            "node_id": wanted.node_id,
        }
        if self.world.faults.strikes("pickup_reject", key):
            self._reject(command, wanted, answered)
            return
        accepted = FulfilmentAccepted(**order)
        event_type = "retail.fulfilment.accepted.v1"
        self.answer(command, event_type, answered, accepted, wanted.order_number)
        # One in ten is late, by less than an hour.
        if chance.happens(0.1, "late_ready", key):
            late = timedelta(minutes=chance.between(5, 50, "ready", key))
            ready = wanted.promised_ready_at + late
        else:
            early = timedelta(minutes=chance.between(5, 40, "ready", key))
            ready = max(wanted.promised_ready_at - early, answered)
        event_type = "retail.fulfilment.ready_for_pickup.v1"
        told = FulfilmentReadyForPickup(**order)
        event_id = self.answer(command, event_type, ready, told, wanted.order_number)
        if self.world.faults.strikes("no_show", key):
            self._note_no_show(command, wanted, ready, event_id)
        else:
            collected = FulfilmentCollected(
                **order, handover_number=f"HO-{key[:8].upper()}", lines=wanted.lines
            )
            event_type = "retail.fulfilment.collected.v1"
            taken = self._comes_at(ready, wanted)
            self.answer(command, event_type, taken, collected, wanted.order_number)
            for line in wanted.lines:
                self.world.shelve(taken, wanted.node_id, line.sku, -line.quantity)

    def _note_no_show(
        self, command: Command, wanted: _Preparation, ready: datetime, event_id: str
    ) -> None:
        """Nobody asks about what nobody collects, unless it is dear."""
        order = f"{self.world.channel_of(command)}/{wanted.order_number}"
        least, worth = self.world.settings.unclaimed_case_from, self.world.worth.get(order, 0)
        key, expected = wanted.fulfilment_order_id, ABSORBED
        if least is not None and worth >= to_ten_thousandths(least):
            key, expected = order, "case:pickup_unclaimed"
        self.world.faults.note("no_show", ready, self.code, key, event_id, expected)

    def _reject(self, command: Command, wanted: _Preparation, at: datetime) -> None:
        chance, key = self.world.chance, wanted.fulfilment_order_id
        reason = _REASONS[_REASON_WEIGHTS.position(chance.share("reason", key))]
        # One line is wrong; too busy is about all of them.
        line = wanted.lines[chance.between(0, len(wanted.lines) - 1, "line", key)]
        rejected = FulfilmentRejected(
            order_number=wanted.order_number,
            fulfilment_order_id=key,
            node_id=wanted.node_id,
            reason=reason,
            lines=[]
            if reason == "too_busy"
            else [RejectedLine(line_number=line.line_number, sku=line.sku, quantity=line.quantity)],
        )
        event_type = "retail.fulfilment.rejected.v1"
        event_id = self.answer(command, event_type, at, rejected, wanted.order_number)
        self.world.faults.note("pickup_reject", at, self.code, key, event_id)
        for gone in rejected.lines:
            self.world.shelve(at, wanted.node_id, gone.sku, -gone.quantity)

    def _comes_at(self, ready: datetime, wanted: _Preparation) -> datetime:
        """Most come within hours, a few after days, all while the store is open."""
        chance, key = self.world.chance, wanted.fulfilment_order_id
        share = chance.share("collects", key)
        come = ready + timedelta(hours=_MOST_HOURS_UNTIL_COLLECTED * share**3, minutes=10)
        local = come.astimezone(self.world.zone(wanted.node_id))
        if OPENS <= local.time() < CLOSES:
            return come
        day = local.date() + timedelta(days=local.time() >= CLOSES)
        opening = datetime.combine(day, OPENS, local.tzinfo)
        later = timedelta(minutes=chance.between(5, 400, "comes", key))
        return (opening + later).astimezone(UTC)
