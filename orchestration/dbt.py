"""The dbt project as Dagster assets, built through the analytics store and published at once.

dagster-dbt reads the manifest into assets and checks; it does not run dbt. The analytics store
does, warm and aside from readers; what it built becomes visible by one switch, behind the gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any, Protocol

import dagster as dg
from dagster_dbt import DagsterDbtTranslator

from assets.asset_graph import as_failure
from assets.errors import RetailFlowError
from assets.quality_gate import Verdict
from resources.analytics_store.catalogue import MART_SCHEMA
from resources.analytics_store.reports import BuildReport, NodeOutcome, Publication
from resources.gated_marts import MARTS

MART_GATE = "mart_gate"
LAYERS = ("staging", "intermediate", "core", "marts")
Result = dg.MaterializeResult[Any] | dg.AssetCheckResult


class Warehouse(Protocol):
    """What the analytics assets need of a home."""

    def build(self) -> BuildReport:
        """Bring the warehouse up to the lake, aside from readers."""
        ...

    def publish(self) -> tuple[Publication, Mapping[str, Verdict]]:
        """Judge what was built and show it to readers."""
        ...


class Translator(DagsterDbtTranslator):
    """Asset name = table name = dbt source name; layers are groups; owners are the models' own."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """The name alone: a source is the asset of the operational table of that name."""
        return dg.AssetKey(str(dbt_resource_props["name"]))

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The words of the model's yml; its SQL lies in the repository."""
        return str(dbt_resource_props.get("description", ""))

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The layer that the model lies in."""
        layers = [part for part in dbt_resource_props["fqn"] if part in LAYERS]
        return layers[0] if layers else None

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """The team of the model's yml."""
        owner = dbt_resource_props.get("config", {}).get("meta", {}).get("owner")
        return [f"team:{owner}"] if owner else []


@dataclass(frozen=True)
class Project:
    """The assets and checks of a manifest.

    Attributes:
        keys: Asset key by dbt's id, models only, each after what it rests on.
        tests: Check by dbt's id of the test.
    """

    specs: tuple[dg.AssetSpec, ...]
    checks: tuple[dg.AssetCheckSpec, ...]
    keys: Mapping[str, dg.AssetKey]
    tests: Mapping[str, dg.AssetCheckKey]
    marts: frozenset[str]


def read_project(manifest: Mapping[str, Any]) -> Project:
    """Turn a manifest into assets, and its tests into checks of the model that they are about."""
    translator = Translator()
    specs: dict[str, dg.AssetSpec] = {}
    for unique_id in _in_order_of_building(manifest):
        spec = translator.get_asset_spec(manifest, unique_id, None)
        specs[unique_id] = spec.replace_attributes(kinds={"dbt", "duckdb"})
    tests: dict[str, dg.AssetCheckSpec] = {}
    for unique_id, node in manifest["nodes"].items():
        about = [parent for parent in node["depends_on"]["nodes"] if parent in specs]
        if node["resource_type"] != "test" or not about:
            continue
        # A test between models belongs to the one that it is written at, else to the last named.
        of = node.get("attached_node") or about[-1]
        check = translator.get_asset_check_spec(specs[of], manifest, unique_id, None)
        if check is not None:
            tests[unique_id] = check
    marts = {
        node["name"]
        for unique_id, node in manifest["nodes"].items()
        if unique_id in specs and node["schema"] == MART_SCHEMA
    }
    return Project(
        specs=tuple(specs.values()),
        checks=tuple(tests.values()),
        keys={unique_id: spec.key for unique_id, spec in specs.items()},
        tests={unique_id: spec.key for unique_id, spec in tests.items()},
        marts=frozenset(marts),
    )


