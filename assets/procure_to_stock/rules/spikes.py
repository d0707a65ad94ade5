"""A region wants a class of products more than usual: found while it happens, order by order.

A cumulative sum of log-likelihood ratios for a proportion (Reynolds and Stoumbos, "A CUSUM chart
for monitoring a proportion when inspecting continuously", Journal of Quality Technology 31, 1999)
over the orders of a region, in their order: each that has the class speaks for a rise, each that
has not against it. The region's own orders are the clock, so that hours, weekends and seasons raise
no alarm; and because those of a spike are among them, what rises is the odds of the class and not
its part. Orders are counted, not lines: those of one order are no independent evidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.procure_to_stock.rules.planning_parameters import Watch

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: Of what so large a part of all orders would have after the rise nothing can be said.
_MOST_CERTAIN = 0.9
COLUMNS = (
    "region",
    "product_class",
    "detected_at",
    "onset_at",
    "orders_seen",
    "lines_seen",
    "usual_share",
    "seen_share",
    "evidence",
)


def detect(lines: pd.DataFrame, watch: Watch) -> pd.DataFrame:
    """Find when a class of a region was asked for more than usual.

    Args:
        lines: One row per order line, in order of ``placed_at`` and ``order_id``: ``region``,
            ``order_id``, ``product_class``, ``sku`` and ``placed_at`` (UTC, without a zone).
        watch: What is looked for.

    Returns:
        One row per alarm, by time: the columns of `COLUMNS`. ``orders_seen`` and ``lines_seen``
        are those of the class since ``onset_at``, when the evidence began to grow.
    """
    found = [
        alarm
        for _, of_region in lines.groupby("region", sort=True)
        for alarm in _in_region(of_region, watch)
    ]
    table = pd.DataFrame(found, columns=list(COLUMNS))
    return table.sort_values(["detected_at", "region", "product_class"], ignore_index=True)


def _in_region(lines: pd.DataFrame, watch: Watch) -> list[tuple[object, ...]]:
    order = pd.factorize(lines["order_id"])[0]
    placed = lines["placed_at"].to_numpy("datetime64[s]")
    days = placed.astype("datetime64[D]").astype(np.int64)
    day = days - days[0]
    last = int(day[-1]) + 1
    order_day = day[np.unique(order, return_index=True)[1]]
    orders_until = _sums(np.bincount(order_day, minlength=last))
    since_first = (
        days - pd.Series(days).groupby(lines["sku"].to_numpy()).transform("min").to_numpy()
    )
    # At the beginning everything is new, so that nothing is.
    is_told = (since_first >= watch.new_days) | (day - since_first < watch.new_days)
    counted = pd.DataFrame(
        {
            "product_class": lines["product_class"].to_numpy(),
            "order": order,
            "day": day,
            "placed_at": placed,
        }
    )[is_told]
    asked = counted.groupby(["product_class", "order"], sort=True).agg(
        lines=("day", "size"), day=("day", "first"), placed_at=("placed_at", "first")
    )
    lines_of = asked.groupby(level="product_class")["lines"].sum()
    # Nobody else can have been busy for a whole window.
    busy = lines_of[lines_of >= watch.least_daily_lines * min(watch.usual_days, last)]
    watched = {
        str(product_class): _watched(asked.loc[product_class], orders_until, watch)
        for product_class in sorted(busy.index)
    }
    # More classes are more chances to be wrong.
    count = sum((one.is_known.astype(np.int64) for one in watched.values()), np.zeros(last))
    needed = watch.evidence + np.log(np.maximum(count, 1))
    region = lines["region"].iloc[0]
    return [
        (region, product_class, *alarm)
        for product_class, one in watched.items()
        for alarm in _alarms(one, order_day, needed, watch)
    ]


def _sums(counts: Integers) -> Integers:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _within(until: Integers, window: int) -> Integers:
    """Of each day, how many there were in so many days before it."""
    days = np.arange(len(until) - 1)
    return np.asarray(until[days] - until[np.maximum(days - window, 0)], np.int64)


@dataclass(frozen=True)
class _Watched:
    """One class of a region.

    Attributes:
        place: Of each order that has it, among all orders of the region.
        day: Of each of them, as `lines` and `placed_at`.
        share: Of each day, the usual part of the orders.
        is_known: Of each day, whether the class is watched.
    """

    place: Integers
    day: Integers
    lines: Integers
    placed_at: npt.NDArray[np.datetime64]
    share: Floats
    is_known: Flags


def _watched(asked: pd.DataFrame, orders_until: Integers, watch: Watch) -> _Watched:
    """When a class may be watched: it is busy, lately and for long, and could rise."""
    day = asked["day"].to_numpy(np.int64)
    lines = asked["lines"].to_numpy(np.int64)
    days = len(orders_until) - 1
    asked_until = _sums(np.bincount(day, minlength=days))
    lines_until = _sums(np.bincount(day, weights=lines, minlength=days).astype(np.int64))
    window = watch.usual_days
    share = (_within(asked_until, window) + 0.5) / (_within(orders_until, window) + 1)
    today = np.arange(days)
    is_known = today >= watch.least_days
    for lately in (window, watch.least_days):
        known_days = np.minimum(np.maximum(today, 1), lately)
        is_known &= _within(lines_until, lately) >= watch.least_daily_lines * known_days
    is_known &= watch.rise * share / _after_rise(share, watch) < _MOST_CERTAIN
    place = asked.index.to_numpy(np.int64)
    return _Watched(place, day, lines, asked["placed_at"].to_numpy(), share, is_known)


def _after_rise(share: Floats, watch: Watch) -> Floats:
    """1 − p + ρ·p: all orders after the odds of a class rose by ρ, as part of those before."""
    return np.asarray(1 + (watch.rise - 1) * share, np.float64)


def _alarms(
    one: _Watched, order_day: Integers, needed: Floats, watch: Watch
) -> list[tuple[object, ...]]:
    """When a class rose, since when, and on what evidence."""
    # ln(ρ) for each order with the class, ln(1 − p + ρ·p) against it for every order at all.
    against = np.where(one.is_known, np.log(_after_rise(one.share, watch)), 0.0)[order_day]
    gain = np.where(one.is_known[one.day], np.log(watch.rise), 0.0)
    after = np.cumsum(gain) - np.cumsum(against)[one.place]
    before = after - gain
    enough = needed[one.day]
    alarms: list[tuple[object, ...]] = []
    start = 0
    while start < len(after):
        least = np.minimum.accumulate(before[start:])
        reached = np.flatnonzero(after[start:] - least >= enough[start:])
        if not len(reached):
            break
        end = start + int(reached[0])
        onset = start + int(np.argmin(before[start : end + 1]))
        orders = int(one.place[end] - one.place[onset]) + 1
        seen = end - onset + 1
        alarms.append(
            (
                one.placed_at[end],
                one.placed_at[onset],
                seen,
                int(one.lines[onset : end + 1].sum()),
                float(one.share[one.day[end]]),
                seen / orders,
                float(after[end] - before[onset]),
            )
        )
        start = int(np.searchsorted(one.day, one.day[end] + watch.quiet_days))
    return alarms
