"""Which events wait while a gate's case is open: those that still have a held key before them.

An event names an order by its subject, a SKU in its data or in one of its lines, a node in its
data. Master data are never held: what their system of record says next may be what puts them right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import numpy as np
import pandas as pd
import sqlalchemy as sa

from assets.quality_gate import Verdict
from resources.gate_records import CASE_TYPE
from resources.operational_store.bulk import execute

Named = Literal["order", "sku", "node"]

#: The column of a judged table that holds what the events name.
COLUMNS: Mapping[Named, str] = {"order": "order_id", "sku": "sku", "node": "node_id"}

# Named by two held keys, an event waits for one case: which one must not depend on chance.
_NAMING: Mapping[Named, str] = {
    "order": """
        select e.inbox_id, min(held.case_id) as case_id
        from unnest(%s::uuid[], %s::text[]) as held (key, case_id)
        join order_placed o on o.order_id = held.key
        join event_inbox e on e.channel = o.channel and e.subject = o.order_number
        where e.status = 'pending' and e.consumer <> 'master_data'
        group by e.inbox_id
    """,
    "sku": """
        select e.inbox_id, min(held.case_id) as case_id
        from event_inbox e
        cross join lateral (
            select e.data ->> 'sku' as sku
            union all
            select line ->> 'sku'
            from json_array_elements(
                case json_typeof(e.data -> 'lines') when 'array' then e.data -> 'lines' end
            ) as line
        ) as named
        join unnest(%s::text[], %s::text[]) as held (key, case_id) on held.key = named.sku
        where e.status = 'pending' and e.consumer <> 'master_data'
        group by e.inbox_id
    """,
    "node": """
        select e.inbox_id, min(held.case_id) as case_id
        from event_inbox e
        join unnest(%s::text[], %s::text[]) as held (key, case_id)
            on held.key = e.data ->> 'node_id'
        where e.status = 'pending' and e.consumer <> 'master_data'
        group by e.inbox_id
    """,
}


def hold_events(
    connection: sa.Connection,
    named: Named,
    case_by_key: Mapping[str, str],
    since: datetime,
) -> int:
    """Let pending events that name one of these keys wait for the case of the key.

    Returns:
        How many events wait now that did not before.
    """
    if not case_by_key:
        return 0
    return execute(
        connection,
        "update event_inbox e set status = 'waiting', waiting_reason = %s,"
        " release_condition = 'case:' || naming.case_id,"
        " waiting_since = coalesce(e.waiting_since, %s)"
        f" from ({_NAMING[named]}) as naming"
        " where e.inbox_id = naming.inbox_id and e.status = 'pending'",
        CASE_TYPE,
        since,
        list(case_by_key),
        list(case_by_key.values()),
    )


def case_by_key(
    frame: pd.DataFrame, verdict: Verdict, named: Named, cases: Mapping[str, str]
) -> dict[str, str]:
    """The case that each held key waits for.

    Args:
        frame: The judged rows.
        verdict: What was said about them.
        named: Which key.
        cases: Case ids by expectation.

    Returns:
        Case ids by key: that of the first expectation that a row of the key did not meet. A row
        that is held only together with others waits for the first case of all.
    """
    case_by_row = np.full(len(frame), next(iter(cases.values()), ""), dtype=object)
    is_told = np.zeros(len(frame), dtype=np.bool_)
    for failure in verdict.failures:
        if failure.severity == "critical":
            rows = list(failure.rows)
            if failure.level == "table":
                rows = list(range(len(frame)))
            fresh = [row for row in rows if not is_told[row]]
            case_by_row[fresh] = cases[failure.expectation]
            is_told[fresh] = True
    # Rows with a failure of their own come first: they say best what their key waits for.
    order = np.flatnonzero(verdict.is_held)
    order = order[np.argsort(~is_told[order], kind="stable")]
    column = frame[COLUMNS[named]].to_numpy()
    held: dict[str, str] = {}
    for row in order.tolist():
        if not pd.isna(column[row]):
            held.setdefault(str(column[row]), str(case_by_row[row]))
    return held


def hold_named(
    connection: sa.Connection,
    frame: pd.DataFrame,
    verdict: Verdict,
    holds_by: Sequence[Named],
    cases: Mapping[str, str],
    since: datetime,
) -> int:
    """Hold what names the held rows of a judged frame; gives how many events."""
    return sum(
        hold_events(connection, named, case_by_key(frame, verdict, named, cases), since)
        for named in holds_by
    )
