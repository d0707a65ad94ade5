"""The marketplace: single items for customers all over, paid to the marketplace at its checkout."""

from __future__ import annotations

from resources.sandbox.channel import Habits

HABITS = Habits(
    code="marketplace",
    order_share=0.3,
    weekday_weights=(1.05, 1.0, 1.0, 1.0, 1.0, 1.1, 1.2),
    first_hour=5,
    hour_weights=(1, 1, 2, 3, 4, 4, 4, 5, 5, 4, 4, 4, 5, 6, 7, 8, 7, 5, 2),
    line_weights=(70, 20, 7, 3),
    most_units=3,
    price_basis_points=10_500,
    countries={"GB": 0.55, "DE": 0.18, "FR": 0.12, "NL": 0.07, "ES": 0.05, "IE": 0.03},
    service_levels={"standard": 0.92, "express": 0.08},
    is_authorised=True,
)
