"""What may pass the door: one check of one body, pure. Files, polls and webhooks all come here.

A body that passes is parsed once. The way to a reason is slow on purpose: only what is refused
walks it, and there a sender needs to be told exactly what is wrong and where.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Literal, NoReturn

import msgspec

from assets.commerce.money import TEN_THOUSANDTHS, UNSIGNED_MONEY_PATTERN, to_ten_thousandths
from assets.contracts.envelope import ArrivingEnvelope, Envelope, ReasonCode
from assets.contracts.inventory import InventoryCounted, InventorySnapshotTaken
from assets.contracts.master_data import PriceShown, ProductRegistered
from assets.contracts.order import OrderCharge, OrderPlaced
from assets.contracts.registry import CONTRACTS, Contract
from assets.contracts.returns import ReturnRequested
from assets.errors import ContractViolation

#: Above this an event is a file in disguise, and one sender could hold up all the others.
LARGEST_BODY_BYTES = 1024 * 1024
#: Clocks differ, and a channel may take an order minutes before its own midnight; not by a day.
FUTURE_TOLERANCE = timedelta(hours=24)
#: Its ten-thousandths fit int64 nine times over, and it fits the ledger's numeric(19,4).
LARGEST_AMOUNT = 10**14

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
        _refuse(
            "body_too_large",
            f"{len(body)} bytes; an event has at most {LARGEST_BODY_BYTES}",
        )
    try:
        envelope = _decode_envelope(body)
    except (ValueError, RecursionError) as error:
        raise _envelope_violation(error, body) from error
    if envelope.source != source:
        _refuse("source_mismatch", f"sent by {source!r} in the name of another", "$.source")
    known = _decoders.get(envelope.type)
    if known is None:
        _refuse_type(envelope.type)
    contract, decode = known
    try:
        payload = decode(envelope.data)
    except (ValueError, RecursionError) as error:
        raise _data_violation(error, envelope.data) from error
    try:
        occurred_at = envelope.time.astimezone(UTC)
    except OverflowError as error:
        raise ContractViolation("time_out_of_range", str(error), "$.time") from error
    if occurred_at > now + FUTURE_TOLERANCE:
        _refuse("time_in_future", f"{occurred_at.isoformat()} is still to come", "$.time")
    data = _encode(payload)
    # Backslashes are rare, so the search for what hides behind one is paid by few.
    if b"\\" in data and b"\\u0000" in data:
        _refuse_nul(data)
    extra_check = _EXTRA_CHECKS.get(contract.struct)
    if extra_check is not None:
        extra_check(payload)
    elif (lines := getattr(payload, "lines", None)) is not None:
        _check_line_numbers(lines)
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


def _refuse(reason_code: ReasonCode, reason: str, pointer: str = "$") -> NoReturn:
    raise ContractViolation(reason_code, reason, pointer)


def _refuse_type(event_type: str) -> NoReturn:
    contract = CONTRACTS.get(event_type)
    if contract is None:
        _refuse("unknown_type", f"nobody has published {event_type}", "$.type")
    if contract.lifecycle == "draft":
        _refuse("draft_type", f"{event_type} is not published yet", "$.type")
    _refuse("retired_type", f"{event_type} is no longer taken", "$.type")


def _refuse_nul(data: bytes) -> None:
    """PostgreSQL's text holds every character but this one."""

    def walk(value: Any, pointer: str) -> None:
        if isinstance(value, str) and "\x00" in value:
            _refuse("control_character", "a text holds U+0000", pointer)
        elif isinstance(value, dict):
            for key, item in value.items():
                walk(item, f"{pointer}.{key}")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                walk(item, f"{pointer}[{index}]")

    walk(msgspec.json.decode(data), "$.data")


# What no schema can say


def _check_line_numbers(lines: list[Any]) -> None:
    if len({line.line_number for line in lines}) == len(lines):
        return
    seen: set[int] = set()
    for index, line in enumerate(lines):
        if line.line_number in seen:
            _refuse(
                "duplicate_line_number",
                f"line {line.line_number} is there twice",
                f"$.data.lines[{index}].line_number",
            )
        seen.add(line.line_number)


def _check_amount(lines: list[Any], charges: list[OrderCharge]) -> None:
    """Refuse what would overflow a ledger; most orders are seen to be small without arithmetic."""
    is_small = not [line for line in lines if len(line.unit_price) > 7 or line.quantity > 999]
    if is_small and not [charge for charge in charges if len(charge.amount) > 9]:
        return
    total = sum(line.quantity * to_ten_thousandths(line.unit_price) for line in lines)
    total += sum(abs(to_ten_thousandths(charge.amount)) for charge in charges)
    if total > LARGEST_AMOUNT * TEN_THOUSANDTHS:
        _refuse("amount_too_large", f"it comes to more than {LARGEST_AMOUNT}", "$.data.lines")


def _check_order(payload: Any) -> None:
    if not payload.lines and not payload.charges:
        _refuse("empty_order", "an order has lines, charges, or both", "$.data.lines")
    if payload.pickup is not None and (payload.service_level != "pickup" or not payload.lines):
        _refuse(
            "pickup_of_a_parcel",
            "only lines of service level pickup are collected",
            "$.data.pickup",
        )
    _check_line_numbers(payload.lines)
    _check_amount(payload.lines, payload.charges)


def _check_return(payload: Any) -> None:
    if not payload.lines and not payload.charges:
        _refuse("empty_return", "a return has lines, charges, or both", "$.data.lines")
    _check_line_numbers(payload.lines)
    _check_amount(payload.lines, payload.charges)


def _check_count(payload: Any) -> None:
    _check_skus(payload.lines, "a count says one quantity of a SKU")


