"""Worked examples of safety stock, reorder point and fill rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.procure_to_stock.rules.safety_stock import (
    fill_rate,
    lead_time_deviation,
    normal_quantile,
    unit_loss,
    z_for_fill_rate,
)

Z = 1.6449


@pytest.mark.parametrize(
    ("share", "z"),
    [
        (0.90, 1.2816),
        (0.95, 1.6449),
        (0.975, 1.9600),
        (0.98, 2.0537),
        (0.99, 2.3263),
        (0.995, 2.5758),
    ],
)
def test_z_is_one_sided(share: float, z: float) -> None:
    assert float(normal_quantile(share)) == pytest.approx(z, abs=5e-5)


def test_a_varying_lead_time_almost_trebles_safety_stock() -> None:
    without = Z * lead_time_deviation(9, 20, 5, 0)
    with_it = Z * lead_time_deviation(9, 20, 5, 2)
    assert round(float(without), 2) == 24.67
    assert round(float(with_it), 2) == 70.27
    assert round(20 * 9 + float(with_it), 2) == 250.27
    assert np.ceil(20 * 9 + with_it) == 251


def test_a_cycle_service_is_no_fill_rate() -> None:
    deviation = lead_time_deviation(9, 20, 5, 2)
    assert float(unit_loss(Z)) == pytest.approx(0.02089, abs=5e-6)
    assert float(deviation * unit_loss(Z)) == pytest.approx(0.893, abs=1e-3)
    assert round(float(fill_rate(deviation, Z, 100)) * 100, 2) == 99.11


@given(st.floats(0.5, 0.9999), st.floats(0.1, 1_000), st.floats(1, 10_000))
def test_the_z_of_a_fill_rate_meets_it(share: float, deviation: float, quantity: float) -> None:
    z = z_for_fill_rate(share, np.array([deviation]), np.array([quantity]))
    served = float(fill_rate(deviation, z, quantity)[0])
    assert z[0] == 0.0 or z[0] == 6.0 or served == pytest.approx(share, abs=1e-6)
    assert served >= share - 1e-6 or z[0] == 6.0
