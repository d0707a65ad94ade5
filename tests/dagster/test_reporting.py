from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, cast

import dagster as dg
import pytest
from structlog.testing import capture_logs

from orchestration import dagster_report
from orchestration.analytics import build_analytics
from orchestration.dagster_report import tell_dagster, tell_laws
from orchestration.environment import Environment
from orchestration.home import Home
from orchestration.operations import build_operations
from orchestration.publication import Published
from resources import dagster_reporting
from resources.dagster_reporting import DagsterReporting, reporting
from resources.operational_store.store import OperationalStore, create_engine
from tests.dagster.fake_warehouse import FakeWarehouse
from tests.dagster.fakes import FakeLaw

FIRST, SECOND = date(2010, 12, 1), date(2010, 12, 2)


def figures(event: Any) -> tuple[str, int, int]:
    return (
        event.asset_key.to_user_string(),
        event.metadata["rows_of_the_day"].value,
        event.metadata["dagster/row_count"].value,
    )


@pytest.fixture
def every_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a replay that passes a day in more than ten seconds."""
    monkeypatch.setattr(dagster_reporting, "LEAST_SECONDS", 0.0)


@pytest.mark.usefixtures("every_day")
def test_a_simulated_day_is_told_once_with_its_rows_and_the_sum_so_far() -> None:
    told: list[Any] = []
    reports = DagsterReporting(told.append)
    reports.report(FIRST, {"order_placed": 2, "journal_line": 8})
    reports.report(FIRST, {"order_placed": 3, "price": 0})
    reports.report(SECOND, {"order_placed": 4})
    reports.close()
    assert [figures(event) for event in told] == [
        ("journal_line", 8, 8),
        ("order_placed", 5, 5),
        ("order_placed", 4, 9),
    ]
    assert told[-1].metadata["simulated_day"].value == "2010-12-02"


def test_days_that_fly_are_told_together_under_the_last_of_them() -> None:
    told: list[Any] = []
    reports = DagsterReporting(told.append)
    reports.report(FIRST, {"order_placed": 2})
    reports.report(SECOND, {"order_placed": 4})
    assert told == []
    reports.close()
    assert [figures(event) for event in told] == [("order_placed", 6, 6)]
    assert told[0].metadata["simulated_day"].value == "2010-12-02"


@pytest.mark.usefixtures("every_day")
def test_a_dagster_that_stops_answering_does_not_stop_the_replay() -> None:
    asked: list[Any] = []

    def away(event: Any) -> None:
        asked.append(event)
        raise ConnectionError("the server went away")

    reports = DagsterReporting(away)
    for day in range(1, 100):
        reports.report(date(2011, 1 + day // 31, 1 + day % 28), {"order_placed": 1})
    reports.close()
    assert len(asked) == 1


def test_a_home_without_dagster_is_replayed_all_the_same(tmp_path: Path) -> None:
    with capture_logs() as said, reporting(tmp_path) as reports:
        reports.report(FIRST, {"order_placed": 1})
        reports.tell([dg.AssetMaterialization("fct_orders")])
        reports.close()
    assert said == []
    assert list(tmp_path.iterdir()) == []


def test_a_dagster_that_cannot_be_opened_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("storage: {postgres: {postgres_url: nonsense}}\n")
    with capture_logs() as said, reporting(tmp_path) as reports:
        reports.report(FIRST, {"order_placed": 1})
        reports.tell([dg.AssetMaterialization("fct_orders")])
        reports.close()
    # Once, and no report is tried after it.
    assert [(line["event"], line["log_level"]) for line in said] == [
        ("dagster is not told about this replay", "warning")
    ]


def test_what_stands_at_the_end_is_told_of_every_table_model_and_check(
    manifest: Mapping[str, Any],
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = listening(monkeypatch)
    store = OperationalStore(create_engine(database_url))
    with store.transaction() as connection:
        connection.exec_driver_sql(
            "insert into exception_case"
            " (case_id, case_type, business_key, owner, reason, opened_at, cycle_started_at) values"
            " (gen_random_uuid(), 'data_quality_gate_failed', 'order_line/price_is_right', 'desk',"
            " 'wrong', now(), now())"
        )
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    tests = sorted(n["name"] for n in manifest["nodes"].values() if n["resource_type"] == "test")
    warehouse = FakeWarehouse(manifest, statuses={tests[0]: "fail"})
    publication, verdicts = warehouse.publish()
    published = Published(
        [], warehouse.export(), warehouse.build(), publication, verdicts, tmp_path / "manifest.json"
    )
    tell_dagster(a_home(tmp_path), store, published)
    store.engine.dispose()
    materialised = {
        event.asset_key.to_user_string(): event
        for event in told
        if isinstance(event, dg.AssetMaterialization)
    }
    judged = {
        (event.asset_key.to_user_string(), event.check_name): event.passed
        for event in told
        if isinstance(event, dg.AssetCheckEvaluation)
    }
    both = [build_operations(), build_analytics(manifest)]
    graphs = [definitions.get_repository_def().asset_graph for definitions in both]
    assert set(materialised) == {
        key.to_user_string() for graph in graphs for key in graph.get_all_asset_keys()
    }
    told_at = {name: number for number, name in enumerate(materialised)}
    late = {
        (parent.to_user_string(), key.to_user_string())
        for graph in graphs
        for key in graph.get_all_asset_keys()
        for parent in graph.get(key).parent_keys
        if told_at[parent.to_user_string()] > told_at[key.to_user_string()]
    }
    assert late == set()
    cases = {name: shown.value for name, shown in materialised["exception_case"].metadata.items()}
    assert cases["dagster/row_count"] == cases["cases_open"] == cases["desk_open"] == 1
    assert cases["of_platform_open"] == 1
    assert materialised["channel_sales_daily"].metadata["dagster/row_count"].value == 2
    # Laws are told by whoever checks them.
    assert set(judged) == {
        (key.asset_key.to_user_string(), key.name) for key in graphs[1].asset_check_keys
    }
    assert {check for check, passed in judged.items() if not passed} == {
        ("order_line", "order_line_window"),
        *((of, name) for of, name in judged if name == tests[0]),
    }


def test_laws_that_were_checked_are_told_as_checks_of_their_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = listening(monkeypatch)
    broken = FakeLaw(
        "S1", "no oversell", holds=False, violations=[{"sku": "MUG"}], violation_count=1
    )
    tell_laws(a_home(tmp_path), [broken, FakeLaw("X9", "no law of a table")])
    (event,) = told
    assert (event.asset_key.to_user_string(), event.check_name) == ("stock_position", "no_oversell")
    assert not event.passed
    assert event.metadata["violation_count"].value == 1


def test_a_home_without_dagster_is_not_asked_for_its_rows(tmp_path: Path) -> None:
    # A store that cannot be read would fail here.
    tell_dagster(a_home(tmp_path), cast("OperationalStore", None), None)


def test_a_dagster_that_stops_listening_is_told_no_more() -> None:
    asked: list[Any] = []

    def away(event: Any) -> None:
        asked.append(event)
        raise ConnectionError("the server went away")

    reports = DagsterReporting(away)
    reports.tell(range(1_000))
    assert len(asked) <= dagster_reporting.TELLERS
    assert not reports.is_listening
    reports.close()


def listening(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is told, where a home has a Dagster."""
    told: list[Any] = []

    @contextmanager
    def here(_: Path) -> Iterator[DagsterReporting]:
        yield DagsterReporting(told.append)

    monkeypatch.setattr(dagster_report, "reporting", here)
    return told


def a_home(path: Path) -> Home:
    return Home(path, Environment(path))
