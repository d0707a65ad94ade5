"""What must be true of the mart of pickups before anybody is shown it; hours in ten-thousandths."""

from __future__ import annotations

from assets.order_to_fulfillment.expectations import CHANNEL_IS_A_CODE
from assets.order_to_fulfillment.mart_expectations import LARGEST_COUNT
from assets.quality_gate import Suite, between, holds, is_true, not_less, unique

PICKUP_PERFORMANCE = Suite(
    name="pickup_performance",
    owner="store_operations",
    required=(
        "promised_date",
        "node_id",
        "channel",
        "region",
        "brand",
        "pickup_count",
        "ready_count",
        "ready_in_time_count",
        "collected_count",
        "unclaimed_count",
        "rejected_count",
        "ended_count",
        "open_count",
        "rejected_not_found_count",
        "rejected_damaged_count",
        "rejected_too_busy_count",
        "rejected_no_answer_count",
        "rejected_other_count",
        "pickups_agree",
    ),
    optional=("median_ready_hours", "p95_ready_hours"),
    said=(
        CHANNEL_IS_A_CODE,
        between("pickups_are_counted", "pickup_count", 1, LARGEST_COUNT, "a day of no pickups"),
        holds(
            "every_pickup_has_one_outcome",
            (
                "pickup_count",
                "collected_count",
                "unclaimed_count",
                "rejected_count",
                "ended_count",
                "open_count",
            ),
            lambda rows: (
                rows["collected_count"]
                + rows["unclaimed_count"]
                + rows["rejected_count"]
                + rows["ended_count"]
                + rows["open_count"]
                == rows["pickup_count"]
            ),
            "the outcomes are not as many as the pickups",
        ),
        holds(
            "every_refusal_has_one_reason",
            (
                "rejected_count",
                "rejected_not_found_count",
                "rejected_damaged_count",
                "rejected_too_busy_count",
                "rejected_no_answer_count",
                "rejected_other_count",
            ),
            lambda rows: (
                rows["rejected_not_found_count"]
                + rows["rejected_damaged_count"]
                + rows["rejected_too_busy_count"]
                + rows["rejected_no_answer_count"]
                + rows["rejected_other_count"]
                == rows["rejected_count"]
            ),
            "the reasons are not as many as the refusals",
        ),
        holds(
            "in_time_is_ready",
            ("ready_count", "ready_in_time_count", "pickup_count"),
            lambda rows: (
                (rows["ready_in_time_count"] <= rows["ready_count"])
                & (rows["ready_count"] <= rows["pickup_count"])
            ),
            "more were in time than ready, or more ready than asked for",
        ),
        between(
            "time_does_not_run_backwards",
            "median_ready_hours",
            0,
            LARGEST_COUNT,
            "ready before it was promised",
        ),
        not_less(
            "p95_is_not_below_the_median", "p95_ready_hours", "median_ready_hours", "p95 below it"
        ),
        unique(
            "row_is_there_once",
            ("promised_date", "node_id", "channel", "region", "brand"),
            "one day of a store has two rows",
        ),
        is_true("pickups_agree", "another number of pickups than the stores were asked for"),
    ),
    blocks_by=("promised_date", "node_id"),
)
