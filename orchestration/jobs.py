"""What a person or a schedule starts by name in the light code location."""

from __future__ import annotations

import dagster as dg

catch_up = dg.define_asset_job(
    "catch_up",
    selection=dg.AssetSelection.groups(
        "master_data",
        "inventory",
        "finance",
        "procure_to_stock",
        "order_to_fulfillment",
        "partners",
        "exception_routing",
    ).materializable()
    - dg.AssetSelection.all_asset_checks(),
    description="Handles whatever still waits: events, commands, cases; safe at any time.",
    tags={"omniflow/role": "catch_up"},
)

check_laws = dg.define_asset_job(
    "check_laws",
    selection=dg.AssetSelection.all_asset_checks(),
    description="Checks every conservation law on the stored rows.",
)
JOBS = [catch_up, check_laws]
