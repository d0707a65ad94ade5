"""Which model forecasts a class of demand best, and what it says.

The models are those of `statsforecast`; each class has the one that was best in a backtest over
its own series, on the error of the daily forecast (RMSSE) and on the pinball loss of the lead-time
demand at the service quantile, that is, on what safety stock is made of. Seasonal naive is a
candidate and the measure of both, so that no choice is worse than it. Everything that a forecast
of a day uses was known on the day before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.procure_to_stock.rules.demand import (
    DemandClass,
    DemandHistory,
    bulk_caps,
    classify,
    cleaned,
    first_demand,
    without_bulk,
)
from assets.procure_to_stock.rules.planning_parameters import Backtest
from assets.procure_to_stock.rules.safety_stock import normal_quantile

Floats = npt.NDArray[np.float64]

NAIVE = "naive"
SEASONAL_NAIVE = "seasonal_naive"
#: The days of a week.
SEASON = 7
#: A series shorter than this says nothing of a trend or a season: it is forecast by its mean.
LEAST_DAYS = 3 * SEASON
#: The methods of Teunter, Syntetos and Babai are usually run with such weights.
_TSB_WEIGHTS = (0.1, 0.1)


def _models() -> Mapping[str, Callable[[], object]]:
    """What may be chosen; loaded when it is asked for, since that takes seconds."""
    from statsforecast import models

    return {
        SEASONAL_NAIVE: lambda: models.SeasonalNaive(SEASON),
        NAIVE: models.Naive,
        "simple_exponential_smoothing": models.SimpleExponentialSmoothingOptimized,
        "croston": models.CrostonOptimized,
        "tsb": lambda: models.TSB(*_TSB_WEIGHTS),
        "theta": lambda: models.Theta(season_length=1),
        "holt": lambda: models.Holt(season_length=1),
    }


_OF_SELDOM = ("simple_exponential_smoothing", "croston", "tsb")
#: What is tried for each class beside seasonal naive. Where demand is seldom there is no trend to
#: follow, and following one costs a hundred times as much.
CANDIDATES: Mapping[str, Sequence[str]] = {
    DemandClass.SMOOTH: (*_OF_SELDOM, "theta", "holt"),
    DemandClass.ERRATIC: (*_OF_SELDOM, "theta", "holt"),
    DemandClass.INTERMITTENT: _OF_SELDOM,
    DemandClass.LUMPY: _OF_SELDOM,
}


def forecast(units: Floats, model: str, days: int) -> Floats:
    """Units of each of the next days (each), series by day; never below zero.

    Args:
        units: Cleaned demand, series by day; days before a series' first demand are left out.
        model: One of the names above.
        days: How many.
    """
    fitted = _models()[model]()
    starts = first_demand(units)
    result = np.zeros((len(units), days))
    for series, start in enumerate(starts.tolist()):
        known = units[series, start:]
        if len(known) < LEAST_DAYS or not known.any():
            result[series] = known.mean()
            continue
        said = fitted.forecast(y=np.ascontiguousarray(known), h=days)["mean"]  # type: ignore[attr-defined]
        result[series] = np.where(np.isfinite(said), said, known.mean())
    return np.asarray(np.maximum(result, 0.0), np.float64)


@dataclass(frozen=True)
class Tried:
    """What one model's forecasts of the past were worth, series by series.

    Attributes:
        rmsse: Root mean squared scaled error of each series, over the windows; NaN where a series
            had not changed from day to day before, so that nothing scales its error.
        pinball: Pinball loss of the demand over a window at the service quantile, in units of the
            series' mean daily demand; NaN where there was none.
        deviation: Root mean squared error of a day (each): σ of safety stock.
    """

    rmsse: Floats
    pinball: Floats
    deviation: Floats


def try_out(demand: DemandHistory, model: str, plan: Backtest) -> Tried:
    """Forecast the end of the history from what was before it, window by window."""
    days = demand.ordered.shape[1]
    horizon = plan.horizon_days
    z = float(normal_quantile(plan.service_level))
    squared: list[Floats] = []
    scaled: list[Floats] = []
    losses: list[Floats] = []
    for window in range(plan.windows, 0, -1):
        cutoff = days - window * horizon
        known = demand.until(cutoff)
        past = cleaned(known, plan.bulk_multiple, plan.looks_back_days)
        said = forecast(past, model, horizon)
        caps = bulk_caps(known, plan.bulk_multiple)
        came = without_bulk(demand, caps)[:, cutoff : cutoff + horizon]
        # A day that could not show its demand judges no forecast.
        is_judged = ~demand.is_censored[:, cutoff : cutoff + horizon]
        error = np.where(is_judged, came - said, np.nan)
        if squared:
            spread = np.sqrt(_mean(np.concatenate(squared, axis=1)))
            quantile = said.sum(axis=1) + z * spread * np.sqrt(horizon)
            beyond = came.sum(axis=1) - quantile
            loss = np.maximum(plan.service_level * beyond, (plan.service_level - 1) * beyond)
            level = _listed_mean(past)
            is_usable = is_judged.all(axis=1) & (level > 0)
            losses.append(np.where(is_usable, loss / np.where(level > 0, level, 1), np.nan))
        squared.append(np.square(error))
        scaled.append(np.square(error) / _scale(past)[:, None])
    errors = np.concatenate(squared, axis=1)
    deviation = np.sqrt(np.nan_to_num(_mean(errors)))
    rmsse = np.sqrt(_mean(np.concatenate(scaled, axis=1)))
    pinball = _mean(np.column_stack(losses)) if losses else np.full(len(errors), np.nan)
    return Tried(rmsse, pinball, deviation)


def _mean(values: Floats) -> Floats:
    """Of each row the mean of what is known of it; NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    mean = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    return np.asarray(mean, np.float64)


