"""Starts playbooks when cases wait for them. What a playbook does is its flow's business."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from sensors.inbox import SIMULATED
from sensors.ports import PlaybookStore

#: How a run of a playbook is marked.
ROLE = "playbook"
#: Who starts playbooks where no person does.
SENSOR = "sensor:playbooks"
_RUNNING = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def job_name(playbook: str) -> str:
    """The job of a playbook."""
    return f"playbook_{playbook}"


def wanted(instance: dg.DagsterInstance, store: PlaybookStore) -> list[str]:
    """Jobs of the playbooks for which cases wait and of which no run is under way.

    Whether any waits is asked of the data, so that a run that failed is made again and a cursor
    that is lost loses nothing; a run acts on all that wait, however many sensors asked for it.
    """
    waiting = [job_name(playbook) for playbook in store.waiting_playbooks()]
    if not waiting:
        return []
    marked = dg.RunsFilter(tags={"omniflow/role": ROLE}, statuses=_RUNNING)
    running = {run.job_name for run in instance.get_runs(marked)}
    return [job for job in waiting if job not in running]


def build_sensors(jobs: Sequence[dg.JobDefinition]) -> list[dg.SensorDefinition]:
    """The sensor that starts these jobs."""

    @dg.sensor(
        name="playbooks",
        jobs=jobs,
        minimum_interval_seconds=1,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts one run of each playbook for all the cases that wait for it.",
    )
    def playbooks(
        context: dg.SensorEvaluationContext, operational_store: dg.ResourceParam[PlaybookStore]
    ) -> dg.SensorResult | dg.SkipReason:
        """No run key: it would be remembered for ever."""
        if operational_store.time_is_simulated():
            return dg.SkipReason(SIMULATED)
        due = wanted(context.instance, operational_store)
        if not due:
            return dg.SkipReason("no case waits for a playbook")
        return dg.SensorResult(run_requests=[dg.RunRequest(job_name=job) for job in due])

    return [playbooks]
