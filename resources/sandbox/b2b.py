"""The wholesale portal: few customers, office hours, many units of many lines at a trade price."""

from __future__ import annotations

from resources.sandbox.channel import Habits

HABITS = Habits(
    code="b2b",
    order_share=0.05,
    weekday_weights=(1.2, 1.1, 1.0, 1.0, 0.8, 0.0, 0.0),
    first_hour=8,
    hour_weights=(3, 6, 8, 7, 4, 6, 7, 6, 3),
    line_weights=(0, 1, 2, 3, 4, 4, 3, 3),
    most_units=18,
    price_basis_points=8_000,
    countries={"GB": 0.8, "IE": 0.1, "DE": 0.1},
    service_levels={"standard": 1.0},
)
