"""The gate in front of readers: judges the marts in the copy that is about to be published.

Rows that fail are taken out of the copy, with their key, and stay readable beside it in the schema
``held`` with their reasons; a mart of which the whole is wrong is not published, and its readers
keep the former version. What was built is not touched: the next build starts from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pandas as pd

from assets.inventory.mart_expectations import (
    ATP_PUBLISHED,
    INVENTORY_DRIFT,
    INVENTORY_POSITION_DAILY,
    INVENTORY_SYNC_LATENCY,
)
from assets.order_to_fulfillment.mart_expectations import (
    CHANNEL_SALES_DAILY,
    FULFILLMENT_BACKLOG,
    ORDER_CYCLE_TIMES,
    ORDER_PROMISE_PERFORMANCE,
)
from assets.order_to_fulfillment.pickup.mart_expectations import PICKUP_PERFORMANCE
from assets.quality_gate import HELD_BECAUSE, Suite, Verdict, judge
from resources.analytics_store.reports import Held
from resources.gate_records import figures, move_pointer, open_case
from resources.window_gate import GatedStore

HELD_SCHEMA = "held"
_ROW = "_mart_row"


@dataclass(frozen=True)
class GatedMart:
    """One mart with its suite and what the suite asks beyond the mart's own columns.

    Attributes:
        computed: Boolean columns, as SQL over ``mart`` and the joins.
        joins: What ``computed`` needs beside the mart.
        scaled: Decimal columns, which are judged as whole ten-thousandths.
    """

    suite: Suite
    computed: str = ""
    joins: str = ""
    scaled: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The mart's name."""
        return self.suite.name


MARTS: dict[str, GatedMart] = {
    gated.name: gated
    for gated in (
        GatedMart(
            ORDER_PROMISE_PERFORMANCE,
            computed="""
                coalesce(
                    (orders.ordered_quantity, orders.ordered_total_amount)
                        = (mart.ordered_quantity, mart.ordered_total_amount),
                    false
                ) as order_agrees
            """,
            joins="left join core.fct_orders as orders on orders.order_id = mart.order_id",
            scaled=("ordered_total_amount",),
        ),
        GatedMart(FULFILLMENT_BACKLOG, scaled=("open_amount",)),
        GatedMart(
            ORDER_CYCLE_TIMES,
            computed="coalesce(placed.orders >= mart.order_count, false) as orders_agree",
            joins="""
                left join (
                    select channel, trading_date, count(*) as orders
                    from core.fct_orders
                    group by channel, trading_date
                ) as placed
                on placed.channel = mart.channel and placed.trading_date = mart.trading_date
            """,
            scaled=("median_hours", "p90_hours", "p95_hours"),
        ),
        GatedMart(
            PICKUP_PERFORMANCE,
            computed="coalesce(asked.pickups = mart.pickup_count, false) as pickups_agree",
            joins="""
                left join (
                    select promised_date, node_id, channel, region, brand, count(*) as pickups
                    from core.fct_pickups
                    group by promised_date, node_id, channel, region, brand
                ) as asked
                on asked.promised_date = mart.promised_date and asked.node_id = mart.node_id
                    and asked.channel = mart.channel and asked.region = mart.region
                    and asked.brand = mart.brand
            """,
            scaled=("median_ready_hours", "p95_ready_hours"),
        ),
        GatedMart(
            INVENTORY_POSITION_DAILY,
            computed="""
                coalesce(
                    mart.opening_quantity = lag(mart.closing_quantity) over (
                        partition by mart.node_id, mart.sku order by mart.trading_date
                    ),
                    mart.opening_quantity = 0
                ) as opening_agrees,
                coalesce(
                    ledger.moved = mart.closing_quantity - mart.opening_quantity, false
                ) as movements_agree
            """,
            joins="""
                left join (
                    select trading_date, node_id, sku, sum(moved_quantity) as moved
                    from core.fct_stock_movements
                    group by trading_date, node_id, sku
                ) as ledger
                on ledger.trading_date = mart.trading_date
                    and ledger.node_id = mart.node_id and ledger.sku = mart.sku
            """,
        ),
        GatedMart(
            INVENTORY_DRIFT,
            computed="""
                coalesce(
                    lines.drift = sum(mart.net_drift_quantity) over (
                        partition by mart.trading_date, mart.source_system, mart.place
                    ),
                    false
                ) as drift_agrees
            """,
            joins="""
                left join (
                    select trading_date, source_system, place, sum(drift_quantity) as drift
                    from core.fct_inventory_snapshot_lines
                    group by trading_date, source_system, place
                ) as lines
                on lines.trading_date = mart.trading_date
                    and lines.source_system = mart.source_system and lines.place = mart.place
            """,
        ),
        GatedMart(
            INVENTORY_SYNC_LATENCY,
            computed="coalesce(told.lines = mart.published_line_count, false) as lines_agree",
            joins="""
                left join (
                    select channel, trading_date, count(*) as lines
                    from core.fct_availability_publications
                    group by channel, trading_date
                ) as told
                on told.channel = mart.channel and told.trading_date = mart.trading_date
            """,
            scaled=(
                "acknowledged_share",
                "median_publication_seconds",
                "p95_publication_seconds",
                "median_acknowledgement_seconds",
                "p95_acknowledgement_seconds",
            ),
        ),
        GatedMart(
            ATP_PUBLISHED,
            computed="coalesce(told.last_at = mart.published_at, false) as is_the_last",
            joins="""
                left join (
                    select channel, sku, max(published_at) as last_at
                    from core.fct_availability_publications
                    group by channel, sku
                ) as told
                on told.channel = mart.channel and told.sku = mart.sku
            """,
        ),
        GatedMart(
            CHANNEL_SALES_DAILY,
            computed="""
                coalesce(
                    (placed.orders, placed.quantity, placed.amount)
                        = (mart.order_count, mart.ordered_quantity, mart.ordered_amount),
                    false
                ) as orders_agree
            """,
            joins="""
                left join (
                    select trading_date, channel, region, currency_code, count(*) as orders,
                        sum(ordered_quantity) as quantity, sum(ordered_total_amount) as amount
                    from marts.order_promise_performance
                    group by trading_date, channel, region, currency_code
                ) as placed
                on placed.trading_date = mart.trading_date and placed.channel = mart.channel
                    and placed.region = mart.region
                    and placed.currency_code = mart.currency_code
            """,
            scaled=(
                "fill_rate",
                "ordered_amount",
                "gross_sales_amount",
                "charge_amount",
                "tax_amount",
                "net_sales_amount",
            ),
        ),
    )
}


