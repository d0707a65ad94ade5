"""The journal as an asset; flows append to it, finance corrects it."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from assets.asset_graph import caught_up, table

GROUP = "finance"

SPECS = [
    table(
        "journal_line",
        "One row per leg of a balanced journal entry; debit positive, credit negative.",
        group=GROUP,
        owner="finance",
        deps=("event_inbox",),
        fresh_within=timedelta(days=2),
    ),
]

finance: dg.AssetsDefinition = caught_up("finance", SPECS)
ASSETS = [finance]