def _listed_mean(units: Floats) -> Floats:
    listed = units.shape[1] - first_demand(units)
    return np.asarray(units.sum(axis=1) / listed, np.float64)


def _scale(units: Floats) -> Floats:
    """Mean squared change from day to day since the first demand; NaN where there was none.

    The denominator of RMSSE, as the M5 competition has it.
    """
    changes = np.square(np.diff(units, axis=1))
    starts = first_demand(units)
    is_listed = np.arange(1, units.shape[1])[None, :] > starts[:, None]
    count = is_listed.sum(axis=1)
    total = np.where(is_listed, changes, 0.0).sum(axis=1)
    mean = np.divide(total, count, out=np.full(len(units), np.nan), where=count > 0)
    return np.where(mean > 0, mean, np.nan)


@dataclass(frozen=True)
class Choice:
    """The model of each class, and what it was off by.

    Attributes:
        tried: One row per class that has a series and model that was tried on all of them:
            ``demand_class``, ``model``, ``series_count``, ``rmsse``, ``pinball_loss`` (means over
            series) and ``is_chosen``.
        models: The chosen one by class.
        deviation: Of each series, the root mean squared error of a day by its class's model (each).
    """

    tried: pd.DataFrame
    models: dict[str, str]
    deviation: Floats


def choose(demand: DemandHistory, classes: npt.NDArray[np.object_], plan: Backtest) -> Choice:
    """The model of each class that does best in the backtest.

    Candidates are tried on a sample; the best of it is then tried on all series of the class, and
    the next best is taken where it is worse than seasonal naive there on either measure.
    """
    rows: list[dict[str, object]] = []
    models: dict[str, str] = {}
    deviation = np.zeros(len(classes))
    for demand_class in DemandClass:
        of_class = np.flatnonzero(classes == demand_class)
        if not len(of_class):
            continue
        whole, chosen = _of_class(demand.of(of_class), demand_class, plan)
        models[str(demand_class)] = chosen
        deviation[of_class] = whole[chosen].deviation
        rows += [
            {
                "demand_class": demand_class,
                "model": model,
                "series_count": len(of_class),
                "rmsse": average(tried.rmsse),
                "pinball_loss": average(tried.pinball),
                "is_chosen": model == chosen,
            }
            for model, tried in whole.items()
        ]
    columns = ["demand_class", "model", "series_count", "rmsse", "pinball_loss", "is_chosen"]
    return Choice(pd.DataFrame(rows, columns=columns), models, deviation)


