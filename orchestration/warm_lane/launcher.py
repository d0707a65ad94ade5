"""Launches marked runs in the warm lane, and all others as Dagster does.

Rests on what is not promised to stay in Dagster: the body of its command `execute_run` (see
`orchestration.warm_lane.lane`) and what a launcher is asked for; a test names whatever moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import dagster as dg
import psutil
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._serdes import serialize_value
from dagster._serdes.config_class import ConfigurableClassData

from orchestration.warm_lane import LANE_TAG, PROCESS_TAG, WARM
from orchestration.warm_lane.talking import LaneClosed, ask


class WarmLaneLauncher(dg.DefaultRunLauncher):
    """A launcher with a second, faster way for runs that are marked for it."""

    def __init__(self, socket_path: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(inst_data)
        self._path = Path(socket_path)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Where the lane listens."""
        return {"socket_path": str}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> Self:
        """As dagster.yaml says."""
        return cls(config_value["socket_path"], inst_data)

    def launch_run(self, context: LaunchRunContext) -> None:
        """In the lane where the run is marked for it and the lane is open, else as always."""
        run = context.dagster_run
        if run.tags.get(LANE_TAG) == WARM and self._launch_warm(run):
            return
        super().launch_run(context)

    def _launch_warm(self, run: dg.DagsterRun) -> bool:
        question = {
            "start": run.run_id,
            "instance": serialize_value(self._instance.get_ref()),
        }
        try:
            answer = ask(self._path, question)
        except LaneClosed as closed:
            self._instance.report_engine_event(
                f"The warm lane is closed ({closed}); the run starts as any other.", run
            )
            return False
        self._instance.add_run_tags(run.run_id, {PROCESS_TAG: str(answer["process"])})
        return True

    def terminate(self, run_id: str) -> bool:
        """Interrupt a run's process; one that the lane does not know is another way's."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        process = _process_of(run)
        if process is None:
            return bool(super().terminate(run_id))  # type: ignore[no-untyped-call]
        self._instance.report_run_canceling(run)
        try:
            return bool(ask(self._path, {"interrupt": run_id})["is_known"])
        except LaneClosed:
            process.terminate()
            return True

    @property
    def supports_check_run_worker_health(self) -> bool:
        """A run whose process is gone, and nobody has said so, is found by run monitoring."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the process of a run in the lane lives; of others nothing is known."""
        if PROCESS_TAG in run.tags and _process_of(run) is None:
            return CheckRunHealthResult(WorkerStatus.FAILED, "its process is gone")
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def _process_of(run: dg.DagsterRun) -> psutil.Process | None:
    """The living process of a run in the lane; not another that was given its number since."""
    pid, _, began = run.tags.get(PROCESS_TAG, "").partition("/")
    if not pid:
        return None
    try:
        process = psutil.Process(int(pid))
        is_it = abs(process.create_time() - float(began)) < 1
        return process if is_it and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.Error, ValueError):
        return None
