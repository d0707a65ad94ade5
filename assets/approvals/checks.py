"""The laws of consent, as checks."""

from __future__ import annotations

from assets.asset_graph import Law, law_check

LAWS = (
    Law(
        "P3",
        "duties_are_separate",
        "approval_decision",
        "Nobody decides what they asked for, edited or gain by, in person or by another.",
    ),
    Law(
        "P4",
        "consent_is_to_its_content",
        "approval_request",
        "What was consented to is what waits, to the letter.",
    ),
)

CHECKS = [law_check(law) for law in LAWS]
