"""What people are told, as Dagster shows it; a sensor delivers it."""

from __future__ import annotations

from assets.asset_graph import table

GROUP = "notifications"
OWNER = "operations"

ASSETS = [
    table(
        "notification",
        "One row per message to a queue, a role or a person: why, about what, and when.",
        group=GROUP,
        owner=OWNER,
        deps=("exception_case", "case_escalated", "approval_request", "playbook_action"),
    ),
]
