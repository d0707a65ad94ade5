from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pytest

from assets.errors import EnvironmentProblem
from assets.quality_gate import Failure
from orchestration.analytics import build_analytics
from orchestration.automation import publish_every_quarter_of_an_hour
from orchestration.dbt import read_project
from orchestration.operations import build_operations
from orchestration.replenishment import nightly_plan
from orchestration.warehouse_results import read_keys
from resources.analytics_store.reports import Held
from resources.gated_marts import MARTS
from resources.gated_tables import TABLES
from resources.load_gate import LoadVerdict
from resources.window_gate import WindowVerdict
from tests.dagster.fake_warehouse import FakeWarehouse, verdict
from tests.dagster.fakes import FakeStore

pytestmark = pytest.mark.slow


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
    # Spikes are looked for beside it, whenever there are new orders.
    assert [call for call in warehouse.calls if call != "detect_spikes"] == [
        "export",
        "build",
        "publish",
    ]
    assert "detect_spikes" in warehouse.calls
    assert sorted(windows.closed) == sorted(TABLES)
    assert all(evaluation.passed for evaluation in checks.values())
    materialised = {
        event.asset_key.to_user_string(): event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }
    models = [n["name"] for n in manifest["nodes"].values() if n["resource_type"] == "model"]
    assert set(materialised) == {"lake_watermark", "demand_spike", *models}
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


def test_a_plan_is_a_run_of_its_own_and_shows_what_it_proposes(
    manifest: Mapping[str, Any],
) -> None:
    warehouse = FakeWarehouse(manifest)
    definitions = build_analytics(manifest, warehouse=warehouse)
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_job_def("plan_replenishment")
        result = job.execute_in_process(instance=instance)
    assert sorted(warehouse.calls) == ["detect_spikes", "plan"]
    [proposed] = [
        event.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey("replenishment_proposal")
    ]
    assert proposed.metadata["proposals"].value == 3
    assert proposed.metadata["waiting"].value == 1


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


@pytest.mark.parametrize(
    ("store", "expected"),
    [
        (FakeStore(), dg.RunRequest),
        (FakeStore(orders=False), dg.SkipReason),
        (FakeStore(fails_with=EnvironmentProblem("the database is away")), dg.SkipReason),
    ],
    ids=["orders", "nothing ordered", "database away"],
)
def test_what_sold_nothing_yet_plans_nothing(store: FakeStore, expected: type) -> None:
    context = dg.build_schedule_context(resources={"operational_store": store})
    assert isinstance(nightly_plan(context), expected)


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


@pytest.mark.parametrize("location", ["operations", "analytics"])
def test_every_asset_says_what_it_is_whose_it_is_and_where_it_belongs(
    location: str, manifest: Mapping[str, Any]
) -> None:
    definitions = build_operations() if location == "operations" else build_analytics(manifest)
    graph = definitions.get_repository_def().asset_graph
    lacking = {
        key.to_user_string(): [
            name
            for name, value in (
                ("description", node.description),
                ("owner", node.owners),
                ("kind", node.kinds),
                ("group", node.group_name != "default"),
            )
            if not value
        ]
        for key in graph.get_all_asset_keys()
        if (node := graph.get(key))
    }
    assert len(lacking) > 30
    assert {asset: names for asset, names in lacking.items() if names} == {}


def test_what_people_read_says_when_it_is_too_old(manifest: Mapping[str, Any]) -> None:
    graph = build_analytics(manifest).get_repository_def().asset_graph
    ageless = {
        key.to_user_string()
        for key in graph.get_all_asset_keys()
        if graph.get(key).group_name in {"marts", "core", "lake"}
        and graph.get(key).freshness_policy is None
    }
    assert ageless == set()


def test_a_test_of_dbt_says_in_words_what_it_asks(manifest: Mapping[str, Any]) -> None:
    project = read_project(manifest)
    said = {
        check.description
        for check in project.checks
        if check.asset_key == dg.AssetKey("order_cycle_times")
    }
    assert said >= {
        "period is one of day, week.",
        "stage is always there.",
        "One row per channel, region, brand, period, period_start_date, stage.",
        "Of every row: order_count > 0 and order_count <= placed_order_count.",
    }
    assert all(check.description for check in project.checks)


def test_models_and_tests_are_found_without_dagster_dbt_as_with_it(
    manifest: Mapping[str, Any],
) -> None:
    assert read_keys(manifest) == read_project(manifest).keys
