"""A demand that was, met once more by other orders: what a way of ordering would have been worth.

Day by day, for all SKUs at once: what was ordered comes, demand is met or waits, and in the evening
it is decided what to order. Two ways are held against each other on the same demand and the same
lead times: forecast, safety stock and order sizes by policy; and a minimum and maximum from the
average of the last weeks, as a spreadsheet has it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.procure_to_stock.replenishment_policy import ReplenishmentPolicy
from assets.procure_to_stock.rules.demand import DemandHistory
from assets.procure_to_stock.rules.expected_demand import Expected, expect
from assets.procure_to_stock.rules.forecasting import seen_quantile
from assets.procure_to_stock.rules.replenishment import levels

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: A spreadsheet is brought up to date so often, and looks so far back.
BASELINE_EVERY_DAYS = 28
BASELINE_LOOKS_BACK_DAYS = 28
#: Reorder below the lead time's average demand and so many days more; order up to two weeks above.
BASELINE_MARGIN_DAYS = 7
BASELINE_COVER_DAYS = 14
_MOST_MARGIN_DAYS = 120
#: Forecasts are made anew every week, and the models chosen anew as the policy says.
_FORECAST_EVERY_DAYS = 7


@dataclass(frozen=True)
class Supply:
    """How ordered goods come.

    Attributes:
        lead_days: Days from an order to its goods, SKU by day of the order: the same for every way
            of ordering.
        mean_days: What planners believe it is.
        deviation_days: And how much it varies.
    """

    lead_days: Integers
    mean_days: float
    deviation_days: float


def supply(shape: tuple[int, int], mean_days: float, deviation_days: float, seed: int) -> Supply:
    """Lead times by a gamma distribution of that mean and deviation, at least one day."""
    form = np.square(mean_days / deviation_days)
    drawn = np.random.default_rng(seed).gamma(form, mean_days / form, shape)
    return Supply(np.maximum(np.rint(drawn), 1).astype(np.int64), mean_days, deviation_days)


@dataclass(frozen=True)
class Served:
    """What became of the demand of the days that were judged.

    Attributes:
        fill_rate: Part of the units that left at once.
        cycle_service: Part of the SKUs' cycles, from one delivery to the next, without a shortage.
        stock_out_days: Part of the SKUs' days on which something asked for was not there.
        mean_stock_units: On hand at the end of a day, of all SKUs.
        cover_days: That, by the mean daily demand.
        orders: Made.
        ordered_units: In all of them.
    """

    fill_rate: float
    cycle_service: float
    stock_out_days: float
    mean_stock_units: float
    cover_days: float
    orders: int
    ordered_units: int


#: (day, what was known by its evening) → reorder point and target of each SKU.
Levels = Callable[[int, DemandHistory], tuple[Integers, Integers]]


def by_policy(policy: ReplenishmentPolicy, supplied: Supply) -> Levels:
    """Levels as the product's own rules make them."""
    made: Expected | None = None
    held: tuple[Integers, Integers] | None = None
    chosen_on = forecast_on = -1

    def decide(day: int, known: DemandHistory) -> tuple[Integers, Integers]:
        nonlocal made, held, chosen_on, forecast_on
        if held is not None and day < forecast_on + _FORECAST_EVERY_DAYS:
            return held
        forecast_on = day
        if made is None or day >= chosen_on + policy.forecasting.models_kept_days:
            chosen_on = day
            made = expect(known, policy.backtest)
        else:
            made = expect(known, policy.backtest, made.models, made.errors)
        lasts = int(np.ceil(supplied.mean_days + policy.review_days))
        days = np.full(len(made.units), lasts)
        found = levels(
            made.table.assign(
                seen_quantile=seen_quantile(made.units, days, policy.target.share),
                lead_time_days=supplied.mean_days,
                lead_time_deviation_days=supplied.deviation_days,
            ),
            policy,
        )
        held = (
            found["reorder_point_quantity"].to_numpy(np.int64),
            found["target_quantity"].to_numpy(np.int64),
        )
        return held

    return decide


def by_minimum_and_maximum(supplied: Supply, margin_days: int = BASELINE_MARGIN_DAYS) -> Levels:
    """Levels as a spreadsheet has them: days of the average demand of the last weeks."""
    held: tuple[Integers, Integers] | None = None
    made_on = -1

    def decide(day: int, known: DemandHistory) -> tuple[Integers, Integers]:
        nonlocal held, made_on
        if held is None or day >= made_on + BASELINE_EVERY_DAYS:
            made_on = day
            daily = known.ordered[:, -BASELINE_LOOKS_BACK_DAYS:].mean(axis=1)
            least = np.ceil(daily * (supplied.mean_days + margin_days))
            most = np.ceil(least + daily * BASELINE_COVER_DAYS)
            held = least.astype(np.int64), most.astype(np.int64)
        return held

    return decide


