"""Sends what the flows decided to tell partners: in order per business key, with effect once.

A command is sent again until its partner has answered it, always under the same id, so a partner
that answered too late recognises it. A command that cannot be delivered holds back the later ones
of its key only: they may depend on it, the others do not. One dispatcher at a time works for a
partner, held by an advisory lock of its database session; row locks keep operators' corrections
out of a running request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import sqlalchemy as sa
import structlog

from assets.operations_policy import Resilience
from assets.ports import Case, CaseType, Clock
from resources.http import client
from resources.operational_store.cases import open_cases
from resources.outbox_requests import Command, Outcome, send_together
from resources.outbox_statements import (
    CLAIM,
    CLOSE_BREAKERS,
    CLOSE_CASES,
    DELIVER,
    FAIL,
    HELD_BACK,
    LEFT,
    PLAINLY,
    RETRY_NOW,
    WAITING,
)
from resources.partners import Partner, PartnerBook
from resources.resilience import Breaker, read_breaker, write_breaker

_THREADS = 4
# Among how many a half-open breaker looks for the command to ask with.
_LOOKED_THROUGH = 500
_LONGEST_ERROR = 500
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class DispatchTally:
    """What one dispatch did, in commands.

    Attributes:
        delivered: Taken by their partner, now or in an earlier attempt that we did not hear of.
        retried: Failed for now; they wait for their next attempt.
        dead: Given up; each has a case with an owner.
        blocked: Held back behind a failed or dead command of their key, or by an open breaker.
        remaining: All that still wait, the blocked ones among them.
        partners: Who took any of the delivered ones.
    """

    delivered: int = 0
    retried: int = 0
    dead: int = 0
    blocked: int = 0
    remaining: int = 0
    partners: frozenset[str] = field(default=frozenset(), compare=False)

    def __add__(self, other: DispatchTally) -> DispatchTally:
        return DispatchTally(
            self.delivered + other.delivered,
            self.retried + other.retried,
            self.dead + other.dead,
            self.blocked + other.blocked,
            self.remaining + other.remaining,
            self.partners | other.partners,
        )


@dataclass
class _Run:
    """The dispatch of one partner so far."""

    breaker: Breaker
    held_back: set[str]
    after: int = 0
    tally: DispatchTally = field(default_factory=DispatchTally)


class OutboxDispatcher:
    """Sends what waits in the outbox; any number of these may run beside each other."""

    def __init__(
        self,
        engine: sa.Engine,
        partners: PartnerBook,
        clock: Clock,
        *,
        resilience: Resilience,
        session: httpx.Client | None = None,
    ) -> None:
        self._engine = engine
        self._partners = partners
        self._clock = clock
        is_harmless = all(partner.is_sandbox for partner in partners)
        self._session = session or client(loopback_only=is_harmless)
        self._resilience = resilience

    def dispatch(self) -> DispatchTally:
        """Send everything that may be sent now, partner by partner, some partners at once."""
        with self._engine.connect() as connection, _transaction(connection):
            waiting: dict[str, int] = {
                row.partner: row.commands for row in connection.execute(WAITING)
            }
        tally = DispatchTally()
        for code in [code for code in waiting if code not in self._partners]:
            count = waiting.pop(code)
            _log.error("commands for a partner that nobody knows", partner=code, commands=count)
            tally += DispatchTally(blocked=count, remaining=count)
        partners = [self._partners[code] for code in waiting]
        if len(partners) == 1:
            return tally + self._dispatch_to(partners[0])
        if partners:
            with ThreadPoolExecutor(min(_THREADS, len(partners)), "dispatch") as threads:
                for of_partner in threads.map(self._dispatch_to, partners):
                    tally += of_partner
        return tally

    def start_afresh(self) -> None:
        """Forget that these partners failed: they were started anew and need no care.

        For simulated partners only. A real one that was down a moment ago is asked with care.
        """
        codes = [partner.code for partner in self._partners if partner.is_sandbox]
        with self._engine.begin() as connection:
            connection.execute(RETRY_NOW, {"partners": codes})
            connection.execute(CLOSE_BREAKERS, {"partners": codes})

    def close(self) -> None:
        """Let the connections to partners go."""
        self._session.close()

    def _dispatch_to(self, partner: Partner) -> DispatchTally:
        with self._engine.connect() as connection, _alone(connection, partner.code) as is_alone:
            parameters: dict[str, Any] = {"partner": partner.code, "now": self._clock.wall()}
            with _transaction(connection):
                breaker = read_breaker(connection, partner.code)
                held_back: set[str] = set(connection.execute(HELD_BACK, parameters).scalars())
            run = _Run(breaker, held_back)
            while is_alone and self._send_next(connection, partner, run):
                pass
            is_open = run.breaker.on(self._clock.wall()).state == "open"
            remaining = behind = 0
            if not is_alone or run.held_back or run.breaker.state != "closed":
                with _transaction(connection):
                    parameters["held_back"] = [*run.held_back]
                    left: Any = connection.execute(LEFT, parameters).one()
                    remaining, behind = left
        blocked = remaining if is_open else behind
        tally = run.tally + DispatchTally(blocked=blocked, remaining=remaining)
        if tally.retried or tally.dead or is_open:
            _log.warning(
                "partner did not take everything",
                partner=partner.code,
                breaker=run.breaker.state,
                retried=tally.retried,
                dead=tally.dead,
                remaining=remaining,
            )
        return tally

    def _send_next(self, connection: sa.Connection, partner: Partner, run: _Run) -> bool:
        """Send the next commands in one transaction; whether there may be more."""
        run.breaker = run.breaker.on(self._clock.wall())
        if run.breaker.state == "open":
            return False
        with _transaction(connection):
            is_probe = run.breaker.state == "half_open"
            seen = self._claim(connection, partner, run, is_probe)
            if not seen:
                return False
            chosen = _first_of_each_key(seen, run.held_back)
            if is_probe:
                # The one that has failed least: a poisonous command must not be asked for ever
                # whether its partner is well.
                chosen = sorted(chosen, key=lambda row: (row.attempts, row.sequence))[:1]
            taken = {row.sequence for row in chosen}
            left = [row.sequence for row in seen if row.sequence not in taken]
            run.after = min(left, default=seen[-1].sequence + 1) - 1
            if chosen:
                self._record(connection, partner, self._send(partner, chosen, run), run)
        return bool(left) or len(seen) >= partner.batch_size

    def _claim(
        self, connection: sa.Connection, partner: Partner, run: _Run, is_probe: bool
    ) -> list[Command]:
        found = connection.execute(
            CLAIM,
            {
                "partner": partner.code,
                "after": run.after,
                "held_back": [*run.held_back],
                "most": max(partner.batch_size, _LOOKED_THROUGH if is_probe else 1),
            },
        )
        rows: list[Any] = list(found)
        return [Command(*row) for row in rows]

    def _send(self, partner: Partner, rows: Sequence[Command], run: _Run) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for together in _requests(rows, partner, self._resilience):
            answered = send_together(self._session, partner, together, self._resilience)
            now = self._clock.wall()
            failed = [outcome for outcome in answered if outcome.kind == "unavailable"]
            if len(failed) == len(answered):
                asked_for = max(outcome.asked_for for outcome in failed)
                run.breaker = run.breaker.failed(now, self._resilience, asked_for)
            else:
                run.breaker = run.breaker.succeeded()
            outcomes += answered
            if run.breaker.state == "open":
                break
        return outcomes

    def _record(
        self, connection: sa.Connection, partner: Partner, outcomes: list[Outcome], run: _Run
    ) -> None:
        now = self._clock.wall()
        delivered = [outcome.row.sequence for outcome in outcomes if outcome.kind == "delivered"]
        if delivered:
            connection.execute(DELIVER, {"now": now, "sequences": delivered})
            self._close_cases(connection, partner, outcomes)
        failed = [outcome for outcome in outcomes if outcome.kind != "delivered"]
        dead = [outcome for outcome in failed if self._is_dead(outcome)]
        if failed:
            self._record_failures(connection, failed, now)
        cases = [_dead_letter(partner, outcome) for outcome in dead]
        open_cases(connection, cases, self._clock.effective_at())
        run.held_back |= {outcome.row.business_key for outcome in failed}
        partners = frozenset({partner.code} if delivered else ())
        run.tally += DispatchTally(
            len(delivered), len(failed) - len(dead), len(dead), partners=partners
        )
        # A rejection is an answer: it says nothing against the partner.
        down = next((outcome for outcome in failed if outcome.kind == "unavailable"), None)
        error = down.reason if down is not None and not delivered else None
        write_breaker(connection, partner.code, run.breaker, now, error)

    def _is_dead(self, outcome: Outcome) -> bool:
        is_exhausted = outcome.row.attempts + 1 >= self._resilience.most_attempts
        return outcome.kind == "rejected" or is_exhausted

    def _record_failures(
        self, connection: sa.Connection, failed: Sequence[Outcome], now: datetime
    ) -> None:
        columns: dict[str, list[Any]] = {
            "sequences": [], "statuses": [], "moments": [], "errors": []
        }  # fmt: skip
        for outcome in failed:
            is_dead = self._is_dead(outcome)
            wait = self._resilience.backoff(outcome.row.attempts + 1, outcome.asked_for)
            columns["sequences"].append(outcome.row.sequence)
            columns["statuses"].append("dead" if is_dead else "pending")
            columns["moments"].append(None if is_dead else now + wait)
            columns["errors"].append(outcome.reason[:_LONGEST_ERROR])
        connection.execute(FAIL, columns)

    def _close_cases(
        self, connection: sa.Connection, partner: Partner, outcomes: Sequence[Outcome]
    ) -> None:
        """Close the cases of what was dead and is delivered; what never failed has none."""
        keys = [o.row.business_key for o in outcomes if o.kind == "delivered" and o.row.has_failed]
        if keys:
            values = {"now": self._clock.effective_at(), "keys": keys, "partner": partner.code}
            connection.execute(CLOSE_CASES, values)


@contextmanager
def _transaction(connection: sa.Connection) -> Iterator[None]:
    with connection.begin():
        connection.execute(PLAINLY)
        yield


@contextmanager
def _alone(connection: sa.Connection, partner: str) -> Iterator[bool]:
    """Whether no other dispatcher works for the partner, until we are done.

    The lock belongs to the database session: it ends with the process, however that ends.
    """
    lock = {"partner": partner}
    name = "hashtext('omniflow_outbox'), hashtext(:partner)"
    with connection.begin():
        asked = connection.execute(sa.text(f"select pg_try_advisory_lock({name})"), lock)
        is_alone = bool(asked.scalar_one())
    try:
        yield is_alone
    except BaseException:
        # Whatever happened, the session must not go back to the pool with the lock.
        connection.invalidate()
        raise
    if is_alone:
        with connection.begin():
            connection.execute(sa.text(f"select pg_advisory_unlock({name})"), lock)


def _first_of_each_key(seen: Iterable[Command], held_back: set[str]) -> list[Command]:
    """The commands that may go together: what follows in a key waits for the answer before it."""
    chosen: dict[str, Command] = {}
    for row in seen:
        if not row.is_held:
            held_back.add(row.business_key)
        elif row.business_key not in held_back:
            chosen.setdefault(row.business_key, row)
    return list(chosen.values())


def _requests(
    rows: Sequence[Command], partner: Partner, resilience: Resilience
) -> Iterator[list[Command]]:
    """What travels together; the keys differ, so one request need not wait for another."""
    limit = resilience.isolate_after if partner.takes_batches else 0
    together = [row for row in rows if row.attempts < limit]
    if together:
        yield together
    yield from ([row] for row in rows if row.attempts >= limit)


def _dead_letter(partner: Partner, outcome: Outcome) -> Case:
    row = outcome.row
    reason = f"{row.command_type} was given up: {outcome.reason}"[:_LONGEST_ERROR]
    key = f"{partner.code}/{row.business_key}"
    return Case(CaseType.DEAD_LETTER, key, reason, brought_by=row.owner)
