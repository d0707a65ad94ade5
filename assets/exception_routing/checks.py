"""The law of cases, as a check."""

from __future__ import annotations

from assets.asset_graph import Law, law_check

LAWS = (
    Law(
        "P5",
        "nobody_is_forgotten",
        "exception_case",
        "Each open case is somebody's, is due, and no rung of it is overdue or taken twice.",
    ),
)

CHECKS = [law_check(law) for law in LAWS]
