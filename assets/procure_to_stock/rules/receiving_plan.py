"""When and where a delivery is unloaded, and how much work it is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from assets.commerce.calendar import local_to_utc
from assets.procure_to_stock.replenishment_policy import Receiving


@dataclass(frozen=True)
class Slot:
    """A dock for a time (UTC); it is some of the policy's slots in a row."""

    dock_number: int
    starts_at: datetime
    ends_at: datetime


def labour_minutes(units: int, lines: int, policy: Receiving) -> int:
    """Work of unloading, checking and putting away: for the delivery, each line and each unit."""
    by_unit = ceil(units * 60 / policy.units_per_hour)
    return policy.minutes_per_delivery + lines * policy.minutes_per_line + by_unit


def find_slot(
    expected_at: datetime,
    minutes: int,
    taken: Collection[Slot],
    policy: Receiving,
    zone: str,
) -> Slot | None:
    """The earliest free time of a dock, at or after a delivery is expected.

    Args:
        expected_at: When it comes (UTC).
        minutes: Work of it, shared by the people of a dock.
        taken: Slots of the node that others have.
        policy: Docks, hours and people.
        zone: Where the node is; its hours are local.

    Returns:
        The slot, or ``None`` if no dock is free as far ahead as is planned.
    """
    slots = ceil(minutes / policy.people_per_dock / policy.slot_minutes)
    length = policy.slot_minutes * max(slots, 1)
    step = timedelta(minutes=policy.slot_minutes)
    day = expected_at.astimezone(ZoneInfo(zone)).date()
    for offset in range(policy.plans_ahead_days):
        today = day + timedelta(days=offset)
        starts = local_to_utc(datetime.combine(today, time(policy.opens_hour)), zone)
        closes = local_to_utc(datetime.combine(today, time(policy.closes_hour)), zone)
        # What takes longer than a day is begun when the docks open and goes on.
        lasts = min(timedelta(minutes=length), closes - starts)
        while starts + lasts <= closes:
            if starts >= expected_at:
                for dock in range(1, policy.docks + 1):
                    slot = Slot(dock, starts, starts + lasts)
                    if not any(_overlap(slot, other) for other in taken):
                        return slot
            starts += step
    return None


def _overlap(one: Slot, other: Slot) -> bool:
    return (
        one.dock_number == other.dock_number
        and one.starts_at < other.ends_at
        and other.starts_at < one.ends_at
    )
