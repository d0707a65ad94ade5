"""Dagster's own history: which finished runs are too old, and taking them out.

Ticks need no code of ours: `dagster.yaml` says how long their daemons keep them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance

_PAGE = 1_000


def old_runs(instance: DagsterInstance, before: datetime) -> list[str]:
    """Ids of finished runs that were made before then, without those that Dagster still shows.

    Events go with their run, so a run stays while an asset has nothing newer, and so does the last
    one of each job.
    """
    from dagster import DagsterRunStatus, RunsFilter

    finished = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
    filters = RunsFilter(statuses=finished, created_before=before)
    shown = _shown_by_assets(instance)
    jobs: set[str] = set()
    old: list[str] = []
    cursor: str | None = None
    while runs := instance.get_runs(filters, cursor=cursor, limit=_PAGE):
        for job in {run.job_name for run in runs} - jobs:
            jobs.add(job)
            shown.update(run.run_id for run in instance.get_runs(RunsFilter(job_name=job), limit=1))
        old += [run.run_id for run in runs if run.run_id not in shown]
        cursor = runs[-1].run_id
    return old


def delete_runs(instance: DagsterInstance, run_ids: Sequence[str]) -> None:
    """Take runs out, with their events."""
    for run_id in run_ids:
        instance.delete_run(run_id)


def _shown_by_assets(instance: DagsterInstance) -> set[str]:
    """Runs that hold the last word about an asset."""
    shown: set[str] = set()
    for record in instance.get_asset_records():
        entry = record.asset_entry
        event = entry.last_materialization
        shown |= {entry.last_run_id or "", event.run_id if event is not None else ""}
    return shown
