"""Commands as requests: what a partner is sent, and what its answer says of each command.

Payloads are never decoded as a whole: what the flow wrote is what the partner reads. Which commands
go when, and what is noted of them, is the dispatcher's subject.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import httpx
import msgspec

from assets.errors import PartnerRejected, PartnerUnavailable
from assets.operations_policy import Resilience
from resources.http import PartnerBusy, exchange
from resources.outbox_interchanges import send_interchange
from resources.partners import Partner
from resources.resilience import attempt


class Command(msgspec.Struct, frozen=True, gc=False):
    """A command as it waits in the outbox; another dispatcher may hold it."""

    sequence: int
    command_id: uuid.UUID
    command_type: str
    business_key: str
    correlation_id: str
    effective_at: datetime
    attempts: int
    owner: str
    payload: str
    has_failed: bool
    is_held: bool


@dataclass(frozen=True)
class Outcome:
    """What became of one command that was sent."""

    row: Command
    kind: Literal["delivered", "rejected", "unavailable"]
    reason: str = ""
    asked_for: float = 0.0


class _Scope(msgspec.Struct, gc=False):
    """For whom a command is and when its cause happened; the flows write it into the payload."""

    legal_entity: str = ""
    brand: str = ""
    region: str = ""
    channel: str = ""
    effective_at: datetime | None = None


class _Sent(msgspec.Struct, gc=False):
    command_id: str
    command_type: str
    business_key: str
    effective_at: datetime
    legal_entity: str
    brand: str
    region: str
    channel: str
    correlation_id: str
    payload: msgspec.Raw


class _Batch(msgspec.Struct):
    commands: list[_Sent]


class _Result(msgspec.Struct, gc=False):
    command_id: str
    status: Literal["accepted", "duplicate", "rejected"]
    reason: str | None = None


class _Answer(msgspec.Struct):
    results: list[_Result]


_scope = msgspec.json.Decoder(_Scope).decode
_answer = msgspec.json.Decoder(_Answer).decode
_result = msgspec.json.Decoder(_Result).decode
_encode = msgspec.json.Encoder().encode


def send_together(
    session: httpx.Client, partner: Partner, rows: Sequence[Command], resilience: Resilience
) -> list[Outcome]:
    """One request, tried again through a blip; then what became of each command."""
    try:
        results = attempt(lambda: _post(session, partner, rows), resilience)
    except PartnerUnavailable as error:
        wait = error.retry_after if isinstance(error, PartnerBusy) else 0.0
        return [Outcome(row, "unavailable", str(error), wait) for row in rows]
    except PartnerRejected as error:
        if len(rows) == 1:
            return [Outcome(rows[0], "rejected", str(error))]
        # One of them made the partner refuse the whole; the others are not to die with it.
        return [
            outcome
            for row in rows
            for outcome in send_together(session, partner, [row], resilience)
        ]
    outcomes = []
    for row in rows:
        result = results.get(str(row.command_id))
        if result is None:
            outcomes.append(Outcome(row, "unavailable", "the answer does not mention it"))
        elif result.status == "rejected":
            outcomes.append(Outcome(row, "rejected", result.reason or "no reason given"))
        else:
            outcomes.append(Outcome(row, "delivered"))
    return outcomes


def _post(session: httpx.Client, partner: Partner, rows: Sequence[Command]) -> dict[str, _Result]:
    if partner.speaks == "x12":
        return {str(row.command_id): _post_interchange(session, partner, row) for row in rows}
    headers = {"content-type": "application/json"}
    if partner.takes_batches:
        url = partner.url("commands")
        body = _encode(_Batch([_message(row) for row in rows]))
    else:
        url = partner.url(f"commands/{rows[0].command_type}")
        body = _encode(_message(rows[0]))
        headers["idempotency-key"] = str(rows[0].command_id)
    request = session.build_request("POST", url, content=body, headers=headers)
    answer = exchange(session, partner.code, request).content
    try:
        results = _answer(answer).results if partner.takes_batches else [_result(answer)]
    except msgspec.DecodeError as error:
        raise PartnerUnavailable(partner.code, f"answer not understood: {error}") from error
    return {result.command_id: result for result in results}


def _post_interchange(session: httpx.Client, partner: Partner, row: Command) -> _Result:
    identity, at = str(row.command_id), row.effective_at
    payload = row.payload.encode()
    if send_interchange(session, partner, identity, row.command_type, payload, at):
        return _Result(identity, "accepted")
    return _Result(identity, "rejected", "its 997 says so")


def _message(row: Command) -> _Sent:
    payload = row.payload.encode()
    scope = _scope(payload)
    return _Sent(
        str(row.command_id),
        row.command_type,
        row.business_key,
        scope.effective_at or row.effective_at,
        scope.legal_entity,
        scope.brand,
        scope.region,
        scope.channel,
        row.correlation_id,
        msgspec.Raw(payload),
    )
