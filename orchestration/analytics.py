"""The heavy code location: lake, dbt, and the gates on bulk loads, windows and marts.

Its upstream tables belong to the location `operations`; here they are specs only. What passes from
there to here passes by an accepted pointer in PostgreSQL (`gate_pointer`, `lake_watermark`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import dagster as dg

from assets.asset_graph import as_failure, table
from assets.errors import RetailFlowError
from assets.procure_to_stock.assets import PLANNED
from orchestration import replenishment
from orchestration.automation import publish_every_quarter_of_an_hour, publish_marts
from orchestration.dagster_resources import (
    LakeExport,
    LoadsResource,
    OperationalStoreResource,
    WarehouseResource,
    WindowsResource,
    warehouse_access,
)
from orchestration.dbt import read_project, warehouse_assets
from orchestration.load_checks import ASSET, judge_loads, load_gates
from orchestration.operations import SPECS
from orchestration.warehouse_results import export_result
from orchestration.window_checks import window_gates
from resources.lake.columns import SNAPSHOT_TABLES
from resources.operational_store.schema import LAKE_TABLES
from sensors import demand, loads

#: What the lake is exported from.
EXPORTED = [table.name for table in [*LAKE_TABLES, *SNAPSHOT_TABLES]]

LAKE_WATERMARK = table(
    "lake_watermark",
    "One row per table of the lake: every fact of an earlier transaction is there.",
    group="lake",
    owner="platform",
    deps=EXPORTED,
    fresh_within=timedelta(days=1),
).replace_attributes(kinds={"postgres", "parquet"})


@dg.multi_asset(name="lake_export", specs=[LAKE_WATERMARK])
def lake_watermark(warehouse: dg.ResourceParam[LakeExport]) -> dg.MaterializeResult[Any]:
    """Export what is committed and not in the lake yet."""
    try:
        exported = warehouse.export()
    except RetailFlowError as error:
        raise as_failure(error) from error
    return export_result(exported)


def build_analytics(
    manifest: Mapping[str, Any] | None = None, **resource_overrides: Any
) -> dg.Definitions:
    """The definitions of the location.

    Args:
        manifest: dbt's; by default the project is parsed for the home of the environment.
        resource_overrides: Resources by name, in place of those of the home.
    """
    if manifest is None:
        manifest = json.loads(warehouse_access("").analytics.parse().read_text())
    # As the other location describes them, so that they look the same from either.
    planned = {spec.key.path[-1] for spec in PLANNED}
    upstream = [
        SPECS[name].replace_attributes(deps=[])
        for name in [*EXPORTED, ASSET]
        if name not in planned
    ]
    return dg.Definitions(
        assets=[
            *upstream,
            lake_watermark,
            *replenishment.ASSETS,
            warehouse_assets(read_project(manifest)),
        ],
        asset_checks=[window_gates, load_gates],
        jobs=[publish_marts, judge_loads, replenishment.plan_job],
        sensors=[*loads.SENSORS, *demand.SENSORS],
        schedules=[publish_every_quarter_of_an_hour, replenishment.nightly_plan],
        resources={
            "warehouse": WarehouseResource(),
            "windows": WindowsResource(),
            "loads": LoadsResource(),
            "operational_store": OperationalStoreResource(),
            **resource_overrides,
        },
        # dbt and Great Expectations are loaded once a run, not once a step.
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Loaded when a code server asks for it: the dbt project is parsed then."""
    return build_analytics()
