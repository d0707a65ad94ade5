"""Starts playbooks when cases wait for them. What a playbook does is its flow's business."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from sensors.inbox import SIMULATED
from sensors.ports import PlaybookStore, RunStarter
from sensors.runs import UNDER_WAY
from sensors.ticks import looks

CHANNEL = "omniflow_cases"
#: How a run of a playbook is marked.
ROLE = "playbook"
#: Who starts playbooks where no person does.
STARTED_BY = "sensor:playbooks"


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
    marked = dg.RunsFilter(tags={"omniflow/role": ROLE}, statuses=UNDER_WAY)
    running = {run.job_name for run in instance.get_runs(marked)}
    return [job for job in waiting if job not in running]


def watch(
    instance: dg.DagsterInstance, store: PlaybookStore, runs: RunStarter, phase: float
) -> tuple[int, list[str]]:
    """One tick: start what cases wait for, as they come, until the tick's phase.

    Returns:
        How many runs were started, and the jobs that could not be and are left to Dagster's loop.
    """
    started = 0
    with store.listening(CHANNEL) as listener:
        for _ in looks(listener, phase):
            # Two sensors look at once where their ticks overlap; one of them starts.
            with store.alone(ROLE) as is_mine:
                due = wanted(instance, store) if is_mine else []
                left = [job for job in due if runs.start(job) is None]
            started += len(due) - len(left)
            if left:
                return started, left
    return started, []


def _sensor(
    name: str, phase: float, partner_name: str, jobs: Sequence[dg.JobDefinition]
) -> dg.SensorDefinition:
    @dg.sensor(
        name=name,
        jobs=jobs,
        minimum_interval_seconds=1,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Starts one run of each playbook for all the cases that wait for it, as soon as they"
            f" are routed or their next action is due; {partner_name} does the same while this one"
            " is between two ticks."
        ),
        tags={"omniflow/role": "stream"},
    )
    def playbooks(
        context: dg.SensorEvaluationContext,
        operational_store: dg.ResourceParam[PlaybookStore],
        run_starter: dg.ResourceParam[RunStarter],
    ) -> dg.SensorResult | dg.SkipReason:
        """No run key: it would be remembered for ever."""
        if operational_store.time_is_simulated():
            return dg.SkipReason(SIMULATED)
        started, left = watch(context.instance, operational_store, run_starter, phase)
        if left:
            return dg.SensorResult(run_requests=[dg.RunRequest(job_name=job) for job in left])
        return dg.SkipReason(f"{started} runs of playbooks were started while this tick ran")

    return playbooks


def build_sensors(jobs: Sequence[dg.JobDefinition]) -> list[dg.SensorDefinition]:
    """The two sensors that start these jobs."""
    first, second = "playbooks_first_half", "playbooks_second_half"
    return [_sensor(first, 0.0, second, jobs), _sensor(second, 0.5, first, jobs)]
