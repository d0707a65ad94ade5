"""The operational store as the rest of the product uses it: drain a flow, keep time, open doors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from traceback import extract_tb

import msgspec
import psycopg
import sqlalchemy as sa
import structlog

from assets.approvals import service as approvals
from assets.contracts.registry import CONTRACTS
from assets.errors import EnvironmentProblem, PolicyError
from assets.exception_routing import escalation
from assets.exception_routing import service as exception_routing
from assets.finance import service as finance
from assets.inventory import applying as inventory
from assets.inventory import publication
from assets.inventory.synchronisation import service as synchronisation
from assets.master_data import service as master_data
from assets.order_to_fulfillment import service as order_to_fulfillment
from assets.order_to_fulfillment.policy import order_policy
from assets.order_to_fulfillment.rules import FINAL_STATES
from assets.ports import (
    About,
    Action,
    Case,
    CaseType,
    Clock,
    InboxEvent,
    Playbook,
    StartedBy,
    UnitOfWork,
)
from assets.procure_to_stock import service as procure_to_stock
from resources.operational_store import acting
from resources.operational_store.bulk import execute, fetch
from resources.operational_store.connection import as_environment_problem
from resources.operational_store.draining import Claim, DrainTally
from resources.operational_store.inbox import release_met
from resources.operational_store.refusals import report_many
from resources.operational_store.synchronisation import waiting_snapshots
from resources.operational_store.unit_of_work import IN_THE_WAY, SqlUnitOfWork
from resources.policy_book import FilePolicyBook

_log = structlog.get_logger(__name__)

Handler = Callable[[list[InboxEvent], UnitOfWork], None]

#: Who applies what, in the order in which a window is worked through.
HANDLERS: dict[str, Handler] = {
    master_data.CONSUMER: master_data.handle,
    inventory.CONSUMER: inventory.handle,
    finance.CONSUMER: finance.handle,
    procure_to_stock.CONSUMER: procure_to_stock.handle,
    order_to_fulfillment.CONSUMER: order_to_fulfillment.handle,
}

#: Who looks back on what all the others have applied, and so is never drained with them.
AFTERWARDS: dict[str, Handler] = {synchronisation.CONSUMER: synchronisation.handle}


def create_engine(url: str) -> sa.Engine:
    """The engine that every process of a home uses; connections are checked before use.

    An error of its tells the statement and never the values, which may be somebody's name.
    """
    return sa.create_engine(
        url,
        pool_pre_ping=True,
        pool_size=4,
        max_overflow=4,
        connect_args={"connect_timeout": 10},
        hide_parameters=True,
    )


class WallClock:
    """Effective time is the wall's."""

    def effective_at(self) -> datetime:
        """Now."""
        return datetime.now(UTC)

    def wall(self) -> datetime:
        """Now."""
        return datetime.now(UTC)


