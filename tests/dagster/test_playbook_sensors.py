"""Playbooks are started when cases wait for them, once, and by Dagster's loop where need be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import dagster as dg
import httpx
import pytest
import respx

from assets.ports import Action, Outcome, Playbook, StartedBy, TroubledCase
from orchestration.operations import build_operations
from orchestration.playbooks import JOBS, PlaybookStore
from orchestration.run_starting import RunStarter
from sensors import playbooks, ticks
from sensors.playbooks import build_sensors, job_name, watch
from tests.builders import minutes
from tests.dagster.fakes import FakeListener

HOLD = job_name(Playbook.HOLD)


@dataclass
class FakeCases:
    """Cases that wait, look after look."""

    waiting: list[list[str]] = field(default_factory=list)
    is_mine: bool = True
    simulated: bool = False
    acted: list[tuple[Playbook, StartedBy, Sequence[str] | None]] = field(default_factory=list)
    on_wait: Callable[[], None] = lambda: None

    def time_is_simulated(self) -> bool:
        return self.simulated

    @contextmanager
    def listening(self, channel: str) -> Iterator[FakeListener]:
        assert channel == playbooks.CHANNEL
        yield FakeListener(self.on_wait)

    @contextmanager
    def alone(self, work: str) -> Iterator[bool]:
        assert work == playbooks.ROLE
        yield self.is_mine

    def waiting_playbooks(self) -> list[str]:
        return self.waiting.pop(0) if self.waiting else []

    def run_playbook(
        self, playbook: Playbook, started_by: StartedBy, case_ids: Sequence[str] | None = None
    ) -> list[Action]:
        self.acted.append((playbook, started_by, case_ids))
        case = TroubledCase(
            "id", 1, 1, "price_parity", "web_shop/MUG", None, None, "", "", "", minutes(0), 0
        )
        return [Action(case, Outcome.DONE, 100_000, None)]


@dataclass
class FakeStarter:
    """Starts runs by noting them, unless it cannot."""

    can: bool = True
    started: list[str] = field(default_factory=list)

    def start(self, job: str) -> str | None:
        if not self.can:
            return None
        self.started.append(job)
        return f"run-{len(self.started)}"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture(autouse=True)
def short_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick looks three times."""

    def three_looks(_listener: object, _phase: float) -> Iterator[None]:
        yield from (None, None, None)

    monkeypatch.setattr(playbooks, "looks", three_looks)
    assert ticks.PERIOD_SECONDS


def test_one_run_is_started_for_all_the_cases_of_a_playbook(instance: dg.DagsterInstance) -> None:
    store, runs = FakeCases(waiting=[[], ["hold"], []]), FakeStarter()
    assert watch(instance, store, runs, 0.0) == (1, [])
    assert runs.started == [HOLD]


def test_a_playbook_of_which_a_run_is_under_way_is_not_started_again(
    instance: dg.DagsterInstance,
) -> None:
    instance.create_run_for_job(
        next(job for job in JOBS if job.name == HOLD), status=dg.DagsterRunStatus.STARTED,
        tags={"omniflow/role": "playbook"},
    )  # fmt: skip
    store, runs = FakeCases(waiting=[["hold", "re_source"]]), FakeStarter()
    assert watch(instance, store, runs, 0.0) == (1, [])
    assert runs.started == [job_name("re_source")]


def test_where_another_sensor_is_starting_this_one_does_not(instance: dg.DagsterInstance) -> None:
    store, runs = FakeCases(waiting=[["hold"]], is_mine=False), FakeStarter()
    assert watch(instance, store, runs, 0.0) == (0, [])
    assert runs.started == []


def test_what_cannot_be_started_at_once_is_asked_of_dagsters_loop(
    instance: dg.DagsterInstance,
) -> None:
    store = FakeCases(waiting=[["hold", "re_source"]])
    first, _ = build_sensors(JOBS)
    context = dg.build_sensor_context(
        instance=instance,
        definitions=build_operations(),
        resources={"operational_store": store, "run_starter": FakeStarter(can=False)},
    )
    ticked = first.evaluate_tick(context)
    assert [request.job_name for request in ticked.run_requests or []] == [
        HOLD,
        job_name("re_source"),
    ]
    assert [request.run_key for request in ticked.run_requests or []] == [None, None]


def test_where_a_replay_moves_the_time_nothing_is_started(instance: dg.DagsterInstance) -> None:
    store = FakeCases(waiting=[["hold"]], simulated=True)
    for sensor in build_sensors(JOBS):
        context = dg.build_sensor_context(
            instance=instance,
            resources={"operational_store": store, "run_starter": FakeStarter()},
        )
        assert "simulated" in (sensor.evaluate_tick(context).skip_message or "")


def run(store: PlaybookStore, config: dict[str, object]) -> dg.ExecuteInProcessResult:
    job = build_operations(operational_store=store).get_job_def(HOLD)
    return job.execute_in_process({"ops": {"act_hold": {"config": config}}} if config else {})


def test_a_run_says_what_it_did_and_on_whose_word() -> None:
    store = FakeCases()
    done = run(store, {"case_ids": ["id"], "started_by": "olga"})
    ((playbook, started_by, case_ids),) = store.acted
    assert (playbook, started_by, case_ids) == (
        Playbook.HOLD,
        StartedBy(done.run_id, "olga"),
        ["id"],
    )
    (shown,) = [
        event.event_specific_data.materialization  # type: ignore[union-attr]
        for event in done.all_events
        if event.is_step_materialization
    ]
    assert shown.asset_key == dg.AssetKey("playbook_action")
    assert shown.metadata["cases_done"].value == 1


def test_without_config_a_run_acts_on_all_that_waits_as_the_sensor() -> None:
    store = FakeCases()
    run(store, {})
    assert [(by.actor, ids) for _, by, ids in store.acted] == [("sensor:playbooks", None)]


def test_every_playbook_is_a_job_that_may_take_the_warm_lane() -> None:
    assert {job.name for job in JOBS} == {job_name(playbook) for playbook in Playbook}
    assert {job.tags["omniflow/lane"] for job in JOBS} == {"warm"}


ADDRESS = "http://127.0.0.1:3010"


@pytest.mark.parametrize(
    ("answer", "run_id"),
    [
        ({"data": {"launchRun": {"__typename": "LaunchRunSuccess", "run": {"runId": "r"}}}}, "r"),
        ({"data": {"launchRun": {"__typename": "PythonError", "message": "no"}}}, None),
        ({"errors": []}, None),
        ({"data": None}, None),
    ],
)
@respx.mock
def test_a_run_is_started_through_the_webserver_or_left(
    answer: dict[str, object], run_id: str | None
) -> None:
    asked = respx.post(f"{ADDRESS}/graphql").respond(json=answer)
    with httpx.Client() as session:
        assert RunStarter(ADDRESS, session).start(HOLD) == run_id
    assert HOLD in asked.calls.last.request.content.decode()


@respx.mock
def test_a_webserver_that_is_away_starts_nothing() -> None:
    respx.post(f"{ADDRESS}/graphql").mock(side_effect=httpx.ConnectError("refused"))
    with httpx.Client() as session:
        assert RunStarter(ADDRESS, session).start(HOLD) is None
        assert RunStarter(None, session).start(HOLD) is None
