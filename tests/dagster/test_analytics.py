from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

from assets.errors import EnvironmentProblem
from assets.quality_gate import Failure, Verdict
from orchestration.analytics import build_analytics
from orchestration.automation import publish_every_quarter_of_an_hour
from orchestration.operations import build_operations
from resources.analytics_store.reports import BuildReport, Held, MartInfo, NodeOutcome, Publication
from resources.gated_marts import MARTS
from resources.gated_tables import TABLES
from resources.lake.tallies import ExportTally, TableTally
from resources.load_gate import LoadVerdict
from resources.window_gate import WindowVerdict
from tests.dagster.fakes import FakeStore


def verdict(mart: str, *failures: Failure) -> Verdict:
    return Verdict(mart, "order_desk", 2, 5, failures, np.array([bool(failures), False]))


@dataclass
class FakeWarehouse:
    """A build in which every node has the status that it is given, else the good one."""

    manifest: Mapping[str, Any]
    statuses: dict[str, str] = field(default_factory=dict)
    held: tuple[Held, ...] = ()
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def export(self) -> ExportTally:
        self.calls.append("export")
        return ExportTally(17, {"order_placed": TableTally(5, 1, 100)}, 0.1)

    def build(self) -> BuildReport:
        self.calls.append("build")
        nodes = []
        for unique_id, node in self.manifest["nodes"].items():
            kind = node["resource_type"]
            if kind in {"model", "test"}:
                good = "success" if kind == "model" else "pass"
                status = self.statuses.get(node["name"], good)
                nodes.append(NodeOutcome(unique_id, node["name"], kind, status, 0.1))
        return BuildReport(not self.statuses, False, tuple(nodes), self.held, 1.0)

    def publish(self) -> tuple[Publication, Mapping[str, Verdict]]:
        self.calls.append("publish")
        now = datetime(2026, 3, 2, tzinfo=UTC)
        held = {entry.mart: entry.reason for entry in self.held}
        marts = tuple(MartInfo(m, "", "o", 2, now, now, held.get(m)) for m in MARTS)
        said = {mart: verdict(mart) for mart in MARTS} | self.verdicts
        return Publication(3, Path("published-3.duckdb"), marts, self.held), said


@dataclass
class FakeWindows:
    cases: dict[str, dict[str, str]] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)

    def close_windows(self, table: str) -> Sequence[WindowVerdict]:
        self.closed.append(table)
        return [WindowVerdict(table, 10, 9, 1, 99)] if table in self.cases else []

    def open_gate_cases(self, table: str) -> Mapping[str, str]:
        return self.cases.get(table, {})


@dataclass
class FakeLoads:
    cases: dict[str, dict[str, str]] = field(default_factory=dict)
    verdicts: list[LoadVerdict] = field(default_factory=list)

    def judge_loads(self) -> Sequence[LoadVerdict]:
        return self.verdicts

    def open_gate_cases(self, suite: str) -> Mapping[str, str]:
        return self.cases.get(suite, {})


def publish(
    warehouse: FakeWarehouse, windows: FakeWindows | None = None, loads: FakeLoads | None = None
) -> tuple[dg.ExecuteInProcessResult, dict[tuple[str, str], dg.AssetCheckEvaluation]]:
    definitions = build_analytics(
        warehouse.manifest,
        warehouse=warehouse,
        windows=windows or FakeWindows(),
        loads=loads or FakeLoads(),
    )
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("publish_marts").execute_in_process(
            instance=instance, raise_on_error=False
        )
    checks = {
        (evaluation.asset_key.to_user_string(), evaluation.check_name): evaluation
        for evaluation in result.get_asset_check_evaluations()
    }
    return result, checks


def test_one_run_exports_builds_judges_and_publishes(manifest: Mapping[str, Any]) -> None:
    warehouse, windows = FakeWarehouse(manifest), FakeWindows()
    result, checks = publish(warehouse, windows)
    assert result.success
    assert warehouse.calls == ["export", "build", "publish"]
    assert sorted(windows.closed) == sorted(TABLES)
    assert all(evaluation.passed for evaluation in checks.values())
    materialised = {
        event.asset_key.to_user_string(): event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }
    models = [n["name"] for n in manifest["nodes"].values() if n["resource_type"] == "model"]
    assert set(materialised) == {"lake_watermark", *models}
    assert materialised["channel_sales_daily"]["dagster/row_count"].value == 2
    assert materialised["channel_sales_daily"]["publication"].value == 3


def test_every_mart_has_a_named_gate_and_its_dbt_tests_as_checks(
    manifest: Mapping[str, Any],
) -> None:
    graph = build_analytics(manifest).get_repository_def().asset_graph
    keys = graph.asset_check_keys
    for mart in MARTS:
        assert dg.AssetCheckKey(dg.AssetKey(mart), "mart_gate") in keys
        assert sum(key.asset_key == dg.AssetKey(mart) for key in keys) > 1
    tests = [n for n in manifest["nodes"].values() if n["resource_type"] == "test"]
    assert sum(key.name != "mart_gate" for key in keys) >= len(tests)


