"""What is expected of each series, and how wrong that may be, with models chosen now or before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.procure_to_stock.rules.demand import DemandHistory, classify, cleaned
from assets.procure_to_stock.rules.forecasting import choose, deviations, forecast_by_class
from assets.procure_to_stock.rules.planning_parameters import Backtest

Floats = npt.NDArray[np.float64]
#: What forecasts a past that is too short for anything to be tried on.
_OF_SHORT = "simple_exponential_smoothing"


@dataclass(frozen=True)
class Expected:
    """What is expected of each series.

    Attributes:
        table: The series' keys, ``demand_class``, ``model``, ``daily_demand`` and
            ``daily_deviation`` (each).
        units: Cleaned demand, series by day (each).
        models: That of each class.
        tried: What was tried, where models were chosen now; as `Choice.tried`.
    """

    table: pd.DataFrame
    units: Floats
    models: Mapping[str, str]
    tried: pd.DataFrame | None

    @property
    def errors(self) -> pd.DataFrame:
        """What is kept until models are chosen anew: each series' class and deviation."""
        return self.table.drop(columns=["model", "daily_demand"])


def expect(
    demand: DemandHistory,
    plan: Backtest,
    models: Mapping[str, str] | None = None,
    errors: pd.DataFrame | None = None,
) -> Expected:
    """Forecast every series by its class's model.

    Args:
        demand: What was asked for.
        plan: How models are tried.
        models: Those that were chosen before; without them they are chosen now.
        errors: What each series was off by then: its keys, ``demand_class`` and
            ``daily_deviation``. A series that is new since, or of another class, is tried out.
    """
    units = cleaned(demand, plan.bulk_multiple, plan.looks_back_days)
    classes = classify(units)
    if demand.ordered.shape[1] <= plan.horizon_days * (plan.windows + 1):
        models = dict.fromkeys(set(classes.tolist()), _OF_SHORT)
        tried, deviation = None, units.std(axis=1)
    elif models is None:
        choice = choose(demand, classes, plan)
        models, tried, deviation = choice.models, choice.tried, choice.deviation
    else:
        tried, deviation = None, _kept_or_tried(demand, classes, models, plan, errors)
    table = forecast_by_class(demand, models, plan, plan.horizon_days)
    return Expected(table.assign(daily_deviation=deviation), units, models, tried)


def _kept_or_tried(
    demand: DemandHistory,
    classes: npt.NDArray[np.object_],
    models: Mapping[str, str],
    plan: Backtest,
    errors: pd.DataFrame | None,
) -> Floats:
    if errors is None:
        return deviations(demand, classes, models, plan)
    keys = [*demand.series.columns, "demand_class"]
    both = demand.series.assign(demand_class=classes.astype(str)).merge(errors, on=keys, how="left")
    deviation = both["daily_deviation"].to_numpy(np.float64).copy()
    is_new = ~np.isfinite(deviation)
    if is_new.any():
        deviation[is_new] = deviations(demand.of(is_new), classes[is_new], models, plan)
    return deviation
