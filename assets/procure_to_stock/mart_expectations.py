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
        "quality_hold_quantity",
        "accepted_quantity",
        "put_away_quantity",
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
            "accepted_is_what_is_left_of_what_came",
            (
                "accepted_quantity",
                "delivered_quantity",
                "rejected_quantity",
                "quality_hold_quantity",
            ),
            lambda rows: (
                rows["accepted_quantity"]
                == rows["delivered_quantity"]
                - rows["rejected_quantity"]
                - rows["quality_hold_quantity"]
            ),
            "accepted, rejected and on hold are not what came",
        ),
        not_less(
            "no_more_is_put_away_than_accepted", "accepted_quantity", "put_away_quantity", "more"
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
        "standing",
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
        one_of("standing_is_known", "standing", ("good", "warn", "prevent"), "no such standing"),
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

REPLENISHMENT_PROPOSALS = Suite(
    name="replenishment_proposals",
    owner="purchasing",
    required=(
        "proposal_id",
        "sku",
        "node_id",
        "supplier_id",
        "status",
        "daily_demand",
        "reorder_point_quantity",
        "target_quantity",
        "position_quantity",
        "needed_quantity",
        "order_quantity",
        "unit_price",
        "amount",
        "proposal_agrees",
    ),
    optional=("problem_code",),
    said=(
        one_of(
            "status_is_known",
            "status",
            ("waiting", "denied", "approved", "ordered", "not_orderable", "over_budget"),
            "nobody knows this status",
        ),
        between("something_is_needed", "needed_quantity", 1, LARGEST, "nothing was needed"),
        between("demand_is_not_negative", "daily_demand", 0, LARGEST, "less than no demand"),
        not_less("it_was_low", "reorder_point_quantity", "position_quantity", "it was not low"),
        holds(
            "amount_is_units_at_their_price",
            ("order_quantity", "unit_price", "amount"),
            lambda rows: rows["amount"] == rows["order_quantity"] * rows["unit_price"],
            "the amount is not the units at their price",
        ),
        holds(
            "a_problem_is_told",
            ("status",),
            lambda rows: (rows["status"] == "not_orderable") == rows["problem_code"].notna(),
            "not orderable without a reason, or orderable with one",
        ),
        unique("proposal_is_there_once", ("proposal_id",), "one proposal, two rows"),
        is_true("proposal_agrees", "the plan said something else"),
    ),
    blocks_by=("supplier_id",),
)

STOCK_COVER = Suite(
    name="stock_cover",
    owner="purchasing",
    required=(
        "node_id",
        "sku",
        "status",
        "on_hand_quantity",
        "daily_demand",
        "safety_stock_quantity",
        "reorder_point_quantity",
        "target_quantity",
        "position_quantity",
        "stock_agrees",
    ),
    optional=("cover_days",),
    said=(
        one_of(
            "status_is_known",
            "status",
            ("out_of_stock", "below_safety_stock", "to_be_ordered", "enough"),
            "nobody knows this status",
        ),
        between("demand_is_not_negative", "daily_demand", 0, LARGEST, "less than no demand"),
        not_less(
            "a_target_is_not_below_the_reorder_point",
            "target_quantity",
            "reorder_point_quantity",
            "an order would not end the need",
        ),
        holds(
            "what_is_out_has_nothing",
            ("status", "on_hand_quantity"),
            lambda rows: (rows["status"] == "out_of_stock") == (rows["on_hand_quantity"] <= 0),
            "out of stock with stock, or in stock without",
        ),
        unique("row_is_there_once", ("node_id", "sku"), "one place and SKU, two rows"),
        is_true("stock_agrees", "the ledger has another stock"),
    ),
    blocks_by=("sku",),
)

RECEIVING_PLAN = Suite(
    name="receiving_plan",
    owner="purchasing",
    required=(
        "despatch_id",
        "purchase_order_id",
        "supplier_id",
        "node_id",
        "dock_number",
        "starts_at",
        "ends_at",
        "unit_count",
        "line_count",
        "labour_hours",
        "status",
        "slot_agrees",
    ),
    said=(
        one_of(
            "status_is_known",
            "status",
            ("expected", "received", "put_away"),
            "nobody knows this status",
        ),
        between("a_dock_has_a_number", "dock_number", 1, 500, "no such dock"),
        between("something_comes", "unit_count", 1, LARGEST, "nothing is announced"),
        between("somebody_works", "labour_hours", 0, LARGEST, "less than no work"),
        holds(
            "time_does_not_run_backwards",
            ("starts_at", "ends_at"),
            lambda rows: rows["starts_at"] < rows["ends_at"],
            "it ends before it begins",
        ),
        unique("despatch_is_there_once", ("despatch_id",), "one despatch, two slots"),
        unique("a_dock_is_given_out_once", ("node_id", "dock_number", "starts_at"), "two at once"),
        is_true("slot_agrees", "the advice announces other units"),
    ),
    blocks_by=("despatch_id",),
)
