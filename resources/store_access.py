"""The operational store as long-running processes use it: opened once, shared, one drain at a time.

Sensors, assets and jobs are all given this. It adds to `OperationalStore` what only they need:
listening for notifications, the home's own clock, and the lock that keeps two drains apart. An
event handled beside its predecessor's still open transaction would be parked and never released.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import sqlalchemy as sa

from assets.errors import PartnerError
from assets.ports import Action, Case, CaseType, Playbook, StartedBy
from resources import bulk_loads, platform_cases
from resources.http import client
from resources.notification_sinks import SinkBook
from resources.notifying import Notifier, NotifyTally
from resources.operational_store import invariants, replenishment, trying_again
from resources.operational_store.bulk import execute, fetch
from resources.operational_store.cases import case_figures
from resources.operational_store.connection import connect
from resources.operational_store.door import Door
from resources.operational_store.draining import DrainTally
from resources.operational_store.retention import Removal, remove_old
from resources.operational_store.schema import LAKE_TABLES
from resources.operational_store.store import (
    OperationalStore,
    SimulatedClock,
    WallClock,
    create_engine,
    read_clock,
    write_clock,
)
from resources.outbox_dispatcher import DispatchTally, OutboxDispatcher
from resources.partner_poller import PartnerPoller
from resources.partners import PartnerBook
from resources.policy_book import in_force

#: Advisory lock of whoever drains the inbox of this database.
_DRAINING = 6_170_401_983


@dataclass(frozen=True)
class Fetched:
    """What one partner had to say, or why it could not be asked."""

    partner: str
    received: int = 0
    accepted: int = 0
    unavailable: str | None = None


class Notifications:
    """One connection that listens."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._connection = connection

    def heard(self, seconds: float) -> bool:
        """Whether something was said since the last time, waiting that long at most.

        What came meanwhile is taken before anything is waited for, all of it at once.
        """
        for _ in self._connection.notifies(timeout=seconds, stop_after=1):
            return True
        return False


