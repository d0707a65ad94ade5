"""The tables of this flow. Events arrive by themselves; materialising is the catch-up path."""

from __future__ import annotations

from assets.asset_graph import caught_up, table

GROUP = "procure_to_stock"
#: What the flow reads.
READ = ("event_inbox", "node", "product")

SPECS = [
    table("supplier", "One row per supplier.", group=GROUP, owner="purchasing", deps=READ),
    table(
        "purchase_order_placed",
        "One row per version of a purchase order.",
        group=GROUP,
        owner="purchasing",
        deps=READ,
    ),
    table(
        "purchase_order_terms",
        "One row per line of a version of a purchase order: what was agreed.",
        group=GROUP,
        owner="purchasing",
        deps=READ,
    ),
    table(
        "purchase_order_line",
        "One row per line of a purchase order: what was ordered, came and was charged so far.",
        group=GROUP,
        owner="purchasing",
        deps=READ,
    ),
    table(
        "supplier_check",
        "One row per check of somebody who wants to sell to us, and change of it.",
        group=GROUP,
        owner="purchasing",
        deps=READ,
    ),
    table(
        "supplier_terms",
        "One row per supplier and SKU that it sells, and how.",
        group=GROUP,
        owner="purchasing",
        deps=READ,
    ),
    table(
        "requisition_decided",
        "One row per requisition that was decided.",
        group=GROUP,
        owner="purchasing",
        deps=READ,
    ),
    table(
        "purchase_order_acknowledged",
        "One row per answer of a supplier to a line of an order.",
        group=GROUP,
        owner="purchasing",
        deps=READ,
    ),
    table(
        "goods_despatched",
        "One row per line of a despatch advice.",
        group=GROUP,
        owner="purchasing",
        deps=READ,
    ),
    table(
        "receiving_slot",
        "One row per despatch advice: the dock, time and people that it was given.",
        group=GROUP,
        owner="purchasing",
        deps=READ,
    ),
    table(
        "goods_received",
        "One row per line of a goods receipt against a purchase order.",
        group=GROUP,
        owner="purchasing",
        deps=READ,
    ),
    table(
        "goods_inspected",
        "One row per line of an inspection that ended a quality hold.",
        group=GROUP,
        owner="purchasing",
        deps=READ,
    ),
    table(
        "goods_put_away",
        "One row per line and location of what was put away.",
        group=GROUP,
        owner="purchasing",
        deps=READ,
    ),
    table(
        "supplier_invoice_received",
        "One row per invoice or credit note of a supplier, copies included.",
        group=GROUP,
        owner="accounts_payable",
        deps=READ,
    ),
    table(
        "supplier_invoice_line",
        "One row per posted line of an invoice, with what its order says.",
        group=GROUP,
        owner="accounts_payable",
        deps=READ,
    ),
    table(
        "clearing_entry",
        "One row per line of an order that was cleared, because nothing more of it is expected.",
        group=GROUP,
        owner="accounts_payable",
        deps=READ,
    ),
    table(
        "invoice_match",
        "One row per invoice line, reason and change: why it is not paid, and how that ended.",
        group=GROUP,
        owner="accounts_payable",
        deps=READ,
    ),
]
#: What a plan writes; the location that knows demand makes it.
PLANNED = [
    table(name, description, group="replenishment", owner="purchasing", deps=deps)
    for name, description, deps in (
        (
            "replenishment_plan",
            "One row per plan of the house's replenishment.",
            ("stock_movement", "purchase_order_line", "supplier_terms"),
        ),
        (
            "forecast_model",
            "One row per plan that chose models, demand class and model that was tried.",
            (),
        ),
        (
            "replenishment_level",
            "One row per SKU and place: what it is held at since the last plan.",
            ("stock_movement", "purchase_order_line", "supplier_terms"),
        ),
        (
            "replenishment_proposal",
            "One row per SKU and place that a plan found lacking, with what it rests on.",
            ("stock_movement", "purchase_order_line", "supplier_terms"),
        ),
        (
            "transfer_proposal",
            "One row per transfer that a plan proposes before it buys.",
            ("stock_movement",),
        ),
        (
            "supplier_standing",
            "One row per supplier and plan that found its standing changed.",
            ("purchase_order_line", "goods_received"),
        ),
        (
            "demand_spike",
            "One row per rise of a region's demand for a class of products that was detected.",
            ("order_line",),
        ),
    )
]
ASSETS = [caught_up("procure_to_stock", SPECS)]