def test_a_mart_that_its_gate_holds_shows_it(manifest: Mapping[str, Any]) -> None:
    failure = Failure("row_is_there_once", "one day has two rows", "critical", "set", (0,))
    warehouse = FakeWarehouse(
        manifest,
        verdicts={"channel_sales_daily": verdict("channel_sales_daily", failure)},
        held=(Held("order_cycle_times", "columns are missing"),),
    )
    result, checks = publish(warehouse)
    assert result.success
    failed = {asset for (asset, name), e in checks.items() if name == "mart_gate" and not e.passed}
    assert failed == {"channel_sales_daily", "order_cycle_times"}
    metadata = checks["channel_sales_daily", "mart_gate"].metadata
    assert metadata["rows_held"].value == 1
    assert checks["order_cycle_times", "mart_gate"].metadata["held_because"].value == (
        "columns are missing"
    )


def test_a_dbt_test_that_fails_or_was_not_run_is_a_failed_check(
    manifest: Mapping[str, Any],
) -> None:
    tests = [n["name"] for n in manifest["nodes"].values() if n["resource_type"] == "test"]
    warehouse = FakeWarehouse(manifest, statuses={tests[0]: "fail", tests[1]: "skipped"})
    _, checks = publish(warehouse)
    failed = {name for (_, name), evaluation in checks.items() if not evaluation.passed}
    assert failed == {tests[0], tests[1]}


def test_a_model_that_was_not_built_fails_the_run_after_everything_else_is_told(
    manifest: Mapping[str, Any],
) -> None:
    result, checks = publish(FakeWarehouse(manifest, statuses={"order_cycle_times": "error"}))
    assert not result.success
    assert checks["channel_sales_daily", "mart_gate"].passed
    materialised = {
        event.asset_key.to_user_string()
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }
    assert "order_cycle_times" not in materialised
    assert "fct_orders" in materialised


def test_a_window_gate_stays_red_while_a_case_of_it_is_open(manifest: Mapping[str, Any]) -> None:
    windows = FakeWindows(cases={"order_line": {"sku_is_known_holds": "unknown (1 rows)"}})
    _, checks = publish(FakeWarehouse(manifest), windows)
    failed = {key for key, evaluation in checks.items() if not evaluation.passed}
    assert failed == {("order_line", "order_line_window")}
    assert checks["order_line", "order_line_window"].metadata["rows_held"].value == 1


def test_the_gate_of_bulk_loads_stays_red_while_a_case_of_it_is_open(
    manifest: Mapping[str, Any],
) -> None:
    failure = Failure("sku_is_upper_case", "not in capitals", "critical", "row", (3, 5))
    loads = FakeLoads(
        cases={"product_load": {"erp/sku_is_upper_case": "not in capitals (2 rows)"}},
        verdicts=[
            LoadVerdict("erp", 700, 698, 2, 0, {"event_load": (), "product_load": (failure,)})
        ],
    )
    _, checks = publish(FakeWarehouse(manifest), loads=loads)
    failed = {key for key, evaluation in checks.items() if not evaluation.passed}
    assert failed == {("event_inbox", "product_load")}
    metadata = checks["event_inbox", "product_load"].metadata
    assert metadata["events_accepted"].value == 698
    assert metadata["failures"].value == {"erp/sku_is_upper_case": 2}
    assert checks["event_inbox", "price_load"].metadata["loads"].value == 0


def test_a_load_that_waits_is_judged_by_a_job_of_its_own(manifest: Mapping[str, Any]) -> None:
    loads = FakeLoads(verdicts=[LoadVerdict("erp", 700, 700, 0, 0, {"event_load": ()})])
    definitions = build_analytics(manifest, loads=loads)
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("judge_loads").execute_in_process(instance=instance)
    evaluations = {e.check_name: e for e in result.get_asset_check_evaluations()}
    assert sorted(evaluations) == ["event_load", "node_load", "price_load", "product_load"]
    assert all(evaluation.passed for evaluation in evaluations.values())


@pytest.mark.parametrize(
    ("store", "expected"),
    [
        (FakeStore(unexported=True), dg.RunRequest),
        (FakeStore(unexported=False), dg.SkipReason),
        (FakeStore(fails_with=EnvironmentProblem("the database is away")), dg.SkipReason),
    ],
    ids=["new facts", "nothing new", "database away"],
)
def test_marts_are_built_when_there_are_facts_that_they_do_not_know(
    store: FakeStore, expected: type
) -> None:
    context = dg.build_schedule_context(resources={"operational_store": store})
    assert isinstance(publish_every_quarter_of_an_hour(context), expected)


def test_upstream_of_the_marts_are_the_tables_of_the_other_location(
    manifest: Mapping[str, Any],
) -> None:
    graph = build_analytics(manifest).get_repository_def().asset_graph
    external = {
        key.to_user_string()
        for key in graph.get_all_asset_keys()
        if not graph.get(key).is_materializable
    }
    operations = build_operations().get_repository_def().asset_graph
    known = {key.to_user_string() for key in operations.get_all_asset_keys()}
    assert external
    assert external <= known
