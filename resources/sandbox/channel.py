"""A sales channel: it is told what it may sell, and tells what it has sold.

What sets one channel apart from another, its customers' habits, is in the channel's own module;
the orders that follow from them are made by `trading`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from assets.contracts.fields import Key, NonNegativeQuantity, SkuCode
from assets.contracts.inventory import (
    AvailabilityAcknowledged,
    InventorySnapshotTaken,
    SnapshotLine,
)
from assets.contracts.master_data import PriceShown, ShownPrice
from resources.sandbox.events import Scope
from resources.sandbox.partner import Command, PartnerSystem, Refused, World
from resources.sandbox.snapshots import REMEMBERED, Daily, Reading, parts


class AvailableLine(msgspec.Struct, frozen=True, gc=False):
    """How many units of a SKU the channel may sell."""

    sku: SkuCode
    quantity: NonNegativeQuantity


class _Availability(msgspec.Struct, gc=False):
    channel: Key
    as_of: datetime
    lines: list[AvailableLine]


@dataclass(frozen=True)
class Habits:
    """How the customers of one channel buy.

    Attributes:
        code: The channel.
        order_share: Its part of all orders, as a weight.
        weekday_weights: Monday to Sunday; zero is closed.
        first_hour: Local hour of the first of ``hour_weights``, one weight an hour.
        line_weights: Weight of one line, two lines and so on.
        most_units: Most units of one line.
        price_basis_points: What the channel charges of the list price.
        countries: Where its customers are, with weights.
        service_levels: How the goods travel, with weights.
        is_authorised: Whether orders arrive with a payment that the channel has authorised.
        is_known: Whether the customers have numbers; walk-in customers have none.
        collected_share: Part of the orders at home that a customer collects at a store.
        free_postage_from: Goods amount (ten-thousandths) that travels free; zero never pays.
    """

    code: str
    order_share: float
    weekday_weights: tuple[float, ...]
    first_hour: int
    hour_weights: tuple[float, ...]
    line_weights: tuple[float, ...]
    most_units: int
    price_basis_points: int
    countries: dict[str, float]
    service_levels: dict[Literal["standard", "express", "pickup"], float]
    is_authorised: bool = False
    is_known: bool = True
    collected_share: float = 0.0
    free_postage_from: int = 0


class Channel(PartnerSystem):
    """Holds the availability that it was last told, and shows the prices that it was given."""

    def __init__(self, habits: Habits, world: World) -> None:
        super().__init__(habits.code, world)
        self.habits = habits
        self.availability: dict[str, int] = {}
        self.as_of: datetime | None = None
        self._daily = Daily(world)
        self._levels: dict[str, list[tuple[datetime, int]]] = {}
        self._changes: list[tuple[datetime, list[AvailableLine]]] = []
        world.price_lists[self.code] = habits.price_basis_points

    def perform(self, command: Command) -> None:
        """Take new availability; SKUs that it does not name stay as they are."""
        if command.command_type != "availability.publish":
            raise Refused(f"{self.code} does not know the command {command.command_type}")
        told = msgspec.json.decode(command.payload, type=_Availability)
        if told.channel != self.code:
            raise Refused(f"availability of {told.channel} was sent to {self.code}")
        self.availability.update((line.sku, line.quantity) for line in told.lines)
        self.as_of = told.as_of
        if self.world.keeps_books:
            self._changes.append((told.as_of, told.lines))
        if self.world.settings.acknowledges_availability:
            self._acknowledge(command)

    def _acknowledge(self, command: Command) -> None:
        """Say when customers see it: some seconds later, as long as a feed takes."""
        chance = self.world.chance
        seconds = chance.between(2, 45, "feed", self.code, command.command_id)
        shown = AvailabilityAcknowledged(channel=self.code, publication_id=command.command_id)
        due = command.effective_at + timedelta(seconds=seconds)
        subject = f"availability/{self.code}"
        self.answer(command, "retail.availability.acknowledged.v1", due, shown, subject)

    def is_idle(self, until: datetime) -> bool:
        """Whether no snapshot is due."""
        return self._daily.is_idle(until)

    def prepare(self, until: datetime) -> None:
        """Tell each day which levels and prices are shown."""
        for reading in self._daily.take(until):
            as_of, told_at = reading.as_of, reading.told_at
            for number, lines in enumerate(parts(self.believed(reading)), start=1):
                document = f"SN-{self.code}-{as_of:%Y%m%d}-{number}"
                taken = InventorySnapshotTaken(
                    document_number=document,
                    system=self.code,
                    as_of=as_of,
                    channel=self.code,
                    lines=lines,
                )
                event_type = "retail.inventory.snapshot_taken.v1"
                self.tell(event_type, told_at, taken, document, self._scope)
            for number, prices in enumerate(parts(self.shown_prices(reading)), start=1):
                document = f"PR-{self.code}-{as_of:%Y%m%d}-{number}"
                shown = PriceShown(
                    document_number=document,
                    channel=self.code,
                    as_of=as_of,
                    currency=self.world.settings.currency,
                    lines=prices,
                )
                self.tell("retail.price.shown.v1", told_at, shown, document, self._scope)

    def believed(self, reading: Reading) -> list[SnapshotLine]:
        """The lines of its snapshot: the level that each SKU was last set to."""
        for told_of, lines in self._changes:
            if told_of <= reading.as_of:
                for line in lines:
                    self._levels.setdefault(line.sku, []).append((told_of, line.quantity))
        self._changes = [change for change in self._changes if change[0] > reading.as_of]
        forgotten = reading.as_of - REMEMBERED
        for sku, told in self._levels.items():
            if told[0][0] < forgotten:
                self._levels[sku] = [one for one in told[:-1] if one[0] >= forgotten] + told[-1:]
        shown = self.world.stock_faults.offered(self.code, reading, self._levels)
        return [SnapshotLine(sku=sku, quantity=units) for sku, units in sorted(shown.items())]

    def shown_prices(self, reading: Reading) -> list[ShownPrice]:
        """The prices that its customers see."""
        shown = []
        for sku, versions in sorted(self.world.prices.get(self.code, {}).items()):
            current = [price for valid_from, price in versions if valid_from <= reading.as_of]
            if current:
                shown.append(ShownPrice(sku=sku, unit_price=current[-1]))
        return self.world.stock_faults.shown(self.code, reading, shown)

    @property
    def _scope(self) -> Scope:
        settings = self.world.settings
        return Scope(settings.legal_entity, settings.brand, settings.region, self.code)