def _of_class(
    demand: DemandHistory, demand_class: str, plan: Backtest
) -> tuple[dict[str, Tried], str]:
    """What was tried on all series of the class, and which of it is chosen."""
    candidates = CANDIDATES[demand_class]
    count = len(demand.series)
    step = max(count // plan.sample_series, 1)
    sample = demand.of(np.arange(0, count, step)[: plan.sample_series])
    on_sample = {model: try_out(sample, model, plan) for model in (SEASONAL_NAIVE, *candidates)}
    against = on_sample[SEASONAL_NAIVE]
    ranking = sorted(candidates, key=lambda model: _worth(on_sample[model], against))
    measure = try_out(demand, SEASONAL_NAIVE, plan)
    whole = {SEASONAL_NAIVE: measure, NAIVE: try_out(demand, NAIVE, plan)}
    for model in ranking:
        whole[model] = try_out(demand, model, plan)
        if _is_no_worse(whole[model], measure):
            return whole, model
    return whole, SEASONAL_NAIVE


def average(values: Floats) -> float:
    """Mean over the series that have a value; NaN where none has."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _worth(tried: Tried, measure: Tried) -> float:
    """Both measures beside seasonal naive's; less is better, 2 is as good as that."""
    ratios = [
        average(one) / average(other)
        for one, other in ((tried.rmsse, measure.rmsse), (tried.pinball, measure.pinball))
        if average(other) > 0
    ]
    return sum(ratios) if ratios else float("inf")


def _is_no_worse(tried: Tried, measure: Tried) -> bool:
    return not (
        average(tried.rmsse) > average(measure.rmsse)
        or average(tried.pinball) > average(measure.pinball)
    )


def forecast_by_class(
    demand: DemandHistory, models: Mapping[str, str], plan: Backtest, days: int
) -> pd.DataFrame:
    """What each series' class's model says of the next days.

    Returns:
        ``demand.series`` plus ``demand_class``, ``model`` and ``daily_demand`` (each, mean of the
        next days).
    """
    units = cleaned(demand, plan.bulk_multiple, plan.looks_back_days)
    classes = classify(units)
    daily = np.zeros(len(units))
    for demand_class in set(classes.tolist()):
        of_class = np.flatnonzero(classes == demand_class)
        model = models.get(demand_class, SEASONAL_NAIVE)
        daily[of_class] = forecast(units[of_class], model, days).mean(axis=1)
    named = [models.get(demand_class, SEASONAL_NAIVE) for demand_class in classes.tolist()]
    return demand.series.assign(demand_class=classes, model=named, daily_demand=daily)


def deviations(
    demand: DemandHistory,
    classes: npt.NDArray[np.object_],
    models: Mapping[str, str],
    plan: Backtest,
) -> Floats:
    """Root mean squared error of a day of each series' own model in the backtest (each)."""
    result = np.zeros(len(classes))
    for demand_class in set(classes.tolist()):
        of_class = np.flatnonzero(classes == demand_class)
        model = models.get(demand_class, SEASONAL_NAIVE)
        result[of_class] = try_out(demand.of(of_class), model, plan).deviation
    return result


def seen_quantile(
    units: Floats, days: Sequence[int] | npt.NDArray[np.int64], share: float
) -> Floats:
    """The demand over so many days in a row that a share of a series' stretches is within.

    For intermittent and lumpy demand, where no normal law holds: all stretches since the first
    demand are looked at, overlapping ones too.
    """
    starts = first_demand(units)
    lengths = np.minimum(np.asarray(days, np.int64), units.shape[1] - starts)
    result = np.zeros(len(units))
    sums = np.concatenate([np.zeros((len(units), 1)), np.cumsum(units, axis=1)], axis=1)
    for length in np.unique(lengths).tolist():
        of_length = np.flatnonzero(lengths == length)
        stretches = sums[of_length, length:] - sums[of_length, :-length]
        is_listed = np.arange(stretches.shape[1])[None, :] >= starts[of_length, None]
        result[of_length] = np.nanquantile(
            np.where(is_listed, stretches, np.nan), share, axis=1, method="higher"
        )
    return result
