"""What may pass the door: one check of one body, pure. Files, polls and webhooks all come here.

A body that passes is parsed once. The way to a reason is slow on purpose: only what is refused
walks it, and there a sender needs to be told exactly what is wrong and where.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Literal, NoReturn

import msgspec

from assets.contracts.document_checks import EXTRA_CHECKS, check_line_numbers, refuse
from assets.contracts.envelope import ArrivingEnvelope, Envelope
from assets.contracts.registry import CONTRACTS, Contract
from assets.contracts.violations import data_violation, envelope_violation
from assets.errors import ContractViolation

#: Above this an event is a file in disguise, and one sender could hold up all the others.
LARGEST_BODY_BYTES = 1024 * 1024
#: Clocks differ, and a channel may take an order minutes before its own midnight; not by a day.
FUTURE_TOLERANCE = timedelta(hours=24)
UNKNOWN_TYPE = "unknown"


@dataclass(frozen=True)
class Submission:
    """One CloudEvent as it arrived.

    Attributes:
        source: Code of the system that sent it, as authenticated by the caller.
        body: The structured-mode JSON of one CloudEvent.
        position: Where it stood: ``file.csv:12``, ``batch[3]``, ``poll erp``.
    """

    source: str
    body: bytes
    position: str


@dataclass(frozen=True)
class Refusal:
    """Something that never became an event, for quarantine."""

    source: str
    body: bytes
    position: str
    reason_code: str
    reason: str


Outcome = Literal["accepted", "duplicate", "conflict", "quarantined"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the door did with one submission.

    Attributes:
        outcome: ``conflict`` is an id that came before with another body; it is quarantined too.
        event_id: The event's id, where one could be read.
        reason_code: Of a conflict or a quarantined event.
        reason: The same for people.
        pointer: Where in the body, ``$`` for the whole of it.
    """

    outcome: Outcome
    event_id: str | None
    reason_code: str | None = None
    reason: str | None = None
    pointer: str | None = None


class Admitted(msgspec.Struct, frozen=True):
    """A body that passed.

    Attributes:
        envelope: Its CloudEvents attributes.
        payload: Its ``data`` as the contract's struct.
        contract: What it was checked against.
        data: ``payload`` written again in the one canonical way.
        body_hash: blake2b-256 of envelope and data in the canonical way: white space, order of
            keys, spelled-out defaults, the zone of the time and the trace do not change it.
        occurred_at: The event's time in UTC.
    """

    envelope: Envelope
    payload: msgspec.Struct
    contract: Contract
    data: bytes
    body_hash: bytes
    occurred_at: datetime


class _Identity(msgspec.Struct):
    """What can still be said about a body that did not pass."""

    id: Any = None
    type: Any = None


_decode_envelope = msgspec.json.Decoder(ArrivingEnvelope).decode
_decode_identity = msgspec.json.Decoder(_Identity).decode
_encode = msgspec.json.Encoder().encode
_decoders: dict[str, tuple[Contract, Callable[[msgspec.Raw], msgspec.Struct]]] = {
    event_type: (contract, msgspec.json.Decoder(contract.struct).decode)
    for event_type, contract in CONTRACTS.items()
    if contract.lifecycle in ("active", "deprecated")
}


def check(source: str, body: bytes, now: datetime) -> Admitted:
    """Check one body against the envelope, its contract and what no schema can say.

    Args:
        source: Code of the sender, as authenticated.
        body: Structured-mode JSON of one CloudEvent.
        now: The wall's time.

    Raises:
        ContractViolation: With one of `ReasonCode` and the JSON path of the offending value.
    """
    if len(body) > LARGEST_BODY_BYTES:
        refuse(
            "body_too_large",
            f"{len(body)} bytes; an event has at most {LARGEST_BODY_BYTES}",
        )
    try:
        envelope = _decode_envelope(body)
    except (ValueError, RecursionError) as error:
        raise envelope_violation(error, body) from error
    if envelope.source != source:
        refuse("source_mismatch", f"sent by {source!r} in the name of another", "$.source")
    known = _decoders.get(envelope.type)
    if known is None:
        _refuse_type(envelope.type)
    contract, decode = known
    try:
        payload = decode(envelope.data)
    except (ValueError, RecursionError) as error:
        raise data_violation(error, envelope.data) from error
    try:
        occurred_at = envelope.time.astimezone(UTC)
    except OverflowError as error:
        raise ContractViolation("time_out_of_range", str(error), "$.time") from error
    if occurred_at > now + FUTURE_TOLERANCE:
        refuse("time_in_future", f"{occurred_at.isoformat()} is still to come", "$.time")
    data = _encode(payload)
    # Backslashes are rare, so the search for what hides behind one is paid by few.
    if b"\\" in data and b"\\u0000" in data:
        _refuse_nul(data)
    extra_check = EXTRA_CHECKS.get(contract.struct)
    if extra_check is not None:
        extra_check(payload)
    elif (lines := getattr(payload, "lines", None)) is not None:
        check_line_numbers(lines)
    digest = blake2b(
        _encode(
            (
                envelope.id,
                source,
                envelope.type,
                envelope.subject,
                occurred_at,
                envelope.legalentity,
                envelope.brand,
                envelope.region,
                envelope.channel,
                envelope.correlationid,
                envelope.dataschema,
            )
        ),
        digest_size=32,
    )
    digest.update(data)
    return Admitted(envelope, payload, contract, data, digest.digest(), occurred_at)


def identify_refused(body: bytes) -> tuple[str | None, str]:
    """Id and type of a body that did not pass, as far as they can be read.

    The type is one of ours or `UNKNOWN_TYPE`: counts by type must not grow by what strangers send.
    """
    try:
        identity = _decode_identity(body)
    except (ValueError, RecursionError):
        return None, UNKNOWN_TYPE
    event_type = identity.type if isinstance(identity.type, str) else UNKNOWN_TYPE
    event_id = identity.id if isinstance(identity.id, str) else None
    if event_id is not None and (not 1 <= len(event_id) <= 128 or "\x00" in event_id):
        event_id = None
    return event_id, event_type if event_type in CONTRACTS else UNKNOWN_TYPE


def hash_raw(body: bytes) -> bytes:
    """The hash of a body that has no canonical form."""
    return blake2b(body, digest_size=32).digest()


def _refuse_type(event_type: str) -> NoReturn:
    contract = CONTRACTS.get(event_type)
    if contract is None:
        refuse("unknown_type", f"nobody has published {event_type}", "$.type")
    if contract.lifecycle == "draft":
        refuse("draft_type", f"{event_type} is not published yet", "$.type")
    refuse("retired_type", f"{event_type} is no longer taken", "$.type")


def _refuse_nul(data: bytes) -> None:
    """PostgreSQL's text holds every character but this one."""

    def walk(value: Any, pointer: str) -> None:
        if isinstance(value, str) and "\x00" in value:
            refuse("control_character", "a text holds U+0000", pointer)
        elif isinstance(value, dict):
            for key, item in value.items():
                walk(item, f"{pointer}.{key}")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                walk(item, f"{pointer}[{index}]")

    walk(msgspec.json.decode(data), "$.data")
