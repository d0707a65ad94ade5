"""The laws of this flow, as checks."""

from __future__ import annotations

from assets.asset_graph import Law, law_check

LAWS = (
    Law(
        "S5",
        "no_more_is_received_than_tolerated",
        "goods_received",
        "What came beyond the order and its tolerance is a case.",
    ),
    Law(
        "M6",
        "clearing_is_what_is_open",
        "purchase_order_line",
        "Clearing holds what was received and not invoiced, or the other way round, at the order's"
        " price.",
    ),
    Law(
        "M7",
        "what_does_not_match_is_held",
        "invoice_match",
        "A line that nothing holds is within every limit, or was released by people.",
    ),
    Law(
        "M8",
        "an_invoice_is_posted_once",
        "supplier_invoice_received",
        "One number of a supplier group and kind is posted once, and owed as it was posted.",
    ),
)

CHECKS = [law_check(law) for law in LAWS]
