"""The tills of the stores: opening hours only, paid and picked up at the counter."""

from __future__ import annotations

from resources.sandbox.channel import Habits

HABITS = Habits(
    code="store",
    order_share=0.2,
    weekday_weights=(0.8, 0.8, 0.85, 0.95, 1.2, 1.7, 0.9),
    first_hour=9,
    hour_weights=(2, 4, 5, 7, 7, 5, 5, 6, 4),
    line_weights=(45, 28, 14, 8, 3, 2),
    most_units=3,
    price_basis_points=10_000,
    countries={"GB": 1.0},
    service_levels={"pickup": 1.0},
    is_authorised=True,
    is_known=False,
)
