from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from assets.asset_graph import as_failure
from assets.errors import BadInput, EnvironmentProblem, PartnerRejected, PartnerUnavailable
from orchestration.environment import PROJECT
from orchestration.operations import build_operations
from tests.dagster.fakes import FakeLaw, FakeStore
from tests.dagster.graph import described

SNAPSHOT = Path(__file__).with_name("operations_graph.txt")
BRAND = """
policy: order_to_fulfillment
owner: order_desk
effective_from: 2010-01-01
values: {}
overlays:
  - scope: {brand: new_brand, region: eu}
    values: {reservation_minutes: 60}
"""


def run_in_a_fresh_process(code: str, home: Path) -> dict[str, object]:
    finished = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env={**os.environ, "OMNIFLOW_HOME": str(home), "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, object] = json.loads(finished.stdout.splitlines()[-1])
    return result


def test_the_asset_graph_is_the_one_that_was_agreed() -> None:
    assert described(build_operations()) == SNAPSHOT.read_text().splitlines()


GRAPH = """
import hashlib, json
from orchestration.operations import defs
from tests.dagster.graph import described
print(json.dumps({"hash": hashlib.sha256("\\n".join(described(defs)).encode()).hexdigest()}))
"""


def test_another_brand_and_region_have_the_same_asset_graph(tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    shipped = (PROJECT / "resources" / "policies" / "order_to_fulfillment.yaml").read_text()
    overlay = BRAND.split("overlays:")[1]
    (policies / "order_to_fulfillment.yaml").write_text(
        shipped.replace("overlays: []", f"overlays:{overlay}")
    )
    found = run_in_a_fresh_process(GRAPH, tmp_path)
    agreed = "\n".join(SNAPSHOT.read_text().splitlines())
    assert found["hash"] == hashlib.sha256(agreed.encode()).hexdigest()


IMPORT = """
import json, sys, time
import orchestration.operations
orchestration.operations.defs.get_repository_def()
unwanted = ("dbt", "dagster_dbt", "great_expectations", "pandas")
heavy = [name for name in unwanted if name in sys.modules]
print(json.dumps({"seconds": time.process_time(), "heavy": heavy}))
"""


def test_the_location_loads_within_three_seconds_without_dbt_and_great_expectations(
    tmp_path: Path,
) -> None:
    found = run_in_a_fresh_process(IMPORT, tmp_path / "home")
    assert found["heavy"] == []
    assert float(str(found["seconds"])) <= 3.0
    assert not (tmp_path / "home").exists()


def test_materialising_a_flow_drains_its_inbox_and_counts_its_tables() -> None:
    store = FakeStore()
    definitions = build_operations(operational_store=store)
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("catch_up").execute_in_process(instance=instance)
    assert result.success
    assert sorted(store.drained) == [
        "finance",
        "inventory",
        "inventory_synchronisation",
        "master_data",
        "order_to_fulfillment",
        "procure_to_stock",
    ]
    told = {
        event.asset_key.to_user_string(): event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }
    assert told["order_line"]["dagster/row_count"].value == 11
    assert told["stock_movement"]["events_applied"].value == 3
    assert "command_outbox" in told


def test_a_broken_law_is_a_failed_check_that_names_the_rows() -> None:
    broken = FakeLaw("S1", holds=False, violations=[{"sku": "MUG", "over": 2}], violation_count=1)
    definitions = build_operations(operational_store=FakeStore(broken_laws={"S1": broken}))
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("check_laws").execute_in_process(instance=instance)
    evaluations = {
        evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()
    }
    failed = [name for name, evaluation in evaluations.items() if not evaluation.passed]
    assert failed == ["no_oversell"]
    metadata = evaluations["no_oversell"].metadata
    assert metadata["violations"].value == [{"sku": "MUG", "over": "2"}]
    assert evaluations["no_oversell"].asset_key == dg.AssetKey("stock_position")


@pytest.mark.parametrize(
    ("error", "may_be_tried_again"),
    [
        (EnvironmentProblem("the disk is full"), True),
        (PartnerUnavailable("erp", "timeout"), True),
        (PartnerRejected("erp", "no such order"), False),
        (BadInput("no such consumer"), False),
    ],
)
def test_only_what_another_try_could_mend_is_tried_again(
    error: EnvironmentProblem, may_be_tried_again: bool
) -> None:
    failure = as_failure(error)
    assert failure.allow_retries is may_be_tried_again
    assert failure.description == str(error)


def test_every_asset_has_an_owner_a_group_and_its_grain() -> None:
    graph = build_operations().get_repository_def().asset_graph
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.owners, key
        assert node.group_name not in {None, "default"}, key
        assert str(node.description).startswith("One row per "), key
        assert "postgres" in node.kinds, key
