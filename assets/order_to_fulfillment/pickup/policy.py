"""What store operations may change about pickups without a programmer."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from assets.commerce.money import UNSIGNED_MONEY_PATTERN, to_ten_thousandths
from assets.commerce.opening_hours import (
    HolidayCalendar,
    Hours,
    Opening,
    WeeklyHours,
    is_holiday,
    span,
)
from assets.decisions.typed_policy import policy_reader

Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Amount = Annotated[str, Meta(pattern=UNSIGNED_MONEY_PATTERN)]
#: What a store's reason does to its stock.
StockEffect = Literal["count_correction", "write_off", "none"]


class Screening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which paid pickups the provider screens for fraud; amounts by currency, ``*`` the others."""

    is_in_use: bool
    from_amount_by_currency: dict[str, Amount]
    new_customer_from_amount_by_currency: dict[str, Amount]

    def from_amount(self, currency: str) -> int | None:
        """From where on every order is screened (ten-thousandths)."""
        return _amount(self.from_amount_by_currency, currency)

    def new_customer_from_amount(self, currency: str) -> int | None:
        """The same for a customer without an earlier order."""
        return _amount(self.new_customer_from_amount_by_currency, currency)


def _amount(by_currency: dict[str, str], currency: str) -> int | None:
    text = by_currency.get(currency, by_currency.get("*"))
    return None if text is None else to_ten_thousandths(text)


class PickupPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Opening hours, promises, screening, deadlines; ``"*"`` stands for whatever is not named."""

    opening_hours_by_node: dict[str, WeeklyHours]
    holiday_calendar: HolidayCalendar | None
    holiday_hours: Hours
    hours_by_date: dict[date, Hours]
    promise_horizon_days: Positive
    preparation_minutes_by_node: dict[str, Count]
    pickup_safety_quantity_each_by_node: dict[str, Count]
    screening: Screening
    answer_minutes: Positive
    late_ready_minutes: Count
    made_up_for_minutes: Count
    stock_effect_by_reason: dict[str, StockEffect]
    most_stores_asked: Positive
    capture_when: Literal["ready", "collected"]
    reminder_hours_after_ready: list[Positive]
    collect_within_hours: Positive
    grace_hours: Count
    unclaimed_case_from_amount_by_currency: dict[str, Amount]

    def __post_init__(self) -> None:
        if "*" not in self.opening_hours_by_node:
            raise ValueError("opening_hours_by_node has no hours for a store that is not named")
        for hours in (self.holiday_hours, *self.hours_by_date.values()):
            span(hours)
        if self.holiday_calendar is not None:
            is_holiday(date(2026, 1, 1), self.holiday_calendar)
        if self.reminder_hours_after_ready != sorted(set(self.reminder_hours_after_ready)):
            raise ValueError("reminder_hours_after_ready must ascend")
        if self.reminder_hours_after_ready[-1:] >= [self.collect_within_hours]:
            raise ValueError("a reminder must come before the time to collect is over")

    def opening(self, node: str) -> Opening:
        """When a store is open."""
        by_node = self.opening_hours_by_node
        return Opening(
            by_node.get(node, by_node["*"]),
            self.holiday_calendar,
            self.holiday_hours,
            self.hours_by_date,
        )

    def preparation_minutes(self, node: str) -> int:
        """How long a store takes from being told to having the goods at the counter."""
        by_node = self.preparation_minutes_by_node
        return by_node.get(node, by_node.get("*", 0))

    def safety(self, node: str) -> int:
        """Units (each) that a store keeps back even from a customer on the way to it."""
        by_node = self.pickup_safety_quantity_each_by_node
        return by_node.get(node, by_node.get("*", 0))

    def stock_effect(self, reason: str) -> StockEffect:
        """What a store's reason does to its stock."""
        return self.stock_effect_by_reason.get(reason, self.stock_effect_by_reason.get("*", "none"))

    @property
    def answer_after(self) -> timedelta:
        """How long a store may take to say yes or no."""
        return timedelta(minutes=self.answer_minutes)

    @property
    def made_up_for(self) -> timedelta:
        """What a store makes up for when it may start later than it was promised for."""
        return timedelta(minutes=self.made_up_for_minutes)

    @property
    def held_for(self) -> timedelta:
        """How long goods lie at the counter: the time to collect and the grace after it."""
        return timedelta(hours=self.collect_within_hours + self.grace_hours)

    def unclaimed_case_from(self, currency: str) -> int | None:
        """From which amount on (ten-thousandths) a person hears of goods that nobody collected."""
        return _amount(self.unclaimed_case_from_amount_by_currency, currency)


#: The typed policy of pickups, from its values.
pickup_policy = policy_reader("pickup", PickupPolicy)
