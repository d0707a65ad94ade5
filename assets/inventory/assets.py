"""The stock ledgers as assets."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from assets.asset_graph import caught_up, table

GROUP = "inventory"
OWNER = "stock_control"
READS = ("event_inbox", "product", "node")

SPECS = [
    table(
        "stock_movement",
        "One row per physical change of stock of one SKU at one node.",
        group=GROUP,
        owner=OWNER,
        deps=READS,
        fresh_within=timedelta(days=7),
    ),
    table(
        "inventory_counted",
        "One row per SKU of a count at one node: the units that were there.",
        group=GROUP,
        owner=OWNER,
        deps=READS,
    ),
    table(
        "stock_position",
        "One row per node and SKU: on hand, reserved and allocated units.",
        group=GROUP,
        owner=OWNER,
        deps=READS,
    ),
    table(
        "channel_availability",
        "One row per channel and SKU: what the channel was last told that it may sell.",
        group=GROUP,
        owner=OWNER,
        deps=READS,
    ),
]

inventory: dg.AssetsDefinition = caught_up("inventory", SPECS)
ASSETS = [inventory]
