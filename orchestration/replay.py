"""Replays files through the whole product: door, flows, partners, lake, marts."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from assets.commerce.calendar import utc_text
from assets.procure_to_stock.replenishment_policy import replenishment_policy
from orchestration import services, supervisor
from orchestration.dagster_report import tell_dagster
from orchestration.home import Home
from orchestration.processes import peak_megabytes
from orchestration.replay_report import (
    Moment,
    Report,
    Stopwatch,
    Watch,
    count_since,
    counts,
    gate_cases,
)
from orchestration.sandbox import Sandbox, running_sandbox
from orchestration.simulation import (
    Collect,
    Simulation,
    claim_simulated_time,
    only_one,
    tell_people,
)
from resources import bulk_loads
from resources.dagster_reporting import DagsterReporting, reporting
from resources.layouts.reading import CatalogueItem, Reading
from resources.layouts.registry import layout
from resources.layouts.uci_online_retail.layout import UciReading
from resources.operational_store.door import Door
from resources.operational_store.replenishment import has_orders
from resources.operational_store.store import OperationalStore, create_engine
from resources.outbox_dispatcher import OutboxDispatcher
from resources.partner_poller import PartnerPoller, PollTally
from resources.partners import PartnerBook
from resources.policy_book import FilePolicyBook

if TYPE_CHECKING:
    from assets.procure_to_stock.planning import Planned
    from resources.analytics_store.store import AnalyticsStore
    from resources.load_gate import LoadVerdict

CATALOGUE_CHUNK = 1_000
#: Of the lead times by which a demand is met again.
_SEED = 1


@dataclass(frozen=True)
class Request:
    """What to replay, and how.

    Attributes:
        quantum: Length of a decision window; ``None`` is what the home's policy says.
        batch_size: Events at most in one transaction; it changes nothing of the result.
        builds_marts: Whether facts are exported and marts built at the end.
        plans: Whether replenishment is planned by the demand then, and the demand met again by
            other ways of ordering; only where marts are built and anything was asked for.
    """

    path: Path
    layout: str
    since: date | None = None
    until: date | None = None
    quantum: timedelta | None = None
    batch_size: int = 2_000
    builds_marts: bool = True
    plans: bool = True


def replay(home: Home, request: Request, watch: Watch = lambda _: None) -> Report:
    """Bring a folder of files through every hop into the marts.

    A replay that was interrupted goes on where it was; one that is repeated changes nothing.

    Raises:
        BadInput: If there is nothing that can be used.
        EnvironmentProblem: If the home, its database or its sandbox is not able to.
    """
    # From the first moment: nobody should read a year to hear that somebody else is at it.
    with only_one(home):
        return _replay(home, request, watch)


def _replay(home: Home, request: Request, watch: Watch) -> Report:
    began = time.perf_counter()
    stopwatch = Stopwatch()
    policies = FilePolicyBook(home.policies)
    quantum = request.quantum or policies.operations.replay.decision_window
    watch(Moment("reading files"))
    with stopwatch.phase("read"):
        reading = layout(request.layout).read(request.path, request.since, request.until)
    with stopwatch.phase("file_gate"):
        watch(Moment("judging files"))
        _judge(reading)
    _collect_garbage_less_often()
    supervisor.prepare_dagster(home, {name: home.port(name) for name in services.listening()})
    with running_sandbox(home) as sandbox, reporting(home.dagster) as dagster:
        # Its sandbox has just been given the port that its address says.
        partners = home.partner_book().only_sandbox()
        store = OperationalStore(create_engine(home.database_url), policies=policies)
        before = counts(store)
        loads: list[LoadVerdict] = []
        simulation = _simulation(
            store, partners, sandbox, reading, request.batch_size, dagster, loads
        )
        with stopwatch.phase("flows"):
            rows = _trade(simulation, store, sandbox, reading, quantum, watch)
        planned = None
        if request.plans and request.builds_marts and _has_orders(store):
            watch(Moment("planning replenishment"))
            with stopwatch.phase("plan"):
                planned = _plan(home, store, simulation)
        report = Report(
            orders=reading.orders,
            order_lines=reading.order_lines,
            returns_waiting=reading.returns,
            rows=rows,
            quantum_seconds=quantum.total_seconds(),
            simulated_until=utc_text(simulation.now),
            commands_delivered=simulation.progress.delivered,
            cases_opened=simulation.progress.tally.cases,
            sandbox_peak_mb=round(sandbox.process.peak_megabytes, 1),
        )
        count_since(before, store, report)
        if planned is not None:
            report.replenishment = vars(planned)
        tell_people(home, store)
    published = None
    if request.builds_marts:
        watch(Moment("building marts"))
        from orchestration.publication import publish_marts

        published = publish_marts(home, store, stopwatch.phase)
        report.marts_held = [f"{held.mart}: {held.reason}" for held in published.publication.held]
        if planned is not None:
            watch(Moment("meeting the demand again"))
            with stopwatch.phase("meet_again"):
                report.ways_of_ordering = _ways_of_ordering(home, store)
    watch(Moment("telling Dagster"))
    with stopwatch.phase("dagster"):
        tell_dagster(home, store, published, loads)
    report.gate_cases = gate_cases(store)
    store.engine.dispose()
    report.files_refused = {
        verdict.path.name: verdict.refused_because
        for verdict in reading.files
        if verdict.refused_because
    }
    report.seconds = round(time.perf_counter() - began, 2)
    report.rows_per_second = round(report.rows / report.seconds, 1)
    report.peak_mb = round(max(peak_megabytes(), report.sandbox_peak_mb), 1)
    report.seconds_by_phase = {name: round(s, 2) for name, s in stopwatch.seconds.items()}
    return report


def _simulation(
    store: OperationalStore,
    partners: PartnerBook,
    sandbox: Sandbox,
    reading: Reading,
    batch_size: int,
    dagster: DagsterReporting,
    loads: list[LoadVerdict],
) -> Simulation:
    """The home's loop, with the partners that answer polled over the sandbox's connections.

    What is said of bulk loads on the way is added to ``loads``.
    """
    clock = claim_simulated_time(store, reading.starts_at)
    store.clock = clock
    door = Door()
    policies = store.policies.operations
    pollers = {
        partner.code: PartnerPoller(
            store.engine,
            door,
            partner,
            resilience=policies.partner_calls,
            session=sandbox.session,
            loads=policies.bulk_loads,
        )
        for partner in partners
        if partner.answers
    }

    sandbox.tell("/sandbox/v1/configure", reading.sandbox_settings)
    dispatcher = OutboxDispatcher(
        store.engine, partners, clock, resilience=policies.partner_calls, session=sandbox.session
    )
    # An interrupted replay may have seen its sandbox die; this one has just come up.
    dispatcher.start_afresh()
    return Simulation(
        store,
        clock,
        door,
        dispatcher,
        _collecting(store, pollers, loads),
        batch_size,
        dagster.report,
    )


def _collecting(
    store: OperationalStore, pollers: Mapping[str, PartnerPoller], loads: list[LoadVerdict]
) -> Collect:
    """Asks partners, and judges what came in bulk before anything of it is applied."""
    with store.transaction() as connection:
        # Staged by a replay that was interrupted before it could judge.
        is_left = bool(bulk_loads.awaiting(connection))

    def collect(until: datetime, told: frozenset[str] | None) -> int:
        nonlocal is_left
        asked = [poller for code, poller in pollers.items() if told is None or code in told]
        tally = sum((poller.poll(until) for poller in asked), PollTally())
        if tally.staged or is_left:
            from resources.load_gate import LoadGate

            gate = LoadGate(store, store.policies.operations.bulk_loads)
            loads.extend(gate.judge_awaiting())
            is_left = False
        return tally.received

    return collect


def _trade(
    simulation: Simulation,
    store: OperationalStore,
    sandbox: Sandbox,
    reading: Reading,
    quantum: timedelta,
    watch: Watch,
) -> int:
    """Move through the windows of the files, and on until partners are done; gives the rows."""
    rows = 0
    resumed_at = simulation.now
    last = reading.starts_at
    for window in reading.windows(quantum):
        _fill_gap(simulation, store, window.until, quantum)
        if reading.needs_sandbox_supply:
            _list_items(sandbox, window.catalogue)
        last = max(last, window.until)
        accepted = simulation.admit(window.submissions, window.refusals)
        if accepted or window.until > resumed_at:
            simulation.advance(max(window.until, simulation.now))
            last = simulation.now
        rows += window.rows
        watch(Moment("trading", window.until, rows))
    if store.waiting_consumers(simulation.now):
        # Of days long past, admitted by a replay that was interrupted before it applied them.
        simulation.advance(simulation.now)
    end = last + store.policies.operations.replay.longest_wait_for_partners
    _wait_for_partners(simulation, store, end, quantum, watch)
    return rows


def _has_orders(store: OperationalStore) -> bool:
    with store.transaction() as connection:
        return has_orders(connection)


def _plan(home: Home, store: OperationalStore, simulation: Simulation) -> Planned | None:
    """Plan by all that was asked for, and let the ERP order what nobody has to consent to."""
    from resources.replenishment_planning import plan_ahead_of_marts

    planned = plan_ahead_of_marts(store, _warehouse(home))
    simulation.advance(simulation.now)
    return planned


def _ways_of_ordering(home: Home, store: OperationalStore) -> list[dict[str, object]]:
    from resources.replenishment_planning import meet_again

    policy = replenishment_policy(store.policies.resolve("replenishment", "", ""))
    met = meet_again(_warehouse(home), policy, _SEED)
    rows = [] if met is None else met.ways.to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _warehouse(home: Home) -> AnalyticsStore:
    from resources.analytics_store.store import AnalyticsStore
    from resources.lake.lake import Lake

    return AnalyticsStore(home.warehouse, Lake(home.lake))


def _fill_gap(
    simulation: Simulation, store: OperationalStore, until: datetime, quantum: timedelta
) -> None:
    """Days without events of our own still bring partners' answers, as long as any are due."""
    while simulation.now + quantum < until and store.has_orders_in_flight():
        simulation.advance(simulation.now + quantum)


