"""Requests for consent, consents and delegations in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from assets.commerce.identifiers import identify
from assets.contracts.admission import Submission
from assets.errors import BadInput
from assets.facts import in_columns
from assets.ports import Consent, Delegation, Person, StoredRequest
from resources.operational_store.bulk import copy_into, execute, fetch
from resources.operational_store.cases import WRITTEN_NOW
from resources.operational_store.door import Door
from resources.operational_store.people import read_people

#: Below this, the beginning of an id says too little about which one is meant.
SHORTEST_PREFIX = 8

_COLUMNS = StoredRequest.__match_args__
_READ = ", ".join(
    {"approval_id": "approval_id::text", "amount": "(amount * 10000)::bigint"}.get(name, name)
    for name in _COLUMNS
)


class SqlApprovals:
    """Consent, within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def pending(self, subject_type: str, keys: Sequence[str]) -> dict[str, StoredRequest]:
        """What waits of these subjects, by key; locked until the transaction ends."""
        rows = fetch(
            self._connection,
            f"select {_READ} from approval_request where status = 'pending'"
            " and subject_type = %s and subject_key = any(%s) order by approval_id for update",
            subject_type,
            list(keys),
        )
        found = [StoredRequest(*row) for row in rows]
        return {one.subject_key: one for one in found}

    def numbers(self, subject_type: str, keys: Sequence[str]) -> dict[str, int]:
        """How often each of these subjects was asked about before."""
        rows = fetch(
            self._connection,
            "select subject_key, max(request_number) from approval_request"
            " where subject_type = %s and subject_key = any(%s) group by subject_key",
            subject_type,
            list(keys),
        )
        return {str(key): int(number) for key, number in rows}

    def lock(self, approval_id: str) -> StoredRequest | None:
        """One request, locked until the transaction ends."""
        rows = fetch(
            self._connection,
            f"select {_READ} from approval_request where approval_id::text = %s for update",
            approval_id,
        )
        return StoredRequest(*rows[0]) if rows else None

    def consents(self, approval_id: str) -> list[Consent]:
        """What was said of a request, in order."""
        rows = fetch(
            self._connection,
            "select tier, decision, person_id, on_behalf_of from approval_decision"
            " where approval_id::text = %s order by decision_number",
            approval_id,
        )
        return [Consent(tier, word, person, tuple(way)) for tier, word, person, way in rows]

    def add(self, requests: Sequence[StoredRequest]) -> None:
        """Write requests that are new."""
        if requests:
            rows = [tuple(getattr(one, name) for name in _COLUMNS) for one in requests]
            copy_into(self._connection, "approval_request", in_columns(_COLUMNS, rows))

    def add_consent(
        self, request: StoredRequest, consent: Consent, number: int, reason: str, at: datetime
    ) -> None:
        """Write one person's word."""
        columns: dict[str, Sequence[Any]] = {
            "approval_id": [request.approval_id],
            "decision_number": [number],
            "tier": [consent.tier],
            "decision": [consent.decision],
            "person_id": [consent.person_id],
            "on_behalf_of": [list(consent.on_behalf_of)],
            "content_hash": [request.content_hash],
            "reason": [reason],
            "effective_at": [at],
        }
        copy_into(self._connection, "approval_decision", columns)

    def move_to_tier(self, approval_id: str, tier: int) -> None:
        """Wait for the next tier's consent."""
        execute(
            self._connection,
            f"update approval_request set tier = %s, {WRITTEN_NOW} where approval_id::text = %s",
            tier,
            approval_id,
        )

    def end(self, approval_ids: Sequence[str], status: str, reason: str, at: datetime) -> None:
        """Say how requests ended, and why."""
        execute(
            self._connection,
            "update approval_request set status = %s, end_reason = %s, ended_at = %s,"
            f" {WRITTEN_NOW} where approval_id = any(%s::uuid[])",
            status,
            reason,
            at,
            list(approval_ids),
        )

    def expired(self, at: datetime, limit: int) -> list[StoredRequest]:
        """What nobody decided in time, locked; without what another worker holds."""
        rows = fetch(
            self._connection,
            f"select {_READ} from approval_request where status = 'pending' and expires_at <= %s"
            " order by expires_at, approval_id limit %s for update skip locked",
            at,
            limit,
        )
        return [StoredRequest(*row) for row in rows]

    def people(self) -> dict[str, Person]:
        """Everybody, by id."""
        return read_people(self._connection)

    def delegations(self, at: datetime) -> list[Delegation]:
        """Those that hold at an instant."""
        rows = fetch(
            self._connection,
            "select delegator, delegate, subject_type, (up_to_amount * 10000)::bigint, valid_from,"
            " valid_until from approval_delegation where valid_from <= %s and valid_until > %s"
            " order by delegation_id",
            at,
            at,
        )
        return [Delegation(*row) for row in rows]

    def add_delegation(self, delegation: Delegation, reason: str, at: datetime) -> None:
        """Write that one person may decide in another's place."""
        identity = identify(
            "delegation",
            delegation.delegator,
            delegation.delegate,
            delegation.subject_type,
            at.isoformat(),
        )
        columns: dict[str, Sequence[Any]] = {
            "delegation_id": [str(identity)],
            **{name: [getattr(delegation, name)] for name in Delegation.__match_args__},
            "reason": [reason],
            "effective_at": [at],
        }
        copy_into(self._connection, "approval_delegation", columns)

    def admit(self, source: str, events: Sequence[Mapping[str, Any]]) -> None:
        """Bring events through the door; they are in when the transaction is.

        Raises:
            BadInput: If one of them is not let in.
        """
        envelopes = [{"specversion": "1.0", "source": source, **event} for event in events]
        bodies = [msgspec.json.encode(one) for one in envelopes]
        receipts = Door().admit(
            self._connection, [Submission(source, body, "approval") for body in bodies]
        )
        for receipt in receipts:
            if receipt.outcome not in {"accepted", "duplicate"}:
                raise BadInput(f"what was approved is not let in: {receipt.reason}")


