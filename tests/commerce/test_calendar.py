from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.commerce.calendar import add_working_days, end_of_day, local_to_utc, trading_date

LONDON = "Europe/London"


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 1, 10, 23, 59, tzinfo=UTC), date(2026, 1, 10)),
        (datetime(2026, 7, 10, 22, 59, tzinfo=UTC), date(2026, 7, 10)),
        (datetime(2026, 7, 10, 23, 0, tzinfo=UTC), date(2026, 7, 11)),
    ],
)
def test_in_summer_the_trading_day_of_london_begins_an_hour_earlier(
    instant: datetime, day: date
) -> None:
    assert trading_date(instant, LONDON) == day


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 28), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)]
)
def test_a_day_is_as_long_as_its_clock_makes_it(day: date, hours: int) -> None:
    yesterday = end_of_day(day - timedelta(days=1), LONDON)
    assert end_of_day(day, LONDON) - yesterday == timedelta(hours=hours)


def test_of_an_hour_that_comes_twice_the_first_is_meant() -> None:
    local = datetime(2026, 10, 25, 1, 30)  # noqa: DTZ001 that it has no zone is the point
    assert local_to_utc(local, LONDON) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "days", "expected"),
    [
        ("2026-03-02", 0, "2026-03-02"),
        ("2026-03-07", 0, "2026-03-07"),
        ("2026-03-02", 4, "2026-03-06"),
        ("2026-03-02", 5, "2026-03-09"),
        ("2026-03-06", 1, "2026-03-09"),
        ("2026-03-07", 1, "2026-03-09"),
        ("2026-03-08", 5, "2026-03-13"),
        ("2026-03-07", 10, "2026-03-20"),
    ],
)
def test_weekends_are_no_working_days(day: str, days: int, expected: str) -> None:
    assert add_working_days(date.fromisoformat(day), days) == date.fromisoformat(expected)


@given(st.dates(date(2000, 1, 1), date(2050, 1, 1)), st.integers(1, 60))
def test_counting_the_working_days_back_gives_as_many(day: date, days: int) -> None:
    result = add_working_days(day, days)
    between = [day + timedelta(days=step) for step in range(1, (result - day).days + 1)]
    assert sum(each.weekday() < 5 for each in between) == days
    assert result.weekday() < 5
