"""The light code location: flows, sensors, laws. Neither dbt nor Great Expectations is loaded here.

Everything that touches a home is a resource that opens it when it is first used, so importing this
module needs no database and no folder.
"""

from __future__ import annotations

import warnings
from typing import Any

import dagster as dg

from assets import door
from assets.approvals import assets as approvals
from assets.approvals import checks as approval_checks
from assets.exception_routing import assets as exception_routing
from assets.exception_routing import checks as exception_checks
from assets.finance import assets as finance
from assets.finance import checks as finance_checks
from assets.inventory import assets as inventory
from assets.inventory import checks as inventory_checks
from assets.master_data import assets as master_data
from assets.master_data import checks as master_data_checks
from assets.notifications import assets as notifications
from assets.order_to_fulfillment import assets as order_to_fulfillment
from assets.order_to_fulfillment import checks as order_to_fulfillment_checks
from assets.procure_to_stock import assets as procure_to_stock
from assets.procure_to_stock import checks as procure_to_stock_checks
from orchestration.dagster_resources import OperationalStoreResource
from orchestration.jobs import JOBS
from orchestration.playbooks import JOBS as PLAYBOOKS
from orchestration.reruns import JOBS as RERUNS
from orchestration.retention import retention
from orchestration.run_starting import RunStarterResource
from orchestration.schedules import SCHEDULES
from sensors import approvals as approval_sensors
from sensors import (
    exceptions,
    inbox,
    outbox,
    partner_health,
    playbooks,
    pollers,
    promises,
    run_failures,
    sla,
)
from sensors import notifications as notification_sensors

# Dagster warns of a parameter that it sets itself, wherever a sensor starts one of several jobs.
warnings.filterwarnings("ignore", "Parameter `owners` of initializer", dg.BetaWarning)

#: The tables of the operational store: what flows write, and what Dagster is only shown.
TABLES = [
    *door.ASSETS,
    *master_data.ASSETS,
    *inventory.ASSETS,
    *finance.ASSETS,
    *procure_to_stock.ASSETS,
    *order_to_fulfillment.ASSETS,
    *exception_routing.ASSETS,
    *approvals.ASSETS,
    *notifications.ASSETS,
]

#: What is said of each of them.
SPECS: dict[str, dg.AssetSpec] = {
    spec.key.path[-1]: spec
    for table in TABLES
    for spec in (table.specs if isinstance(table, dg.AssetsDefinition) else [table])
}
#: The rooms that have laws.
LAW_ROOMS = (
    master_data_checks,
    inventory_checks,
    finance_checks,
    procure_to_stock_checks,
    order_to_fulfillment_checks,
    exception_checks,
    approval_checks,
)
#: Conservation laws that are checks of a table, by their ids.
LAWS = {law.id: law for room in LAW_ROOMS for law in room.LAWS}


def build_operations(**resource_overrides: Any) -> dg.Definitions:
    """The definitions of the location.

    Args:
        resource_overrides: Resources by name, in place of those of the home.
    """
    return dg.Definitions(
        assets=TABLES,
        asset_checks=[check for room in LAW_ROOMS for check in room.CHECKS],
        sensors=[
            *inbox.SENSORS,
            *outbox.SENSORS,
            *pollers.SENSORS,
            *promises.SENSORS,
            *exceptions.SENSORS,
            *sla.SENSORS,
            *approval_sensors.SENSORS,
            *notification_sensors.SENSORS,
            *playbooks.build_sensors(PLAYBOOKS),
            *partner_health.SENSORS,
            *run_failures.SENSORS,
        ],
        jobs=[*JOBS, *PLAYBOOKS, *RERUNS, retention],
        schedules=SCHEDULES,
        resources={
            "operational_store": OperationalStoreResource(),
            "run_starter": RunStarterResource(),
            **resource_overrides,
        },
        # A run is one drain or a few queries: a process for each step would cost more than it.
        executor=dg.in_process_executor,
    )


defs = build_operations()
