"""What a gate leaves behind: its pointer and its cases, written with the data that it judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from assets.ports import Case, CaseType
from assets.quality_gate import Failure, Verdict
from resources.operational_store import cases
from resources.operational_store.bulk import execute, fetch
from resources.operational_store.unit_of_work import SqlUnitOfWork

CASE_TYPE = CaseType.DATA_QUALITY_GATE_FAILED
_SHOWN_KEYS = 20


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


def figures(verdict: Verdict) -> dict[str, Any]:
    """A verdict in numbers."""
    return {
        "suite": verdict.suite,
        "rows": verdict.rows,
        "held": len(verdict.held_rows),
        "expectations": verdict.expectations,
        "failures": {failure.expectation: len(failure.rows) for failure in verdict.failures},
    }


def move_pointer(
    connection: sa.Connection, gate: str, accepted: str, detail: Mapping[str, Any]
) -> None:
    """Say what the gate has accepted now, with the figures of its verdict."""
    lock_pointer(connection, gate)
    connection.execute(
        sa.text(
            "update gate_pointer set accepted = :accepted, detail = :detail, recorded_at = now(),"
            " recorded_xid = pg_current_xact_id() where gate = :gate"
        ).bindparams(sa.bindparam("detail", type_=sa.JSON)),
        {"accepted": accepted, "detail": dict(detail), "gate": gate},
    )


def told(key: Sequence[str], frame: pd.DataFrame, failure: Failure) -> str:
    """The sentence, how many rows broke it, and the keys of the first ones."""
    if not failure.rows:
        return f"{failure.reason} ({len(frame)} rows)"
    rows = frame.iloc[list(failure.rows[:_SHOWN_KEYS])][list(key)]
    keys = dict.fromkeys("/".join(map(str, values)) for values in rows.to_numpy().tolist())
    more = " …" if len(failure.rows) > _SHOWN_KEYS else ""
    return f"{failure.reason} ({len(failure.rows)} rows): {', '.join(keys)}{more}"


def open_case(
    unit_of_work: SqlUnitOfWork, subject: str, expectation: str, owner: str, reason: str
) -> str:
    """One case an expectation: the same sentence broken again is the same case again.

    Args:
        unit_of_work: The transaction, which routes what was opened in it.
        subject: A table, load, mart or suite.
        expectation: The sentence that was broken.
        owner: The team whose gate it is.
        reason: How it was broken.

    Returns:
        The case's id.
    """
    business_key = f"{subject}/{expectation}"
    case = Case(CASE_TYPE, business_key, reason, brought_by=owner)
    unit_of_work.open_cases([case])
    return cases.case_id(CASE_TYPE, business_key)


def open_cases(connection: sa.Connection, subject: str = "") -> dict[str, str]:
    """Reasons of open cases by what they are about and its expectation.

    Args:
        connection: In any transaction.
        subject: A table, mart or suite: its cases only, by what follows it in their keys.
    """
    start = f"{subject}/" if subject else ""
    rows = fetch(
        connection,
        "select business_key, reason from exception_case where case_type = %s and status = 'open'"
        " and starts_with(business_key, %s) order by business_key",
        CASE_TYPE,
        start,
    )
    return {str(key).removeprefix(start): str(reason) for key, reason in rows}


def close_case(
    connection: sa.Connection, case_id: str, at: datetime, resolution: str | None = None
) -> int:
    """Close a case; the events that waited for it are pending again.

    Returns:
        How many events go on.
    """
    execute(
        connection,
        "update exception_case set status = 'closed', closed_at = %s, resolution = %s,"
        f" {cases.WRITTEN_NOW} where case_id = %s",
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
