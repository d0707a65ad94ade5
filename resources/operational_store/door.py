"""The door: whatever comes in, once, and with a reason where it does not come in.

Everything is done by sets inside the caller's transaction, so a window of a replay, a poll and a
webhook are let in by the same four statements, however many events they hold. Two doors that are
given the same event at once agree: the second waits for the first's transaction to end, on a row
of `event_identity`. Rows are claimed in the order of their keys, so doors never wait in a circle.

What is personal in an event does not enter the inbox: it lies in `event_personal_data`, and what
was refused in `quarantined_body`, until it is applied, erased or too old.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from assets.contracts.admission import Admitted, Receipt, Refusal, Submission, check
from assets.contracts.personal import Split, split
from assets.contracts.registry import BUILT_CONSUMERS, phase_of
from assets.errors import ContractViolation
from resources.operational_store.quarantine import (
    OPEN,
    Quarantined,
    conflict,
    not_an_event,
    quarantine,
    refused,
)

NOTIFICATION_CHANNEL = "omniflow_inbox"

_Key = tuple[str, str]


def _wall() -> datetime:
    return datetime.now(UTC)


class Door:
    """Lets events in, once each, and quarantines the rest with its reason.

    Attributes:
        sources: The systems that may send; ``None`` where the caller has authenticated them.
    """

    def __init__(
        self,
        sources: Collection[str] | None = None,
        wall: Callable[[], datetime] = _wall,
        built_consumers: Collection[str] = BUILT_CONSUMERS,
    ) -> None:
        self.sources = sources
        self._wall = wall
        self._built_consumers = built_consumers

    def admit(self, connection: sa.Connection, submissions: Sequence[Submission]) -> list[Receipt]:
        """Store what is new and sound, recognise what came before, quarantine the rest.

        Args:
            connection: In the transaction that the caller will commit; nothing is final before.
            submissions: In any number and order; the first of two with one id counts.

        Returns:
            One receipt per submission, in their order.
        """
        if not submissions:
            return []
        now = self._wall()
        receipts: list[Receipt | None] = [None] * len(submissions)
        event_types: list[str] = []
        quarantined: list[Quarantined] = []
        candidates: dict[_Key, tuple[int, Admitted]] = {}
        repeated: list[tuple[int, _Key, Admitted]] = []
        for index, submission in enumerate(submissions):
            try:
                admitted = self._check(submission, now)
            except ContractViolation as violation:
                row = refused(submission, violation)
                quarantined.append(row)
                event_types.append(row.event_type)
                receipts[index] = _receipt(row, "quarantined", violation.pointer)
                continue
            event_types.append(admitted.envelope.type)
            key = (submission.source, admitted.envelope.id)
            if key in candidates:
                repeated.append((index, key, admitted))
            else:
                candidates[key] = (index, admitted)

        fresh = self._insert(connection, candidates)
        known = {key: candidates[key][1].body_hash for key in fresh}
        stale = [(index, key, event) for key, (index, event) in candidates.items()]
        stale = [item for item in stale if item[1] not in fresh]
        known |= _known_hashes(connection, [key for _, key, _ in stale])
        for key in fresh:
            receipts[candidates[key][0]] = Receipt("accepted", key[1])
        for index, key, admitted in (*stale, *repeated):
            if known[key] == admitted.body_hash:
                receipts[index] = Receipt("duplicate", key[1])
                continue
            row = conflict(submissions[index], admitted)
            quarantined.append(row)
            receipts[index] = _receipt(row, "conflict", "$.id")

        quarantine(connection, quarantined)
        done = [receipt for receipt in receipts if receipt is not None]
        sources = (submission.source for submission in submissions)
        _tally(connection, zip(sources, event_types, (r.outcome for r in done), strict=True))
        self._notify(connection, (candidates[key][1] for key in fresh))
        return done

    def refuse(self, connection: sa.Connection, refusals: Sequence[Refusal]) -> None:
        """Quarantine what never became an event, such as rows of a file."""
        rows = [not_an_event(refusal) for refusal in refusals]
        quarantine(connection, rows)
        _tally(connection, ((row.source, row.event_type, "quarantined") for row in rows))

    def replay_quarantined(
        self, connection: sa.Connection, quarantine_ids: Sequence[int]
    ) -> dict[int, Receipt]:
        """Submit stored bodies again, after the contract or the source was put right.

        What would be refused again stays as it is, with its first reason; only what now passes
        the checks goes through the door and is tallied.

        Returns:
            A receipt by quarantine id, without ids that are unknown, were replayed before, or
            whose body is not kept any more.
        """
        rows = _rows(connection, OPEN, (list(quarantine_ids),))
        receipts: dict[int, Receipt] = {}
        passing: list[tuple[int, Submission]] = []
        now = self._wall()
        for quarantine_id, source, body, position in rows:
            submission = Submission(source, bytes(body), position)
            try:
                self._check(submission, now)
            except ContractViolation as violation:
                row = refused(submission, violation)
                receipts[quarantine_id] = _receipt(row, "quarantined", violation.pointer)
            else:
                passing.append((quarantine_id, submission))
        again = self.admit(connection, [submission for _, submission in passing])
        receipts |= {i: receipt for (i, _), receipt in zip(passing, again, strict=True)}
        closed = [i for i, receipt in receipts.items() if receipt.outcome in _CAME_IN]
        connection.exec_driver_sql(
            "update quarantined_event set status = 'replayed' where quarantine_id = any(%s)",
            (closed,),
        )
        return receipts

    def _check(self, submission: Submission, now: datetime) -> Admitted:
        if self.sources is not None and submission.source not in self.sources:
            raise ContractViolation("unknown_source", f"{submission.source!r} is not a source")
        return check(submission.source, submission.body, now)

    def _insert(
        self, connection: sa.Connection, candidates: dict[_Key, tuple[int, Admitted]]
    ) -> set[_Key]:
        """Claim the identities, store the events whose identity was free; say which they were."""
        if not candidates:
            return set()
        ordered = sorted(candidates.items(), key=lambda item: item[0])
        events = [event for _, (_, event) in ordered]
        envelopes = [event.envelope for event in events]
        parts = [split(event.envelope.type, event.payload, event.data) for event in events]
        waits = [event.contract.consumer not in self._built_consumers for event in events]
        stored = _rows(
            connection,
            _INSERT,
            (
                [index for _, (index, _) in ordered],
                [source for (source, _), _ in ordered],
                [envelope.id for envelope in envelopes],
                [event.body_hash for event in events],
                [envelope.type for envelope in envelopes],
                [event.contract.consumer for event in events],
                [phase_of(event.contract, event.payload) for event in events],
                [envelope.subject for envelope in envelopes],
                [envelope.legalentity for envelope in envelopes],
                [envelope.brand for envelope in envelopes],
                [envelope.region for envelope in envelopes],
                [envelope.channel for envelope in envelopes],
                [envelope.correlationid for envelope in envelopes],
                [envelope.traceparent for envelope in envelopes],
                [
                    event.data if part is None else part.data
                    for event, part in zip(events, parts, strict=True)
                ],
                [event.occurred_at for event in events],
                waits,
                [part is not None for part in parts],
            ),
        )
        fresh = {(source, event_id) for source, event_id in stored}
        keys = [key for key, _ in ordered]
        _keep_personal(
            connection,
            [
                (key, part)
                for key, part in zip(keys, parts, strict=True)
                if part is not None and key in fresh
            ],
        )
        return fresh

    def _notify(self, connection: sa.Connection, accepted: Iterable[Admitted]) -> None:
        consumers = {event.contract.consumer for event in accepted}
        due = sorted(consumers.intersection(self._built_consumers))
        if due:
            connection.exec_driver_sql(
                "select pg_notify(%s, consumer) from unnest(%s::text[]) as due(consumer)",
                (NOTIFICATION_CHANNEL, due),
            )


_CAME_IN = frozenset({"accepted", "duplicate"})

# Binary parameters (%b): a batch's bodies are a megabyte of quotation marks to escape otherwise.
# What waits has waited since it happened: the wall's time would differ from replay to replay.
_INSERT = """
with incoming as (
    select *
    from
        unnest(
            %b::int[], %b::text[], %b::text[], %b::bytea[], %b::text[], %b::text[], %b::int[],
            %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
            %b::bytea[], %b::timestamptz[], %b::boolean[], %b::boolean[]
        ) as incoming (
            position, source, event_id, body_hash, event_type, consumer, phase,
            subject, legal_entity, brand, region, channel, correlation_id, traceparent,
            data, occurred_at, is_waiting, has_personal_data
        )
),

