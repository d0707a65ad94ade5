from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import dagster as dg
import pytest

from assets.errors import EnvironmentProblem
from sensors import (
    approvals,
    demand,
    exceptions,
    inbox,
    loads,
    outbox,
    partner_health,
    pollers,
    promises,
    run_failures,
    sla,
    ticks,
)
from sensors.ticks import PERIOD_SECONDS, looks, seconds_left
from tests.dagster.fakes import (
    FakeFetched,
    FakeListener,
    FakeSent,
    FakeStore,
    FakeTally,
)


class Clock:
    """Time that moves only when somebody waits."""

    def __init__(self, now: float) -> None:
        self.now = now

    def time(self) -> float:
        return self.now

    monotonic = time

    def pass_a_second(self) -> None:
        self.now += 1.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(1_000_000_000.0)
    monkeypatch.setattr(ticks, "time", clock)
    monkeypatch.setattr(inbox, "time", clock)
    return clock


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def materialisations(instance: dg.DagsterInstance, asset: str) -> list[dict[str, object]]:
    records = instance.fetch_materializations(dg.AssetKey(asset), limit=50).records
    return [
        {name: value.value for name, value in record.asset_materialization.metadata.items()}
        for record in reversed(records)
        if record.asset_materialization is not None
    ]


def evaluated(
    sensor: dg.SensorDefinition, store: FakeStore, instance: dg.DagsterInstance, **options: str
) -> object:
    context = dg.build_sensor_context(
        instance=instance,
        resources={"operational_store": store},
        sensor_name=sensor.name,
        **options,
    )
    return sensor(context)


def test_ticks_of_two_sensors_end_half_a_period_apart() -> None:
    for now in range(1_000_000_000, 1_000_000_120):
        first, second = seconds_left(0.0, now), seconds_left(0.5, now)
        assert 0 < first <= PERIOD_SECONDS
        assert abs(first - second) == PERIOD_SECONDS / 2


def test_a_tick_ends_well_before_dagster_gives_it_up_and_the_next_one_covers_the_gap() -> None:
    # Dagster ends a tick after 60 seconds and comes back within 5.
    assert PERIOD_SECONDS + 5 < 60
    assert PERIOD_SECONDS / 2 > 5


def test_a_tick_looks_at_once_and_at_least_every_second_until_its_phase(clock: Clock) -> None:
    listener = FakeListener(clock.pass_a_second)
    seen = [clock.now for _ in looks(listener, 0.0)]
    assert seen[0] == 1_000_000_000.0
    assert seen[-1] == 1_000_000_050.0
    assert max(listener.waits) <= 1.0


def test_events_are_handed_over_as_they_come_and_reported_once_a_second(
    clock: Clock, instance: dg.DagsterInstance
) -> None:
    store = FakeStore(
        drains=[
            {"inventory": FakeTally(applied=2, batches=1)},
            {"inventory": FakeTally(applied=3, waiting=1, batches=1)},
            {},
        ]
    )

    def pass_half_a_second() -> None:
        clock.now += 0.4

    store.on_wait = pass_half_a_second
    result = evaluated(inbox.inbox_first_half, store, instance)
    assert isinstance(result, dg.SkipReason)
    assert result.skip_message == "5 events were handled while this tick ran"
    assert store.channels == ["omniflow_inbox"]
    told = materialisations(instance, "stock_movement")
    assert [entry["events_applied"] for entry in told] == [2, 3]
    assert told[1]["events_waiting"] == 1
    assert not materialisations(instance, "journal_line")


def test_every_table_that_grew_is_told_once_a_tick_with_its_rows(
    clock: Clock, instance: dg.DagsterInstance
) -> None:
    first = FakeTally(applied=1, rows=Counter(order_placed=1, order_line=3))
    second = FakeTally(applied=1, rows=Counter(order_placed=1, order_line=2, payment_movement=1))
    store = FakeStore(
        drains=[{"order_to_fulfillment": first}, {"order_to_fulfillment": second}],
        on_wait=clock.pass_a_second,
    )
    evaluated(inbox.inbox_first_half, store, instance)
    assert [entry["rows_added"] for entry in materialisations(instance, "order_line")] == [5]
    assert [entry["rows_added"] for entry in materialisations(instance, "payment_movement")] == [1]
    # The flow's own asset was told each second.
    assert [entry["rows_added"] for entry in materialisations(instance, "order_placed")] == [1, 1]


