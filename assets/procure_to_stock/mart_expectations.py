"""What must be true of the marts of purchases before anybody is shown them.

Amounts, prices, rates and days with a fraction are in whole ten-thousandths.
"""

from __future__ import annotations

from assets.procure_to_stock.rules.matching import Reason
from assets.quality_gate import Suite, between, holds, is_true, not_less, one_of, unique

LARGEST = 10**15

INVOICE_MATCH_EXCEPTIONS = Suite(
    name="invoice_match_exceptions",
    owner="accounts_payable",
    required=(
        "invoice_id",
        "line_number",
        "reason_code",
        "status",
        "supplier_id",
        "quantity_difference",
        "value_difference",
        "held_days",
        "hold_agrees",
    ),
    optional=("purchase_order_id", "purchase_order_line_id", "ended_at"),
    said=(
        one_of(
            "reason_is_known", "reason_code", list(map(str, Reason)), "nobody knows this reason"
        ),
        one_of("status_is_known", "status", ("held", "cured", "released"), "it was never held"),
        between("units_are_not_negative", "quantity_difference", 0, LARGEST, "less than no unit"),
        between("time_does_not_run_backwards", "held_days", 0, 100_000, "held before it began"),
        holds(
            "what_is_held_has_no_end",
            ("status",),
            lambda rows: (rows["status"] == "held") == rows["ended_at"].isna(),
            "held and ended, or ended and held",
        ),
        unique(
            "hold_is_there_once", ("invoice_id", "line_number", "reason_code"), "one hold, two rows"
        ),
        is_true("hold_agrees", "its last revision says something else"),
    ),
    blocks_by=("invoice_id",),
)

PURCHASE_ORDER_STATUS = Suite(
    name="purchase_order_status",
    owner="purchasing",
    required=(
        "purchase_order_id",
        "supplier_id",
        "status",
        "line_count",
        "ordered_quantity",
        "delivered_quantity",
        "rejected_quantity",
        "accepted_quantity",
        "open_quantity",
        "ordered_amount",
        "held_amount",
        "lines_agree",
    ),
    said=(
        between("an_order_has_lines", "line_count", 1, 10**6, "an order without a line"),
        not_less(
            "no_more_is_rejected_than_came", "delivered_quantity", "rejected_quantity", "more"
        ),
        not_less("no_more_is_open_than_ordered", "ordered_quantity", "open_quantity", "more"),
        holds(
            "accepted_is_what_was_not_rejected",
            ("accepted_quantity", "delivered_quantity", "rejected_quantity"),
            lambda rows: (
                rows["accepted_quantity"] == rows["delivered_quantity"] - rows["rejected_quantity"]
            ),
            "accepted and rejected are not what came",
        ),
        unique("order_is_there_once", ("purchase_order_id",), "one order has two rows"),
        is_true("lines_agree", "its lines come to another amount"),
    ),
    blocks_by=("purchase_order_id",),
)

GOODS_RECEIVED_NOT_INVOICED = Suite(
    name="goods_received_not_invoiced",
    owner="accounts_payable",
    required=(
        "purchase_order_id",
        "purchase_order_line_id",
        "supplier_id",
        "waits_for",
        "open_quantity",
        "unit_price",
        "open_amount",
        "open_days",
        "line_agrees",
    ),
    said=(
        holds(
            "it_waits_for_what_is_missing",
            ("waits_for", "open_quantity"),
            lambda rows: (
                ((rows["open_quantity"] > 0) & (rows["waits_for"] == "waits_for_invoice"))
                | ((rows["open_quantity"] < 0) & (rows["waits_for"] == "waits_for_goods"))
            ),
            "it waits for the other one, or for nothing",
        ),
        holds(
            "amount_is_units_at_their_price",
            ("open_quantity", "unit_price", "open_amount"),
            lambda rows: rows["open_amount"] == rows["open_quantity"] * rows["unit_price"],
            "the amount is not the units at their price",
        ),
        between("time_does_not_run_backwards", "open_days", 0, 100_000, "open before it began"),
        unique(
            "line_is_there_once",
            ("purchase_order_id", "purchase_order_line_id"),
            "one line has two rows",
        ),
        is_true("line_agrees", "the order's line has another open quantity"),
    ),
    blocks_by=("purchase_order_id",),
)

SUPPLIER_SCORECARD = Suite(
    name="supplier_scorecard",
    owner="purchasing",
    required=(
        "supplier_id",
        "currency_code",
        "order_count",
        "line_count",
        "due_line_count",
        "on_time_in_full_line_count",
        "delivered_quantity",
        "rejected_quantity",
        "ordered_amount",
        "held_amount",
        "lines_agree",
    ),
    optional=("on_time_in_full_rate", "rejected_rate", "median_lead_days", "p95_lead_days"),
    said=(
        between("orders_are_counted", "order_count", 1, 10**9, "a supplier without an order"),
        between("on_time_is_a_share", "on_time_in_full_rate", 0, 10_000, "more than all"),
        between("rejected_is_a_share", "rejected_rate", 0, 10_000, "more than all"),
        not_less("no_more_is_due_than_ordered", "line_count", "due_line_count", "more is due"),
        not_less(
            "no_more_is_on_time_than_due", "due_line_count", "on_time_in_full_line_count", "more"
        ),
        not_less("p95_is_not_below_the_median", "p95_lead_days", "median_lead_days", "p95 below"),
        unique("row_is_there_once", ("supplier_id", "currency_code"), "one supplier, two rows"),
        is_true("lines_agree", "the supplier has another number of lines"),
    ),
    blocks_by=("supplier_id",),
)
