"""The laws of master data as checks."""

from __future__ import annotations

from assets.asset_graph import Law, law_check

LAWS = (
    Law(
        "M11",
        "shown_prices_are_approved",
        "price_shown",
        "A channel shows the approved price of its time, or a case about it is open.",
    ),
)

CHECKS = [law_check(law) for law in LAWS]
