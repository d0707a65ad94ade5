"""Judges what a partner sent in bulk before any of it is accepted.

Events that fail by themselves go to quarantine, with their place in the load, and the others go on.
A load of which a set of events is wrong together, or about which an expectation could not be
evaluated, waits as a whole until somebody has closed the load's own case. Each broken sentence is a
case of its owner as well, and the pointer `gate_pointer` moves in the transaction in which this
gate accepts events. Only events that were judged are let through or parked: others of the partner
may arrive while it is judging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pandas as pd
import sqlalchemy as sa

from assets.bulk_loads.expectations import load_suites
from assets.bulk_loads.policy import BulkLoadPolicy
from assets.quality_gate import Failure, Verdict, judge
from resources import bulk_loads
from resources.gate_records import (
    CASE_TYPE,
    figures,
    lock_pointer,
    move_pointer,
    open_case,
    told,
)
from resources.load_frames import INBOX_ID, events_of, frames_of
from resources.operational_store.bulk import execute
from resources.operational_store.inbox import set_aside
from resources.operational_store.unit_of_work import SqlUnitOfWork
from resources.window_gate import GatedStore

REASON_CODE = "bulk_load_gate"
#: The case of a load that waits as a whole, beside those of the sentences that it broke.
HELD_WHOLE = "load_is_held_whole"


@dataclass(frozen=True)
class LoadVerdict:
    """What was said about one partner's load.

    Attributes:
        source: The partner.
        events: How many events it had.
        accepted: How many go on.
        quarantined: How many were set aside, each for itself.
        waiting: How many wait for the load's case, being all that are left or none.
        failures: What was not met, by suite.
    """

    source: str
    events: int
    accepted: int
    quarantined: int
    waiting: int
    failures: Mapping[str, tuple[Failure, ...]] = field(default_factory=dict)


class LoadGate:
    """The gate on the loads of one operational store."""

    def __init__(self, store: GatedStore, policy: BulkLoadPolicy) -> None:
        self._store = store
        self._suites = load_suites(policy)
        self._oldest = timedelta(days=policy.oldest_event_days)

    def judge_awaiting(self) -> list[LoadVerdict]:
        """Judge every load that has arrived, each in one transaction."""
        with self._store.transaction() as connection:
            sources = bulk_loads.awaiting(connection)
        verdicts = (self.judge(source) for source in sources)
        return [verdict for verdict in verdicts if verdict is not None]

    def judge(self, source: str) -> LoadVerdict | None:
        """Judge the load of one partner; nothing when somebody else has done so meanwhile."""
        with self._store.unit_of_work() as unit_of_work:
            connection, now = unit_of_work.connection, unit_of_work.effective_at
            accepted = lock_pointer(connection, f"load.{source}")
            events = events_of(connection, source, now - self._oldest)
            if events.empty:
                return None
            frames = {"event_load": events, **frames_of(connection, events)}
            verdicts = {name: judge(f, self._suites[name]) for name, f in frames.items()}
            self._open_cases(unit_of_work, source, frames, verdicts)
            quarantined = _quarantine(connection, source, frames, verdicts, now)
            judged = events[INBOX_ID].tolist()
            whole = [
                failure.reason
                for verdict in verdicts.values()
                for failure in verdict.failures
                if failure.severity == "critical" and failure.level != "row"
            ]
            if whole:
                owner = verdicts["event_load"].owner
                held = open_case(
                    unit_of_work, f"event_load/{source}", HELD_WHOLE, owner, "; ".join(whole)
                )
                going_on, waiting = 0, _wait_for_case(connection, judged, held)
            else:
                going_on, waiting = bulk_loads.accept(connection, judged), 0
                accepted = str(max(judged))
            detail = {name: figures(verdict) for name, verdict in verdicts.items()}
            move_pointer(connection, f"load.{source}", accepted, detail)
        return LoadVerdict(
            source=source,
            events=len(events),
            accepted=going_on,
            quarantined=quarantined,
            waiting=waiting,
            failures={name: verdict.failures for name, verdict in verdicts.items()},
        )

    def _open_cases(
        self,
        unit_of_work: SqlUnitOfWork,
        source: str,
        frames: Mapping[str, pd.DataFrame],
        verdicts: Mapping[str, Verdict],
    ) -> None:
        """A case for each sentence that was broken."""
        for name, verdict in verdicts.items():
            key = self._suites[name].blocks_by or ("subject",)
            for failure in verdict.failures:
                if failure.severity == "critical":
                    open_case(
                        unit_of_work,
                        f"{name}/{source}",
                        failure.expectation,
                        verdict.owner,
                        told(key, frames[name], failure),
                    )


def _wait_for_case(connection: sa.Connection, judged: Sequence[int], case_id: str) -> int:
    """Park what is left of a load; gives how many events."""
    return execute(
        connection,
        "update event_inbox set waiting_reason = %s, release_condition = %s"
        " where inbox_id = any(%s) and status = 'waiting' and waiting_reason = %s",
        CASE_TYPE,
        f"case:{case_id}",
        list(judged),
        bulk_loads.AWAITS_GATE,
    )


def _quarantine(
    connection: sa.Connection,
    source: str,
    frames: Mapping[str, pd.DataFrame],
    verdicts: Mapping[str, Verdict],
    now: datetime,
) -> int:
    """Set aside the events that fail by themselves, with their place in the load."""
    reasons: dict[int, list[str]] = {}
    for name, verdict in verdicts.items():
        ids = frames[name][INBOX_ID].tolist()
        for failure in verdict.failures:
            if failure.severity == "critical" and failure.level == "row":
                for row in failure.rows:
                    reasons.setdefault(ids[row], []).append(failure.reason)
    if not reasons:
        return 0
    ordered = frames["event_load"][INBOX_ID].tolist()
    place = {inbox_id: number for number, inbox_id in enumerate(ordered)}
    set_aside(
        connection,
        {inbox_id: (REASON_CODE, "; ".join(because)) for inbox_id, because in reasons.items()},
        now,
        {inbox_id: f"load {source}[{place[inbox_id]}]" for inbox_id in reasons},
    )
    return len(reasons)
