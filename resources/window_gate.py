"""Judges each closed window of streamed facts, and keeps what it finds where people look.

A window of a table is every fact whose transaction ended since the last one: closed means that no
transaction that could still add to it is running. What a fact says is never taken back, it is a
ledger; a window that fails opens a case, and the events that its orders still have before them wait
until the case is closed. The pointer `gate_pointer` moves in the transaction that writes all this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import pandas as pd
import sqlalchemy as sa

from assets.finance.expectations import JOURNAL_LINE
from assets.inventory.expectations import RESERVATION_MOVEMENT, STOCK_MOVEMENT
from assets.master_data.expectations import NODE, PRODUCT
from assets.order_to_fulfillment.expectations import (
    ORDER_LINE,
    ORDER_PLACED,
    PAYMENT_MOVEMENT,
    SHIPMENT_DELIVERED,
    SHIPMENT_DISPATCHED,
)
from assets.ports import Clock
from assets.quality_gate import Failure, Suite, Verdict, judge
from resources.gate_records import CASE_TYPE, lock_pointer, move_pointer, open_case
from resources.operational_store.bulk import driver_cursor, execute, fetch

#: A window is cut before the transaction with which it would grow beyond this.
WINDOW_ROWS = 100_000
_SHOWN_KEYS = 20


class GatedStore(Protocol):
    """What the gate needs of the operational store."""

    clock: Clock
    engine: sa.Engine

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """One transaction: committed when the block ends, undone when it raises."""
        ...


@dataclass(frozen=True)
class GatedTable:
    """One table with its suite and the statement that reads a window of it.

    Attributes:
        query: Selects the suite's columns from ``judged``, the rows of the window.
        is_whole: Master data are replaced in place: every window is the whole table.
    """

    table: str
    suite: Suite
    query: str
    is_whole: bool = False

    @property
    def gate(self) -> str:
        """Name of the pointer."""
        return f"window.{self.table}"


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


def _money(*columns: str) -> str:
    return ", ".join(f"(j.{column} * 10000)::bigint as {column}" for column in columns)


_TIMES = "j.occurred_at, j.effective_at"
_ORDER_IS_KNOWN = (
    "exists (select from order_placed o where o.order_id = j.order_id) as order_is_known"
)
_NODE_IS_KNOWN = "exists (select from node n where n.node_id = j.node_id) as node_is_known"
_SKU_IS_KNOWN = "exists (select from product p where p.sku = j.sku) as sku_is_known"

TABLES: dict[str, GatedTable] = {
    gated.table: gated
    for gated in (
        GatedTable(
            "product",
            PRODUCT,
            f"""
            select j.sku, j.description, {_money("standard_cost")}, j.currency_code,
                j.tax_rate_basis_points, j.is_synthetic, j.gtin
            from judged j
            """,
            is_whole=True,
        ),
        GatedTable(
            "node",
            NODE,
            "select j.node_id, j.kind, j.zone, j.country_code, j.is_active from judged j",
            is_whole=True,
        ),
        GatedTable(
            "order_placed",
            ORDER_PLACED,
            f"""
            select j.order_id::text as order_id, j.order_number, j.legal_entity, j.brand, j.region,
                j.channel, j.correlation_id, j.country_code, j.service_level, j.currency_code,
                j.line_count, coalesce(c.charges, 0)::integer as charge_count, j.ordered_quantity,
                {_money("goods_amount", "charge_amount", "total_amount")},
                j.trading_date, j.promised_date, {_TIMES},
                (coalesce(l.lines, 0), coalesce(l.quantity, 0), coalesce(l.amount, 0))
                    = (j.line_count, j.ordered_quantity, j.goods_amount) as lines_agree,
                coalesce(c.amount, 0) = j.charge_amount as charges_agree
            from judged j
            left join (
                select order_id, count(*) as lines, sum(ordered_quantity) as quantity,
                    sum(line_amount) as amount
                from order_line where order_id in (select order_id from judged)
                group by order_id
            ) l on l.order_id = j.order_id
            left join (
                select order_id, count(*) as charges, sum(charge_amount) as amount
                from order_charge where order_id in (select order_id from judged)
                group by order_id
            ) c on c.order_id = j.order_id
            """,
        ),
        GatedTable(
            "order_line",
            ORDER_LINE,
            f"""
            select j.order_id::text as order_id, j.line_number, j.sku, j.ordered_quantity,
                j.reserved_quantity, j.unfilled_quantity, j.unfilled_reason_code,
                {_money("unit_price", "line_amount", "tax_amount")},
                {_ORDER_IS_KNOWN}, {_SKU_IS_KNOWN},
                coalesce(r.quantity, 0) = j.reserved_quantity as reservations_agree
            from judged j
            left join (
                select order_id, line_number, sum(quantity) as quantity
                from reservation_movement
                where is_start and order_id in (select order_id from judged)
                group by order_id, line_number
            ) r on r.order_id = j.order_id and r.line_number = j.line_number
            """,
        ),
        GatedTable(
            "shipment_dispatched",
            SHIPMENT_DISPATCHED,
            f"""
            select j.shipment_id::text as shipment_id, j.shipment_number,
                j.order_id::text as order_id, j.fulfilment_order_id::text as fulfilment_order_id,
                j.node_id, j.carrier, j.shipped_quantity, {_TIMES},
                {_ORDER_IS_KNOWN}, {_NODE_IS_KNOWN},
                exists (
                    select from fulfilment_order f
                    where f.fulfilment_order_id = j.fulfilment_order_id
                ) as fulfilment_order_is_known,
                coalesce(m.quantity, 0) = j.shipped_quantity as movements_agree
            from judged j
            left join (
                select reference_id, -sum(quantity) as quantity
                from stock_movement
                where kind = 'shipped' and reference_id in (select shipment_id from judged)
                group by reference_id
            ) m on m.reference_id = j.shipment_id
            """,
        ),
        GatedTable(
            "shipment_delivered",
            SHIPMENT_DELIVERED,
            f"""
            select j.shipment_id::text as shipment_id, j.shipment_number,
                j.order_id::text as order_id, {_TIMES}, d.occurred_at as dispatched_at,
                d.shipment_id is not null as despatch_is_known,
                coalesce(d.order_id = j.order_id, true) as order_agrees
            from judged j
            left join shipment_dispatched d on d.shipment_id = j.shipment_id
            """,
        ),
        GatedTable(
            "payment_movement",
            PAYMENT_MOVEMENT,
            f"""
            select j.payment_movement_id::text as payment_movement_id, j.order_id::text as order_id,
                j.payment_reference, j.kind, {_money("amount")}, j.currency_code, {_TIMES},
                o.order_id is not null as order_is_known,
                coalesce(o.currency_code = j.currency_code, true) as currency_agrees,
                coalesce(p.captured <= p.authorised, true) as captures_agree
            from judged j
            left join order_placed o on o.order_id = j.order_id
            left join (
                select order_id,
                    coalesce(sum(amount) filter (where kind = 'captured'), 0) as captured,
                    coalesce(sum(amount) filter (where kind = 'authorised'), 0) as authorised
                from payment_movement where order_id in (select order_id from judged)
                group by order_id
            ) p on p.order_id = j.order_id
            """,
        ),
        GatedTable(
            "stock_movement",
            STOCK_MOVEMENT,
            f"""
            select j.ledger_sequence, j.node_id, j.sku, j.kind, j.quantity, j.reason_code,
                j.reference_id::text as reference_id, j.reference_line,
                j.order_id::text as order_id, {_TIMES}, {_SKU_IS_KNOWN}, {_NODE_IS_KNOWN},
                j.order_id is null or exists (
                    select from order_placed o where o.order_id = j.order_id
                ) as order_is_known
            from judged j
            """,
        ),
        GatedTable(
            "reservation_movement",
            RESERVATION_MOVEMENT,
            f"""
            select j.ledger_sequence, j.order_id::text as order_id, j.line_number, j.node_id, j.sku,
                j.kind, j.quantity, j.is_start, j.expires_at, j.effective_at,
                l.order_id is not null as line_is_known,
                coalesce(l.sku = j.sku, true) as sku_agrees,
                {_NODE_IS_KNOWN},
                j.is_start or coalesce(s.quantity = -j.quantity, false) as start_agrees
            from judged j
            left join order_line l on l.order_id = j.order_id and l.line_number = j.line_number
            left join reservation_movement s
                on s.order_id = j.order_id and s.line_number = j.line_number
                and s.node_id = j.node_id and s.is_start and not j.is_start
            """,
        ),
        GatedTable(
            "journal_line",
            JOURNAL_LINE,
            f"""
            select j.entry_id::text as entry_id, j.line_number, j.entry_kind, j.business_key,
                j.account_code, {_money("amount")}, j.currency_code, j.legal_entity, {_TIMES},
                e.entry_lines, j.account_code = any(%s) as account_is_known
            from judged j
            join (
                select entry_id, count(*)::integer as entry_lines
                from journal_line where entry_id in (select entry_id from judged)
                group by entry_id
            ) e on e.entry_id = j.entry_id
            """,
        ),
    )
}


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

    def _closing(self, gated: GatedTable, windows: int | None) -> Iterator[WindowVerdict]:
        closed = 0
        while windows is None or closed < windows:
            with self._store.transaction() as connection:
                verdict, is_last = self._close_one(connection, gated)
            if verdict is not None:
                yield verdict
            closed += 1
            if is_last:
                return

    def _close_one(
        self, connection: sa.Connection, gated: GatedTable
    ) -> tuple[WindowVerdict | None, bool]:
        low = int(lock_pointer(connection, gated.gate))
        high = int(fetch(connection, "select pg_snapshot_xmin(pg_current_snapshot())::text")[0][0])
        cut = None if gated.is_whole else _first_beyond(connection, gated.table, low, high)
        until = high if cut is None else cut
        frame = self._read(connection, gated, low, until)
        if frame.empty:
            return None, True
        verdict = judge(frame, gated.suite)
        found = self._keep(connection, gated, frame, verdict, until)
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
        with driver_cursor(connection) as cursor:
            cursor.execute(statement, arguments, binary=True)
            names = [column.name for column in cursor.description or ()]
            return _frame(gated.suite, names, cursor.fetchall())

    def _keep(
        self,
        connection: sa.Connection,
        gated: GatedTable,
        frame: pd.DataFrame,
        verdict: Verdict,
        until: int,
    ) -> WindowVerdict:
        held = verdict.held(frame)
        cases = [
            open_case(
                connection,
                gated.table,
                failure.expectation,
                gated.suite.owner,
                _told(gated.suite, frame, failure),
                self._store.clock.effective_at(),
            )
            for failure in verdict.failures
            if failure.severity == "critical"
        ]
        events = 0
        if cases and "order_id" in held:
            events = self._hold_events(connection, held["order_id"], cases[0])
        move_pointer(connection, gated.gate, str(until), verdict)
        return WindowVerdict(
            table=gated.table,
            rows=len(frame),
            accepted=len(frame) - len(held),
            held=len(held),
            closed_below_xid=until,
            failures=verdict.failures,
            held_events=events,
            case_ids=tuple(cases),
        )

    def _hold_events(
        self, connection: sa.Connection, order_ids: pd.Series[str], case_id: str
    ) -> int:
        """What an order still has before it waits until somebody has looked at its facts."""
        return execute(
            connection,
            "update event_inbox e set status = 'waiting', waiting_reason = %s,"
            " release_condition = %s, waiting_since = coalesce(e.waiting_since, %s)"
            " from order_placed o where o.order_id = any(%s::uuid[]) and e.channel = o.channel"
            " and e.subject = o.order_number and e.status = 'pending'",
            CASE_TYPE,
            f"case:{case_id}",
            self._store.clock.effective_at(),
            sorted(set(order_ids.dropna())),
        )


def accounts_of(documents: Mapping[str, Any]) -> frozenset[str]:
    """Every account code that the finance policy or one of its overlays names."""
    document = documents["finance"]
    charts = [document.values, *(overlay.values for overlay in document.overlays)]
    return frozenset(str(code) for chart in charts for code in chart.get("accounts", {}).values())


def _told(suite: Suite, frame: pd.DataFrame, failure: Failure) -> str:
    """The sentence, how many rows broke it, and the keys of the first ones."""
    if not failure.rows:
        return f"{failure.reason} ({len(frame)} rows)"
    key = list(suite.blocks_by)
    rows = frame.iloc[list(failure.rows[:_SHOWN_KEYS])]
    keys = dict.fromkeys("/".join(map(str, values)) for values in rows[key].to_numpy().tolist())
    more = " …" if len(failure.rows) > _SHOWN_KEYS else ""
    return f"{failure.reason} ({len(failure.rows)} rows): {', '.join(keys)}{more}"


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


_CONVERTERS: Mapping[str, Callable[[pd.Series[Any]], pd.Series[Any]]] = {
    "_at": lambda values: pd.to_datetime(values, utc=True),
    "_date": pd.to_datetime,
}


def _frame(suite: Suite, names: list[str], rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """The rows under the names of the suite's columns, times as times."""
    frame = pd.DataFrame.from_records(rows, columns=names)
    if set(names) != set(suite.columns):
        raise ValueError(f"{suite.name}: the query gives {names}")
    for suffix, convert in _CONVERTERS.items():
        for column in [name for name in names if name.endswith(suffix)]:
            frame[column] = convert(frame[column])
    return frame
