"""Replenishment as Dagster shows it: the tables that a plan writes, made every night."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import dagster as dg

from assets.asset_graph import as_failure
from assets.errors import RetailFlowError
from assets.procure_to_stock.assets import PLANNED
from assets.procure_to_stock.planning import Planned
from resources.demand_spikes import Detected

GROUP = "replenishment"
#: What finding spikes writes; a plan writes the others.
SPIKE = "demand_spike"


class Planner(Protocol):
    """Whoever knows the demand and the stock of a home."""

    def plan(self) -> Planned:
        """Forecast, propose and ask."""
        ...

    def detect_spikes(self) -> Detected:
        """Look for what is asked for more than usual."""
        ...


@dg.multi_asset(
    name="replenishment_tables", specs=[spec for spec in PLANNED if spec.key.path[-1] != SPIKE]
)
def replenishment(warehouse: dg.ResourceParam[Planner]) -> Iterator[dg.MaterializeResult[Any]]:
    """Propose what is to be moved and ordered, and ask for consent to it."""
    try:
        planned = warehouse.plan()
    except RetailFlowError as error:
        raise as_failure(error) from error
    said = {name: getattr(planned, name) for name in planned.__dataclass_fields__}
    for spec in PLANNED:
        if spec.key.path[-1] != SPIKE:
            yield dg.MaterializeResult(asset_key=spec.key, metadata=said)


@dg.multi_asset(
    name="detect_spikes", specs=[spec for spec in PLANNED if spec.key.path[-1] == SPIKE]
)
def spikes(warehouse: dg.ResourceParam[Planner]) -> dg.MaterializeResult[Any]:
    """Look for classes of products that a region asks for more than usual."""
    try:
        found = warehouse.detect_spikes()
    except RetailFlowError as error:
        raise as_failure(error) from error
    return dg.MaterializeResult(metadata={"orders": found.orders, "spikes": len(found.spikes)})


ASSETS = [replenishment, spikes]

plan_job = dg.define_asset_job(
    "plan_replenishment",
    selection=dg.AssetSelection.groups(GROUP),
    description="Looks for spikes, forecasts, proposes orders and asks for consent to them.",
)


class Orders(Protocol):
    """What the schedule asks before it starts a run."""

    def has_orders(self) -> bool:
        """Whether anything was ever ordered."""
        ...


@dg.schedule(
    name="nightly_replenishment",
    job=plan_job,
    cron_schedule="30 4 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night, when the day before is published.",
)
def nightly_plan(
    operational_store: dg.ResourceParam[Orders],
) -> dg.RunRequest | dg.SkipReason:
    """A home that has sold nothing yet has nothing to plan by."""
    try:
        if not operational_store.has_orders():
            return dg.SkipReason("nothing was ordered yet")
    except RetailFlowError as error:
        return dg.SkipReason(str(error))
    return dg.RunRequest()
