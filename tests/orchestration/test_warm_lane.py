"""The warm lane's edges: who asks a lane that is closed starts runs as always."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import dagster as dg
import psutil
import pytest
import yaml
from dagster._core.launcher.base import WorkerStatus

from assets.errors import PolicyError
from orchestration import dagster_instance
from orchestration.environment import Environment
from orchestration.home import open_home
from orchestration.warm_lane import PROCESS_TAG
from orchestration.warm_lane.launcher import WarmLaneLauncher
from orchestration.warm_lane.talking import LaneClosed, ask
from resources.policy_book import SHIPPED, kept_in


def test_a_lane_that_is_not_there_is_closed(tmp_path: Path) -> None:
    with pytest.raises(LaneClosed):
        ask(tmp_path / "nobody.sock", {})


def test_a_lane_that_hangs_up_or_talks_nonsense_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "lane.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen(2)

        def answer() -> None:
            for said in (b"", b"nonsense\n"):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(100)
                    connection.sendall(said)

        other = threading.Thread(target=answer)
        other.start()
        for _ in range(2):
            with pytest.raises(LaneClosed):
                ask(path, {"start": "x"})
        other.join()


def run_of(process: str | None) -> dg.DagsterRun:
    tags = {} if process is None else {PROCESS_TAG: process}
    return dg.DagsterRun(job_name="playbook_hold", tags=tags)


def test_the_process_of_a_run_is_known_by_its_number_and_its_beginning(tmp_path: Path) -> None:
    launcher = WarmLaneLauncher(str(tmp_path / "lane.sock"))
    assert launcher.supports_check_run_worker_health
    mine, began = os.getpid(), psutil.Process().create_time()

    def status(process: str | None) -> WorkerStatus:
        return launcher.check_run_worker_health(run_of(process)).status

    assert status(f"{mine}/{began}") == WorkerStatus.RUNNING
    # Another process has been given its number since.
    assert status(f"{mine}/{began - 100}") == WorkerStatus.FAILED
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert status(f"{ended.pid}/{began}") == WorkerStatus.FAILED
    # Of a run that took no lane nothing is known.
    assert status(None) == WorkerStatus.RUNNING


def test_a_home_may_close_the_lane_by_policy(tmp_path: Path) -> None:
    home = open_home(Environment(tmp_path / "home"))
    ports = dict.fromkeys(("operations", "analytics"), 4000)

    def launcher() -> str:
        dagster_instance.write(home, ports, ("operations",))
        said = yaml.safe_load((home.dagster / "dagster.yaml").read_text())
        return str(said["run_launcher"]["class"])

    assert launcher() == "WarmLaneLauncher"
    whole = yaml.safe_load((SHIPPED / "operations.yaml").read_text())
    whole["values"]["runs"]["warm_lane"] = False
    home.policies.mkdir()
    (home.policies / "operations.yaml").write_text(yaml.safe_dump(whole))
    assert launcher() == "DefaultRunLauncher"


def test_a_socket_whose_path_would_be_too_long_lies_elsewhere(tmp_path: Path) -> None:
    short = open_home(Environment(tmp_path / "home"))
    assert short.warm_lane_socket.parent in {short.run, Path("/tmp")}  # noqa: S108
    long = open_home(Environment(tmp_path / ("x" * 120)))
    assert len(os.fsencode(long.warm_lane_socket)) < 108
    assert long.warm_lane_socket != short.warm_lane_socket


def test_a_refused_policy_does_not_close_the_lane_of_a_home_that_had_a_good_one(
    tmp_path: Path,
) -> None:
    home = open_home(Environment(tmp_path / "home"))
    home.policies.mkdir()
    (home.policies / "operations.yaml").write_text("policy: operations\n")
    with pytest.raises(PolicyError):
        home.run_policy()
    kept_in(home.policies).mkdir(parents=True)
    assert home.run_policy().warm_lane
