"""Demand as it would have been: daily units without one-off bulk orders, promotions and gaps.

What could not be sold because nothing was there is no low demand, and what one customer took once
is no high one: both would be forecast on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: Where classes part: average days between demands, and squared variation of its sizes (Syntetos,
#: Boylan and Croston, "On the categorization of demand patterns", JORS 56, 2005).
INTERVAL_CUT = 1.32
VARIATION_CUT = 0.49
#: Of fewer values one outlier is the median, or half of it.
_MEDIAN_HOLDS_FROM = 3


class DemandClass(StrEnum):
    """How a demand comes: often or seldom, in like or in unlike sizes."""

    SMOOTH = "smooth"
    ERRATIC = "erratic"
    INTERMITTENT = "intermittent"
    LUMPY = "lumpy"


@dataclass(frozen=True)
class DemandHistory:
    """Daily demand of many series over the same days.

    Attributes:
        series: One row per series, with its key columns.
        first_day: Of the columns of all arrays.
        ordered: Units ordered (each), series by day.
        largest: Units of the largest line of the day.
        is_censored: Days on which the demand could not show itself, or was made: out of stock, or
            promoted.
    """

    series: pd.DataFrame
    first_day: np.datetime64
    ordered: Floats
    largest: Floats
    is_censored: Flags

    def until(self, days: int) -> DemandHistory:
        """The first so many days: what was known then."""
        return DemandHistory(
            self.series,
            self.first_day,
            self.ordered[:, :days],
            self.largest[:, :days],
            self.is_censored[:, :days],
        )

    def of(self, which: Flags | npt.NDArray[np.int64]) -> DemandHistory:
        """Some of the series."""
        return DemandHistory(
            self.series.iloc[np.flatnonzero(which) if which.dtype == np.bool_ else which],
            self.first_day,
            self.ordered[which],
            self.largest[which],
            self.is_censored[which],
        )


def history(daily: pd.DataFrame, keys: list[str], first_day: date, last_day: date) -> DemandHistory:
    """Put daily demand into arrays; a day without a row is a day without demand.

    Args:
        daily: One row per ``keys`` and ``demand_date``: ``ordered_quantity``,
            ``largest_line_quantity`` (each), ``is_out_of_stock`` and ``is_promoted``.
        keys: Columns that name a series.
        first_day: First of the days.
        last_day: Last of them, included.
    """
    first, last = np.datetime64(first_day, "D"), np.datetime64(last_day, "D")
    days = int((last - first).astype(int)) + 1
    codes, series = pd.factorize(pd.MultiIndex.from_frame(daily[keys]), sort=True)
    at = (daily["demand_date"].to_numpy("datetime64[D]") - first).astype(np.int64)
    inside = (at >= 0) & (at < days)
    codes, at, rows = codes[inside], at[inside], daily[inside]
    shape = (len(series), days)
    ordered, largest = np.zeros(shape), np.zeros(shape)
    np.add.at(ordered, (codes, at), rows["ordered_quantity"].to_numpy(np.float64))
    np.maximum.at(largest, (codes, at), rows["largest_line_quantity"].to_numpy(np.float64))
    is_censored = np.zeros(shape, np.bool_)
    flags = rows["is_out_of_stock"].to_numpy(np.bool_) | rows["is_promoted"].to_numpy(np.bool_)
    np.logical_or.at(is_censored, (codes, at), flags)
    frame = pd.DataFrame(list(series), columns=keys)
    return DemandHistory(frame, first, ordered, largest, is_censored)


def together(demand: DemandHistory, key: str) -> DemandHistory:
    """The series of one value of ``key`` as one: what a place that serves all regions is asked for.

    A day counts as censored where it is in all of them.
    """
    codes, names = pd.factorize(demand.series[key], sort=True)
    shape = (len(names), demand.ordered.shape[1])
    ordered, largest = np.zeros(shape), np.zeros(shape)
    np.add.at(ordered, codes, demand.ordered)
    np.maximum.at(largest, codes, demand.largest)
    is_seen = np.zeros(shape, np.bool_)
    np.logical_or.at(is_seen, codes, ~demand.is_censored)
    return DemandHistory(pd.DataFrame({key: names}), demand.first_day, ordered, largest, ~is_seen)


def bulk_caps(known: DemandHistory, bulk_multiple: int) -> Floats:
    """Units from which a line is a one-off of each series: a multiple of its usual largest line.

    What is usual is a median, which one line does not move from three days with a demand on; a
    series of fewer is taken for one as usual as the others.
    """
    sold = np.where(known.largest > 0, known.largest, np.nan)
    days = np.count_nonzero(known.largest > 0, axis=1)
    usual = np.full(len(sold), np.inf)
    usual[days > 0] = np.nanmedian(sold[days > 0], axis=1)
    is_told = days >= _MEDIAN_HOLDS_FROM
    if is_told.any():
        usual[~is_told & (days > 0)] = np.median(usual[is_told])
    return np.asarray(usual * bulk_multiple, np.float64)


def without_bulk(demand: DemandHistory, caps: Floats) -> Floats:
    """Units a day (each), of the largest line no more than the cap of its series."""
    return np.asarray(demand.ordered - np.maximum(demand.largest - caps[:, None], 0), np.float64)


def cleaned(demand: DemandHistory, bulk_multiple: int, looks_back_days: int) -> Floats:
    """Units a day (each) as they would have been.

    A censored day has the mean of the days of its series before it that are not, as far back as
    ``looks_back_days``: nothing that was not known on the day is used.
    """
    units = without_bulk(demand, bulk_caps(demand, bulk_multiple))
    if not demand.is_censored.any():
        return units
    is_known = ~demand.is_censored
    total = _trailing(np.where(is_known, units, 0.0), looks_back_days)
    count = _trailing(is_known.astype(np.float64), looks_back_days)
    usual = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    return np.asarray(np.where(demand.is_censored, usual, units), np.float64)


def _trailing(values: Floats, days: int) -> Floats:
    """Of each day the sum of the days before it."""
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)[:, :-1]
    before = np.zeros_like(sums)
    before[:, days:] = sums[:, :-days] if days < sums.shape[1] else sums[:, :0]
    return np.asarray(sums - before, np.float64)


def first_demand(units: Floats) -> npt.NDArray[np.int64]:
    """Position of the first day with a demand of each series; the last day where there is none."""
    has = units > 0
    first = np.where(has.any(axis=1), has.argmax(axis=1), units.shape[1] - 1)
    return np.asarray(first, np.int64)


def classify(units: Floats) -> npt.NDArray[np.object_]:
    """The `DemandClass` of each series, from its first demand on.

    A series with one demand or none is intermittent.
    """
    listed = units.shape[1] - first_demand(units)
    has = units > 0
    count = has.sum(axis=1)
    interval = listed / np.maximum(count, 1)
    mean = units.sum(axis=1) / np.maximum(count, 1)
    squares = np.where(has, np.square(units - mean[:, None]), 0.0).sum(axis=1)
    variance = squares / np.maximum(count - 1, 1)
    variation = variance / np.square(np.where(mean > 0, mean, 1.0))
    is_seldom = (interval >= INTERVAL_CUT) | (count < 2)
    is_unlike = (variation >= VARIATION_CUT) & (count >= 2)
    return np.select(
        [is_seldom & is_unlike, is_seldom, is_unlike],
        [DemandClass.LUMPY, DemandClass.INTERMITTENT, DemandClass.ERRATIC],
        DemandClass.SMOOTH,
    ).astype(object)
