"""The laws of this flow and of the door before it, as checks."""

from __future__ import annotations

from assets.asset_graph import Law, law_check

LAWS = (
    Law(
        "S3",
        "reservations_end_once",
        "reservation_movement",
        "Each reservation ends once at most, and its movements add up to zero then.",
    ),
    Law("P1", "effects_happen_once", "order_placed", "Whatever came twice had its effect once."),
    Law(
        "M4",
        "refunds_stay_within_captures",
        "payment_movement",
        "No more is asked back or paid back than was captured, and what is owed is booked.",
    ),
    Law(
        "P2",
        "decisions_can_be_redone",
        "decision_record",
        "Every decision follows from its stored inputs and the policy of its day.",
    ),
    Law(
        "P7",
        "nothing_is_lost",
        "event_inbox",
        "What came was applied, set aside, known already, or waits with a release condition.",
    ),
)

CHECKS = [law_check(law) for law in LAWS]
