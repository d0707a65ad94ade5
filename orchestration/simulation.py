"""A discrete-event loop over one home: time moves only when everything due by then is applied.

The same loop drives a replay (events from files, answers by poll) and the demo (events and answers
pushed to the gateway). It uses the product's own door, handlers and dispatcher and talks to
sandbox partners only.
"""

from __future__ import annotations

import fcntl
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

from assets.contracts.admission import Refusal, Submission
from assets.errors import EnvironmentProblem, PartnerUnavailable
from assets.ports import StartedBy
from orchestration.home import Home
from resources.notifying import Notifier
from resources.operational_store.door import Door
from resources.operational_store.draining import DrainTally
from resources.operational_store.store import (
    OperationalStore,
    SimulatedClock,
    read_clock,
    write_clock,
)
from resources.outbox_dispatcher import DispatchTally, OutboxDispatcher

#: Brings in what partners have to say by an instant; gives how many events came. The partners are
#: those that may have anything new to say, ``None`` for all of them.
Collect = Callable[[datetime, frozenset[str] | None], int]

#: Told after each window what facts it added, by table.
Report = Callable[[date, Mapping[str, int]], None]

#: Who runs playbooks where Dagster does not.
ITSELF = StartedBy(run_id="", actor="simulation")

#: A partner that answers itself for ever at one instant would stop time; nobody real does.
MOST_ROUNDS = 100


@dataclass
class Progress:
    """What the loop has done so far."""

    tally: DrainTally = field(default_factory=DrainTally)
    expired: int = 0
    promises_moved: int = 0
    overdue: int = 0
    silent: int = 0
    published: int = 0
    delivered: int = 0
    escalated: int = 0
    acted: int = 0
    rounds: int = 0


class Simulation:
    """One home moving through simulated time.

    Attributes:
        progress: Running totals.
    """

    def __init__(
        self,
        store: OperationalStore,
        clock: SimulatedClock,
        door: Door,
        dispatcher: OutboxDispatcher,
        collect: Collect,
        batch_size: int,
        report: Report,
    ) -> None:
        self._store = store
        self._clock = clock
        self._door = door
        self._dispatcher = dispatcher
        self._collect = collect
        self._batch_size = batch_size
        self._report = report
        self.progress = Progress()

    @property
    def now(self) -> datetime:
        """The simulated instant."""
        return self._clock.effective_at()

    def admit(self, submissions: Sequence[Submission], refusals: Sequence[Refusal] = ()) -> int:
        """Bring events through the door, a batch a transaction; gives how many were new."""
        accepted = 0
        for start in range(0, len(submissions), self._batch_size):
            with self._store.transaction() as connection:
                batch = submissions[start : start + self._batch_size]
                receipts = self._door.admit(connection, batch)
            accepted += sum(receipt.outcome == "accepted" for receipt in receipts)
        if refusals:
            with self._store.transaction() as connection:
                self._door.refuse(connection, refusals)
        return accepted

    def advance(self, until: datetime) -> None:
        """Apply everything due by ``until``, answers to it included, then move the clock there.

        A partner speaks because time has passed or because it was told something, so that only the
        first and the last round ask all of them.
        """
        self._clock.advance(until)
        rows: Counter[str] = Counter()
        told: frozenset[str] | None = None
        for _ in range(MOST_ROUNDS):
            received = self._receive(until, told)
            drained = self._store.drain_all(until, self._batch_size)
            self.progress.tally += drained
            rows += drained.rows
            self.progress.acted += self._store.run_waiting_playbooks(ITSELF)
            delivered = self._deliver()
            self.progress.rounds += 1
            if told is None and not received and not delivered.partners:
                break
            told = delivered.partners or None
        else:
            raise EnvironmentProblem(f"partners do not stop answering at {until:%Y-%m-%d %H:%M}")
        self.progress.overdue += self._store.report_overdue()
        self.progress.silent += self._store.report_silence()
        self.progress.expired += self._store.expire_reservations()
        self.progress.promises_moved += self._store.keep_promises()
        compared = self._store.reconcile()
        self.progress.tally += compared
        rows += compared.rows
        self.progress.published += self._store.publish_availability()
        self._deliver()
        self._store.report_quarantine()
        self._store.route_cases()
        self._store.expire_approvals()
        self.progress.escalated += self._store.escalate()
        with self._store.transaction() as connection:
            write_clock(connection, "simulated", until)
        self._report(until.date(), rows)

    def _receive(self, until: datetime, told: frozenset[str] | None) -> int:
        try:
            return self._collect(until, told)
        except PartnerUnavailable as error:
            raise EnvironmentProblem(
                f"the sandbox stopped answering ({error}); start again to go on from here"
            ) from error

    def _deliver(self) -> DispatchTally:
        """Send what waits. Simulated partners are there or nothing goes on."""
        tally = self._dispatcher.dispatch()
        if tally.remaining:
            raise EnvironmentProblem(
                f"{tally.remaining} commands could not be delivered to the sandbox; start again to"
                " go on from here"
            )
        self.progress.delivered += tally.delivered
        return tally


def tell_people(home: Home, store: OperationalStore) -> None:
    """Put what people would be told into the home's files: of a replay nobody is to be woken."""
    patience = store.policies.operations.partner_calls
    Notifier(store.engine, home.sink_book().only_files(), store.clock, patience).deliver()


@contextmanager
def only_one(home: Home) -> Iterator[None]:
    """Two replays or demos of one home would move one clock.

    Raises:
        EnvironmentProblem: If one is running.
    """
    with (home.run / "replay.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise EnvironmentProblem("another replay or demo is running in this home") from error
        yield


def claim_simulated_time(store: OperationalStore, starts_at: datetime) -> SimulatedClock:
    """The home's clock, in simulated time.

    Raises:
        EnvironmentProblem: If the home has lived in real time.
    """
    with store.transaction() as connection:
        held = read_clock(connection)
        if held is not None and held[0] != "simulated":
            raise EnvironmentProblem(
                "this home runs in real time; replay into a home of its own (OMNIFLOW_HOME)"
            )
        if held is None:
            write_clock(connection, "simulated", starts_at)
    return SimulatedClock(held[1] if held else starts_at)
