"""What must be true of the marts of exceptions before anybody is shown them.

Hours and rates are in whole ten-thousandths.
"""

from __future__ import annotations

from assets.order_to_fulfillment.expectations import CHANNEL_IS_A_CODE
from assets.order_to_fulfillment.mart_expectations import LARGEST_COUNT
from assets.quality_gate import Suite, between, holds, is_true, not_less, one_of, unique

#: Areas of which orders are counted; the two others are about no order.
AREAS_OF_ORDERS = (
    "stock_not_there",
    "node_did_not_do_it",
    "screening",
    "carrier",
    "customer",
    "money",
    "message",
)
AREAS = (*AREAS_OF_ORDERS, "stock_disagrees", "price")

FULFILLMENT_EXCEPTIONS = Suite(
    name="fulfillment_exceptions",
    owner="order_desk",
    required=(
        "exception_id",
        "exception_type",
        "exception_area",
        "state",
        "owner",
        "business_key",
        "opened_at",
        "occurrence_count",
        "case_agrees",
    ),
    optional=("order_id", "channel", "closed_at", "open_hours"),
    said=(
        CHANNEL_IS_A_CODE,
        one_of("area_is_known", "exception_area", AREAS, "nobody knows this area"),
        one_of("state_is_known", "state", ("open", "closed", "settled"), "nobody knows this state"),
        between("it_happened", "occurrence_count", 1, LARGEST_COUNT, "it never happened"),
        between(
            "time_does_not_run_backwards", "open_hours", 0, LARGEST_COUNT, "closed before it opened"
        ),
        holds(
            "open_is_not_closed",
            ("state", "closed_at"),
            lambda rows: rows["state"] != "open",
            "open, but closed at some time",
        ),
        holds(
            "an_order_has_its_channel",
            ("order_id",),
            lambda rows: rows["channel"].notna(),
            "about an order that nobody knows",
        ),
        unique("exception_is_there_once", ("exception_id",), "one exception has two rows"),
        is_true("case_agrees", "the order has another number or channel"),
    ),
    blocks_by=("exception_id",),
)

FULFILLMENT_EXCEPTION_RATES = Suite(
    name="fulfillment_exception_rates",
    owner="order_desk",
    required=(
        "channel",
        "region",
        "brand",
        "period",
        "period_start_date",
        "order_count",
        "exception_order_count",
        "exception_rate",
        *(f"{area}_order_count" for area in AREAS_OF_ORDERS),
        "exception_count",
        "open_exception_count",
        "closed_exception_count",
        "total_open_seconds",
        "orders_agree",
    ),
    optional=("median_open_hours", "p90_open_hours", "p95_open_hours", "p99_open_hours"),
    said=(
        CHANNEL_IS_A_CODE,
        one_of("period_is_known", "period", ("day", "week"), "no such period"),
        between("orders_are_counted", "order_count", 1, LARGEST_COUNT, "a period without an order"),
        between(
            "exceptions_are_not_negative",
            "exception_order_count",
            0,
            LARGEST_COUNT,
            "fewer than no orders",
        ),
        not_less(
            "no_more_go_wrong_than_there_are",
            "order_count",
            "exception_order_count",
            "more orders went wrong than were placed",
        ),
        between("rate_is_a_share", "exception_rate", 0, 10_000, "a rate outside 0 to 1"),
        holds(
            "each_area_is_within_all",
            (*(f"{area}_order_count" for area in AREAS_OF_ORDERS), "exception_order_count"),
            lambda rows: (
                rows[[f"{area}_order_count" for area in AREAS_OF_ORDERS]].max(axis=1)
                <= rows["exception_order_count"]
            ),
            "more orders of one area than of all",
        ),
        not_less(
            "each_order_has_an_exception",
            "exception_count",
            "exception_order_count",
            "fewer exceptions than orders with one",
        ),
        between(
            "time_does_not_run_backwards",
            "median_open_hours",
            0,
            LARGEST_COUNT,
            "closed before they opened",
        ),
        not_less("p90_is_not_below_the_median", "p90_open_hours", "median_open_hours", "p90 below"),
        not_less("p95_is_not_below_p90", "p95_open_hours", "p90_open_hours", "p95 below p90"),
        not_less("p99_is_not_below_p95", "p99_open_hours", "p95_open_hours", "p99 below p95"),
        unique(
            "row_is_there_once",
            ("channel", "region", "brand", "period", "period_start_date"),
            "one period has two rows",
        ),
        is_true("orders_agree", "another number of orders with goods than were placed"),
    ),
    blocks_by=("channel", "region", "brand"),
)
