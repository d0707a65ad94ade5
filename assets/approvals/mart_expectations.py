"""What must be true of the mart of consent before anybody is shown it.

Hours and amounts are in whole ten-thousandths.
"""

from __future__ import annotations

from assets.quality_gate import Suite, between, holds, not_less, unique

OWNER = "operations"
LARGEST_COUNT = 10**9
STATES = ("approved_count", "denied_count", "expired_count", "void_count", "pending_count")

APPROVAL_TURNAROUND = Suite(
    name="approval_turnaround",
    owner=OWNER,
    required=(
        "subject_type",
        "region",
        "brand",
        "currency_code",
        "request_count",
        *STATES,
        "requested_amount",
        "pending_amount",
    ),
    optional=("median_decision_hours", "p95_decision_hours", "longest_waiting_hours"),
    said=(
        between("questions_are_counted", "request_count", 1, LARGEST_COUNT, "without a question"),
        holds(
            "every_question_has_one_state",
            ("request_count", *STATES),
            lambda rows: rows[list(STATES)].sum(axis=1) == rows["request_count"],
            "the states do not add up to the questions",
        ),
        not_less(
            "no_more_waits_than_was_asked", "requested_amount", "pending_amount", "more waits"
        ),
        not_less(
            "p95_is_not_below_the_median",
            "p95_decision_hours",
            "median_decision_hours",
            "p95 below",
        ),
        unique(
            "row_is_there_once",
            ("subject_type", "region", "brand", "currency_code"),
            "one subject has two rows",
        ),
    ),
    blocks_by=("subject_type",),
)