class StoreAccess:
    """One home's operational store, its partners and its time.

    Args:
        url: SQLAlchemy URL of the database.
        policies: Folder of the home's own policies; what is not there is shipped.
        partners: Reads the partner book when somebody is to be spoken to.
        sinks: Reads where people are told when there is something to tell.
    """

    def __init__(
        self,
        url: str,
        policies: Path,
        partners: Callable[[], PartnerBook],
        sinks: Callable[[], SinkBook],
    ) -> None:
        self._url = url
        self._partners = partners
        self._sinks = sinks
        self._threads = threading.Lock()
        book, self._refused_policy = in_force(policies)
        self.store = OperationalStore(create_engine(url), policies=book)

    # Time

    def time_is_simulated(self) -> bool:
        """Whether a replay or demo moves the time of this home; then sensors must not."""
        with self.store.transaction() as connection:
            held = read_clock(connection)
        return held is not None and held[0] == "simulated"

    def _set_clock(self) -> None:
        """Real time, unless the home lives in simulated time: then where that stands now."""
        with self.store.transaction() as connection:
            held = read_clock(connection)
            if held is None:
                # A home belongs to real time from the first event that was handled in it.
                write_clock(connection, "wall", datetime.now(UTC))
        is_simulated = held is not None and held[0] == "simulated"
        self.store.clock = SimulatedClock(held[1]) if held and is_simulated else WallClock()

    def in_time(self) -> OperationalStore:
        """The store, with the home's own time."""
        self._set_clock()
        return self.store

    # The inbox

    @contextmanager
    def listening(self, channel: str) -> Iterator[Notifications]:
        """Listen from now on: what was said before is not heard."""
        with connect(self._url) as connection:
            connection.execute(psycopg.sql.SQL("listen {}").format(psycopg.sql.Identifier(channel)))
            yield Notifications(connection)

    def drain(self, consumer: str) -> DrainTally:
        """Apply everything that waits for a consumer; whoever drains already is waited for."""
        with self._draining(wait=True):
            self._set_clock()
            return self.store.drain(consumer)

    def drain_waiting(self) -> Iterator[tuple[str, DrainTally]]:
        """Handle what waits now, consumer by consumer, until nothing more is released.

        Nothing is handled here while somebody else is doing it; they handle it all.
        """
        while waiting := self._waiting():
            with self._draining(wait=False) as mine:
                if not mine:
                    return
                self._set_clock()
                handled = 0
                for consumer in waiting:
                    tally = self.store.drain(consumer)
                    handled += tally.applied + tally.waiting + tally.quarantined
                    yield consumer, tally
            if not handled:
                return

    def _waiting(self) -> list[str]:
        return self.store.waiting_consumers(datetime.max.replace(tzinfo=UTC))

    @contextmanager
    def _draining(self, *, wait: bool) -> Iterator[bool]:
        """Hold the lock of whoever drains; without waiting, say whether it was free."""
        function = "pg_advisory_lock" if wait else "pg_try_advisory_lock"
        with connect(self._url) as session:
            answer = session.execute(f"select {function}({_DRAINING})").fetchone()
            # The lock goes with its session.
            yield bool(answer and answer[0] is not False)

    # The outbox

    @functools.cached_property
    def _dispatcher(self) -> OutboxDispatcher:
        return OutboxDispatcher(
            self.store.engine,
            self._partners(),
            WallClock(),
            resilience=self.store.policies.operations.partner_calls,
            session=client(),
        )

    def dispatch(self) -> DispatchTally:
        """Send whatever may be sent now.

        Raises:
            EnvironmentProblem: If time is simulated here and a partner is a real one.
        """
        if self.time_is_simulated():
            self._partners().only_sandbox()
        with self._threads:
            dispatcher = self._dispatcher
        return dispatcher.dispatch()

    # People

    @functools.cached_property
    def _notifier(self) -> Notifier:
        return Notifier(
            self.store.engine,
            self._sinks(),
            WallClock(),
            self.store.policies.operations.partner_calls,
        )

    def deliver_notifications(self) -> NotifyTally:
        """Tell people what waits to be told."""
        with self._threads:
            notifier = self._notifier
        return notifier.deliver()

    # Partners

    @functools.cached_property
    def _pollers(self) -> Mapping[str, PartnerPoller]:
        session = client()
        door = Door()
        engine, policies = self.store.engine, self.store.policies.operations
        return {
            partner.code: PartnerPoller(
                engine,
                door,
                partner,
                resilience=policies.partner_calls,
                session=session,
                loads=policies.bulk_loads,
            )
            for partner in self._partners()
            if partner.answers
        }

    def poll_partners(self) -> list[Fetched]:
        """Ask every partner that answers for its events; one that is away is only named."""
        answers: list[Fetched] = []
        now = datetime.now(UTC)
        with self._threads:
            pollers = self._pollers
        for code, poller in pollers.items():
            try:
                tally = poller.poll(now)
            except PartnerError as error:
                answers.append(Fetched(code, unavailable=str(error)))
            else:
                answers.append(Fetched(code, tally.received, tally.accepted))
        self._keep_who_is_away(answers)
        return answers

    def _keep_who_is_away(self, answers: Sequence[Fetched]) -> None:
        """Keep why a partner could not be asked until it can, for whoever asks how it is.

        What commands ran into is the dispatcher's to say, and says more. Nothing is written as long
        as nothing changes.
        """
        away = {answer.partner: answer.unavailable for answer in answers if answer.unavailable}
        there = [answer.partner for answer in answers if answer.partner not in away]
        with self.store.transaction() as connection:
            execute(
                connection,
                "insert into partner_health (partner, last_error)"
                " select * from unnest(%s::text[], %s::text[])"
                " on conflict (partner) do update set last_error = excluded.last_error"
                " where partner_health.consecutive_failures = 0"
                " and partner_health.last_error is distinct from excluded.last_error",
                list(away),
                list(away.values()),
            )
            execute(
                connection,
                "update partner_health set last_error = null where partner = any(%s)"
                " and consecutive_failures = 0 and last_error is not null",
                there,
            )

    def loads_awaiting_gate(self) -> list[str]:
        """Partners whose bulk loads have come and are not judged yet."""
        with self.store.transaction() as connection:
            return bulk_loads.awaiting(connection)

    def breakers(self) -> dict[str, str]:
        """State of the circuit breaker by partner."""
        with self.store.transaction() as connection:
            return dict(fetch(connection, "select partner, breaker from partner_health"))

    def report_partners(self) -> int:
        """Open a case for each partner that is away for too long; gives how many are."""
        minutes = self.store.policies.operations.partner_calls.case_after_minutes
        owners = {partner.code: partner.owner for partner in self._partners()}
        with self.store.unit_of_work() as unit_of_work:
            return platform_cases.report_partners(
                owners, timedelta(minutes=minutes), datetime.now(UTC), unit_of_work
            )

    # Promises

    def report_overdue(self) -> int:
        """Open a case for each event that has waited for too long; gives how many."""
        with self._draining(wait=False) as mine:
            if not mine:
                return 0
            self.store.clock = WallClock()
            return self.store.report_overdue()

    def report_silence(self) -> int:
        """Open a case for each parcel of which its carrier says nothing; gives how many."""
        with self._draining(wait=False) as mine:
            if not mine:
                return 0
            self.store.clock = WallClock()
            return self.store.report_silence()

    def expire_reservations(self) -> int:
        """End orders whose payment did not come in time."""
        with self._draining(wait=False) as mine:
            if not mine:
                return 0
            self.store.clock = WallClock()
            return self.store.expire_reservations()

    def keep_promises(self) -> int:
        """Serve who waits for supply and promise anew what is late; gives how many moved."""
        with self._draining(wait=False) as mine:
            if not mine:
                return 0
            self.store.clock = WallClock()
            return self.store.keep_promises()

    def reconcile(self) -> int:
        """Compare what other systems believe of our stock; gives the snapshots."""
        with self._draining(wait=False) as mine:
            if not mine:
                return 0
            self.store.clock = WallClock()
            batches = self.store.settled_snapshots()
        compared = 0
        for batch in batches:
            # Between two batches others may drain: an order does not wait for a night's snapshots.
            with self._draining(wait=False) as mine:
                if not mine:
                    return compared
                self.store.clock = WallClock()
                compared += self.store.compare_snapshots(batch).applied
        return compared

    def publish_availability(self) -> int:
        """Tell channels what they may sell now; gives the lines told."""
        with self._draining(wait=False) as mine:
            if not mine:
                return 0
            self.store.clock = WallClock()
            return self.store.publish_availability()

    # Retention

    @property
    def run_days(self) -> int:
        """How long Dagster's runs are kept."""
        return self.store.policies.retention.dagster_run_days

    def remove_old(self) -> list[Removal]:
        """Remove what is no fact and older than the policy allows."""
        return remove_old(self.store, self.store.policies.retention, datetime.now(UTC))

    # What is stored

    def row_counts(self, tables: Sequence[str]) -> dict[str, int]:
        """Rows by table."""
        known = set(self._tables())
        strangers = sorted(set(tables) - known)
        if strangers:
            raise ValueError(f"no such tables: {', '.join(strangers)}")
        with self.store.transaction() as connection:
            return {
                table: int(fetch(connection, f"select count(*) from {table}")[0][0])
                for table in tables
            }

    @staticmethod
    def _tables() -> list[str]:
        return [table.name for table in LAKE_TABLES[0].metadata.sorted_tables]

    def check_law(self, law: str) -> invariants.InvariantResult:
        """Check one conservation law on what is committed."""
        with self.store.transaction() as connection:
            (result,) = invariants.check(connection, [law])
        return result

    def has_orders(self) -> bool:
        """Whether anything was ever ordered."""
        with self.store.transaction() as connection:
            return replenishment.has_orders(connection)

    def has_unplanned_spike(self) -> bool:
        """Whether a spike was found after the last plan was made."""
        with self.store.transaction() as connection:
            return bool(
                fetch(
                    connection,
                    "select exists (select from demand_spike where recorded_at > coalesce("
                    "(select max(recorded_at) from replenishment_plan), '-infinity'))",
                )[0][0]
            )

    def has_unexported_facts(self) -> bool:
        """Whether the lake lacks a fact that is committed."""
        with self.store.transaction() as connection:
            marks = dict(
                fetch(connection, "select table_name, exported_below_xid::text from lake_watermark")
            )
            return any(
                fetch(
                    connection,
                    f"select exists (select from {table.name} where recorded_xid >="
                    " %s::text::xid8)",
                    marks.get(table.name, "0"),
                )[0][0]
                for table in LAKE_TABLES
            )

    def send_again(self, name: str | None = None, partner: str | None = None) -> int:
        """Give dead commands back to the dispatcher; gives how many."""
        with self.store.transaction() as connection:
            return len(trying_again.send_again(connection, name, partner))

    def judge_again(
        self, quarantine_ids: Collection[int], reason_code: str | None
    ) -> tuple[int, int]:
        """Submit refused events to the door again; gives how many came in and how many stay."""
        with self.store.transaction() as connection:
            judged = trying_again.judge_again(connection, quarantine_ids, reason_code)
        came_in = sum(one.came_in for one in judged)
        return came_in, len(judged) - came_in

    def open_case(self, case_type: CaseType, business_key: str, reason: str) -> None:
        """Open a case, or count it up and open it again."""
        self._set_clock()
        with self.store.unit_of_work() as unit_of_work:
            unit_of_work.open_cases([Case(case_type, business_key, reason)])

    def report_policies(self) -> None:
        """Open a case while the last good policies hold, because a newer one cannot be meant.

        It is over when a process starts that can read them.
        """
        self._set_clock()
        with self.store.unit_of_work() as unit_of_work:
            platform_cases.report_policies(self._refused_policy, unit_of_work)

    def report_lag(self) -> int:
        """Open a case while too much waits in the inbox; gives how many events wait."""
        self._set_clock()
        handling = self.store.policies.operations.event_handling
        with self.store.unit_of_work() as unit_of_work:
            return platform_cases.report_lag(handling, unit_of_work)

    def report_quarantine(self) -> int:
        """Open a case for each source of which much was refused at the door; gives how many."""
        self._set_clock()
        return self.store.report_quarantine()

    def route_cases(self) -> int:
        """Give cases an owner and a due time that whoever opened them did not; gives how many."""
        self._set_clock()
        return self.store.route_cases()

    @contextmanager
    def alone(self, work: str) -> Iterator[bool]:
        """Whether nobody else does this work at the moment, until the block ends."""
        with self.store.transaction() as connection:
            asked = "select pg_try_advisory_xact_lock(hashtext('omniflow_work'), hashtext(%s))"
            yield bool(fetch(connection, asked, work)[0][0])

    def waiting_playbooks(self) -> list[Playbook]:
        """Playbooks with a case on which they are to act by now."""
        self._set_clock()
        return self.store.waiting_playbooks()

    def run_playbook(
        self, playbook: Playbook, started_by: StartedBy, case_ids: Sequence[str] | None = None
    ) -> list[Action]:
        """Act on all cases that wait for a playbook, or on these."""
        self._set_clock()
        return self.store.run_playbook(playbook, started_by, case_ids)

    def escalate(self) -> int:
        """Take the rungs of the ladder whose time has come; gives how many."""
        self._set_clock()
        return self.store.escalate()

    def expire_approvals(self) -> int:
        """Deny what nobody has consented to in time; gives how many."""
        self._set_clock()
        return self.store.expire_approvals()

    def case_figures(self) -> dict[str, int]:
        """How many cases are open, closed and overdue, all in all and by queue."""
        self._set_clock()
        with self.store.transaction() as connection:
            return case_figures(connection, self.store.clock.effective_at())

    def ping(self) -> None:
        """Fail clearly if the database does not answer."""
        with self.store.transaction() as connection:
            connection.execute(sa.text("select 1"))
