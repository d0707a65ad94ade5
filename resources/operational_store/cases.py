"""Cases: the one place that writes that something needs a person, and that it does no more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from assets.commerce.identifiers import identify
from assets.ports import Case
from resources.operational_store.bulk import execute

#: Whoever changes a case says so to those who copy the table, which know it by its last writing.
WRITTEN_NOW = "recorded_at = now(), recorded_xid = pg_current_xact_id()"


def case_id(case_type: str, business_key: str) -> str:
    """The id of a case, the same wherever its cause is found."""
    return str(identify("case", case_type, business_key))


def open_cases(connection: sa.Connection, cases: Iterable[Case], opened_at: datetime) -> int:
    """Open cases; the same cause again is the same case, counted up and open again.

    The last one says why, in one call as over many, so that the words do not depend on how the
    causes were batched.

    Returns:
        How many cases these are.
    """
    said = list(cases)
    counts = Counter((case.case_type, case.business_key) for case in said)
    # In one order, so that two who open the same cases do not wait for each other.
    distinct = sorted({(case.case_type, case.business_key): case for case in said}.items())
    if not distinct:
        return 0
    return execute(
        connection,
        "insert into exception_case"
        " (case_id, case_type, business_key, owner, reason, opened_at, case_count)"
        " select new.case_id, new.case_type, new.business_key, new.owner, new.reason, %s, new.count"
        " from unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::integer[])"
        " as new (case_id, case_type, business_key, owner, reason, count)"
        " on conflict (case_type, business_key) do update"
        " set case_count = exception_case.case_count + excluded.case_count,"
        " status = 'open', closed_at = null, resolution = null, reason = excluded.reason,"
        f" {WRITTEN_NOW}",
        opened_at,
        [case_id(*key) for key, _ in distinct],
        [case_type for (case_type, _), _ in distinct],
        [business_key for (_, business_key), _ in distinct],
        [case.owner for _, case in distinct],
        [case.reason for _, case in distinct],
        [counts[key] for key, _ in distinct],
    )


def close_cases(
    connection: sa.Connection,
    case_type: str,
    business_keys: Iterable[str],
    resolution: str,
    closed_at: datetime,
) -> int:
    """Close those of these cases that are open: their cause is gone; gives how many."""
    return execute(
        connection,
        "update exception_case set status = 'closed', closed_at = %s, resolution = %s,"
        f" {WRITTEN_NOW}"
        " where case_type = %s and business_key = any(%s) and status = 'open'",
        closed_at,
        resolution,
        case_type,
        list(business_keys),
    )
