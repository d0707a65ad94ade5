"""Wakes the gate of bulk loads, which lives where Great Expectations may be loaded."""

from __future__ import annotations

import dagster as dg

from assets.errors import RetailFlowError
from sensors.inbox import SIMULATED
from sensors.ports import LoadStore
from sensors.runs import UNDER_WAY

JOB = "judge_loads"


@dg.sensor(
    name="bulk_loads",
    job_name=JOB,
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Has bulk loads judged that have come and wait for it.",
)
def bulk_loads(
    context: dg.SensorEvaluationContext, operational_store: dg.ResourceParam[LoadStore]
) -> dg.RunRequest | dg.SkipReason:
    """No run key: whether a load waits is asked of the data, so a run that failed is made again."""
    try:
        if operational_store.time_is_simulated():
            return dg.SkipReason(SIMULATED)
        sources = operational_store.loads_awaiting_gate()
    except RetailFlowError as error:
        return dg.SkipReason(str(error))
    if not sources:
        return dg.SkipReason("no load waits")
    if context.instance.get_runs(dg.RunsFilter(job_name=JOB, statuses=UNDER_WAY), limit=1):
        return dg.SkipReason("a run is judging")
    return dg.RunRequest(tags={"omniflow/loads": ",".join(sources)})


SENSORS = [bulk_loads]
