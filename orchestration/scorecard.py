"""What a demo week came to, read from the stores as anybody could read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from assets.finance.policy import finance_policy
from orchestration.dagster_report import tell_laws
from orchestration.demo import DemoRun
from orchestration.fault_score import FaultScore, score_home
from resources.gate_records import open_cases
from resources.operational_store import invariants
from resources.operational_store.bulk import fetch
from resources.operational_store.store import OperationalStore, create_engine

_TOTALS = """
    select
        (select count(*) from order_placed),
        (select count(*) from order_line),
        (select coalesce(sum(ordered_quantity), 0)::bigint from order_line),
        (select coalesce(sum(reserved_quantity), 0)::bigint from order_line),
        (select count(*) from event_inbox where status = 'applied'),
        (select count(*) from event_inbox where status in ('waiting', 'pending')),
        (select count(*) from quarantined_event),
        (select coalesce(sum(duplicates), 0)::bigint from door_tally),
        (select coalesce(sum(received), 0)::bigint from door_tally),
        (select count(*) from shipment_dispatched),
        (select count(*) from command_outbox where status = 'delivered'),
        (select count(*) from command_outbox where status <> 'delivered'),
        (select coalesce(-sum(amount), 0) from journal_line where entry_kind = 'revenue'
            and account_code = any(%s)),
        (select count(distinct entry_id) from journal_line)
"""
_BACKORDERED = """
    select
        coalesce(sum(quantity) filter (where kind = 'opened'), 0)::bigint,
        coalesce(-sum(quantity) filter (where kind = 'supplied'), 0)::bigint
    from backorder_movement
"""


@dataclass(frozen=True)
class Scorecard:
    """The week in numbers; ``cases`` are (type, owner, how many), ``promises`` outcome → orders.

    A promise that moved is ``promises_kept_as_moved`` when its order came in full by the last date
    that its customer was told. Of the ``units_backordered`` some were ``units_supplied`` since.
    """

    orders: int
    order_lines: int
    units_ordered: int
    units_reserved: int
    events_in: int
    events_applied: int
    events_waiting: int
    events_quarantined: int
    events_duplicate: int
    shipments: int
    commands_delivered: int
    commands_open: int
    revenue: str
    journal_entries: int
    cases: list[tuple[str, str, int]]
    statuses: dict[str, int]
    promises: dict[str, int]
    promises_moved: int
    promises_kept_as_moved: int
    units_backordered: int
    units_supplied: int
    invariants: dict[str, bool]
    marts: dict[str, int]
    marts_held: list[str]
    gate_cases: list[str]
    faults: FaultScore | None

    @property
    def fill_rate(self) -> float:
        """Units reserved of units ordered."""
        return self.units_reserved / self.units_ordered if self.units_ordered else 1.0

    @property
    def is_sound(self) -> bool:
        """Whether everything holds that must hold."""
        accounted = (
            self.events_applied
            + self.events_waiting
            + self.events_quarantined
            + self.events_duplicate
        )
        return (
            all(self.invariants.values())
            and not self.marts_held
            and not self.gate_cases
            and not self.commands_open
            and accounted == self.events_in
            and (self.faults is None or self.faults.is_good)
        )


def score(run: DemoRun) -> Scorecard:
    """Read the scorecard of a finished run."""
    from resources.analytics_store.store import AnalyticsStore
    from resources.lake.lake import Lake

    store = OperationalStore(create_engine(run.home.database_url))
    with store.transaction() as connection:
        accounts = finance_policy(store.policies.resolve("finance", "all", "house")).accounts
        revenue_accounts = [accounts.goods_revenue, accounts.charge_revenue]
        totals = fetch(connection, _TOTALS, revenue_accounts)[0]
        cases = fetch(
            connection,
            "select case_type, owner, count(*) from exception_case"
            " group by 1, 2 order by 3 desc, 1",
        )
        backordered, supplied = backordered_units(connection)
        statuses = dict(fetch(connection, "select status, count(*) from order_state group by 1"))
        gate_cases = [f"{key}: {reason}" for key, reason in open_cases(connection).items()]
        checked = invariants.check(connection)
    tell_laws(run.home, checked)
    held = {result.id: result.holds for result in checked if result.applies}
    faults = score_home(run.home, store)
    store.engine.dispose()
    warehouse = AnalyticsStore(run.home.warehouse, Lake(run.home.lake))
    performance = warehouse.rows("order_promise_performance")
    moved, kept_as_moved = moved_promises(performance)
    (orders, lines, ordered, reserved, applied, waiting, quarantined, duplicates, received) = (
        totals[:9]
    )
    shipments, delivered, open_commands, revenue, entries = totals[9:]
    return Scorecard(
        orders=orders,
        order_lines=lines,
        units_ordered=ordered,
        units_reserved=reserved,
        events_in=received,
        events_applied=applied,
        events_waiting=waiting,
        events_quarantined=quarantined,
        events_duplicate=duplicates,
        shipments=shipments,
        commands_delivered=delivered,
        commands_open=open_commands,
        revenue=str(revenue),
        journal_entries=entries,
        cases=[(kind, owner, count) for kind, owner, count in cases],
        statuses=statuses,
        promises=dict(Counter(str(row["outcome"]) for row in performance)),
        promises_moved=moved,
        promises_kept_as_moved=kept_as_moved,
        units_backordered=backordered,
        units_supplied=supplied,
        invariants=held,
        marts={mart.name: mart.row_count for mart in run.published.publication.marts},
        marts_held=[f"{held.mart}: {held.reason}" for held in run.published.publication.held],
        gate_cases=gate_cases,
        faults=faults,
    )


def backordered_units(connection: sa.Connection) -> tuple[int, int]:
    """Units that waited for supply, and how many of them it has served."""
    backordered, supplied = fetch(connection, _BACKORDERED)[0]
    return backordered, supplied


def moved_promises(performance: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Of the mart's orders: promised more than once, and of these kept as promised last."""
    moved = [row for row in performance if row["promise_count"] > 1]
    return len(moved), sum(bool(row["is_on_last_promise"] and row["is_in_full"]) for row in moved)
