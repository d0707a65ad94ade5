"""Judges each closed window of streamed facts, and keeps what it finds where people look.

A window of a table is every fact whose transaction ended since the last one: closed means that no
transaction that could still add to it is running. What a fact says is never taken back, it is a
ledger; a window that fails opens a case, and the events that still have the same order, SKU or node
before them wait until the case is closed. The pointer `gate_pointer` moves in the transaction that
writes all this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import pandas as pd
import sqlalchemy as sa

from assets.ports import Clock
from assets.quality_gate import Failure, Verdict, judge
from resources.gate_records import figures, lock_pointer, move_pointer, open_case, told
from resources.gated_tables import TABLES, GatedTable
from resources.held_events import hold_named
from resources.operational_store.bulk import fetch, fetch_frame
from resources.operational_store.unit_of_work import SqlUnitOfWork

#: A window is cut before the transaction with which it would grow beyond this.
WINDOW_ROWS = 100_000


class GatedStore(Protocol):
    """What the gate needs of the operational store."""

    clock: Clock
    engine: sa.Engine

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """One transaction: committed when the block ends, undone when it raises."""
        ...

    def unit_of_work(self) -> AbstractContextManager[SqlUnitOfWork]:
        """One transaction that may open cases."""
        ...


@dataclass(frozen=True)
class WindowVerdict:
    """What was said about one window.

    Attributes:
        closed_below_xid: Transactions below this are judged now.
        held_events: Events that wait for the case.
        case_ids: The cases that were opened or counted up.
    """

    table: str
    rows: int
    accepted: int
    held: int
    closed_below_xid: int
    failures: tuple[Failure, ...] = ()
    held_events: int = 0
    case_ids: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        """Whether nothing was held."""
        return not self.held


class WindowGate:
    """The gate on the facts of one operational store."""

    def __init__(self, store: GatedStore, accounts: frozenset[str]) -> None:
        self._store = store
        self._accounts = sorted(accounts)

    def close(self, table: str, windows: int | None = None) -> list[WindowVerdict]:
        """Judge what is new in a table, window by window, each in one transaction.

        Args:
            table: One of `TABLES`.
            windows: How many at most; by default all there are.
        """
        return list(self._closing(TABLES[table], windows))

    def close_all(self) -> list[WindowVerdict]:
        """Judge what is new in every table."""
        return [verdict for table in TABLES for verdict in self.close(table)]

    def _closing(self, gated: GatedTable, windows: int | None) -> Iterator[WindowVerdict]:
        closed = 0
        while windows is None or closed < windows:
            with self._store.unit_of_work() as unit_of_work:
                verdict, is_last = self._close_one(unit_of_work, gated)
            if verdict is not None:
                yield verdict
            closed += 1
            if is_last:
                return

    def _close_one(
        self, unit_of_work: SqlUnitOfWork, gated: GatedTable
    ) -> tuple[WindowVerdict | None, bool]:
        connection = unit_of_work.connection
        low = int(lock_pointer(connection, gated.gate))
        high = int(fetch(connection, "select pg_snapshot_xmin(pg_current_snapshot())::text")[0][0])
        cut = None if gated.is_whole else _first_beyond(connection, gated.table, low, high)
        until = high if cut is None else cut
        frame = self._read(connection, gated, low, until)
        if frame.empty:
            return None, True
        verdict = judge(frame, gated.suite)
        found = self._keep(unit_of_work, gated, frame, verdict, until)
        return found, cut is None

    def _read(
        self, connection: sa.Connection, gated: GatedTable, low: int, high: int
    ) -> pd.DataFrame:
        bounds: list[Any] = []
        where = ""
        if not gated.is_whole:
            where = " where recorded_xid >= %s::text::xid8 and recorded_xid < %s::text::xid8"
            bounds = [str(low), str(high)]
        statement = f"with judged as materialized (select * from {gated.table}{where}){gated.query}"
        arguments = [*bounds, *([self._accounts] if "%s" in gated.query else [])]
        frame = fetch_frame(connection, statement, *arguments)
        if set(frame.columns) != set(gated.suite.columns):
            raise ValueError(f"{gated.suite.name}: the query gives {list(frame.columns)}")
        return frame

    def _keep(
        self,
        unit_of_work: SqlUnitOfWork,
        gated: GatedTable,
        frame: pd.DataFrame,
        verdict: Verdict,
        until: int,
    ) -> WindowVerdict:
        held = len(verdict.held_rows)
        cases = {
            failure.expectation: open_case(
                unit_of_work,
                gated.table,
                failure.expectation,
                gated.suite.owner,
                told(gated.suite.blocks_by, frame, failure),
            )
            for failure in verdict.failures
            if failure.severity == "critical"
        }
        connection, now = unit_of_work.connection, unit_of_work.effective_at
        events = hold_named(connection, frame, verdict, gated.holds_by, cases, now)
        move_pointer(connection, gated.gate, str(until), figures(verdict))
        return WindowVerdict(
            table=gated.table,
            rows=len(frame),
            accepted=len(frame) - held,
            held=held,
            closed_below_xid=until,
            failures=verdict.failures,
            held_events=events,
            case_ids=tuple(cases.values()),
        )


def accounts_of(documents: Mapping[str, Any]) -> frozenset[str]:
    """Every account code that the finance policy or one of its overlays names."""
    document = documents["finance"]
    charts = [document.values, *(overlay.values for overlay in document.overlays)]
    return frozenset(str(code) for chart in charts for code in chart.get("accounts", {}).values())


def _first_beyond(connection: sa.Connection, table: str, low: int, high: int) -> int | None:
    """The transaction before which a window that would be too long is cut."""
    rows = fetch(
        connection,
        f"""
        select recorded_xid::text from (
            select recorded_xid, sum(count(*)) over (order by recorded_xid) - count(*) as before
            from {table}
            where recorded_xid >= %s::text::xid8 and recorded_xid < %s::text::xid8
            group by recorded_xid
        ) as transactions
        where before >= %s order by recorded_xid limit 1
        """,
        str(low),
        str(high),
        WINDOW_ROWS,
    )
    return int(rows[0][0]) if rows else None
