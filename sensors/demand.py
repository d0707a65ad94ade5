"""Wakes planning when a region asks for more than usual: it lives where pandas may be loaded."""

from __future__ import annotations

import dagster as dg

from assets.errors import RetailFlowError
from sensors.inbox import SIMULATED
from sensors.ports import SpikeStore
from sensors.runs import UNDER_WAY

JOB = "plan_replenishment"


@dg.sensor(
    name="demand_spikes",
    job_name=JOB,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Has replenishment planned when a spike was found after the last plan.",
)
def demand_spikes(
    context: dg.SensorEvaluationContext, operational_store: dg.ResourceParam[SpikeStore]
) -> dg.RunRequest | dg.SkipReason:
    """No run key: whether a spike is planned for is asked of the data."""
    try:
        if operational_store.time_is_simulated():
            return dg.SkipReason(SIMULATED)
        is_left = operational_store.has_unplanned_spike()
    except RetailFlowError as error:
        return dg.SkipReason(str(error))
    if not is_left:
        return dg.SkipReason("no spike waits for a plan")
    if context.instance.get_runs(dg.RunsFilter(job_name=JOB, statuses=UNDER_WAY), limit=1):
        return dg.SkipReason("a run is planning")
    return dg.RunRequest()


SENSORS = [demand_spikes]
