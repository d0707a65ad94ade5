"""A sales channel: it is told what it may sell, and tells what it has sold.

What sets one channel apart from another, its customers' habits, is in the channel's own module;
the orders that follow from them are made by `trading`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from assets.contracts.fields import Key, NonNegativeQuantity, SkuCode
from resources.sandbox.partner import Command, PartnerSystem, Refused, World


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
    """Holds the availability that it was last told."""

    def __init__(self, habits: Habits, world: World) -> None:
        super().__init__(habits.code, world)
        self.habits = habits
        self.availability: dict[str, int] = {}
        self.as_of: datetime | None = None

    def perform(self, command: Command) -> None:
        """Take new availability; SKUs that it does not name stay as they are."""
        if command.command_type != "availability.publish":
            raise Refused(f"{self.code} does not know the command {command.command_type}")
        told = msgspec.json.decode(command.payload, type=_Availability)
        if told.channel != self.code:
            raise Refused(f"availability of {told.channel} was sent to {self.code}")
        self.availability.update((line.sku, line.quantity) for line in told.lines)
        self.as_of = told.as_of