class SimulatedClock:
    """A replay's time: set by the replay, stored in the home, never set back."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant

    def effective_at(self) -> datetime:
        """The simulated instant."""
        return self._instant

    def wall(self) -> datetime:
        """Now."""
        return datetime.now(UTC)

    def advance(self, instant: datetime) -> None:
        """Move forward; an earlier instant leaves the time as it is."""
        self._instant = max(self._instant, instant)


class OperationalStore:
    """One home's PostgreSQL with its clock and policies.

    Attributes:
        engine: Connections to the database.
        clock: Where effective time comes from.
        policies: The policies in force.
    """

    def __init__(
        self, engine: sa.Engine, clock: Clock | None = None, policies: FilePolicyBook | None = None
    ) -> None:
        self.engine = engine
        self.clock: Clock = clock or WallClock()
        self.policies = policies or FilePolicyBook()
        self._policies_are_stored = False

    @contextmanager
    def unit_of_work(self) -> Iterator[SqlUnitOfWork]:
        """One transaction: committed when the block ends, undone when it raises.

        Raises:
            EnvironmentProblem: If the database is away, full or read-only.
        """
        with self.transaction() as connection:
            if not self._policies_are_stored:
                self._store_policies(connection)
            unit_of_work = SqlUnitOfWork(connection, self.clock.effective_at(), self.policies)
            yield unit_of_work
            unit_of_work.finish()
        self._policies_are_stored = True

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A bare transaction, with failures of machine and server said clearly.

        Raises:
            EnvironmentProblem: If the database is away, full or read-only.
        """
        try:
            with self.engine.begin() as connection:
                yield connection
        except (sa.exc.SQLAlchemyError, psycopg.Error, OSError) as error:
            # Both kinds: sets of rows go through the driver's own cursor, past SQLAlchemy.
            problem = as_environment_problem(error)
            if problem is None:
                raise
            raise problem from error

    def drain(
        self,
        consumer: str,
        until: datetime | None = None,
        batch_size: int = 2_000,
        among: Sequence[int] | None = None,
    ) -> DrainTally:
        """Apply what waits for a consumer, batch by batch, each in one transaction.

        Args:
            consumer: One of `HANDLERS` or `AFTERWARDS`.
            until: Only what happened by then; by default everything, of those who look back what
                has settled.
            batch_size: Events at most in one transaction.
            among: Only those of these inbox ids.
        """
        tally = DrainTally()
        claim = Claim(consumer, until or self._horizon(consumer), among)
        limit, failures = batch_size, 0
        while True:
            try:
                unit_of_work, events = self._apply_batch(claim, limit)
            except (EnvironmentProblem, PolicyError):
                # Not an event's fault: every other one would fail on it too.
                raise
            except Exception as error:
                failures += 1
                if limit > 1:
                    # One event that its flow cannot bear must not stop the others.
                    limit = max(1, limit // 8)
                    continue
                if failures > self.policies.operations.event_handling.most_failures:
                    raise
                tally.add(self._set_aside(claim, error))
                continue
            if events:
                tally.add(unit_of_work)
            if len(events) < limit:
                return tally
            if limit < batch_size:
                limit, failures = min(batch_size, limit * 8), 0

    def _horizon(self, consumer: str) -> datetime:
        if consumer in AFTERWARDS:
            return synchronisation.settled_until(self.policies, self.clock.effective_at())
        return datetime.max.replace(tzinfo=UTC)

    def _set_aside(self, claim: Claim, error: Exception) -> SqlUnitOfWork:
        """Quarantine the one event that its flow failed on, with a case for its owner."""
        frames = [f"{frame.name}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
        with self.unit_of_work() as unit_of_work:
            for event in claim.take(unit_of_work, 1):
                reason = f"its flow failed on it ({type(error).__name__}), which is a defect"
                unit_of_work.inbox.quarantine(event, "flow_failed", reason)
                case = Case(
                    CaseType.FLOW_FAILED,
                    f"{event.source}/{event.event_id}",
                    reason,
                    About.scope(event),
                    brought_by=CONTRACTS[event.event_type].owner,
                )
                unit_of_work.open_cases([case])
                # Where and what kind, never the words: the database's name the row that it refused.
                _log.error(
                    "flow_failed",
                    consumer=claim.consumer,
                    event_id=event.event_id,
                    error=type(error).__name__,
                    sqlstate=getattr(error, "sqlstate", None),
                    at=frames,
                )
        return unit_of_work

    def _apply_batch(self, claim: Claim, batch_size: int) -> tuple[SqlUnitOfWork, list[InboxEvent]]:
        """Claim and apply one batch; again where another worker was in the way."""
        most_attempts = self.policies.operations.event_handling.most_attempts
        for attempt in range(1, most_attempts + 1):
            try:
                with self.unit_of_work() as unit_of_work:
                    events = claim.take(unit_of_work, batch_size)
                    if events:
                        (HANDLERS | AFTERWARDS)[claim.consumer](events, unit_of_work)
            except IN_THE_WAY:
                if attempt == most_attempts:
                    raise
            else:
                return unit_of_work, events
        raise AssertionError("unreachable")

    def waiting_consumers(self, until: datetime) -> list[str]:
        """Consumers with something to do, in the order of `HANDLERS`."""
        with self.transaction() as connection:
            rows = fetch(
                connection,
                "select distinct consumer from event_inbox"
                " where status = 'pending' and occurred_at <= %s",
                until,
            )
        waiting = {row[0] for row in rows}
        return [consumer for consumer in HANDLERS if consumer in waiting]

    def drain_all(self, until: datetime | None = None, batch_size: int = 2_000) -> DrainTally:
        """Apply everything that can be applied, also what is released on the way."""
        tally = DrainTally()
        horizon = until or datetime.max.replace(tzinfo=UTC)
        while waiting := self.waiting_consumers(horizon) or self._waiting_in_vain(horizon):
            before = tally.applied + tally.waiting + tally.quarantined
            for consumer in waiting:
                tally += self.drain(consumer, horizon, batch_size)
            if tally.applied + tally.waiting + tally.quarantined == before:
                break
        return tally

    def release_met(self) -> int:
        """Release what waits for something that is here already; gives how many events.

        Two workers make such a pair: one parks an event while the other, which cannot see that
        yet, stores what the event waits for.
        """
        with self.transaction() as connection:
            return release_met(connection)

    def _waiting_in_vain(self, horizon: datetime) -> list[str]:
        return self.waiting_consumers(horizon) if self.release_met() else []

    def report_overdue(self) -> int:
        """Open a case for each event that waits for longer than its policy allows; gives how many.

        The event stays where it is: what it waits for may still come.
        """
        with self.unit_of_work() as unit_of_work:
            scopes = unit_of_work.inbox.waiting_scopes()
            now = unit_of_work.effective_at
            deadlines = {
                scope: now - timedelta(hours=self._predecessor_timeout_hours(*scope))
                for scope in scopes
            }
            return unit_of_work.inbox.report_overdue(deadlines)

    def _predecessor_timeout_hours(self, region: str, brand: str) -> int:
        values = self.policies.resolve("order_to_fulfillment", region, brand)
        return order_policy(values).predecessor_timeout_hours

    def report_quarantine(self) -> int:
        """Open a case for each source of which much was refused at the door; gives how many."""
        least = self.policies.operations.event_handling.quarantined_for_a_case
        with self.unit_of_work() as unit_of_work:
            cases = report_many(unit_of_work.connection, least)
            unit_of_work.open_cases(cases)
        return len(cases)

    def route_cases(self) -> int:
        """Give cases an owner and a due time that whoever opened them did not; gives how many."""
        with self.unit_of_work() as unit_of_work:
            return exception_routing.route(unit_of_work)

    def waiting_playbooks(self) -> list[Playbook]:
        """Playbooks with a case on which they are to act by now."""
        with self.transaction() as connection:
            rows = fetch(
                connection,
                "select distinct playbook from exception_case"
                " where status = 'open' and next_action_at <= %s",
                self.clock.effective_at(),
            )
        waiting = {row[0] for row in rows}
        return [playbook for playbook in Playbook if playbook in waiting]

    def run_playbook(
        self, playbook: Playbook, started_by: StartedBy, case_ids: Sequence[str] | None = None
    ) -> list[Action]:
        """Act on all cases that wait for a playbook, or on these, a batch a transaction."""
        most_attempts = self.policies.operations.event_handling.most_attempts
        return acting.run(self.unit_of_work, playbook, started_by, case_ids, most_attempts)

    def run_waiting_playbooks(self, started_by: StartedBy) -> int:
        """Act on all cases that wait for any playbook; gives how many actions were taken."""
        return sum(
            len(self.run_playbook(playbook, started_by)) for playbook in self.waiting_playbooks()
        )

    def expire_approvals(self) -> int:
        """Deny what nobody has consented to in time; gives how many."""
        with self.unit_of_work() as unit_of_work:
            return approvals.expire(unit_of_work)

    def escalate(self) -> int:
        """Take the rungs of the ladder whose time has come; gives how many."""
        with self.unit_of_work() as unit_of_work:
            return escalation.escalate(unit_of_work)

    def expire_reservations(self) -> int:
        """End orders whose payment did not come in time."""
        with self.unit_of_work() as unit_of_work:
            return order_to_fulfillment.expire(unit_of_work)

    def keep_promises(self) -> int:
        """Serve who waits for supply and promise anew what is late; gives how many moved."""
        with self.unit_of_work() as unit_of_work:
            return order_to_fulfillment.keep_promises(unit_of_work)

    def report_silence(self) -> int:
        """Open a case for each parcel of which its carrier says nothing; gives how many."""
        with self.unit_of_work() as unit_of_work:
            return order_to_fulfillment.report_silence(unit_of_work)

    def publish_availability(self) -> int:
        """Tell channels what they may sell now; gives the lines told."""
        with self.unit_of_work() as unit_of_work:
            return publication.publish_availability(unit_of_work)

    def settled_snapshots(self) -> list[list[int]]:
        """Inbox ids of snapshots that can be compared by now, in batches to be compared in turn."""
        consumer = synchronisation.CONSUMER
        with self.transaction() as connection:
            waiting = waiting_snapshots(connection, consumer, self._horizon(consumer))
        at_most = self.policies.operations.event_handling.snapshots_per_batch
        return synchronisation.in_batches(waiting, at_most)

    def compare_snapshots(self, inbox_ids: Sequence[int]) -> DrainTally:
        """Hold one batch of snapshots against the ledgers, in one transaction."""
        # One more, so that all of them are less than what was asked for, which ends the drain.
        return self.drain(synchronisation.CONSUMER, batch_size=len(inbox_ids) + 1, among=inbox_ids)

    def reconcile(self) -> DrainTally:
        """Compare the snapshots of other systems that have settled by now with the ledgers."""
        return sum(map(self.compare_snapshots, self.settled_snapshots()), DrainTally())

    def has_orders_in_flight(self) -> bool:
        """Whether any order still waits for a partner."""
        with self.transaction() as connection:
            found = fetch(
                connection,
                "select 1 from order_state where status <> all(%s) limit 1",
                sorted(FINAL_STATES),
            )
        return bool(found)

    def _store_policies(self, connection: sa.Connection) -> None:
        for document in self.policies.documents.values():
            execute(
                connection,
                "insert into policy_version (policy_hash, policy, owner, effective_from, document)"
                " values (%s, %s, %s, %s, %s) on conflict do nothing",
                document.policy_hash,
                document.policy,
                document.owner,
                document.effective_from,
                msgspec.json.encode(document).decode(),
            )


def read_clock(connection: sa.Connection) -> tuple[str, datetime] | None:
    """(mode, effective time) of the home, ``None`` before anything has run in it."""
    rows = fetch(connection, "select mode, effective_at from home_clock")
    return (rows[0][0], rows[0][1]) if rows else None


def write_clock(connection: sa.Connection, mode: str, instant: datetime) -> None:
    """Store the home's time; it never goes back."""
    execute(
        connection,
        'insert into home_clock (mode, effective_at) values (%s, %s) on conflict ("only")'
        " do update set mode = excluded.mode,"
        " effective_at = greatest(home_clock.effective_at, excluded.effective_at)",
        mode,
        instant,
    )
