"""What must be true of a closed window of receipts and of what suppliers charge.

Quantities are in each, money in whole ten-thousandths.
"""

from __future__ import annotations

from assets.quality_gate import Suite, between, holds, is_true, not_less, unique

LARGEST_QUANTITY = 1_000_000
LARGEST_PRICE = 10**15

_A_REJECT_HAS_ITS_REASON = holds(
    "a_reject_has_its_reason",
    ("rejected_quantity",),
    lambda rows: (rows["rejected_quantity"] == 0) | rows["rejection_reason"].notna(),
    "units were rejected and nobody said why",
    severity="warning",
)

GOODS_RECEIVED = Suite(
    name="goods_received_window",
    owner="purchasing",
    required=(
        "receipt_id",
        "line_number",
        "purchase_order_id",
        "purchase_order_line_id",
        "node_id",
        "sku",
        "delivered_quantity",
        "rejected_quantity",
        "held_quantity",
        "unit_price",
        "occurred_at",
        "effective_at",
        "order_line_is_known",
        "stock_agrees",
    ),
    optional=("rejection_reason",),
    said=(
        between("something_came", "delivered_quantity", 1, LARGEST_QUANTITY, "nothing came"),
        between("price_is_possible", "unit_price", 0, LARGEST_PRICE, "an absurd price"),
        not_less(
            "no_more_is_rejected_than_came",
            "delivered_quantity",
            "rejected_quantity",
            "more was rejected than came",
        ),
        between(
            "hold_is_not_negative", "held_quantity", 0, LARGEST_QUANTITY, "less than none held"
        ),
        _A_REJECT_HAS_ITS_REASON,
        not_less(
            "receipt_is_not_from_the_future", "effective_at", "occurred_at", "came after we knew"
        ),
        unique("line_is_booked_once", ("receipt_id", "line_number"), "one line was booked twice"),
        is_true("order_line_is_known", "no order has such a line"),
        is_true("stock_agrees", "other units went into stock than were accepted"),
    ),
    blocks_by=("sku",),
)

GOODS_INSPECTED = Suite(
    name="goods_inspected_window",
    owner="purchasing",
    required=(
        "inspection_id",
        "line_number",
        "purchase_order_id",
        "purchase_order_line_id",
        "node_id",
        "sku",
        "passed_quantity",
        "rejected_quantity",
        "occurred_at",
        "effective_at",
        "was_on_hold",
        "stock_agrees",
    ),
    optional=("rejection_reason",),
    said=(
        between("passed_is_possible", "passed_quantity", 0, LARGEST_QUANTITY, "less than none"),
        between("rejected_is_possible", "rejected_quantity", 0, LARGEST_QUANTITY, "less than none"),
        holds(
            "something_was_inspected",
            ("passed_quantity", "rejected_quantity"),
            lambda rows: rows["passed_quantity"] + rows["rejected_quantity"] > 0,
            "nothing was inspected",
        ),
        _A_REJECT_HAS_ITS_REASON,
        not_less(
            "inspection_is_not_from_the_future",
            "effective_at",
            "occurred_at",
            "inspected after we knew",
        ),
        unique("line_is_booked_once", ("inspection_id", "line_number"), "a line was booked twice"),
        is_true("was_on_hold", "more was inspected than ever came on hold"),
        is_true("stock_agrees", "other units went into stock than passed"),
    ),
    blocks_by=("sku",),
)

GOODS_PUT_AWAY = Suite(
    name="goods_put_away_window",
    owner="purchasing",
    required=(
        "put_away_id",
        "line_number",
        "purchase_order_id",
        "purchase_order_line_id",
        "node_id",
        "sku",
        "quantity",
        "location_code",
        "occurred_at",
        "effective_at",
        "was_accepted",
    ),
    said=(
        between("something_was_put_away", "quantity", 1, LARGEST_QUANTITY, "no unit"),
        not_less("put_away_is_not_from_the_future", "effective_at", "occurred_at", "after we knew"),
        unique("line_is_booked_once", ("put_away_id", "line_number"), "a line was booked twice"),
        is_true("was_accepted", "more was put away than was accepted"),
    ),
    blocks_by=("sku",),
)

SUPPLIER_INVOICE_LINE = Suite(
    name="supplier_invoice_line_window",
    owner="accounts_payable",
    required=(
        "invoice_id",
        "line_number",
        "quantity",
        "quantity_before",
        "unit_price",
        "order_unit_price",
        "occurred_at",
        "effective_at",
        "invoice_is_posted",
        "order_line_agrees",
    ),
    optional=("purchase_order_id", "purchase_order_line_id"),
    said=(
        between("something_is_charged", "quantity", 1, LARGEST_QUANTITY, "no unit is charged"),
        between("before_is_not_negative", "quantity_before", 0, 10**12, "less than none before"),
        between("price_is_possible", "unit_price", 0, LARGEST_PRICE, "an absurd price"),
        holds(
            "without_an_order_nothing_is_agreed",
            ("order_unit_price",),
            lambda rows: rows["purchase_order_id"].notna() | (rows["order_unit_price"] == 0),
            "a price was agreed without an order",
        ),
        not_less(
            "invoice_is_not_from_the_future", "effective_at", "occurred_at", "dated after we knew"
        ),
        unique("line_is_posted_once", ("invoice_id", "line_number"), "one line was posted twice"),
        is_true("invoice_is_posted", "its invoice is not there, or is a copy"),
        is_true("order_line_agrees", "the order's line has another price"),
    ),
    blocks_by=("invoice_id",),
)
