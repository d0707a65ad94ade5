"""The gates on closed windows of facts as named checks of the tables that they judge."""

# No postponed annotations: Dagster looks at the type of `context` itself, not at its text.

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import dagster as dg

from assets.asset_graph import as_failure
from assets.errors import RetailFlowError
from resources.gated_tables import TABLES, GatedTable
from resources.window_gate import WindowVerdict


class Windows(Protocol):
    """What judges windows."""

    def close_windows(self, table: str) -> Sequence[WindowVerdict]:
        """Judge what is new in a table."""
        ...

    def open_gate_cases(self, table: str) -> Mapping[str, str]:
        """Reasons of the gate's open cases about a table, by expectation."""
        ...


def _name(gated: GatedTable) -> str:
    name = gated.suite.name
    return name if name.endswith("_window") else f"{name}_window"


SPECS = [
    dg.AssetCheckSpec(
        _name(gated),
        asset=table,
        description=f"Great Expectations on each closed window: {len(gated.suite.expectations)}"
        f" expectations, owner {gated.suite.owner}. Red as long as a case of it is open.",
    )
    for table, gated in TABLES.items()
]


@dg.multi_asset_check(name="window_gates", specs=SPECS, can_subset=True)
def window_gates(
    context: dg.AssetCheckExecutionContext, windows: dg.ResourceParam[Windows]
) -> Iterator[dg.AssetCheckResult]:
    """Close the windows of the selected tables, one after the other."""
    for key in sorted(context.selected_asset_check_keys):
        table = key.asset_key.path[-1]
        try:
            verdicts = windows.close_windows(table)
            cases = windows.open_gate_cases(table)
        except RetailFlowError as error:
            raise as_failure(error) from error
        yield window_result(table, verdicts, cases)


def window_result(
    table: str, verdicts: Sequence[WindowVerdict], cases: Mapping[str, str]
) -> dg.AssetCheckResult:
    """What is said of a table whose windows were judged, and whose cases these are."""
    return dg.AssetCheckResult(
        asset_key=table,
        check_name=_name(TABLES[table]),
        passed=not cases,
        metadata=_figures(verdicts, cases),
    )


def _figures(verdicts: Sequence[WindowVerdict], cases: Mapping[str, str]) -> dict[str, Any]:
    return {
        "windows": len(verdicts),
        "rows": sum(verdict.rows for verdict in verdicts),
        "rows_held": sum(verdict.held for verdict in verdicts),
        "events_held": sum(verdict.held_events for verdict in verdicts),
        "warnings": dg.MetadataValue.json(
            {
                failure.expectation: len(failure.rows)
                for verdict in verdicts
                for failure in verdict.failures
                if failure.severity == "warning"
            }
        ),
        "open_cases": dg.MetadataValue.json(dict(cases)),
    }
