"""What an operator sees and mends by hand: commands that were given up, cases that need a person.

A dead command holds back the later ones of its key. Tried again, it keeps its id, which is its
idempotency key, so a partner that took it after all recognises it.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from assets.errors import BadInput
from resources.gate_records import close_case
from resources.operational_store.unit_of_work import OUTBOX_CHANNEL

#: Below this, the beginning of an id says too little about which one is meant.
SHORTEST_PREFIX = 8

_COMMANDS = """
    select
        outbox_sequence, command_id, partner, command_type, business_key, status, attempts,
        next_attempt_at, last_error, owner, recorded_at
    from command_outbox
    where status <> 'delivered' and (not :only_dead or status = 'dead')
    order by outbox_sequence
"""
# What went wrong stays with the command: by it, its delivery closes the case.
_RETRY = """
    update command_outbox
    set status = 'pending', attempts = 0, next_attempt_at = null
    where status = 'dead' and {wanted}
    returning outbox_sequence, command_id, partner, command_type, business_key
"""
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


def undelivered(connection: sa.Connection, *, only_dead: bool) -> list[dict[str, Any]]:
    """Commands that no partner has taken yet, oldest first; never their payload."""
    found = connection.execute(sa.text(_COMMANDS), {"only_dead": only_dead})
    return [dict(row) for row in found.mappings()]


def retry(
    connection: sa.Connection, name: str | None = None, partner: str | None = None
) -> list[dict[str, Any]]:
    """Give a dead command back to the dispatcher, or all dead ones of a partner.

    Args:
        connection: In the transaction that the caller will commit.
        name: A command's number in the outbox, or its id.
        partner: A partner's code.

    Raises:
        BadInput: If there is no such dead command.
    """
    if (name is None) == (partner is None):
        raise BadInput("say which: a command's number or id, or --partner NAME")
    wanted, value = ("partner = :value", partner) if name is None else _named(name)
    found = connection.execute(sa.text(_RETRY.format(wanted=wanted)), {"value": value})
    rows = sorted(
        (dict(row) for row in found.mappings()), key=lambda row: int(row["outbox_sequence"])
    )
    if not rows:
        what = f"no dead command of {partner}" if name is None else f"no dead command {name}"
        raise BadInput(f"there is {what}: see `omniflow outbox list --dead`")
    connection.execute(sa.text(f"notify {OUTBOX_CHANNEL}"))
    return rows


def _named(name: str) -> tuple[str, object]:
    # The number fits bigint, or it is nobody's.
    if name.isascii() and name.isdigit() and len(name) <= 18:
        return "outbox_sequence = :value", int(name)
    try:
        return "command_id = :value", uuid.UUID(name)
    except ValueError as error:
        raise BadInput(f"{name!r} is neither a command's number nor its id") from error


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