_LISTED = """
    select approval_id, subject_type || ' ' || subject_key as subject, status, tier,
        tiers::json -> (tier - 1) ->> 'role' as role, amount, currency_code, summary, requested_by,
        requested_at, expires_at, content_hash, end_reason
    from approval_request
    where {wanted}
    order by expires_at, approval_id
"""


def listed(connection: sa.Connection, *, with_ended: bool) -> list[dict[str, Any]]:
    """What waits for consent, the first to expire first."""
    wanted = "true" if with_ended else "status = 'pending'"
    return [
        dict(row) for row in connection.execute(sa.text(_LISTED.format(wanted=wanted))).mappings()
    ]


def shown(connection: sa.Connection, approval_id: str) -> dict[str, Any]:
    """One request with the event that waits and what was said of it."""
    wanted = {"id": approval_id}
    statement = sa.text(_LISTED.format(wanted="approval_id = cast(:id as uuid)"))
    row = connection.execute(statement, wanted).mappings().one()
    rest = (
        connection.execute(
            sa.text(
                "select event::json as event, denial::json as denial, policy_hash"
                " from approval_request where approval_id = cast(:id as uuid)"
            ),
            wanted,
        )
        .mappings()
        .one()
    )
    decisions = connection.execute(
        sa.text(
            "select tier, decision, person_id, on_behalf_of, reason, effective_at"
            " from approval_decision where approval_id = cast(:id as uuid)"
            " order by decision_number"
        ),
        wanted,
    ).mappings()
    return {**row, **rest, "decisions": [dict(one) for one in decisions]}


def named(connection: sa.Connection, name: str) -> str:
    """The id of the approval whose id begins so.

    Raises:
        BadInput: If there is none, or more than one, or too little was said.
    """
    prefix = name.strip().lower()
    if len(prefix) < SHORTEST_PREFIX:
        raise BadInput(f"say at least the first {SHORTEST_PREFIX} characters of the approval's id")
    rows = fetch(
        connection,
        "select approval_id::text from approval_request where starts_with(approval_id::text, %s)",
        prefix,
    )
    if not rows:
        raise BadInput(f"there is no approval {name}: see `omniflow approvals list --all`")
    if len(rows) > 1:
        raise BadInput(f"{len(rows)} approvals begin with {name}: say more of its id")
    return str(rows[0][0])
