"""Where decision windows end: aligned to local midnight, whatever the clocks do that night."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from assets.errors import BadInput

DAY = timedelta(days=1)


def local_midnight(day: date, zone: str) -> datetime:
    """The first instant of a local day, in UTC."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def check_quantum(quantum: timedelta) -> None:
    """Refuse a quantum that would drift away from midnight.

    Raises:
        BadInput: If it neither divides a day nor is a multiple of one.
    """
    if quantum <= timedelta(0) or (DAY % quantum and quantum % DAY):
        raise BadInput(f"a window of {quantum} neither divides a day nor is a number of days")


def window_end(instant: datetime, quantum: timedelta, zone: str) -> datetime:
    """The end of the window (previous end, end] that holds an instant, in UTC.

    Shorter windows than a day are counted in elapsed time from local midnight and the last one is
    cut there, so a day of 23 or 25 hours begins and ends like any other. Windows of several days
    begin on days counted from a Monday, so that where a reading starts does not move them.
    """
    day = instant.astimezone(ZoneInfo(zone)).date()
    midnight = local_midnight(day, zone)
    if quantum < DAY:
        passed = -((midnight - instant) // quantum)
        return min(midnight + passed * quantum, local_midnight(day + DAY, zone))
    days = quantum // DAY
    behind = (day.toordinal() - 1) % days
    if behind == 0 and instant == midnight:
        return midnight
    return local_midnight(day + timedelta(days=days - behind), zone)
