"""Consent and who gave it, as Dagster shows them: people decide elsewhere, with their own token."""

from __future__ import annotations

from assets.asset_graph import table

GROUP = "approvals"
OWNER = "operations"

ASSETS = [
    table(
        "approval_request",
        "One row per question that was put to people: the event that waits for their consent.",
        group=GROUP,
        owner=OWNER,
        deps=("stock_correction", "order_state"),
    ),
    table(
        "approval_decision",
        "One row per person's word on a request, and in whose place it was said.",
        group=GROUP,
        owner=OWNER,
        deps=("approval_request",),
    ),
    table(
        "approval_delegation",
        "One row per time that somebody let another person decide in their place.",
        group=GROUP,
        owner=OWNER,
    ),
    table(
        "audit_entry",
        "One row per act of a person, done or refused, sealed by the hash of all before it.",
        group=GROUP,
        owner=OWNER,
    ),
]
