"""The laws of stock as checks."""

from __future__ import annotations

from assets.asset_graph import Law, law_check

LAWS = (
    Law(
        "S1",
        "no_oversell",
        "stock_position",
        "Reserved and allocated units never exceed what is on hand, per node and SKU.",
    ),
    Law(
        "S2",
        "stock_is_conserved",
        "stock_movement",
        "What is on hand is the sum of what moved, per node and SKU.",
    ),
    Law(
        "S4",
        "no_more_is_published_than_available",
        "channel_availability",
        "No channel was told that it may sell more than was available, node by node.",
    ),
)

CHECKS = [law_check(law) for law in LAWS]