class MartGate:
    """Give it to `AnalyticsStore.publish`; it remembers what it said.

    Attributes:
        verdicts: By mart, of the last time that it was asked.
    """

    def __init__(self) -> None:
        self.verdicts: dict[str, Verdict] = {}

    def __call__(self, connection: duckdb.DuckDBPyConnection) -> Sequence[Held]:
        """Judge every mart of the copy, then take out what fails.

        Nothing is taken out before all are judged: they are compared with each other.
        """
        self.verdicts = {}
        held: list[Held] = []
        failing: dict[str, pd.DataFrame] = {}
        for mart, gated in MARTS.items():
            if not _exists(connection, mart):
                # A build that failed before it came to be; who built it says why.
                continue
            frame = _read(connection, gated)
            verdict = self.verdicts[mart] = judge(frame, gated.suite)
            of_the_mart = [
                failure.reason
                for failure in verdict.failures
                if failure.level == "table" and failure.severity == "critical"
            ]
            if of_the_mart:
                held.append(Held(mart, "; ".join(of_the_mart)))
            elif verdict.held_rows:
                failing[mart] = verdict.held(frame)[[_ROW, HELD_BECAUSE]]
        for mart, rows in failing.items():
            _take_out(connection, mart, rows)
        return held

    def keep(self, store: GatedStore, publication: int) -> tuple[str, ...]:
        """Move the accepted pointer of each mart, and open cases for what was not accepted.

        Returns:
            The cases.
        """
        cases: list[str] = []
        with store.transaction() as connection:
            for mart, verdict in self.verdicts.items():
                cases += [
                    open_case(
                        connection,
                        mart,
                        failure.expectation,
                        verdict.owner,
                        f"{failure.reason} ({len(failure.rows) or verdict.rows} rows)",
                        store.clock.effective_at(),
                    )
                    for failure in verdict.failures
                    if failure.severity == "critical"
                ]
                move_pointer(connection, f"mart.{mart}", str(publication), figures(verdict))
        return tuple(cases)


def _exists(connection: duckdb.DuckDBPyConnection, mart: str) -> bool:
    found = connection.execute(
        "select count(*) from information_schema.tables"
        " where table_schema = 'marts' and table_name = ?",
        [mart],
    ).fetchone()
    return bool(found and found[0])


def _read(connection: duckdb.DuckDBPyConnection, gated: GatedMart) -> pd.DataFrame:
    """The suite's columns, decimals as integers, and the row's place in the mart's table."""
    present = {
        name
        for (name,) in connection.execute(
            "select column_name from information_schema.columns"
            " where table_schema = 'marts' and table_name = ?",
            [gated.name],
        ).fetchall()
    }
    own = [name for name in gated.suite.columns if name in present]
    selected = [
        f"cast(mart.{name} * 10000 as bigint) as {name}" if name in gated.scaled else f"mart.{name}"
        for name in own
    ]
    selected += [gated.computed] if gated.computed else []
    frame: pd.DataFrame = (
        connection.sql(
            f"select mart.rowid as {_ROW}, {', '.join(selected)}"
            f' from marts."{gated.name}" as mart {gated.joins} order by mart.rowid'
        )
        .to_arrow_table()
        .to_pandas()
    )
    return frame


def _take_out(connection: duckdb.DuckDBPyConnection, mart: str, rows: pd.DataFrame) -> None:
    """Move rows of a mart to the schema of what is held."""
    connection.execute(f"create schema if not exists {HELD_SCHEMA}")
    connection.register("failing", rows)
    try:
        connection.execute(
            f'create or replace table {HELD_SCHEMA}."{mart}" as'
            f" select mart.*, failing.{HELD_BECAUSE} as held_because"
            f' from marts."{mart}" as mart join failing on failing.{_ROW} = mart.rowid'
        )
        connection.execute(
            f'delete from marts."{mart}" where rowid in (select {_ROW} from failing)'
        )
    finally:
        connection.unregister("failing")
