"""From what a decoder says of a body to a stable reason, a sentence and the place. Pure.

Slow on purpose: only what is refused comes here. What a decoder says may hold the payload; what is
said here never does.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from assets.commerce.money import UNSIGNED_MONEY_PATTERN
from assets.contracts.envelope import ReasonCode
from assets.errors import ContractViolation

_PATH = re.compile(r" - at `(\$.*)`\Z")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(.*)`\Z", re.DOTALL)
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z")
_CORE_ATTRIBUTES = ("specversion", "id", "source", "type")


def envelope_violation(error: Exception, body: bytes) -> ContractViolation:
    """What is wrong with the envelope of a body that could not be decoded."""
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


def data_violation(error: Exception, data: msgspec.Raw) -> ContractViolation:
    """What is wrong with the data of an event that could not be decoded."""
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
