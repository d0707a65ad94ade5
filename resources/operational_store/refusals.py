"""When what the door has refused is more than an accident, and so somebody's business.

Apart from `quarantine`, which the gateway loads, so that it starts without whatever cases need.
"""

from __future__ import annotations

import sqlalchemy as sa

from assets.ports import Case, CaseType
from resources.operational_store.bulk import fetch

_MANY = """
with open_ones as (
    select
        q.source, q.event_id is null as is_row,
        case when q.event_id is null then q.source else q.source || '/' || q.event_type end as key,
        q.quarantine_id, q.reason_code, q.recorded_at
    from quarantined_event as q
    where q.status = 'open' and q.reason_code <> all(%s)
)
select q.is_row, q.key, count(*), (array_agg(q.reason_code order by q.quarantine_id desc))[1]
from open_ones as q
left join exception_case as c
    on c.business_key = q.key
    and c.case_type = case when q.is_row then %s else %s end
where c.case_id is null or (c.status = 'closed' and q.recorded_at > c.recorded_at)
group by q.is_row, q.key
having count(*) >= %s
"""


def report_many(connection: sa.Connection, least: int) -> list[Case]:
    """Cases of sources of which the door has refused so many events or rows that it is a change.

    What a flow has refused has its own case. A case that was closed opens again with as many new
    ones.
    """
    rows = fetch(
        connection,
        _MANY,
        list(CaseType),
        CaseType.QUARANTINED_ROWS,
        CaseType.CONTRACT_VIOLATION,
        least,
    )
    return [
        Case(
            CaseType.QUARANTINED_ROWS if is_row else CaseType.CONTRACT_VIOLATION,
            key,
            f"{count} {'rows' if is_row else 'events'} were refused, the last as {reason}",
        )
        for is_row, key, count, reason in rows
    ]
