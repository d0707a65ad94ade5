"""Makes a failed run somebody's business: an exception case."""

from __future__ import annotations

import dagster as dg

from assets.ports import CaseType
from sensors.ports import CaseStore

LONGEST_REASON = 500


@dg.run_failure_sensor(
    name="run_failures",
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    monitor_all_code_locations=True,
    description="Opens an exception case for every job that fails, one a job.",
)
def run_failures(
    context: dg.RunFailureSensorContext, operational_store: dg.ResourceParam[CaseStore]
) -> None:
    """The job is the business key: failing again is the same case counted up."""
    run = context.dagster_run
    reason = f"run {run.run_id}: {context.failure_event.message or 'no message'}"
    operational_store.open_case(CaseType.RUN_FAILED, run.job_name, reason[:LONGEST_REASON])


SENSORS = [run_failures]
