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
        "goods_received",
        "One row per line of a goods receipt against a purchase order.",
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
ASSETS = [caught_up("procure_to_stock", SPECS)]
