"""When goods can leave a node and arrive: its pickups in its own zone, then working days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from assets.commerce.calendar import local_to_utc
from assets.order_to_fulfillment.sourcing.policy import WEEKDAYS, NodeTerms, cut_off

Instants = npt.NDArray[np.datetime64]
Days = npt.NDArray[np.datetime64]
Flags = npt.NDArray[np.bool_]

#: Days are laid out by whole months, so that batches of one month share what was worked out.
_BLOCK_DAYS = 32


@dataclass(frozen=True)
class Departures:
    """What one node makes of several orders.

    Attributes:
        day: Local day of the first pickup that the order can still make; ``NaT`` without one.
        is_after_cut_off: The day of the order had a pickup, and it had gone.
        is_blacked_out: A blackout lies between the order and its pickup.
    """

    day: Days
    is_after_cut_off: Flags
    is_blacked_out: Flags


def local_days(instants: Instants, zone: str) -> Days:
    """The local calendar day of UTC instants."""
    if not len(instants):
        return np.array([], "datetime64[D]")
    first = instants.min().astype("datetime64[D]").astype(date) - timedelta(days=1)
    last = instants.max().astype("datetime64[D]").astype(date) + timedelta(days=1)
    days, midnights = _midnights(zone, first, last)
    result: Days = days[np.searchsorted(midnights, instants, side="right") - 1]
    return result


def departures(
    instants: Instants, zone: str, terms: NodeTerms, longest_wait_days: int
) -> Departures:
    """The first pickup for orders decided at UTC instants.

    An order makes a pickup when its handling ends by it; both are instants, so a day on which the
    clock changes has its cut-off at the same local time as any other. A node without one within
    ``longest_wait_days`` of the order's day does not ship for it.
    """
    today = local_days(instants, zone)
    if not len(instants):
        none = np.array([], bool)
        return Departures(today, none, none)
    days, pickups, blackouts = _pickups(
        zone,
        tuple(sorted(terms.cut_off_by_weekday.items())),  # type: ignore[union-attr]
        tuple(sorted(terms.blackout_dates)),  # type: ignore[arg-type]
        *_block(today, longest_wait_days),
    )
    ready = instants + np.timedelta64(_hours(terms), "h")
    index = np.searchsorted(pickups, ready, side="left")
    has_pickup = index < len(pickups)
    day = np.full(len(instants), np.datetime64("NaT", "D"))
    day[has_pickup] = days[index[has_pickup]]
    horizon = today + np.timedelta64(longest_wait_days, "D")
    has_pickup &= ~(day > horizon)
    day[~has_pickup] = np.datetime64("NaT", "D")
    until = np.where(has_pickup, day, horizon)
    skipped = np.searchsorted(blackouts, until) - np.searchsorted(blackouts, today)
    is_open = np.isin(today, days)
    return Departures(day, is_open & has_pickup & (day > today), skipped > 0)


def arrivals(departed: Days, transit_working_days: npt.NDArray[np.int64]) -> Days:
    """The day of arrival: that many Monday-to-Friday days later; ``NaT`` stays."""
    result = departed.copy()
    moving = ~np.isnat(departed) & (transit_working_days > 0)
    # As `add_working_days`: counted from the last working day, so that a weekend is not one.
    result[moving] = np.busday_offset(
        departed[moving], transit_working_days[moving], roll="backward"
    )
    return result


def _hours(terms: NodeTerms) -> int:
    return terms.handling_hours if isinstance(terms.handling_hours, int) else 0


def _days(first: date, end: date) -> Days:
    """Every day from ``first`` up to and without ``end``."""
    return np.arange(np.datetime64(first), np.datetime64(end), np.timedelta64(1, "D"))


def _block(days: Days, longest_wait_days: int) -> tuple[date, date]:
    first = days.min().astype(date) - timedelta(days=1)
    last = days.max().astype(date)
    start = date.fromordinal(first.toordinal() // _BLOCK_DAYS * _BLOCK_DAYS)
    blocks = (last - start).days // _BLOCK_DAYS + 1
    return start, start + timedelta(days=blocks * _BLOCK_DAYS + longest_wait_days)


@lru_cache(maxsize=256)
def _midnights(zone: str, first: date, last: date) -> tuple[Days, Instants]:
    days = _days(first, last + timedelta(days=1))
    midnights = [_utc(day, "00:00", zone) for day in days.astype(object)]
    return days, np.array(midnights, "datetime64[us]")


@lru_cache(maxsize=2_048)
def _pickups(
    zone: str,
    cut_offs: tuple[tuple[str, str], ...],
    blackout_dates: tuple[date, ...],
    first: date,
    last: date,
) -> tuple[Days, Instants, Days]:
    """Days with a pickup, its instant, and blackouts of days that would have had one."""
    by_weekday = dict(cut_offs)
    dark = set(blackout_dates)
    open_days, pickups, blackouts = [], [], []
    for day in _days(first, last).astype(object):
        at = by_weekday.get(WEEKDAYS[day.weekday()])
        if at is None:
            continue
        if day in dark:
            blackouts.append(day)
            continue
        open_days.append(day)
        pickups.append(_utc(day, at, zone))
    return (
        np.array(open_days, "datetime64[D]"),
        np.array(pickups, "datetime64[us]"),
        np.array(blackouts, "datetime64[D]"),
    )


def _utc(day: date, at: str, zone: str) -> datetime:
    return local_to_utc(datetime.combine(day, cut_off(at)), zone).replace(tzinfo=None)