def _wait_for_partners(
    simulation: Simulation,
    store: OperationalStore,
    end: datetime,
    quantum: timedelta,
    watch: Watch,
) -> None:
    """After the last event, let time run until every order in flight has come to its end.

    ``end`` goes by the last event and not by the clock, or each repetition would add to it.
    """
    while simulation.now < end and store.has_orders_in_flight():
        simulation.advance(simulation.now + quantum)
        watch(Moment("waiting for partners", simulation.now))


def _list_items(sandbox: Sandbox, items: list[CatalogueItem]) -> None:
    """The buying team lists an item in the ERP before it is sold for the first time."""
    for start in range(0, len(items), CATALOGUE_CHUNK):
        chunk = items[start : start + CATALOGUE_CHUNK]
        sandbox.tell("/erp/v1/items", {"items": [msgspec.to_builtins(asdict(i)) for i in chunk]})


def _collect_garbage_less_often() -> None:
    """Leave the files that were read to themselves, and look for cycles a tenth as often.

    Each window makes and drops hundreds of thousands of small objects without cycles; looking
    through them took a tenth of a month's processor time (2026-11-23).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _judge(reading: Reading) -> None:
    """Judge the files' rows by the suite of their layout, where rows are judged in bulk."""
    if isinstance(reading, UciReading):
        from resources.file_gate import judge_files
        from resources.layouts.uci_online_retail.expectations import FILE_SUITE, rows

        judge_files(reading, FILE_SUITE, rows)
