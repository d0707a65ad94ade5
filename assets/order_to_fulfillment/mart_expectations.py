"""What must be true of this flow's marts before anybody is shown them.

dbt's tests say that each model is what its yml promises. These suites ask what a reader would be
misled by, also across marts. Money is in whole ten-thousandths, hours and rates are too; columns
that end in ``_agree`` are computed by the query that reads the mart.
"""

from __future__ import annotations

from assets.order_to_fulfillment.expectations import (
    CHANNEL_IS_A_CODE,
    CURRENCY,
    PROMISE_IS_NOT_BEFORE_THE_ORDER,
)
from assets.quality_gate import Suite, between, holds, is_true, matches, not_less, one_of, unique

LARGEST_AMOUNT = 10**17
LARGEST_COUNT = 10**12
#: A year in hours, in ten-thousandths: nothing that we promise takes longer.
LONGEST_HOURS = 24 * 366 * 10_000
CAUSES = (
    "out_of_stock",
    "supply_failed",
    "fulfilment_rejected",
    "stock_lost",
    "payment_late",
    "held_for_screening",
    "supply_late",
    "late_dispatch",
    "late_delivery",
    "short_shipped",
    "cancelled_by_customer",
    "payment_declined",
    "payment_expired",
    "screening_rejected",
    "not_collected",
)

EVERY_UNIT_IS_ACCOUNTED = holds(
    "every_unit_is_accounted",
    ("ordered_quantity", "filled_quantity", "unfilled_quantity"),
    lambda rows: rows["filled_quantity"] + rows["unfilled_quantity"] == rows["ordered_quantity"],
    "filled and unfilled units are not what was ordered",
)

ORDER_PROMISE_PERFORMANCE = Suite(
    name="order_promise_performance",
    owner="order_desk",
    required=(
        "order_id",
        "order_number",
        "channel",
        "region",
        "trading_date",
        "promised_date",
        "last_promised_date",
        "promise_count",
        "placed_at",
        "status",
        "outcome",
        "is_open",
        "is_in_full",
        "ordered_quantity",
        "filled_quantity",
        "unfilled_quantity",
        "shipped_quantity",
        "currency_code",
        "ordered_total_amount",
        "order_agrees",
    ),
    optional=(
        "cause_code",
        "moved_because_code",
        "dispatched_at",
        "delivered_at",
        "is_on_time",
        "is_on_last_promise",
        "late_day_count",
    ),
    said=(
        CHANNEL_IS_A_CODE,
        one_of(
            "outcome_is_known",
            "outcome",
            ("kept", "broken", "open", "cancelled", "no_goods"),
            "nobody knows this outcome",
        ),
        one_of("cause_is_known", "cause_code", CAUSES, "nobody knows this cause"),
        holds(
            "broken_has_a_cause",
            ("outcome",),
            lambda rows: (
                ~rows["outcome"].isin(["broken", "cancelled"]) | rows["cause_code"].notna()
            ),
            "a promise was broken and nobody says why",
        ),
        holds(
            "kept_is_in_full",
            ("outcome", "is_in_full"),
            lambda rows: (rows["outcome"] != "kept") | rows["is_in_full"].astype(bool),
            "kept, but not everything was shipped",
        ),
        holds(
            "kept_is_on_time",
            ("outcome", "is_on_time"),
            lambda rows: (rows["outcome"] != "kept") | rows["is_on_time"].astype(bool),
            "kept, but late",
        ),
        holds(
            "open_order_is_not_delivered",
            ("is_open", "delivered_at"),
            lambda rows: ~rows["is_open"].astype(bool),
            "still open although everything was delivered",
        ),
        EVERY_UNIT_IS_ACCOUNTED,
        holds(
            "no_more_is_shipped_than_filled",
            ("filled_quantity", "shipped_quantity"),
            lambda rows: rows["shipped_quantity"] <= rows["filled_quantity"],
            "more was shipped than stock was found for",
        ),
        between(
            "lateness_is_possible", "late_day_count", 0, 3_660, "late by less than nothing or ages"
        ),
        PROMISE_IS_NOT_BEFORE_THE_ORDER,
        not_less(
            "promise_only_moves_later",
            "last_promised_date",
            "promised_date",
            "promised for an earlier day than before",
        ),
        holds(
            "a_moved_promise_has_a_cause",
            ("promise_count",),
            lambda rows: (rows["promise_count"] > 1) == rows["moved_because_code"].notna(),
            "a promise was moved and nobody says why",
        ),
        not_less(
            "dispatch_is_not_before_the_order",
            "dispatched_at",
            "placed_at",
            "despatched before it was ordered",
        ),
        not_less(
            "delivery_is_not_before_dispatch",
            "delivered_at",
            "dispatched_at",
            "delivered before it was despatched",
        ),
        unique("order_is_there_once", ("order_id",), "one order has two rows"),
        is_true("order_agrees", "the order says another quantity or total"),
    ),
    blocks_by=("order_id",),
)

