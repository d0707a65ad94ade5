"""The gate in front of readers: judges the marts in the copy that is about to be published.

Rows that fail are taken out of the copy, with their key, and stay readable beside it in the schema
``held`` with their reasons; a mart of which the whole is wrong is not published, and its readers
keep the former version. What was built is not touched: the next build starts from it.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pandas as pd

from assets.quality_gate import HELD_BECAUSE, Verdict, judge
from resources.analytics_store.reports import Held
from resources.gate_records import figures, move_pointer, open_case
from resources.gated_marts import MARTS, GatedMart
from resources.window_gate import GatedStore

HELD_SCHEMA = "held"
_ROW = "_mart_row"


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
        with store.unit_of_work() as unit_of_work:
            for mart, verdict in self.verdicts.items():
                cases += [
                    open_case(
                        unit_of_work,
                        mart,
                        failure.expectation,
                        verdict.owner,
                        f"{failure.reason} ({len(failure.rows) or verdict.rows} rows)",
                    )
                    for failure in verdict.failures
                    if failure.severity == "critical"
                ]
                move_pointer(
                    unit_of_work.connection, f"mart.{mart}", str(publication), figures(verdict)
                )
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
