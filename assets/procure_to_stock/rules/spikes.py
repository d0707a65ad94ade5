"""A region wants a class of products more than usual: found while it happens, order by order.

A cumulative sum of log-likelihood ratios for counts (Lucas, "Counted data CUSUM's", Technometrics
27, 1985) over the orders of a region, in their order: each that has the class speaks for a rise,
and each at all against it. The region's own orders are the clock, so that hours, weekends and
seasons raise no alarm. Orders are counted, not lines: those of one order are no independent
evidence.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.procure_to_stock.rules.planning_parameters import Watch

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: The usual part of a class is the greatest of these windows' (days): what rises slowly, or rose a
#: fortnight ago, is usual by now.
USUAL_WINDOWS = (14, 28)
#: A SKU that was first asked for less long ago is new, and no spike of its class.
NEW_DAYS = 28
#: What so large a part of all orders would have after the rise cannot rise like that.
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
    is_told = (since_first >= NEW_DAYS) | (day - since_first < NEW_DAYS)
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
    of_class = asked.groupby(level="product_class")["lines"].sum() / last
    busy = of_class[of_class >= watch.least_daily_lines]
    needed = watch.evidence + float(np.log(max(len(busy), 1)))
    region = lines["region"].iloc[0]
    alarms: list[tuple[object, ...]] = []
    for product_class in sorted(busy.index):
        of_one = asked.loc[product_class].reset_index()
        alarms += [
            (region, product_class, *alarm)
            for alarm in _of_class(of_one, orders_until, order_day, needed, watch)
        ]
    return alarms


def _sums(counts: Integers) -> Integers:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _usual(asked_until: Integers, orders_until: Integers) -> Floats:
    """Of each day the part of orders before it that has the class."""
    days = np.arange(len(orders_until) - 1)
    shares = []
    for window in USUAL_WINDOWS:
        start = np.maximum(days - window, 0)
        orders = orders_until[days] - orders_until[start]
        shares.append((asked_until[days] - asked_until[start] + 0.5) / (orders + 1))
    return np.asarray(np.max(shares, axis=0), np.float64)


def _of_class(
    asked: pd.DataFrame,
    orders_until: Integers,
    order_day: Integers,
    needed: float,
    watch: Watch,
) -> list[tuple[object, ...]]:
    """The alarms of one class: when, since when, and on what evidence."""
    day = asked["day"].to_numpy(np.int64)
    lines = asked["lines"].to_numpy(np.int64)
    share = _usual(_sums(np.bincount(day, minlength=len(orders_until) - 1)), orders_until)
    lines_until = _sums(np.bincount(day, weights=lines, minlength=len(share)).astype(np.int64))
    today = np.arange(len(share))
    window = max(USUAL_WINDOWS)
    recent = lines_until[today] - lines_until[np.maximum(today - window, 0)]
    is_busy = recent >= watch.least_daily_lines * np.minimum(np.maximum(today, 1), window)
    can_rise = watch.rise * share < _MOST_CERTAIN
    is_known = is_busy & can_rise & (today >= watch.least_days)
    # ln(ρ) for each order with the class, (ρ − 1)·p against it for every order at all.
    against = np.where(is_known, (watch.rise - 1) * share, 0.0)[order_day]
    place = asked["order"].to_numpy(np.int64)
    gain = np.where(is_known[day], np.log(watch.rise), 0.0)
    after = np.cumsum(gain) - np.cumsum(against)[place]
    before = after - gain
    alarms: list[tuple[object, ...]] = []
    placed = asked["placed_at"].to_numpy()
    start = 0
    while start < len(asked):
        least = np.minimum.accumulate(before[start:])
        reached = np.flatnonzero(after[start:] - least >= needed)
        if not len(reached):
            break
        end = start + int(reached[0])
        onset = start + int(np.argmin(before[start : end + 1]))
        orders = int(place[end] - place[onset]) + 1
        seen = end - onset + 1
        alarms.append(
            (
                placed[end],
                placed[onset],
                seen,
                int(lines[onset : end + 1].sum()),
                float(share[day[end]]),
                seen / orders,
                float(after[end] - before[onset]),
            )
        )
        start = int(np.searchsorted(day, day[end] + watch.quiet_days))
    return alarms