FULFILLMENT_BACKLOG = Suite(
    name="fulfillment_backlog",
    owner="fulfilment",
    required=(
        "as_of_at",
        "as_of_date",
        "node_id",
        "channel",
        "status",
        "age_bucket",
        "currency_code",
        "open_order_count",
        "overdue_order_count",
        "open_quantity",
        "open_amount",
        "oldest_placed_at",
    ),
    said=(
        one_of(
            "status_is_known",
            "status",
            (
                "awaiting_payment",
                "screening",
                "held",
                "allocated",
                "ready_for_pickup",
                "dispatched",
            ),
            "nobody waits in this status",
        ),
        one_of(
            "age_is_known",
            "age_bucket",
            ("under_1_day", "1_to_3_days", "3_to_7_days", "over_7_days"),
            "no such age",
        ),
        between(
            "open_orders_are_counted", "open_order_count", 1, LARGEST_COUNT, "a row about no order"
        ),
        between(
            "overdue_orders_are_counted",
            "overdue_order_count",
            0,
            LARGEST_COUNT,
            "fewer than no orders are overdue",
        ),
        holds(
            "overdue_orders_are_open",
            ("open_order_count", "overdue_order_count"),
            lambda rows: (
                (rows["overdue_order_count"] <= rows["open_order_count"])
                | (rows["open_order_count"] < 1)
            ),
            "more orders are overdue than open",
        ),
        between("goods_are_open", "open_quantity", 1, LARGEST_COUNT, "a backlog of no goods"),
        between(
            "open_amount_is_not_negative", "open_amount", 0, LARGEST_AMOUNT, "worth below zero"
        ),
        not_less(
            "oldest_order_is_not_from_the_future",
            "as_of_at",
            "oldest_placed_at",
            "an order is younger than the report",
        ),
        unique(
            "row_is_there_once",
            (
                "as_of_date",
                "node_id",
                "channel",
                "status",
                "age_bucket",
                "currency_code",
            ),
            "one backlog has two rows",
        ),
    ),
    blocks_by=("node_id", "channel"),
)

ORDER_CYCLE_TIMES = Suite(
    name="order_cycle_times",
    owner="order_desk",
    required=(
        "channel",
        "region",
        "brand",
        "period",
        "period_start_date",
        "stage",
        "order_count",
        "placed_order_count",
        "median_hours",
        "p90_hours",
        "p95_hours",
        "p99_hours",
        "total_seconds",
        "orders_agree",
    ),
    said=(
        one_of("period_is_known", "period", ("day", "week"), "no such period"),
        one_of(
            "stage_is_known",
            "stage",
            (
                "placed_to_allocated",
                "allocated_to_dispatched",
                "dispatched_to_delivered",
                "placed_to_delivered",
            ),
            "no order goes through this stage",
        ),
        between("orders_are_counted", "order_count", 1, LARGEST_COUNT, "times of no order"),
        between(
            "time_does_not_run_backwards",
            "median_hours",
            0,
            LARGEST_COUNT,
            "a stage that ended before it began",
        ),
        between(
            "time_is_not_unusual",
            "p99_hours",
            0,
            LONGEST_HOURS,
            "orders that took more than a year",
            severity="warning",
        ),
        not_less(
            "p90_is_not_below_the_median", "p90_hours", "median_hours", "p90 below the median"
        ),
        not_less("p95_is_not_below_p90", "p95_hours", "p90_hours", "p95 below p90"),
        not_less("p99_is_not_below_p95", "p99_hours", "p95_hours", "p99 below p95"),
        between(
            "times_add_up", "total_seconds", 0, LARGEST_AMOUNT, "less than nothing, all together"
        ),
        unique(
            "row_is_there_once",
            ("channel", "region", "brand", "period", "period_start_date", "stage"),
            "one stage has two rows",
        ),
        is_true("orders_agree", "more passed the stage than were placed, or others were placed"),
    ),
    blocks_by=("channel", "region", "brand"),
)

CHANNEL_SALES_DAILY = Suite(
    name="channel_sales_daily",
    owner="commerce",
    required=(
        "trading_date",
        "channel",
        "region",
        "currency_code",
        "order_count",
        "order_line_count",
        "ordered_quantity",
        "filled_quantity",
        "unfilled_quantity",
        "ordered_amount",
        "gross_sales_amount",
        "charge_amount",
        "tax_amount",
        "net_sales_amount",
        "orders_agree",
    ),
    optional=("fill_rate",),
    said=(
        CHANNEL_IS_A_CODE,
        matches("currency_is_a_code", "currency_code", CURRENCY, "the currency is no code"),
        between("orders_are_counted", "order_count", 1, LARGEST_COUNT, "a day without an order"),
        between(
            "lines_are_not_negative", "order_line_count", 0, LARGEST_COUNT, "fewer than no lines"
        ),
        EVERY_UNIT_IS_ACCOUNTED,
        between("fill_rate_is_a_share", "fill_rate", 0, 10_000, "a fill rate outside 0 to 1"),
        between(
            "sales_are_not_negative",
            "gross_sales_amount",
            0,
            LARGEST_AMOUNT,
            "goods were sold for less than nothing",
        ),
        holds(
            "tax_is_no_rounding_error",
            ("gross_sales_amount", "charge_amount", "tax_amount", "net_sales_amount"),
            lambda rows: (
                rows["gross_sales_amount"] + rows["charge_amount"]
                == rows["net_sales_amount"] + rows["tax_amount"]
            ),
            "sales and charges are not revenue and tax: stock and journal differ",
        ),
        unique(
            "row_is_there_once",
            ("trading_date", "channel", "region", "currency_code"),
            "one day of a channel has two rows",
        ),
        is_true("orders_agree", "another number of orders, units or total than the orders say"),
    ),
    blocks_by=("trading_date", "channel"),
)
