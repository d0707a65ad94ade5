"""Dagster's own history goes by policy, and what its pages show stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml

from assets.errors import EnvironmentProblem
from orchestration import dagster_instance
from orchestration.dagster_history import delete_runs, old_runs
from orchestration.environment import Environment
from orchestration.home import open_home
from orchestration.operations import build_operations
from tests.dagster.fakes import FakeRemoval, FakeStore

LATER = datetime.now(UTC) + timedelta(days=61)


@dg.op
def nothing() -> None:
    """No work."""


@dg.job
def looks() -> None:
    """A job without assets."""
    nothing()


@dg.asset
def ledger() -> int:
    """One row per test."""
    return 1


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def test_finished_runs_go_but_for_the_last_of_each_job(instance: dg.DagsterInstance) -> None:
    first, second, last = (looks.execute_in_process(instance=instance).run_id for _ in range(3))
    assert old_runs(instance, LATER - timedelta(days=62)) == [], "they are of today"
    old = old_runs(instance, LATER)
    assert sorted(old) == sorted([first, second])
    delete_runs(instance, old)
    assert [run.run_id for run in instance.get_runs()] == [last]
    assert instance.all_logs(first) == []


def test_the_run_that_an_assets_page_shows_stays(instance: dg.DagsterInstance) -> None:
    first, second = (dg.materialize([ledger], instance=instance).run_id for _ in range(2))
    # The last run of the job is another one: the asset was not in it.
    other = dg.materialize([_other], instance=instance).run_id
    assert old_runs(instance, LATER) == [first]
    delete_runs(instance, [first])
    assert {run.run_id for run in instance.get_runs()} == {second, other}
    event = instance.get_latest_materialization_event(dg.AssetKey("ledger"))
    assert event is not None
    assert event.run_id == second


@dg.asset(name="another")
def _other() -> int:
    """One row per test."""
    return 1


def test_a_run_that_goes_on_is_never_too_old(instance: dg.DagsterInstance) -> None:
    going_on = instance.create_run_for_job(looks, status=dg.DagsterRunStatus.STARTED)
    looks.execute_in_process(instance=instance)
    assert going_on.run_id not in old_runs(instance, LATER)


def test_the_nightly_job_says_what_it_removed(instance: dg.DagsterInstance) -> None:
    store = FakeStore(removals=[FakeRemoval("applied_event_body", 7)], run_days=-1)
    for _ in range(2):
        looks.execute_in_process(instance=instance)
    job = build_operations(operational_store=store).resolve_job_def("retention")
    result = job.execute_in_process(instance=instance)
    (output,) = (event for event in result.all_events if event.is_successful_output)
    told = output.step_output_data.metadata
    assert {name: value.value for name, value in told.items()} == {
        "applied_event_body": 7,
        "dagster_run": 1,
    }
    assert len(instance.get_runs()) == 2


def test_a_database_that_is_away_may_be_tried_again(instance: dg.DagsterInstance) -> None:
    store = FakeStore(fails_with=EnvironmentProblem("the database is away"))
    job = build_operations(operational_store=store).resolve_job_def("retention")
    result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert not result.success


def test_ticks_are_kept_as_long_as_the_homes_policy_says(tmp_path: Path) -> None:
    url = "postgresql://u:p@127.0.0.1:9/omniflow"
    home = open_home(Environment(home=tmp_path / "home", database_url=url))
    ports = {"operations": 4010, "analytics": 4110}
    dagster_instance.write(home, ports, dagster_instance.LOCATIONS)
    settings = yaml.safe_load((home.dagster / "dagster.yaml").read_text())
    days = {"skipped": 1, "success": 7, "failure": 30, "started": -1}
    assert settings["retention"] == {
        "sensor": {"purge_after_days": days},
        "schedule": {"purge_after_days": days},
    }
