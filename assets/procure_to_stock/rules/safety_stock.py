"""How much lies ready against chance: safety stock, reorder point, and what a target is met by.

All of it in units (each) and days, vectorised: arguments are arrays of one length or scalars.
Where demand is intermittent the normal law does not hold; `assets.procure_to_stock.rules.planning`
takes the quantile of the demand that was seen there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import erfc, ndtri

Floats = npt.NDArray[np.float64]
#: A z beyond these is no target but a mistake somewhere.
_LEAST_Z, _MOST_Z = -4.0, 6.0
#: Halvings between them: exact to 10⁻¹¹ of a standard deviation.
_HALVINGS = 40


def normal_quantile(share: Floats | float) -> Floats:
    """z, one-sided: the part of a normal demand that is at most its mean and z deviations."""
    return np.asarray(ndtri(share), np.float64)


def lead_time_deviation(
    days: Floats | float,
    daily_demand: Floats | float,
    demand_deviation: Floats | float,
    lead_time_deviation_days: Floats | float,
) -> Floats:
    """Standard deviation of the demand over a lead time, of which both vary independently.

    ``σ_LT = √(L·σ_d² + d²·σ_L²)``. Without σ_L it is understated, in the usual case almost
    threefold.

    Args:
        days: L, with the review period on top where orders are made only so often.
        daily_demand: d.
        demand_deviation: σ_d, of the forecast's error a day rather than of the demand.
        lead_time_deviation_days: σ_L.
    """
    variance = days * np.square(demand_deviation) + np.square(
        np.multiply(daily_demand, lead_time_deviation_days)
    )
    return np.asarray(np.sqrt(variance), np.float64)


def unit_loss(z: Floats | float) -> Floats:
    """Units short in a cycle, in deviations: ``G(z) = φ(z) − z·(1 − Φ(z))``."""
    density = np.exp(-np.square(z) / 2) / np.sqrt(2 * np.pi)
    return np.asarray(density - np.multiply(z, erfc(np.divide(z, np.sqrt(2))) / 2), np.float64)


def fill_rate(deviation: Floats | float, z: Floats | float, quantity: Floats | float) -> Floats:
    """Part of the demand that is served from stock: ``β = 1 − σ_LT·G(z)/Q``.

    Args:
        deviation: σ_LT.
        z: Of the safety stock.
        quantity: Q, what is ordered at a time.
    """
    return np.asarray(1 - np.multiply(deviation, unit_loss(z)) / quantity, np.float64)


def z_for_fill_rate(share: float, deviation: Floats, quantity: Floats) -> Floats:
    """The z whose fill rate is ``share`` when ``quantity`` is ordered at a time, by bisection.

    At least zero: with much in an order even less would do, and nobody plans to be short.
    """
    wanted = (1 - share) * quantity / np.maximum(deviation, np.finfo(np.float64).tiny)
    low = np.full(len(wanted), _LEAST_Z)
    high = np.full(len(wanted), _MOST_Z)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_too_much = unit_loss(middle) > wanted
        low = np.where(is_too_much, middle, low)
        high = np.where(is_too_much, high, middle)
    return np.asarray(np.maximum(high, 0.0), np.float64)
