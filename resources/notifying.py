"""Delivers what people are to be told: at least once to each sink, and as one message everywhere.

A message's id follows from what it says to whom, so a sink that takes keys shows it once. What a
sink does not take is tried again later and given up in the end, which is a case like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
import structlog

from assets.operations_policy import Resilience
from assets.ports import Case, CaseType, Clock
from resources.notification_sinks import Message, SinkBook, SinkUnavailable
from resources.operational_store.bulk import execute, fetch
from resources.operational_store.cases import open_cases

#: Whose it is that people can be told.
OWNER = "platform"
_AT_ONCE = 50
_LONGEST_ERROR = 500
_log = structlog.get_logger(__name__)

_CLAIM = """
select d.message_id::text, d.sink, d.attempts, n.recipient, n.title, n.body
from notification_delivery d
join notification n on n.message_id = d.message_id
where d.status = 'pending' and (d.next_attempt_at is null or d.next_attempt_at <= %s)
order by n.occurred_at, d.message_id, d.sink
limit %s for update of d skip locked
"""

_RECORD = """
update notification_delivery d set
    status = new.status, attempts = d.attempts + 1, next_attempt_at = new.next_attempt_at,
    delivered_at = new.delivered_at, last_error = new.error,
    recorded_at = now(), recorded_xid = pg_current_xact_id()
from unnest(
    %s::uuid[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[]
) as new (message_id, sink, status, next_attempt_at, delivered_at, error)
where d.message_id = new.message_id and d.sink = new.sink
"""


@dataclass(frozen=True)
class NotifyTally:
    """What one delivery did, in messages and sinks."""

    delivered: int = 0
    retried: int = 0
    dead: int = 0

    def __add__(self, other: NotifyTally) -> NotifyTally:
        return NotifyTally(
            self.delivered + other.delivered,
            self.retried + other.retried,
            self.dead + other.dead,
        )


@dataclass(frozen=True)
class _Result:
    """What became of one message at one sink."""

    message_id: str
    sink: str
    status: str
    next_attempt_at: datetime | None = None
    delivered_at: datetime | None = None
    error: str | None = None


class Notifier:
    """Delivers what waits; any number of these may run beside each other."""

    def __init__(
        self, engine: sa.Engine, sinks: SinkBook, clock: Clock, resilience: Resilience
    ) -> None:
        self._engine = engine
        self._sinks = sinks
        self._clock = clock
        self._resilience = resilience

    def deliver(self) -> NotifyTally:
        """Deliver everything that waits now, a few messages a transaction."""
        total = NotifyTally()
        while True:
            with self._engine.begin() as connection:
                claimed = fetch(connection, _CLAIM, self._clock.wall(), _AT_ONCE)
                results = [self._send(*row) for row in claimed]
                tally = self._record(connection, results)
            total += tally
            if len(claimed) < _AT_ONCE:
                return total

    def _send(
        self, message_id: str, sink: str, attempts: int, recipient: str, title: str, body: str
    ) -> _Result:
        waiting = _Result(message_id, sink, "delivered")
        try:
            self._sinks.sink(sink).send(Message(message_id, recipient, title, body))
        except SinkUnavailable as error:
            waiting = replace(waiting, error=str(error)[:_LONGEST_ERROR])
            if attempts + 1 >= self._resilience.most_attempts:
                return replace(waiting, status="dead")
            again = self._clock.wall() + self._resilience.backoff(attempts + 1)
            return replace(waiting, status="pending", next_attempt_at=again)
        return replace(waiting, delivered_at=self._clock.wall())

    def _record(self, connection: sa.Connection, results: Sequence[_Result]) -> NotifyTally:
        if not results:
            return NotifyTally()
        execute(
            connection,
            _RECORD,
            [one.message_id for one in results],
            [one.sink for one in results],
            [one.status for one in results],
            [one.next_attempt_at for one in results],
            [one.delivered_at for one in results],
            [one.error for one in results],
        )
        dead = sorted({one.sink: one for one in results if one.status == "dead"}.items())
        cases = [
            Case(
                CaseType.DEAD_LETTER,
                f"notifications/{sink}",
                f"the sink {sink} does not take what people are to be told: {one.error}",
                brought_by=OWNER,
            )
            for sink, one in dead
        ]
        open_cases(connection, cases, self._clock.effective_at())
        counts = [one.status for one in results]
        if counts.count("delivered") < len(counts):
            _log.warning("a sink did not take everything", dead=counts.count("dead"))
        return NotifyTally(counts.count("delivered"), counts.count("pending"), counts.count("dead"))
