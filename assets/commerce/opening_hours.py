"""When a place is open: hours by weekday, holiday and single day, local to it, as UTC intervals.

What holds on a day is the single day's word, else the holiday's, else the weekday's. Local hours
are turned into instants day by day, so a day on which the clock moves is as long as it really is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo

import holidays
import msgspec
from msgspec import Meta

CLOSED = "closed"
#: ``09:00-18:00`` in local time, or ``closed``; a place that closes after midnight has two days.
Hours = Annotated[
    str, Meta(pattern=r"^(closed|([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9])\Z")
]
#: A country of ISO 3166, or one of its parts: ``GB-ENG``.
HolidayCalendar = Annotated[str, Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?\Z")]


class WeeklyHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hours of an ordinary week."""

    monday: Hours
    tuesday: Hours
    wednesday: Hours
    thursday: Hours
    friday: Hours
    saturday: Hours
    sunday: Hours

    def __post_init__(self) -> None:
        for hours in self.of_the_week():
            span(hours)

    def of_the_week(self) -> tuple[str, ...]:
        """Monday to Sunday."""
        return tuple(getattr(self, day) for day in self.__struct_fields__)


class Opening(msgspec.Struct, frozen=True):
    """Everything that decides when a place is open."""

    week: WeeklyHours
    holiday_calendar: HolidayCalendar | None
    holiday_hours: Hours
    hours_by_date: Mapping[date, Hours]

    def hours_on(self, day: date) -> str:
        """What holds on a local day."""
        if day in self.hours_by_date:
            return self.hours_by_date[day]
        if self.holiday_calendar is not None and is_holiday(day, self.holiday_calendar):
            return self.holiday_hours
        return self.week.of_the_week()[day.weekday()]


def span(hours: str) -> tuple[time, time] | None:
    """Opening and closing time; ``None`` for a closed day.

    Raises:
        ValueError: If it closes before it opens.
    """
    if hours == CLOSED:
        return None
    opens, closes = (time.fromisoformat(part) for part in hours.split("-"))
    if closes <= opens:
        raise ValueError(f"{hours} closes before it opens")
    return opens, closes


def is_holiday(day: date, calendar: str) -> bool:
    """Whether a public holiday falls on a day.

    Raises:
        ValueError: If nobody keeps such a calendar.
    """
    return day in _holidays(calendar, day.year)


@cache
def _holidays(calendar: str, year: int) -> frozenset[date]:
    country, _, part = calendar.partition("-")
    try:
        found = holidays.country_holidays(country, subdiv=part or None, years=year)
    except NotImplementedError as error:
        raise ValueError(f"nobody keeps a calendar of holidays for {calendar}") from error
    return frozenset(found)


def intervals(
    opening: Opening, zone: str, instant: datetime, days: int
) -> list[tuple[datetime, datetime]]:
    """(opens, closes) in UTC of the open days from the local day of an instant on, in order.

    Args:
        opening: When the place is open.
        zone: Where it is, an IANA zone.
        instant: The first day is the local day on which this falls.
        days: How many days, closed ones included.
    """
    place = ZoneInfo(zone)
    first = instant.astimezone(place).date()
    found = []
    for offset in range(days):
        day = first + timedelta(days=offset)
        hours = span(opening.hours_on(day))
        if hours is not None:
            opens, closes = (datetime.combine(day, at, place).astimezone(UTC) for at in hours)
            found.append((opens, closes))
    return found