def test_what_was_handled_before_a_tick_broke_down_is_reported(
    clock: Clock, instance: dg.DagsterInstance
) -> None:
    store = FakeStore(
        drains=[{"finance": FakeTally(applied=1)}, {"finance": FakeTally(applied=4)}],
        fails_with=RuntimeError("the flow broke down"),
        on_wait=lambda: None,
    )
    with pytest.raises(RuntimeError, match="the flow broke down"):
        evaluated(inbox.inbox_second_half, store, instance)
    told = materialisations(instance, "journal_line")
    assert sum(int(str(entry["events_applied"])) for entry in told) == 5


@pytest.mark.parametrize(
    "sensor",
    [
        inbox.inbox_first_half,
        inbox.inbox_second_half,
        outbox.outbox,
        pollers.pollers,
        promises.promises,
        exceptions.exceptions,
        sla.sla,
        approvals.approvals,
    ],
    ids=lambda sensor: sensor.name,
)
def test_where_a_replay_moves_the_time_no_sensor_does_anything(
    sensor: dg.SensorDefinition, instance: dg.DagsterInstance
) -> None:
    store = FakeStore(simulated=True, drains=[{"finance": FakeTally(applied=1)}])
    result = evaluated(sensor, store, instance)
    assert isinstance(result, dg.SkipReason)
    assert "simulated" in (result.skip_message or "")
    assert store.drains
    assert store.channels == []


def test_commands_are_sent_as_they_are_written_and_told_once_a_tick(
    clock: Clock, instance: dg.DagsterInstance
) -> None:
    store = FakeStore(
        dispatches=[FakeSent(delivered=3), FakeSent(), FakeSent(delivered=1, dead=1, remaining=2)],
        on_wait=clock.pass_a_second,
    )
    result = evaluated(outbox.outbox, store, instance)
    assert isinstance(result, dg.SkipReason)
    assert store.channels == ["omniflow_outbox"]
    (told,) = materialisations(instance, "command_outbox")
    assert (told["commands_delivered"], told["commands_dead"]) == (4, 1)


def test_a_partner_that_is_away_keeps_nobody_from_the_others(
    instance: dg.DagsterInstance,
) -> None:
    fetched = [FakeFetched("erp", unavailable="refused"), FakeFetched("wms", 3, 2)]
    result = evaluated(pollers.pollers, FakeStore(fetched=fetched), instance)
    assert isinstance(result, dg.SkipReason)
    assert result.skip_message == "2 new events of 2 partners; away: erp"


def test_a_partner_that_stays_away_is_warned_of_once(
    instance: dg.DagsterInstance, capsys: pytest.CaptureFixture[str]
) -> None:
    def tick(cursor: str | None, *fetched: FakeFetched) -> tuple[str | None, int]:
        store = FakeStore(fetched=list(fetched))
        context = dg.build_sensor_context(
            instance=instance, cursor=cursor, resources={"operational_store": store}
        )
        pollers.pollers(context)
        return context.cursor, capsys.readouterr().err.count("was not asked")

    away, there = FakeFetched("erp", unavailable="refused"), FakeFetched("erp", 1, 1)
    cursor, warnings = tick(None, away)
    assert warnings == 1
    cursor, warnings = tick(cursor, away)
    assert warnings == 0
    cursor, warnings = tick(cursor, away, FakeFetched("wms", unavailable="refused"))
    assert warnings == 1
    cursor, warnings = tick(cursor, there)
    cursor, warnings = tick(cursor, away)
    assert warnings == 1


def test_promises_end_and_channels_hear_of_it(instance: dg.DagsterInstance) -> None:
    result = evaluated(promises.promises, FakeStore(), instance)
    assert isinstance(result, dg.SkipReason)
    assert result.skip_message == (
        "2 orders expired, 3 promises moved, 7 lines of availability told, 4 snapshots compared,"
        " 1 events overdue, 4 parcels not heard of"
    )


def test_a_breaker_is_observed_when_it_changes_and_only_then(instance: dg.DagsterInstance) -> None:
    store = FakeStore(breaker_states={"erp": "open", "wms": "closed"})
    result = evaluated(partner_health.partner_health, store, instance)
    assert isinstance(result, dg.SensorResult)
    (observation,) = result.asset_events
    assert observation.asset_key == dg.AssetKey("partner_health")
    assert observation.metadata["erp"].value == "open"
    assert observation.metadata["partners_away"].value == 1
    assert result.cursor is not None
    again = evaluated(partner_health.partner_health, store, instance, cursor=result.cursor)
    assert isinstance(again, dg.SkipReason)


