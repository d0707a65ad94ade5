"""What must be true of the mart of sourcing decisions before anybody is shown it."""

from __future__ import annotations

from assets.order_to_fulfillment.expectations import CHANNEL_IS_A_CODE
from assets.order_to_fulfillment.mart_expectations import LARGEST_COUNT
from assets.quality_gate import Suite, between, holds, is_true, one_of, unique

SOURCING_DECISIONS = Suite(
    name="sourcing_decisions",
    owner="order_desk",
    required=(
        "decision_id",
        "order_id",
        "order_number",
        "decision_number",
        "channel",
        "region",
        "brand",
        "trading_date",
        "decided_at",
        "decision_kind",
        "outcome",
        "reason_codes",
        "method",
        "mode",
        "is_promise_feasible",
        "planned_shipment_count",
        "is_split",
        "ordered_quantity",
        "reserved_quantity",
        "policy_hash",
        "decision_agrees",
    ),
    optional=("node_ids",),
    said=(
        CHANNEL_IS_A_CODE,
        one_of(
            "kind_is_known",
            "decision_kind",
            ("sourcing", "pickup", "pickup_store"),
            "nothing is sourced by such a decision",
        ),
        one_of(
            "outcome_is_known",
            "outcome",
            (
                "filled",
                "partly_filled",
                "unfilled",
                "charges_only",
                "promised_again",
                "other_store",
                "no_store",
            ),
            "nobody knows this outcome",
        ),
        one_of("mode_is_known", "mode", ("normal", "degraded"), "nobody decides in this mode"),
        between("decisions_are_numbered", "decision_number", 1, LARGEST_COUNT, "before the first"),
        between(
            "reserved_is_not_negative", "reserved_quantity", 0, LARGEST_COUNT, "less than nothing"
        ),
        holds(
            "no_more_is_reserved_than_ordered",
            ("reserved_quantity", "ordered_quantity"),
            lambda rows: rows["reserved_quantity"] <= rows["ordered_quantity"],
            "more was reserved than the order is about",
        ),
        holds(
            "what_is_reserved_has_a_node",
            ("reserved_quantity", "planned_shipment_count"),
            lambda rows: (rows["reserved_quantity"] > 0) == (rows["planned_shipment_count"] > 0),
            "units without a node, or a node without units",
        ),
        holds(
            "filled_has_units",
            ("decision_kind", "outcome", "reserved_quantity"),
            lambda rows: (
                (rows["decision_kind"] != "sourcing")
                | (
                    rows["outcome"].isin(["filled", "partly_filled"])
                    == (rows["reserved_quantity"] > 0)
                )
            ),
            "filled with nothing, or unfilled with something",
        ),
        unique("decision_is_there_once", ("decision_id",), "one decision has two rows"),
        unique(
            "number_is_there_once", ("order_id", "decision_number"), "two decisions have one number"
        ),
        is_true("decision_agrees", "the decision says another outcome or policy"),
    ),
    blocks_by=("order_id",),
)