def _check_skus(lines: list[Any], said: str, name: str = "lines") -> None:
    seen: set[str] = set()
    for index, line in enumerate(lines):
        if line.sku in seen:
            _refuse("duplicate_sku", said, f"$.data.{name}[{index}].sku")
        seen.add(line.sku)


def _check_as_of(as_of: datetime) -> None:
    try:
        as_of.astimezone(UTC)
    except OverflowError as error:
        raise ContractViolation("time_out_of_range", str(error), "$.data.as_of") from error


def _check_snapshot(payload: Any) -> None:
    _check_as_of(payload.as_of)
    if (payload.node_id is None) == (payload.channel is None):
        said = "a snapshot is of a node or of a channel, and says which"
        _refuse("schema_violation", said, "$.data.node_id")
    for index, line in enumerate(payload.lines):
        if line.unit_of_measure == "case" and line.units_per_case is None:
            pointer = f"$.data.lines[{index}].units_per_case"
            _refuse("missing_field", "cases of how many units", pointer)
    _check_skus(payload.lines, "a snapshot says one quantity of a SKU")


def _check_prices(payload: Any) -> None:
    _check_as_of(payload.as_of)
    _check_skus(payload.lines, "a channel shows one price of a SKU")


def _check_product(payload: Any) -> None:
    for index, component in enumerate(payload.components):
        if component.sku == payload.sku:
            pointer = f"$.data.components[{index}].sku"
            _refuse("bundle_of_itself", "a bundle is none of its own components", pointer)
    _check_skus(payload.components, "a bundle names a component once", "components")


_EXTRA_CHECKS: dict[type[msgspec.Struct], Callable[[Any], None]] = {
    OrderPlaced: _check_order,
    ReturnRequested: _check_return,
    InventoryCounted: _check_count,
    InventorySnapshotTaken: _check_snapshot,
    PriceShown: _check_prices,
    ProductRegistered: _check_product,
}


# From msgspec's sentence to a stable reason

_PATH = re.compile(r" - at `(\$.*)`\Z")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.*)`\Z", re.DOTALL)
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z")
_CORE_ATTRIBUTES = ("specversion", "id", "source", "type")


def _envelope_violation(error: Exception, body: bytes) -> ContractViolation:
    if not isinstance(error, msgspec.ValidationError):
        return _not_json(error)
    reason_code, reason, pointer = _explain(str(error), body, "$")
    if body.lstrip().startswith(b"{"):
        core = pointer.removeprefix("$.") in _CORE_ATTRIBUTES
        if core and (reason_code == "missing_field" or pointer == "$.specversion"):
            reason_code = "not_cloudevents"
    else:
        reason_code = "not_cloudevents"
    return ContractViolation(reason_code, reason, pointer)


def _data_violation(error: Exception, data: msgspec.Raw) -> ContractViolation:
    if not isinstance(error, msgspec.ValidationError):
        return _not_json(error)
    return ContractViolation(*_explain(str(error), bytes(data), "$.data"))


def _not_json(error: Exception) -> ContractViolation:
    # A decoder's sentence about bytes says nothing personal; what it could not decode stays out.
    reason = "it is not UTF-8" if isinstance(error, UnicodeError) else str(error)
    return ContractViolation("malformed_json", reason)


def _explain(sentence: str, text: bytes, root: str) -> tuple[ReasonCode, str, str]:
    """The stable code, a sentence without payload, and the path below ``root``."""
    found = _PATH.search(sentence)
    path = found[1] if found else "$"
    said = sentence[: found.start()] if found else sentence
    pointer = root + path[1:]
    if missing := _MISSING.match(said):
        return "missing_field", f"{missing[1]} is missing", f"{pointer}.{missing[1]}"
    if unknown := _UNKNOWN_FIELD.match(said):
        name = unknown[1] if unknown[1].isidentifier() else "?"
        return "unknown_field", "the contract has no such field", f"{pointer}.{name}"
    code, reason = _classify(said, _value_at(text, path))
    return code, reason, pointer


def _classify(said: str, value: Any) -> tuple[ReasonCode, str]:
    if said.startswith("Invalid enum value"):
        return "unknown_enum", "not one of the values of the contract"
    if "timezone component" in said:
        return "time_without_zone", "a time must say its zone"
    if said.startswith("Expected `array` of length <="):
        return "list_too_long", said
    if said.startswith("Expected `str` of length <="):
        return "text_too_long", said
    if said.startswith("Expected `int` >=") and isinstance(value, int) and value < 0:
        return "negative_quantity", said
    if said.startswith("Expected `str` matching regex") and "[0-9]{1,14}" in said:
        return _classify_money(value, is_signed=UNSIGNED_MONEY_PATTERN not in _unescaped(said))
    if ", got `" in said:
        return "wrong_type", said
    return "schema_violation", said


def _classify_money(value: Any, *, is_signed: bool) -> tuple[ReasonCode, str]:
    if not isinstance(value, str) or not _DECIMAL.match(value):
        return "not_money", "money is decimal text such as 2.55"
    if len(value.partition(".")[2]) > 4:
        return "money_precision", "money has at most four decimals"
    if value.startswith("-") and not is_signed:
        return "negative_money", "this amount is never negative"
    return "not_money", "no leading zeros, and at most fourteen digits before the point"


def _unescaped(said: str) -> str:
    return said.replace("\\\\", "\\")


def _decode_generic(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None


def _value_at(text: bytes, path: str) -> Any:
    value = _decode_generic(text)
    for name, index in _STEP.findall(path):
        try:
            value = value[name] if name else value[int(index)]
        except (KeyError, IndexError, TypeError):
            return None
    return value
