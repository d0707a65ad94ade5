"""Days and zones at the edge: the trading day of an instant, and working days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def utc_text(instant: datetime) -> str:
    """An instant as every report says it: ISO 8601 in UTC, ending in Z."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def trading_date(instant: datetime, zone: str) -> date:
    """The local calendar day, in an IANA zone, on which an instant falls."""
    return instant.astimezone(ZoneInfo(zone)).date()


def local_to_utc(local: datetime, zone: str) -> datetime:
    """A zone-less local time as UTC; the first of two when the clock went back."""
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def add_working_days(day: date, days: int) -> date:
    """The date that many Monday-to-Friday days later; zero days leaves the date as it is."""
    if not days:
        return day
    # Counted from the last working day, so that a weekend is not one itself.
    result = day - timedelta(days=max(0, day.weekday() - 4))
    weeks, rest = divmod(days, 5)
    result += timedelta(weeks=weeks)
    while rest:
        result += timedelta(days=1)
        rest -= result.weekday() < 5
    return result


def start_of_day(day: date, zone: str) -> datetime:
    """The first instant of a local day, in UTC."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def end_of_day(day: date, zone: str) -> datetime:
    """The last second of a local day, in UTC."""
    return datetime.combine(day, time(23, 59, 59), ZoneInfo(zone)).astimezone(UTC)
