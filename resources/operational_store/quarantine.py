"""What is kept of what the door refused: why, where it stood, and for a while its body.

Reason, position and hash stay; the body may hold anything about anybody, so it lies in a table of
its own that is erased by person and by policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from assets.contracts.admission import (
    LARGEST_BODY_BYTES,
    UNKNOWN_TYPE,
    Admitted,
    Refusal,
    Submission,
    hash_raw,
    identify_refused,
)
from assets.errors import ContractViolation


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One refusal with its body."""

    source: str
    event_id: str | None
    event_type: str
    reason_code: str
    reason: str
    position: str
    body: bytes
    body_hash: bytes


OPEN = """
select kept.quarantine_id, kept.source, stored.body, kept.position
from quarantined_event as kept
inner join quarantined_body as stored using (source, body_hash)
where kept.quarantine_id = any(%s) and kept.status = 'open'
order by kept.quarantine_id
for update of kept
"""

_QUARANTINE = """
insert into quarantined_event (
    source, event_id, event_type, reason_code, reason, position, body_hash
)
select *
from unnest(
    %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bytea[]
)
on conflict do nothing
"""

# Sent again after its first copy was erased, it is kept anew: the sender still says it.
_KEEP_BODY = """
insert into quarantined_body (source, body_hash, body)
select *
from unnest(%b::text[], %b::bytea[], %b::bytea[])
on conflict do nothing
"""


def quarantine(connection: sa.Connection, rows: Sequence[Quarantined]) -> None:
    """Keep refusals, each once."""
    if not rows:
        return
    ordered = sorted(
        rows, key=lambda row: (row.source, row.body_hash, row.reason_code, row.position)
    )
    columns = (
        [row.source for row in ordered],
        [row.event_id for row in ordered],
        [row.event_type for row in ordered],
        [row.reason_code for row in ordered],
        [_storable(row.reason) for row in ordered],
        [_storable(row.position) for row in ordered],
        [row.body_hash for row in ordered],
    )
    connection.exec_driver_sql(_QUARANTINE, columns)
    bodies = (
        [row.source for row in ordered],
        [row.body_hash for row in ordered],
        [row.body for row in ordered],
    )
    connection.exec_driver_sql(_KEEP_BODY, bodies)


def not_an_event(refusal: Refusal) -> Quarantined:
    """Something that never became an event, such as a row of a file."""
    return Quarantined(
        refusal.source,
        None,
        UNKNOWN_TYPE,
        refusal.reason_code,
        refusal.reason,
        refusal.position,
        refusal.body[:LARGEST_BODY_BYTES],
        hash_raw(refusal.body),
    )


def refused(submission: Submission, violation: ContractViolation) -> Quarantined:
    """A body that broke its contract."""
    event_id, event_type = identify_refused(submission.body)
    return Quarantined(
        submission.source,
        event_id,
        event_type,
        violation.reason_code,
        f"{violation} (at {violation.pointer})",
        submission.position,
        submission.body[:LARGEST_BODY_BYTES],
        hash_raw(submission.body),
    )


def conflict(submission: Submission, admitted: Admitted) -> Quarantined:
    """A sound body under the id of another."""
    return Quarantined(
        submission.source,
        admitted.envelope.id,
        admitted.envelope.type,
        "id_conflict",
        f"{admitted.envelope.id} came before with another body",
        submission.position,
        submission.body,
        hash_raw(submission.body),
    )


def _storable(text: str) -> str:
    """PostgreSQL's text holds every character but U+0000, and no half of a surrogate pair."""
    return text.replace("\x00", "\\0").encode("utf-8", "replace").decode()
