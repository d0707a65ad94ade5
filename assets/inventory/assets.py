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
        "inbound_announced",
        "One row per line of an announcement of supply that is to come.",
        group=GROUP,
        owner=OWNER,
        deps=READS,
    ),
    table(
        "inbound_received",
        "One row per line of a goods receipt that settles announced supply.",
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
    table(
        "availability_outlook",
        "One row per channel, SKU and instant: what the channel was told that it may sell then.",
        group=GROUP,
        owner=OWNER,
        deps=(*READS, "inbound_announced"),
    ),
]

AVAILABILITY_SPECS = [
    table(
        "availability_published",
        "One row per message to a channel and SKU: what it was told, and since when it was due.",
        group=GROUP,
        owner=OWNER,
        deps=READS,
        fresh_within=timedelta(days=3),
    ),
    table(
        "availability_acknowledged",
        "One row per message that a channel has taken up, with when it did.",
        group=GROUP,
        owner=OWNER,
        deps=READS,
    ),
]

SYNCHRONISATION_READS = (
    "event_inbox",
    "product",
    "node",
    "stock_movement",
    "stock_position",
    "availability_published",
)
SYNCHRONISATION_SPECS = [
    table(
        "inventory_snapshot",
        "One row per snapshot and SKU: what another system believed beside what we had then.",
        group=GROUP,
        owner=OWNER,
        deps=SYNCHRONISATION_READS,
        fresh_within=timedelta(days=3),
    ),
    table(
        "inventory_drift_reason",
        "One row per snapshot, SKU, revision and reason: units that another system has otherwise.",
        group=GROUP,
        owner=OWNER,
        deps=SYNCHRONISATION_READS,
    ),
    table(
        "stock_correction",
        "One row per step of a correction of our books by another system's word.",
        group=GROUP,
        owner=OWNER,
        deps=SYNCHRONISATION_READS,
    ),
]

inventory: dg.AssetsDefinition = caught_up("inventory", [*SPECS, *AVAILABILITY_SPECS])
synchronisation: dg.AssetsDefinition = caught_up("inventory_synchronisation", SYNCHRONISATION_SPECS)
ASSETS = [inventory, synchronisation]
