"""Cases: the one place that writes that something needs a person, whose it is, and that it is over.

Whoever opens one says what it knows; `assets.exception_routing` says whose it is and by when.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from assets.commerce.identifiers import identify
from assets.ports import (
    Action,
    Case,
    CaseRoute,
    RunningCase,
    ServiceTime,
    TroubledCase,
    UnroutedCase,
    flow_of,
)
from resources.operational_store.bulk import execute, fetch

CASES_CHANNEL = "omniflow_cases"
#: Whoever changes a case says so to those who copy the table, which know it by its last writing.
WRITTEN_NOW = "recorded_at = now(), recorded_xid = pg_current_xact_id()"

_ABOUT = (
    ("region", "text"),
    ("brand", "text"),
    ("channel", "text"),
    ("order_id", "uuid"),
    ("node_id", "text"),
    ("value_at_risk", "bigint"),
    ("currency_code", "text"),
    ("promised_date", "date"),
)
_NEW = (
    ("case_id", "uuid"),
    ("case_type", "text"),
    ("business_key", "text"),
    ("reason", "text"),
    ("brought_by", "text"),
    ("case_count", "integer"),
    *_ABOUT,
)


def _unnested(columns: Sequence[tuple[str, str]], name: str) -> str:
    arrays = ", ".join(f"%s::{kind}[]" for _, kind in columns)
    return f"unnest({arrays}) as {name} ({', '.join(column for column, _ in columns)})"


def _money(columns: Sequence[tuple[str, str]], name: str, *amounts: str) -> str:
    """The columns of a set, those of money as decimals again."""
    return ", ".join(
        f"{name}.{column}::numeric / 10000" if column in amounts else f"{name}.{column}"
        for column, _ in columns
    )


# What is known of the last cause is what the case is about; what it does not know is kept.
_OPEN = f"""
insert into exception_case
    (opened_at, cycle_started_at, {", ".join(column for column, _ in _NEW)})
select %s, %s, {_money(_NEW, "new", "value_at_risk")}
from {_unnested(_NEW, "new")}
on conflict (case_type, business_key) do update set
    case_count = exception_case.case_count + excluded.case_count,
    status = 'open', closed_at = null, resolution = null, reason = excluded.reason,
    cycle = exception_case.cycle + (exception_case.status = 'closed')::integer,
    cycle_started_at = case when exception_case.status = 'closed'
        then excluded.cycle_started_at else exception_case.cycle_started_at end,
    routed_at = case when exception_case.status = 'open' then exception_case.routed_at end,
    brought_by = excluded.brought_by,
    region = excluded.region, brand = excluded.brand, channel = excluded.channel,
    order_id = coalesce(excluded.order_id, exception_case.order_id),
    node_id = coalesce(excluded.node_id, exception_case.node_id),
    value_at_risk = coalesce(excluded.value_at_risk, exception_case.value_at_risk),
    currency_code = coalesce(excluded.currency_code, exception_case.currency_code),
    promised_date = coalesce(excluded.promised_date, exception_case.promised_date),
    {WRITTEN_NOW}
"""

# Also what is over already, as when its cause is cured in the transaction that found it.
_UNROUTED = """
select case_id::text, case_type, business_key, cycle, cycle_started_at, brought_by,
    region, brand, channel, (value_at_risk * 10000)::bigint, currency_code, promised_date
from exception_case where routed_at is null
order by case_id limit %s for update skip locked
"""

_ROUTE = (
    ("case_id", "uuid"),
    ("owner", "text"),
    ("severity", "text"),
    ("handling_minutes", "integer"),
    ("delay_cost_per_hour", "bigint"),
    ("service_level", "text"),
    ("calendar", "text"),
    ("budget_seconds", "bigint"),
    ("due_at", "timestamptz"),
    ("next_rung_at", "timestamptz"),
    ("playbook", "text"),
    ("next_action_at", "timestamptz"),
    ("policy_hash", "text"),
)
_PUT_ROUTES = f"""
update exception_case set
    {", ".join(f"{name} = new.{name}" for name, _ in _ROUTE[1:] if name != "delay_cost_per_hour")},
    delay_cost_per_hour = new.delay_cost_per_hour::numeric / 10000,
    assigned_to = null, paused_at = null, pause_reason = null, next_rung = 0,
    next_action = 0,
    routed_at = %s, {WRITTEN_NOW}
