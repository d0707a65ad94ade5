"""Stored decision batches in the order in which they were taken, each with its policy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec
import sqlalchemy as sa

from assets.decisions.policy_document import PolicyDocument


def decision_batches(
    connection: sa.Connection, kind: str, since: datetime | None, until: datetime | None
) -> Iterator[tuple[bytes, PolicyDocument]]:
    """Inputs and policy of the batches of one kind that were decided in (since, until].

    A replay decides a window at its end, so that midnight belongs to the day before.
    """
    documents: dict[str, PolicyDocument] = {}
    rows = connection.execute(
        sa.text(
            """
            select batch.policy_hash, batch.inputs, policy.document
            from decision_batch as batch
            join policy_version as policy on batch.policy_hash = policy.policy_hash
            where batch.kind = :kind
                and (cast(:since as timestamptz) is null or batch.effective_at > :since)
                and (cast(:until as timestamptz) is null or batch.effective_at <= :until)
            order by batch.recorded_xid, batch.decision_batch_id
            """
        ),
        {"kind": kind, "since": since, "until": until},
        execution_options={"stream_results": True, "yield_per": 20},
    )
    for row in rows:
        if row.policy_hash not in documents:
            documents[row.policy_hash] = msgspec.convert(row.document, PolicyDocument)
        yield bytes(row.inputs), documents[row.policy_hash]
