"""What a gate leaves behind: its pointer and its cases, written with the data that it judged."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from assets.ports import Case
from assets.quality_gate import Verdict
from resources.operational_store import cases
from resources.operational_store.bulk import execute, fetch

CASE_TYPE = "data_quality_gate_failed"


def lock_pointer(connection: sa.Connection, gate: str) -> str:
    """What the gate has accepted, ``0`` before the first time; whoever else would move it waits."""
    execute(
        connection,
        "insert into gate_pointer (gate, accepted, detail) values (%s, '0', '{}')"
        " on conflict do nothing",
        gate,
    )
    rows = fetch(connection, "select accepted from gate_pointer where gate = %s for update", gate)
    return str(rows[0][0])


def move_pointer(connection: sa.Connection, gate: str, accepted: str, verdict: Verdict) -> None:
    """Say what the gate has accepted now, with the figures of its verdict."""
    lock_pointer(connection, gate)
    detail = {
        "suite": verdict.suite,
        "rows": verdict.rows,
        "held": len(verdict.held_rows),
        "expectations": verdict.expectations,
        "failures": {failure.expectation: len(failure.rows) for failure in verdict.failures},
    }
    connection.execute(
        sa.text(
            "update gate_pointer set accepted = :accepted, detail = :detail, recorded_at = now(),"
            " recorded_xid = pg_current_xact_id() where gate = :gate"
        ).bindparams(sa.bindparam("detail", type_=sa.JSON)),
        {"accepted": accepted, "detail": detail, "gate": gate},
    )


def open_case(
    connection: sa.Connection,
    subject: str,
    expectation: str,
    owner: str,
    reason: str,
    opened_at: datetime,
) -> str:
    """One case an expectation: the same sentence broken again is the same case again.

    Returns:
        The case's id.
    """
    business_key = f"{subject}/{expectation}"
    cases.open_cases(connection, [Case(CASE_TYPE, business_key, owner, reason)], opened_at)
    return cases.case_id(CASE_TYPE, business_key)


def open_cases(connection: sa.Connection, subject: str) -> dict[str, str]:
    """Reasons of the open cases about one table or mart, by expectation."""
    rows = fetch(
        connection,
        "select business_key, reason from exception_case where case_type = %s and status = 'open'"
        " and starts_with(business_key, %s) order by business_key",
        CASE_TYPE,
        f"{subject}/",
    )
    return {str(key).removeprefix(f"{subject}/"): str(reason) for key, reason in rows}


def close_case(
    connection: sa.Connection, case_id: str, at: datetime, resolution: str | None = None
) -> int:
    """Close a case; the events that waited for it are pending again.

    Returns:
        How many events go on.
    """
    execute(
        connection,
        "update exception_case set status = 'closed', closed_at = %s, resolution = %s"
        " where case_id = %s",
        at,
        resolution,
        case_id,
    )
    return execute(
        connection,
        "update event_inbox set status = 'pending', waiting_reason = null,"
        " release_condition = null where status = 'waiting' and release_condition = %s",
        f"case:{case_id}",
    )