def simulate(demand: DemandHistory, starts_on: int, supplied: Supply, decide: Levels) -> Served:
    """Meet a demand from a day on, ordering as ``decide`` says; what is short waits for goods.

    Args:
        demand: All of it; of what comes after a day nothing is told to ``decide``.
        starts_on: Day from which it is met; what was before is only known. Stock then is what
            ``decide`` wants to have.
        supplied: How goods come.
        decide: The way of ordering.
    """
    asked = demand.ordered.astype(np.int64)
    count, days = asked.shape
    reorder_point, target = decide(starts_on - 1, demand.until(starts_on))
    on_hand, arriving = target.copy(), np.zeros((count, days + 1), np.int64)
    waiting, on_order = np.zeros(count, np.int64), np.zeros(count, np.int64)
    is_short = np.zeros(count, np.bool_)
    at_once = short_days = cycles = good_cycles = orders = ordered = 0
    stock = 0.0
    for day in range(starts_on, days):
        came = arriving[:, day]
        on_order -= came
        ended = came > 0
        cycles += int(ended.sum())
        good_cycles += int((ended & ~is_short).sum())
        is_short &= ~ended
        served = np.minimum(on_hand + came, waiting)
        on_hand += came - served
        waiting -= served
        now = np.minimum(on_hand, asked[:, day])
        on_hand -= now
        missing = asked[:, day] - now
        waiting += missing
        is_short |= missing > 0
        at_once += int(now.sum())
        short_days += int((missing > 0).sum())
        stock += float(on_hand.sum())
        reorder_point, target = decide(day, demand.until(day + 1))
        position = on_hand + on_order - waiting
        quantity = np.where(position <= reorder_point, np.maximum(target - position, 0), 0)
        on_order += quantity
        orders += int((quantity > 0).sum())
        ordered += int(quantity.sum())
        due = np.minimum(day + supplied.lead_days[:, day], days)
        np.add.at(arriving, (np.arange(count), due), quantity)
    judged = days - starts_on
    total = int(asked[:, starts_on:].sum())
    return Served(
        fill_rate=at_once / total if total else 1.0,
        cycle_service=good_cycles / cycles if cycles else 1.0,
        stock_out_days=short_days / (count * judged),
        mean_stock_units=stock / judged,
        cover_days=stock / total if total else 0.0,
        orders=orders,
        ordered_units=ordered,
    )


def compare(
    demand: DemandHistory, policy: ReplenishmentPolicy, starts_on: int, seed: int
) -> pd.DataFrame:
    """Both ways of ordering on the same demand and lead times.

    Goods take the policy's forecast horizon in the mean, varying as it assumes of suppliers. Who
    holds more stock serves better by that alone, so a spreadsheet with at least as much stock as
    the policy is shown too: its margin is the least number of days that holds so much.

    Returns:
        One row per ``way``, with the figures of `Served`.
    """
    mean = float(policy.forecasting.horizon_days)
    deviation = mean * policy.lead_times.assumed_deviation_basis_points / 10_000
    supplied = supply((len(demand.series), demand.ordered.shape[1]), mean, deviation, seed)

    def spreadsheet(margin_days: int) -> Served:
        return simulate(demand, starts_on, supplied, by_minimum_and_maximum(supplied, margin_days))

    product = simulate(demand, starts_on, supplied, by_policy(policy, supplied))
    usual = spreadsheet(BASELINE_MARGIN_DAYS)
    few, many, alike = BASELINE_MARGIN_DAYS, _MOST_MARGIN_DAYS, usual
    while few < many and alike.mean_stock_units < product.mean_stock_units:
        margin = (few + many) // 2
        tried = spreadsheet(margin)
        if tried.mean_stock_units < product.mean_stock_units:
            few = margin + 1
        else:
            many = margin
        if few == many:
            alike = spreadsheet(many)
    ways = {
        "by policy": product,
        "minimum and maximum": usual,
        "the same with as much stock": alike,
    }
    return pd.DataFrame([{"way": way, **vars(served)} for way, served in ways.items()])