def _in_order_of_building(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Models after what they rest on: Dagster wants to be told of them in such an order."""
    models = {
        unique_id: node["depends_on"]["nodes"]
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
    }
    order = TopologicalSorter(models).static_order()
    return (unique_id for unique_id in order if unique_id in models)


def warehouse_assets(project: Project) -> dg.AssetsDefinition:
    """All models as one operation: built aside, judged, and published by one switch."""
    gates = [
        dg.AssetCheckSpec(
            MART_GATE,
            asset=mart,
            description=f"Great Expectations on what readers would see: "
            f"{len(MARTS[mart].suite.expectations)} expectations; rows that fail are held by key.",
        )
        for mart in sorted(project.marts)
        if mart in MARTS
    ]

    @dg.multi_asset(
        name="warehouse",
        specs=project.specs,
        check_specs=[*project.checks, *gates],
        op_tags={"omniflow/role": "build"},
    )
    def warehouse_build(warehouse: dg.ResourceParam[Warehouse]) -> Iterator[Result]:
        try:
            built = warehouse.build()
            publication, verdicts = warehouse.publish()
        except RetailFlowError as error:
            raise as_failure(error) from error
        yield from _models(project, built, publication)
        yield from _tests(project, built)
        yield from _gates(gates, publication, verdicts)
        broken = [node.name for node in built.failed if node.kind == "model"]
        if broken:
            raise dg.Failure(f"models that were not built: {', '.join(broken)}")

    return warehouse_build


def _models(
    project: Project, built: BuildReport, publication: Publication
) -> Iterator[dg.MaterializeResult[Any]]:
    shown = {mart.name: mart for mart in publication.marts}
    outcomes = {node.unique_id: node for node in built.nodes}
    for unique_id, key in project.keys.items():
        node = outcomes.get(unique_id)
        if node is None or node.status != "success":
            continue
        metadata: dict[str, Any] = {"seconds": node.seconds}
        mart = shown.get(node.name)
        if mart is not None:
            metadata |= {
                "dagster/row_count": mart.row_count,
                "publication": publication.number,
                "is_former_version": mart.held_reason is not None,
            }
        yield dg.MaterializeResult(asset_key=key, metadata=metadata)


def _tests(project: Project, built: BuildReport) -> Iterator[dg.AssetCheckResult]:
    """Every declared check has a result: a test that was not run has not passed."""
    outcomes = {node.unique_id: node for node in built.nodes}
    for unique_id, key in project.tests.items():
        node = outcomes.get(unique_id) or NodeOutcome(unique_id, key.name, "test", "skipped", 0.0)
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=node.status in {"pass", "success", "warn"},
            severity=dg.AssetCheckSeverity.WARN
            if node.status == "warn"
            else dg.AssetCheckSeverity.ERROR,
            metadata={"status": node.status, "failing_rows": node.failures},
        )


def _gates(
    gates: list[dg.AssetCheckSpec], publication: Publication, verdicts: Mapping[str, Verdict]
) -> Iterator[dg.AssetCheckResult]:
    held = {entry.mart: entry.reason for entry in publication.held}
    for spec in gates:
        mart = spec.asset_key.path[-1]
        verdict = verdicts.get(mart)
        metadata = {} if verdict is None else figures(verdict)
        yield dg.AssetCheckResult(
            asset_key=spec.asset_key,
            check_name=spec.name,
            passed=verdict is not None and verdict.passed and mart not in held,
            metadata={
                **metadata,
                "publication": publication.number,
                "held_because": held.get(mart, ""),
            },
        )


def figures(verdict: Verdict) -> dict[str, Any]:
    """A verdict as metadata: counts and sentences, never a value of a row."""
    return {
        "rows": verdict.rows,
        "rows_held": len(verdict.held_rows),
        "expectations": verdict.expectations,
        "owner": verdict.owner,
        "failures": dg.MetadataValue.json(
            [
                {
                    "expectation": failure.expectation,
                    "reason": failure.reason,
                    "severity": failure.severity,
                    "level": failure.level,
                    "rows": len(failure.rows),
                }
                for failure in verdict.failures
            ]
        ),
    }
