"""Cases in a whole running home of which every part is killed: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import SensorInstigatorData

from assets.errors import EnvironmentProblem
from assets.ports import About, Case, CaseType
from orchestration.environment import PROJECT, Environment
from orchestration.home import Home, open_home
from orchestration.status import of as status_of
from orchestration.warm_lane.talking import LaneClosed, ask
from resources.operational_store import connection
from resources.operational_store.cases import open_cases
from resources.operational_store.store import create_engine
from tests.orchestration.conftest import Omniflow

#: Rungs without the one that is for much money only.
RUNGS = 4


def until(holds: Callable[[], bool], seconds: float = 150) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if holds():
                return True
        except EnvironmentProblem:
            pass  # the database was killed and is on its way back
        time.sleep(0.3)
    return False


def pid_of(home: Home, name: str) -> int:
    services = status_of(home).as_json()["services"]
    return int(next(one["pid"] for one in services if one["name"] == name))


def asked(home: Home, question: str) -> list[tuple[Any, ...]]:
    with connection.connect(home.database_url) as database:
        return list(connection.rows(database, question) or [])


def neglect(home: Home, start: int, count: int) -> None:
    """Cases that were opened ten days ago, so that every rung is due when they are routed."""
    engine = create_engine(home.database_url)
    cases = [
        Case(CaseType.PRICE_PARITY, f"web_shop/SKU-{number}", "x", About(channel="web_shop"))
        for number in range(start, start + count)
    ]
    with engine.begin() as opened:
        open_cases(opened, cases, datetime.now(UTC) - timedelta(days=10))
    engine.dispose()


def all_seen_to(home: Home, count: int) -> bool:
    """Whether each case was acted on and climbed the ladder, and all that was told has arrived."""
    ((acted, climbed, waiting),) = asked(
        home,
        "select (select count(*) from playbook_action), (select count(*) from case_escalated),"
        " (select count(*) from notification_delivery where status = 'pending')",
    )
    return (acted, climbed, waiting) == (count, RUNGS * count, 0)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_whatever_is_killed_each_case_is_acted_on_and_each_rung_taken_and_told_once(
    omniflow: Omniflow, open_folder: Path
) -> None:
    assert omniflow("up").returncode == 0
    home = open_home(Environment(open_folder / "home"))

    # Everything at its place first: what follows is about what is killed.
    neglect(home, 0, 20)
    assert until(lambda: all_seen_to(home, 20))

    # Everything that sensors remember is lost while cases come.
    neglect(home, 20, 10)
    assert forget_cursors(home) > 0

    # The database in the middle of a batch, then the daemon, then the lane.
    neglect(home, 30, 20)
    postmaster = int((home.path / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    assert until(lambda: bool(asked(home, "select 1")))
    neglect(home, 50, 30)
    os.kill(pid_of(home, "daemon"), signal.SIGKILL)
    neglect(home, 80, 20)
    os.kill(pid_of(home, "warm_lane"), signal.SIGKILL)

    # Runs of playbooks as they come, as long as any do, and a second daemon by mistake.
    second = subprocess.Popen(
        [sys.executable, "-m", "dagster._daemon", "run", "-w", home.dagster / "workspace.yaml"],
        cwd=PROJECT,
        env=home.environment.for_children(home.dagster),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert until(lambda: is_open(home))
        cases = kill_a_run(home, 100)
        assert until(lambda: all_seen_to(home, cases), 240), asked(
            home, "select playbook, count(*) from playbook_action group by 1"
        )
    finally:
        os.killpg(second.pid, signal.SIGKILL)
        second.wait()

    # A rung is taken once and in the order of its time; so is each word that was told of it.
    assert asked(
        home,
        "select count(*) from (select case_id, rung, lag(occurred_at) over by_case as before,"
        " occurred_at from case_escalated"
        " window by_case as (partition by case_id order by rung)) as climbed"
        " where before >= occurred_at",
    ) == [(0,)]
    ((told, expected),) = asked(
        home,
        "select (select count(*) from notification where occasion = 'case_escalated'),"
        " (select sum(cardinality(told)) from case_escalated)",
    )
    assert told == expected
    files = list((home.path / "notifications" / "file").rglob("*.txt"))
    assert len(files) == asked(home, "select count(*) from notification")[0][0]
    assert omniflow("invariants").returncode == 0


def forget_cursors(home: Home) -> int:
    """Set the cursor of every sensor back to zero; gives how many sensors have looked before."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in home.environment.for_children(home.dagster).items():
            environment.setenv(name, value)
        with dg.DagsterInstance.get() as instance:
            looked = [
                (state, state.instigator_data)
                for state in instance.all_instigator_state(instigator_type=InstigatorType.SENSOR)
                if isinstance(state.instigator_data, SensorInstigatorData)
            ]
            for state, seen in looked:
                forgotten = SensorInstigatorData(cursor="0", sensor_type=seen.sensor_type)
                instance.update_instigator_state(state.with_data(forgotten))
    return len(looked)


def is_open(home: Home) -> bool:
    try:
        return "runs" in ask(home.warm_lane_socket, {})
    except LaneClosed:
        return False


def kill_a_run(home: Home, start: int) -> int:
    """Open cases until a process that the lane forks for them is seen, and kill it.

    Gives the number of all cases. The daemon has just been killed, too, and a run may be over
    before it is seen, so this goes on for as long as a busy machine needs.
    """
    for number in range(start, start + 300, 2):
        neglect(home, number, 2)
        deadline = time.monotonic() + 2
        try:
            lane = psutil.Process(pid_of(home, "warm_lane"))
            while time.monotonic() < deadline:
                for child in lane.children():
                    child.kill()
                    return number + 2
                time.sleep(0.005)
        except (psutil.Error, TypeError, StopIteration):
            time.sleep(1)  # it is just being started again
    pytest.fail("no run of the warm lane was seen")
