"""Working time: how much of it lies between two instants, and when so much of it is over.

Hours become instants day by day in the zone of the calendar (`opening_hours.intervals`), so 09:00
stays 09:00 when the clock moves, and such a day is as long as it really is. Instants and spans are
whole seconds since the epoch here, whole arrays of them at once.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from assets.commerce.opening_hours import (
    CLOSED,
    HolidayCalendar,
    Hours,
    Opening,
    WeeklyHours,
    intervals,
    is_holiday,
    span,
)

Seconds = npt.NDArray[np.int64]

#: What is reckoned at a time; a calendar reaches further when it is asked.
_STRIDE_DAYS = 400
#: A budget that no calendar uses up in so long is a mistake in one of them.
_LONGEST_DAYS = 40 * _STRIDE_DAYS


class WorkingCalendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a team works.

    Attributes:
        zone: An IANA time zone, in which the hours are meant.
        holiday_calendar: Whose public holidays have ``holiday_hours``; ``None`` for none.
        hours_by_date: What holds on a single day, whatever its weekday and holiday say.
    """

    zone: Annotated[str, Meta(min_length=1)]
    week: WeeklyHours
    holiday_calendar: HolidayCalendar | None
    holiday_hours: Hours
    hours_by_date: Mapping[date, Hours]

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError) as error:
            raise ValueError(f"{self.zone} is no time zone") from error
        for hours in (self.holiday_hours, *self.hours_by_date.values()):
            span(hours)
        if self.holiday_calendar is not None:
            is_holiday(date(2026, 1, 1), self.holiday_calendar)
        if all(hours == CLOSED for hours in self.week.of_the_week()):
            raise ValueError("a week without working hours has no working time")

    def opening(self) -> Opening:
        """The hours without their zone."""
        return Opening(self.week, self.holiday_calendar, self.holiday_hours, self.hours_by_date)


class WorkingTime:
    """The working time of one calendar; it reaches as far as it is asked, and remembers.

    An instant outside working hours counts as the next opening. What is due exactly at the end of a
    day is due then and not on the next morning.
    """

    def __init__(self, calendar: WorkingCalendar) -> None:
        self._opening = calendar.opening()
        self._zone = calendar.zone
        self._opens: Seconds = np.zeros(0, np.int64)
        self._closes: Seconds = np.zeros(0, np.int64)
        #: Working seconds before each opening, and at last of all.
        self._before: Seconds = np.zeros(1, np.int64)
        self._first = self._end = date.min
        # Sensors of one process share it.
        self._lock = threading.RLock()

    def due(self, starts: Seconds, budgets: Seconds) -> Seconds:
        """When so much working time is over since each start.

        Args:
            starts: Seconds since the epoch.
            budgets: Working seconds from each start on; of zero the first working instant.

        Raises:
            ValueError: If a budget is not over within decades.
        """
        if not len(starts):
            return starts
        with self._lock:
            self._reach(int(starts.min()), int(starts.max()))
            targets = self._elapsed(starts) + budgets
            while targets.max() > self._before[-1]:
                self._extend()
                targets = self._elapsed(starts) + budgets
            return self._instants(starts, budgets, targets)

    def _instants(self, starts: Seconds, budgets: Seconds, targets: Seconds) -> Seconds:
        # Of a budget that ends with a day the day's end, of none at all the next opening.
        ends = np.searchsorted(self._before[1:], targets, side="left")
        begins = np.searchsorted(self._before[1:], targets, side="right")
        day = np.where(budgets > 0, ends, np.minimum(begins, len(self._opens) - 1))
        worked: Seconds = self._opens[day] + targets - self._before[day]
        ended: Seconds = np.where(budgets > 0, worked, np.maximum(worked, starts))
        return ended

    def consumed(self, starts: Seconds, ends: Seconds) -> Seconds:
        """Working seconds from each start to each end; none where the end comes first."""
        if not len(starts):
            return starts
        with self._lock:
            self._reach(int(min(starts.min(), ends.min())), int(max(starts.max(), ends.max())))
            between: Seconds = np.maximum(self._elapsed(ends) - self._elapsed(starts), 0)
            return between

    def same_time_on_working_day(self, start: datetime, days: int) -> datetime:
        """The same time of day, that many working days later (UTC).

        An instant out of hours counts as the next opening. Where that day is shorter, its end.
        """
        (opened,) = self.due(np.array([_seconds(start)]), np.zeros(1, np.int64))
        place = ZoneInfo(self._zone)
        local = datetime.fromtimestamp(int(opened), place)
        with self._lock:
            self._reach(int(opened), int(opened) + days * 86_400)
            today = int(np.searchsorted(self._opens, opened, side="right")) - 1
            while today + days >= len(self._opens):
                self._extend()
            opens, closes = int(self._opens[today + days]), int(self._closes[today + days])
        day = datetime.fromtimestamp(opens, place).date()
        wanted = datetime.combine(day, local.time(), place)
        return datetime.fromtimestamp(min(max(_seconds(wanted), opens), closes), UTC)

    def _elapsed(self, instants: Seconds) -> Seconds:
        """Working seconds from the beginning of what is reckoned to each instant."""
        day = np.searchsorted(self._opens, instants, side="right") - 1
        known = np.maximum(day, 0)
        worked = np.minimum(instants, self._closes[known]) - self._opens[known]
        elapsed: Seconds = np.where(day < 0, 0, self._before[known] + worked)
        return elapsed

    def _reach(self, first: int, last: int) -> None:
        """Know every working day from the one of ``first`` to beyond ``last``."""
        from_day = datetime.fromtimestamp(first, UTC).date() - timedelta(days=1)
        if self._end == date.min or from_day < self._first:
            # Anew, from the earlier day: what was reckoned from a later one does not fit before it.
            self._first = self._end = from_day
            self._opens = self._closes = np.zeros(0, np.int64)
            self._before = np.zeros(1, np.int64)
        until = datetime.fromtimestamp(last, UTC).date() + timedelta(days=2)
        while self._end < until or not len(self._opens):
            self._extend()

    def _extend(self) -> None:
        if (self._end - self._first).days > _LONGEST_DAYS:
            raise ValueError(f"working time in {self._zone} is not over within decades")
        noon = datetime.combine(self._end, time(12), ZoneInfo(self._zone))
        found = intervals(self._opening, self._zone, noon, _STRIDE_DAYS)
        pairs = np.array(
            [(_seconds(opens), _seconds(closes)) for opens, closes in found], np.int64
        ).reshape(-1, 2)
        self._opens = np.concatenate([self._opens, pairs[:, 0]])
        self._closes = np.concatenate([self._closes, pairs[:, 1]])
        self._before = np.concatenate([[0], np.cumsum(self._closes - self._opens)])
        self._end += timedelta(days=_STRIDE_DAYS)


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())


def seconds_of(instants: list[datetime]) -> Seconds:
    """Instants as whole seconds since the epoch; a fraction of a second is dropped."""
    return np.array([_seconds(instant) for instant in instants], np.int64)


def instants_of(seconds: Seconds) -> list[datetime]:
    """Whole seconds since the epoch as instants (UTC)."""
    return [datetime.fromtimestamp(second, UTC) for second in seconds.tolist()]
