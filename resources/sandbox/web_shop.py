"""The web shop: evenings and weekends, small baskets, some of it express or collected."""

from __future__ import annotations

from resources.sandbox.channel import Habits

HABITS = Habits(
    code="web_shop",
    order_share=0.45,
    weekday_weights=(1.0, 0.95, 0.95, 1.0, 1.05, 1.15, 1.3),
    first_hour=6,
    hour_weights=(1, 2, 3, 4, 4, 4, 5, 5, 4, 4, 4, 5, 6, 8, 9, 7, 4),
    line_weights=(34, 26, 16, 10, 6, 4, 2, 2),
    most_units=4,
    price_basis_points=10_000,
    countries={"GB": 0.78, "IE": 0.06, "DE": 0.06, "FR": 0.05, "NL": 0.03, "ES": 0.02},
    service_levels={"standard": 0.85, "express": 0.15},
    # 78% of its orders stay at home, and 45% of all orders are its: about 8% of all are collected.
    collected_share=0.22,
    free_postage_from=500_000,
)