fresh as (
    insert into event_identity (source, event_id, body_hash)
    select source, event_id, body_hash
    from incoming
    on conflict do nothing
    returning source, event_id
),

stored as (
    insert into event_inbox (
        source, event_id, event_type, consumer, phase, subject, legal_entity, brand, region,
        channel, correlation_id, traceparent, data, occurred_at, has_personal_data, status,
        waiting_reason, release_condition, waiting_since
    )
    select
        source, event_id, event_type, consumer, phase, subject, legal_entity, brand, region,
        channel, correlation_id, traceparent, convert_from(data, 'UTF8')::json, occurred_at,
        has_personal_data,
        case when is_waiting then 'waiting' else 'pending' end,
        case when is_waiting then 'consumer_not_built' end,
        case when is_waiting then 'flow:' || consumer end,
        case when is_waiting then occurred_at end
    from incoming
    inner join fresh using (source, event_id)
    order by position
)

select source, event_id
from fresh
"""

_KNOWN = """
select identity.source, identity.event_id, identity.body_hash
from unnest(%s::text[], %s::text[]) as wanted (source, event_id)
inner join event_identity as identity using (source, event_id)
"""

_KEEP_PERSONAL = """
insert into event_personal_data (source, event_id, customer_number, fields)
select source, event_id, customer_number, fields::json
from unnest(%s::text[], %s::text[], %s::text[], %s::text[]) as told (
    source, event_id, customer_number, fields
)
"""

_TALLY = """
insert into door_tally (source, event_type, received, accepted, duplicates, quarantined)
select *
from unnest(%s::text[], %s::text[], %s::int[], %s::int[], %s::int[], %s::int[])
"""


def _rows(
    connection: sa.Connection, statement: str, parameters: tuple[Any, ...]
) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.exec_driver_sql(statement, parameters)]


def _known_hashes(connection: sa.Connection, keys: Sequence[_Key]) -> dict[_Key, bytes]:
    # A statement of its own: it sees what another door committed while the first one waited.
    if not keys:
        return {}
    sources, event_ids = zip(*keys, strict=True)
    rows = _rows(connection, _KNOWN, (list(sources), list(event_ids)))
    return {(source, event_id): bytes(body_hash) for source, event_id, body_hash in rows}


def _keep_personal(connection: sa.Connection, parts: Sequence[tuple[_Key, Split]]) -> None:
    if not parts:
        return
    columns = (
        [source for (source, _), _ in parts],
        [event_id for (_, event_id), _ in parts],
        [part.customer_number for _, part in parts],
        [part.fields.decode() for _, part in parts],
    )
    connection.exec_driver_sql(_KEEP_PERSONAL, columns)


def _tally(connection: sa.Connection, outcomes: Iterable[tuple[str, str, str]]) -> None:
    counts: dict[_Key, Counter[str]] = {}
    for source, event_type, outcome in outcomes:
        counts.setdefault((source, event_type), Counter())[outcome] += 1
    if not counts:
        return
    tallies = sorted(counts.items())
    connection.exec_driver_sql(
        _TALLY,
        (
            [source for (source, _), _ in tallies],
            [event_type for (_, event_type), _ in tallies],
            [count.total() for _, count in tallies],
            [count["accepted"] for _, count in tallies],
            [count["duplicate"] for _, count in tallies],
            [count["quarantined"] + count["conflict"] for _, count in tallies],
        ),
    )


def _receipt(
    row: Quarantined, outcome: Literal["conflict", "quarantined"], pointer: str
) -> Receipt:
    return Receipt(outcome, row.event_id, row.reason_code, row.reason, pointer)
