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
from orchestration.automation import PUBLISHED_DAILY
from orchestration.warehouse_results import (
    MART_GATE,
    Keys,
    Result,
    model_of_test,
    warehouse_results,
)
from resources.analytics_store.catalogue import MART_SCHEMA
from resources.analytics_store.reports import BuildReport, Publication
from resources.gated_marts import MARTS

#: Layers that are published; views have no age of their own.
READ_BY_PEOPLE = ("core", "marts")
LAYERS = ("staging", "intermediate", "core", "marts")


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
    """The assets and checks of a manifest, in an order in which they can be built."""

    specs: tuple[dg.AssetSpec, ...]
    checks: tuple[dg.AssetCheckSpec, ...]
    keys: Keys
    marts: frozenset[str]


def read_project(manifest: Mapping[str, Any]) -> Project:
    """Turn a manifest into assets, and its tests into checks of the model that they are about."""
    translator = Translator()
    specs: dict[str, dg.AssetSpec] = {}
    for unique_id in _in_order_of_building(manifest):
        spec = translator.get_asset_spec(manifest, unique_id, None)
        spec = spec.replace_attributes(kinds={"dbt", "duckdb"})
        if spec.group_name in READ_BY_PEOPLE:
            spec = dg.apply_freshness_policy(spec, PUBLISHED_DAILY)
        specs[unique_id] = spec
    tests: dict[str, dg.AssetCheckSpec] = {}
    for unique_id, node in manifest["nodes"].items():
        of = model_of_test(node, specs)
        if of is None:
            continue
        check = translator.get_asset_check_spec(specs[of], manifest, unique_id, None)
        if check is not None:
            tests[unique_id] = check._replace(description=_what_it_asks(node))
    marts = {
        node["name"]
        for unique_id, node in manifest["nodes"].items()
        if unique_id in specs and node["schema"] == MART_SCHEMA
    }
    return Project(
        specs=tuple(specs.values()),
        checks=tuple(tests.values()),
        keys=Keys(
            {unique_id: spec.key for unique_id, spec in specs.items()},
            {unique_id: spec.key for unique_id, spec in tests.items()},
        ),
        marts=frozenset(marts),
    )


def _what_it_asks(test: Mapping[str, Any]) -> str:
    """A test of the project in words; dbt names it by its arguments, cut to a length."""
    asked = test.get("test_metadata", {})
    arguments = asked.get("kwargs", {})
    column = test.get("column_name") or arguments.get("column_name") or "it"
    match asked.get("name"):
        case "not_null":
            return f"{column} is always there."
        case "unique":
            return f"No two rows have the same {column}."
        case "accepted_values":
            return f"{column} is one of {', '.join(map(str, arguments['values']))}."
        case "relationships":
            return f"{column} is known in {arguments['to']} as {arguments['field']}."
        case "one_row_per":
            return f"One row per {', '.join(arguments['columns'])}."
        case "holds":
            return f"Of every row: {arguments['expression']}."
    return str(test.get("description") or test["name"].replace("_", " "))


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
        yield from warehouse_results(project.keys, built, publication, verdicts)
        broken = [node.name for node in built.failed if node.kind == "model"]
        if broken:
            raise dg.Failure(f"models that were not built: {', '.join(broken)}")

    return warehouse_build