def test_a_load_that_waits_is_judged_by_one_run(instance: dg.DagsterInstance) -> None:
    waiting = FakeStore(staged_loads=["erp", "wms"])
    request = evaluated(loads.bulk_loads, waiting, instance)
    assert isinstance(request, dg.RunRequest)
    assert request.tags["omniflow/loads"] == "erp,wms"
    assert isinstance(evaluated(loads.bulk_loads, FakeStore(), instance), dg.SkipReason)
    simulated = FakeStore(staged_loads=["erp"], simulated=True)
    assert isinstance(evaluated(loads.bulk_loads, simulated, instance), dg.SkipReason)

    instance.create_run_for_job(_judging, status=dg.DagsterRunStatus.STARTED)
    again = evaluated(loads.bulk_loads, waiting, instance)
    assert again == dg.SkipReason("a run is judging")


@dg.job(name=loads.JOB)
def _judging() -> None:
    """Stands for the job of the other location."""


def test_a_spike_is_planned_for_once_a_run_and_not_in_simulated_time(
    instance: dg.DagsterInstance,
) -> None:
    found = FakeStore(unplanned_spike=True)
    assert isinstance(evaluated(demand.demand_spikes, found, instance), dg.RunRequest)
    nothing = evaluated(demand.demand_spikes, FakeStore(), instance)
    assert nothing == dg.SkipReason("no spike waits for a plan")
    simulated = FakeStore(unplanned_spike=True, simulated=True)
    assert isinstance(evaluated(demand.demand_spikes, simulated, instance), dg.SkipReason)
    away = FakeStore(fails_with=EnvironmentProblem("the database is away"))
    assert evaluated(demand.demand_spikes, away, instance) == dg.SkipReason("the database is away")
    instance.create_run_for_job(_planning, status=dg.DagsterRunStatus.STARTED)
    again = evaluated(demand.demand_spikes, found, instance)
    assert again == dg.SkipReason("a run is planning")


@dg.job(name=demand.JOB)
def _planning() -> None:
    """Stands for the job of the other location."""


def test_a_failed_run_is_somebodys_case(instance: dg.DagsterInstance) -> None:
    @dg.op
    def breaks() -> None:
        raise RuntimeError("no bread")

    @dg.job
    def bakery() -> None:
        breaks()

    result = bakery.execute_in_process(instance=instance, raise_on_error=False)
    store = FakeStore()
    context = dg.build_run_status_sensor_context(
        sensor_name="run_failures",
        dagster_instance=instance,
        dagster_run=result.dagster_run,
        dagster_event=result.get_run_failure_event(),
        resources={"operational_store": store},
    ).for_run_failure()
    run_failures.run_failures(context)
    ((case_type, business_key, reason),) = store.cases
    assert (case_type, business_key) == ("run_failed", "bakery")
    assert reason.startswith(f"run {result.run_id}:")


def test_cases_are_routed_and_shown_when_they_change(instance: dg.DagsterInstance) -> None:
    store = FakeStore(unrouted=3)
    store.open_case("run_failed", "bakery", "it broke")
    first = evaluated(exceptions.exceptions, store, instance)
    assert isinstance(first, dg.SensorResult)
    (shown,) = first.asset_events
    assert isinstance(shown, dg.AssetMaterialization)
    assert {name: value.value for name, value in shown.metadata.items()} == {
        "cases_open": 1,
        "cases_overdue": 0,
        "cases_closed": 5,
    }
    assert store.unrouted == 0
    again = evaluated(exceptions.exceptions, store, instance, cursor=first.cursor)
    assert isinstance(again, dg.SkipReason)


def test_rungs_and_expiries_are_taken_by_the_clock(instance: dg.DagsterInstance) -> None:
    store = FakeStore(rungs_due=4)
    said = [evaluated(one, store, instance) for one in (sla.sla, sla.sla, approvals.approvals)]
    assert [one.skip_message for one in said if isinstance(one, dg.SkipReason)] == [
        "4 rungs were taken",
        "0 rungs were taken",
        "2 approvals expired",
    ]


def test_every_sensor_runs_from_the_first_start_on() -> None:
    modules = (inbox, loads, outbox, pollers, promises, partner_health, run_failures)
    for module in (*modules, exceptions, sla, approvals):
        for sensor in module.SENSORS:
            assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