from {_unnested(_ROUTE, "new")}
where exception_case.case_id = new.case_id
"""


_RUNNING = """
select c.case_id::text, c.case_type, c.business_key, c.severity, c.cycle, m.movement_number,
    c.owner, c.assigned_to, c.region, c.brand,
    (c.value_at_risk * 10000)::bigint, c.currency_code, m.calendar, m.budget_seconds,
    m.consumed_seconds, m.occurred_at, c.due_at, c.next_rung, c.paused_at is not null
from exception_case c
cross join lateral (
    select * from service_level_movement m where m.case_id = c.case_id and m.cycle = c.cycle
    order by m.movement_number desc limit 1
) m
"""
_ON_A_RUNG = f"""{_RUNNING}
where c.status = 'open' and c.paused_at is null and c.next_rung_at <= %s
order by c.next_rung_at, c.case_id limit %s for update of c skip locked
"""
_RUNNING_ONES = f"""{_RUNNING}
where c.case_id = any(%s::uuid[]) and c.status = 'open' and c.routed_at is not null
order by c.case_id for update of c
"""

_TIMES = (
    ("case_id", "uuid"),
    ("owner", "text"),
    ("assigned_to", "text"),
    ("calendar", "text"),
    ("due_at", "timestamptz"),
    ("next_rung", "integer"),
    ("next_rung_at", "timestamptz"),
    ("paused_at", "timestamptz"),
    ("pause_reason", "text"),
)
_PUT_TIMES = f"""
update exception_case set {", ".join(f"{name} = new.{name}" for name, _ in _TIMES[1:])},
    {WRITTEN_NOW}
from {_unnested(_TIMES, "new")}
where exception_case.case_id = new.case_id
"""


# Which of them is acted on next, and what its actions have cost so far.
_AWAITING_ACTION = """
select c.case_id::text, c.cycle, c.next_action + 1, c.case_type, c.business_key, c.order_id::text,
    c.node_id, c.region, c.brand, c.channel, coalesce(c.next_action_at, c.cycle_started_at),
    coalesce((
        select (sum(a.cost) * 10000)::bigint from playbook_action a
        where a.case_id = c.case_id and a.cycle = c.cycle
    ), 0)
