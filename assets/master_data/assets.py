"""Master data as assets: copies of what ERP and CRM own."""

from __future__ import annotations

import dagster as dg

from assets.asset_graph import caught_up, table

GROUP = "master_data"
INBOX = ("event_inbox",)

SPECS = [
    table("product", "One row per SKU.", group=GROUP, owner="master_data", deps=INBOX),
    table(
        "bundle_component",
        "One row per component of a bundle.",
        group=GROUP,
        owner="master_data",
        deps=INBOX,
    ),
    table(
        "price",
        "One row per price version of a SKU in a channel.",
        group=GROUP,
        owner="pricing",
        deps=INBOX,
    ),
    table(
        "price_shown",
        "One row per document and SKU: the price that a channel showed, and when.",
        group=GROUP,
        owner="pricing",
        deps=INBOX,
    ),
    table(
        "node", "One row per place that holds stock.", group=GROUP, owner="master_data", deps=INBOX
    ),
    table(
        "customer",
        "One row per customer; pseudonymous, what is personal lies elsewhere.",
        group=GROUP,
        owner="customer_care",
        deps=INBOX,
    ),
]

master_data: dg.AssetsDefinition = caught_up("master_data", SPECS)
ASSETS = [master_data]
