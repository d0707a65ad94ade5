"""What an operator sees of the cases that need a person, and closes by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from assets.errors import BadInput
from resources.gate_records import close_case

#: Below this, the beginning of an id says too little about which one is meant.
SHORTEST_PREFIX = 8

_CASES = """
    select
        case_id, case_type as type, status, owner, severity, value_at_risk, currency_code,
        business_key, case_count as count, reason, opened_at, due_at, assigned_to, paused_at,
        pause_reason, promised_date, region, brand, channel, node_id, handling_minutes,
        delay_cost_per_hour, closed_at, resolution
    from exception_case
    where (:with_closed or status = 'open') and (cast(:queue as text) is null or owner = :queue)
    order by opened_at, case_type, business_key
"""
_SPENT = """
    select cycle, movement_number, kind, calendar, consumed_seconds, due_at, actor, reason,
        occurred_at
    from service_level_movement where case_id = :id order by cycle, movement_number
"""
_CLIMBED = """
    select cycle, percent_of_budget, told, assigned_to, is_breach, occurred_at
    from case_escalated where case_id = :id order by cycle, rung
"""
_DONE = """
    select cycle, action_number, playbook, outcome, cost, run_id, actor, occurred_at
    from playbook_action where case_id = :id order by cycle, action_number
"""


def cases(
    connection: sa.Connection, *, with_closed: bool, queue: str | None = None
) -> list[dict[str, Any]]:
    """What needs a person, oldest first; of all queues or of one."""
    found = connection.execute(sa.text(_CASES), {"with_closed": with_closed, "queue": queue})
    return [dict(row) for row in found.mappings()]


def history(connection: sa.Connection, case_id: str) -> dict[str, list[dict[str, Any]]]:
    """What a case's time was spent on, which rungs it has climbed, and what playbooks did."""
    told = {"service_level": _SPENT, "escalation": _CLIMBED, "actions": _DONE}
    return {
        name: [dict(row) for row in connection.execute(sa.text(asked), {"id": case_id}).mappings()]
        for name, asked in told.items()
    }


def resolve(connection: sa.Connection, name: str, resolution: str, at: datetime) -> dict[str, Any]:
    """Close a case by hand; events that wait for it go on.

    Args:
        connection: In the transaction that the caller will commit.
        name: The case's id, or its beginning.
        resolution: What was found out or done, in the person's words.
        at: The home's time.

    Returns:
        The case as it is now, with ``released``: how many events go on.

    Raises:
        BadInput: If no case or several begin so, or it is closed already.
    """
    resolution = resolution.strip()
    if not resolution:
        raise BadInput("say why it is closed: --reason TEXT")
    case = case_named(connection, name)
    if case["status"] == "closed":
        raise BadInput(f"the case {case['case_id']} is closed already")
    released = close_case(connection, str(case["case_id"]), at, resolution)
    return {
        **case, "status": "closed", "closed_at": at, "resolution": resolution, "released": released
    }  # fmt: skip


def case_named(connection: sa.Connection, name: str) -> dict[str, Any]:
    """The case whose id begins so.

    Raises:
        BadInput: If there is none, or more than one, or too little was said.
    """
    prefix = name.strip().lower()
    if len(prefix) < SHORTEST_PREFIX:
        raise BadInput(f"say at least the first {SHORTEST_PREFIX} characters of the case's id")
    found = [
        case
        for case in cases(connection, with_closed=True)
        if str(case["case_id"]).startswith(prefix)
    ]
    if not found:
        raise BadInput(f"there is no case {name}: see `omniflow exceptions list`")
    if len(found) > 1:
        raise BadInput(f"{len(found)} cases begin with {name}: say more of its id")
    return found[0]