from exception_case c
where c.status = 'open' and c.playbook = %s and {which}
order by c.next_action_at, c.case_id limit %s for update skip locked
"""
_PUT_ACTIONS = f"""
update exception_case set next_action = new.number, next_action_at = new.next_at, {WRITTEN_NOW}
from unnest(%s::uuid[], %s::integer[], %s::timestamptz[]) as new (case_id, number, next_at)
where exception_case.case_id = new.case_id
"""


def case_id(case_type: str, business_key: str) -> str:
    """The id of a case, the same wherever its cause is found."""
    return str(identify("case", case_type, business_key))


def open_cases(connection: sa.Connection, cases: Iterable[Case], opened_at: datetime) -> int:
    """Open cases; the same cause again is the same case, counted up, and open again if it was not.

    The last one says why, in one call as over many, so that the words do not depend on how the
    causes were batched. Whoever routes cases is told.

    Returns:
        How many cases these are.
    """
    said = list(cases)
    counts = Counter((case.case_type, case.business_key) for case in said)
    # In one order, so that two who open the same cases do not wait for each other.
    distinct = sorted({(case.case_type, case.business_key): case for case in said}.items())
    if not distinct:
        return 0
    keys, last = [key for key, _ in distinct], [case for _, case in distinct]
    opened = execute(
        connection,
        _OPEN,
        opened_at,
        opened_at,
        [case_id(*key) for key in keys],
        [case_type for case_type, _ in keys],
        [business_key for _, business_key in keys],
        [case.reason for case in last],
        [case.brought_by for case in last],
        [counts[key] for key in keys],
        *([getattr(case.about, name) for case in last] for name, _ in _ABOUT),
    )
    execute(connection, f"notify {CASES_CHANNEL}")
    return opened


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


def open_keys(connection: sa.Connection, case_type: str) -> set[str]:
    """Business keys of the open cases of a type."""
    rows = fetch(
        connection,
        "select business_key from exception_case where case_type = %s and status = 'open'",
        case_type,
    )
    return {row[0] for row in rows}


def case_figures(connection: sa.Connection, at: datetime) -> dict[str, int]:
    """How many cases are open, overdue and closed at an instant: in all, by flow and by queue."""
    rows = fetch(
        connection,
        "select case_type, coalesce(owner, 'nobody'), count(*) filter (where status = 'open'),"
        " count(*) filter (where status = 'open' and due_at < %s),"
        " count(*) filter (where status = 'closed')"
        " from exception_case group by 1, 2 order by 1, 2",
        at,
    )
    figures: Counter[str] = Counter()
    for case_type, owner, *counts in rows:
        for name, count in zip(("open", "overdue", "closed"), counts, strict=True):
            figures[f"cases_{name}"] += count
            figures[f"of_{flow_of(case_type)}_{name}"] += count
            figures[f"{owner}_{name}"] += count
    return {"cases_open": 0, "cases_overdue": 0, "cases_closed": 0, **figures}


class SqlCases:
    """Cases as routing sees them, within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def unrouted(self, limit: int) -> list[UnroutedCase]:
        """Cases that are nobody's yet, locked; without those that another worker holds."""
        return [UnroutedCase(*row) for row in fetch(self._connection, _UNROUTED, limit)]

    def put_routes(self, routes: Sequence[CaseRoute], at: datetime) -> None:
        """Write whose each of these cases is, and by when."""
        columns = ([getattr(route, name) for route in routes] for name, _ in _ROUTE)
        execute(self._connection, _PUT_ROUTES, at, *columns)

    def on_a_rung(self, at: datetime, limit: int) -> list[RunningCase]:
        """Cases whose next rung is due by then, the first first; without others' locks."""
        return [RunningCase(*row) for row in fetch(self._connection, _ON_A_RUNG, at, limit)]

    def running(self, case_ids: Sequence[str]) -> list[RunningCase]:
        """Those of these cases that are open and routed, locked."""
        return [RunningCase(*row) for row in fetch(self._connection, _RUNNING_ONES, list(case_ids))]

    def put_times(self, times: Sequence[ServiceTime]) -> None:
        """Write whose each case is now, when it is due and when its next rung is."""
        execute(self._connection, _PUT_TIMES, *map(list, zip(*times, strict=True)))

    def awaiting_action(
        self, playbook: str, at: datetime, limit: int, case_ids: Sequence[str] | None
    ) -> list[TroubledCase]:
        """Open cases on which a playbook is to act by then, or those of these that have it."""
        which = "c.next_action_at <= %s" if case_ids is None else "c.case_id = any(%s::uuid[])"
        asked = _AWAITING_ACTION.format(which=which)
        wanted = at if case_ids is None else list(case_ids)
        rows = fetch(self._connection, asked, playbook, wanted, limit)
        return [TroubledCase(*row) for row in rows]

    def spent_on(self, playbook: str, since: datetime) -> int:
        """What a playbook's actions have cost since then (ten-thousandths)."""
        rows = fetch(
            self._connection,
            "select coalesce((sum(cost) * 10000)::bigint, 0) from playbook_action"
            " where playbook = %s and occurred_at >= %s",
            playbook,
            since,
        )
        return int(rows[0][0])

    def put_actions(self, actions: Sequence[Action]) -> None:
        """Write when each case is acted on next."""
        execute(
            self._connection,
            _PUT_ACTIONS,
            [one.case.case_id for one in actions],
            [one.case.action_number for one in actions],
            [one.next_at for one in actions],
        )
