"""Working time of a team: what is due when, over nights, weekends, holidays and moved clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.commerce.opening_hours import WeeklyHours
from assets.commerce.working_time import WorkingCalendar, WorkingTime, instants_of, seconds_of

LONDON = ZoneInfo("Europe/London")
HOUR = 3_600


def calendar(
    hours: str = "08:00-18:00", weekend: str = "closed", holidays: str | None = None
) -> WorkingCalendar:
    week = WeeklyHours(hours, hours, hours, hours, hours, weekend, weekend)
    return WorkingCalendar("Europe/London", week, holidays, "closed", {})


OFFICE = WorkingTime(calendar())
OFFICE_WITH_HOLIDAYS = WorkingTime(calendar(holidays="GB-ENG"))


def london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


def due(start: datetime, hours: float, work: WorkingTime = OFFICE) -> datetime:
    (second,) = work.due(seconds_of([start]), np.array([round(hours * HOUR)]))
    return datetime.fromtimestamp(int(second), LONDON)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-03-02T17:00", 4, "2026-03-03T11:00"),
        ("2026-03-02T17:00", 3, "2026-03-03T10:00"),
        ("2026-03-06T17:00", 4, "2026-03-09T11:00"),
        ("2026-03-02T03:00", 1, "2026-03-02T09:00"),
        ("2026-03-07T12:00", 1, "2026-03-09T09:00"),
        ("2026-03-02T14:00", 4, "2026-03-02T18:00"),
        ("2026-03-02T18:00", 1, "2026-03-03T09:00"),
        ("2026-03-02T18:00", 0, "2026-03-03T08:00"),
        ("2026-03-02T09:30", 0, "2026-03-02T09:30"),
    ],
)
def test_a_budget_is_used_up_in_working_hours_only(start: str, hours: float, end: str) -> None:
    assert due(london(start), hours) == london(end)


def test_four_hours_from_monday_at_five_end_on_tuesday_at_eleven_and_warn_at_ten() -> None:
    assert due(london("2026-03-02T17:00"), 4) == london("2026-03-03T11:00")
    assert due(london("2026-03-02T17:00"), 4 - 1) == london("2026-03-03T10:00")


@pytest.mark.parametrize(
    ("friday", "monday"), [("2026-03-27", "2026-03-30"), ("2026-10-23", "2026-10-26")]
)
def test_nine_in_the_morning_stays_nine_when_the_clock_moves(friday: str, monday: str) -> None:
    assert due(london(f"{friday}T17:00"), 2) == london(f"{monday}T09:00")


def test_a_day_on_which_the_clock_moves_is_as_long_as_it_really_is() -> None:
    night = WorkingTime(calendar("00:00-06:00", weekend="00:00-06:00"))
    (spring,) = night.consumed(
        seconds_of([london("2026-03-29T00:00")]), seconds_of([london("2026-03-29T12:00")])
    )
    (autumn,) = night.consumed(
        seconds_of([london("2026-10-25T00:00")]), seconds_of([london("2026-10-25T12:00")])
    )
    assert (spring, autumn) == (5 * HOUR, 7 * HOUR)


def test_a_bank_holiday_is_no_working_day() -> None:
    work = WorkingTime(calendar(holidays="GB-ENG"))
    assert due(london("2026-12-24T17:00"), 2, work) == london("2026-12-29T09:00")


def test_a_working_day_is_the_same_time_on_the_next_one_and_not_so_many_hours() -> None:
    monday, friday = london("2026-03-02T17:00"), london("2026-03-06T09:30")
    assert OFFICE.same_time_on_working_day(monday, 1) == london("2026-03-03T17:00")
    assert OFFICE.same_time_on_working_day(friday, 1) == london("2026-03-09T09:30")
    assert OFFICE.same_time_on_working_day(friday, 3) == london("2026-03-11T09:30")
    assert OFFICE.same_time_on_working_day(london("2026-03-07T12:00"), 1) == london(
        "2026-03-10T08:00"
    )


def test_forty_eight_hours_of_twelve_hour_days_are_four_working_days() -> None:
    work = WorkingTime(calendar("08:00-20:00"))
    assert due(london("2026-03-02T08:00"), 48, work) == london("2026-03-05T20:00")


def test_a_single_day_may_have_hours_of_its_own() -> None:
    own = msgspec.structs.replace(calendar(), hours_by_date={date(2026, 3, 3): "12:00-18:00"})
    assert due(london("2026-03-02T17:00"), 4, WorkingTime(own)) == london("2026-03-03T15:00")


def test_a_week_without_hours_and_an_unknown_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="a week without working hours"):
        calendar("closed")
    with pytest.raises(ValueError, match="Mars/Olympus is no time zone"):
        msgspec.structs.replace(calendar(), zone="Mars/Olympus")


INSTANTS = st.integers(1_704_067_200, 1_830_211_200).map(lambda at: datetime.fromtimestamp(at, UTC))
BUDGETS = st.integers(min_value=1, max_value=2_000 * HOUR)


@given(st.lists(st.tuples(INSTANTS, BUDGETS), min_size=1, max_size=8))
def test_what_lies_between_a_start_and_its_due_time_is_the_budget(
    asked: list[tuple[datetime, int]],
) -> None:
    starts = seconds_of([start for start, _ in asked])
    budgets = np.array([budget for _, budget in asked])
    ends = WorkingTime(calendar(holidays="GB-ENG")).due(starts, budgets)
    assert OFFICE_WITH_HOLIDAYS.consumed(starts, ends).tolist() == budgets.tolist()
    one_by_one = [
        OFFICE_WITH_HOLIDAYS.due(starts[n : n + 1], budgets[n : n + 1])[0]
        for n in range(len(asked))
    ]
    assert ends.tolist() == one_by_one


@given(INSTANTS, BUDGETS, st.integers(min_value=0, max_value=30 * 24 * HOUR))
def test_who_starts_later_or_has_more_time_is_never_due_earlier(
    start: datetime, budget: int, more: int
) -> None:
    starts = seconds_of([start, start + timedelta(seconds=more), start])
    budgets = np.array([budget, budget, budget + more])
    first, later, longer = instants_of(OFFICE_WITH_HOLIDAYS.due(starts, budgets))
    assert first <= later
    assert first <= longer
