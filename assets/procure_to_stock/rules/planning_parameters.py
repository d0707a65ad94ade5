"""What a policy says of forecasts and spikes, without a model in sight: policies load fast."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Backtest:
    """How a forecast is tried on the past.

    Attributes:
        windows: How many stretches of the end of the history are forecast from what was before.
        horizon_days: Of each.
        sample_series: Series of a class that candidates are tried on, evenly taken.
        service_level: The quantile of the pinball loss.
        bulk_multiple: As for `assets.procure_to_stock.rules.demand.cleaned`.
        looks_back_days: As there.
    """

    windows: int
    horizon_days: int
    sample_series: int
    service_level: float
    bulk_multiple: int
    looks_back_days: int


@dataclass(frozen=True)
class Watch:
    """What is looked for.

    Attributes:
        rise: How many times the usual odds of an order to have the class; 3 is threefold.
        evidence: Sum of log-likelihood ratios at which it is believed, the logarithm of the number
            of classes that are watched on top: more chances to be wrong need more evidence.
        usual_days: What so many days before a day show is usual.
        new_days: A SKU that was first asked for less long ago is new, and no spike of its class.
        least_daily_lines: Of a class that is watched, in the mean of the usual days and of the
            least days.
        least_days: Of a region's orders before anything is usual.
        quiet_days: After an alarm the class is not told of again for so long.
    """

    rise: float
    evidence: float
    least_daily_lines: float
    least_days: int
    quiet_days: int
    usual_days: int
    new_days: int
