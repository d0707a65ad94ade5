"""May this schema follow that one? A pure comparison of two JSON Schemas, field by field.

``backward``: what was sent under the old schema is still taken under the new one. ``forward``:
whoever reads by the old schema still understands what is sent under the new one; readers skip
fields that they do not know, the door does not. ``full``: both. A name that was once published
never comes back, under any mode: stored events and readers still hold the old meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from assets.contracts.registry import CompatibilityMode

Schema = Mapping[str, Any]
Shape = Mapping[str, Any]
Direction = Literal["backward", "forward", "both"]

#: Keywords whose larger value takes less, and whose smaller value takes less.
_LOWER_LIMITS = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER_LIMITS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_CONSTRAINTS = (*_LOWER_LIMITS, *_UPPER_LIMITS, "pattern", "format", "enum")
_OPENNESS = ("public", "internal", "confidential", "personal")


@dataclass(frozen=True)
class Incompatibility:
    """One change that the mode does not allow.

    Attributes:
        path: The field, such as ``lines[].sku``.
        change: A stable code.
        reason: A sentence.
    """

    path: str
    change: str
    reason: str


def fields(schema: Schema) -> dict[str, Shape]:
    """Every field of a schema by its path, with what it takes; references are followed."""
    return dict(_walk(schema, schema, ""))


def compare(old: Schema, new: Schema, mode: CompatibilityMode) -> list[Incompatibility]:
    """The changes from ``old`` to ``new`` that ``mode`` does not allow; none if it may follow."""
    return compare_fields(fields(old), fields(new), mode)


def compare_fields(
    old: Mapping[str, Shape], new: Mapping[str, Shape], mode: CompatibilityMode
) -> list[Incompatibility]:
    """As `compare`, of schemas that are already taken apart into fields."""
    found: list[tuple[Direction, Incompatibility]] = []
    for path in sorted(old.keys() | new.keys()):
        if path not in new:
            found += _removed(path, old)
        elif path not in old:
            found += _added(path, old, new)
        else:
            changes = _changed(old[path], new[path])
            found += [(way, Incompatibility(path, code, why)) for way, code, why in changes]
    return [change for way, change in found if way == "both" or mode in (way, "full")]


def readded(tombstones: Mapping[str, Shape], new: Mapping[str, Shape]) -> list[Incompatibility]:
    """Fields that were published once, removed, and now come back."""
    return [
        Incompatibility(path, "field_readded", "a removed field's name is never used again")
        for path in sorted(tombstones.keys() & new.keys())
    ]


def _walk(schema: Schema, root: Schema, path: str) -> Iterator[tuple[str, Shape]]:
    resolved = _resolve(schema, root)
    required = set(resolved.get("required", ()))
    for name, part in resolved.get("properties", {}).items():
        at = f"{path}.{name}" if path else name
        yield from _field(part, root, at, is_required=name in required)


def _field(
    part: Schema, root: Schema, at: str, *, is_required: bool
) -> Iterator[tuple[str, Shape]]:
    resolved = _resolve(part, root)
    options = [_resolve(option, root) for option in resolved.get("anyOf", [resolved])]
    shape: dict[str, Any] = {
        "types": sorted({_type(option) for option in options}),
        "required": is_required,
        "security_class": resolved.get("x-security-class", "internal"),
    }
    for option in options:
        shape |= {keyword: option[keyword] for keyword in _CONSTRAINTS if keyword in option}
    if "default" in resolved:
        shape["default"] = resolved["default"]
    yield at, shape
    for option in options:
        yield from _walk(option, root, at)
        if "items" in option:
            yield from _field(option["items"], root, f"{at}[]", is_required=True)


def _resolve(schema: Schema, root: Schema) -> Schema:
    while "$ref" in schema:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**root["$defs"][schema["$ref"].rpartition("/")[2]], **beside}
    return schema


def _type(option: Schema) -> str:
    if "type" in option:
        return str(option["type"])
    return "string" if "enum" in option else "any"


def _removed(path: str, old: Mapping[str, Shape]) -> list[tuple[Direction, Incompatibility]]:
    # Senders of the old schema may still say it, and the door takes no field that it cannot name.
    removed = Incompatibility(path, "field_removed", "senders may still say it")
    found: list[tuple[Direction, Incompatibility]] = [("backward", removed)]
    if old[path]["required"]:
        reason = "readers of the old schema count on it"
        found.append(("forward", Incompatibility(path, "required_field_removed", reason)))
    return found


def _added(
    path: str, old: Mapping[str, Shape], new: Mapping[str, Shape]
) -> list[tuple[Direction, Incompatibility]]:
    parent = path.removesuffix("[]").rpartition(".")[0].removesuffix("[]")
    is_within_new = parent != "" and parent not in old
    if not new[path]["required"] or path.endswith("[]") or is_within_new:
        return []
    reason = "senders of the old schema do not say it"
    return [("backward", Incompatibility(path, "required_field_added", reason))]


def _changed(old: Shape, new: Shape) -> Iterator[tuple[Direction, str, str]]:
    before, after = set(old["types"]), set(new["types"])
    if before != after:
        reason = f"{'|'.join(sorted(before))} became {'|'.join(sorted(after))}"
        if before - after:
            yield "backward", "type_changed", reason
        if after - before:
            yield "forward", "type_changed", reason
    if new["required"] and not old["required"]:
        yield "backward", "became_required", "senders of the old schema may leave it out"
    if old["required"] and not new["required"]:
        yield "forward", "became_optional", "readers of the old schema count on it"
    if ("default" in old or not old["required"]) and old.get("default") != new.get("default"):
        yield "both", "default_changed", "what was left out would mean something else"
    if _OPENNESS.index(new["security_class"]) < _OPENNESS.index(old["security_class"]):
        yield "both", "security_class_lowered", "stored values were given under the stricter class"
    yield from _limits(old, new)
    yield from _values(old, new)


def _limits(old: Shape, new: Shape) -> Iterator[tuple[Direction, str, str]]:
    for keyword in (*_LOWER_LIMITS, *_UPPER_LIMITS):
        before, after = old.get(keyword), new.get(keyword)
        if before == after:
            continue
        is_lower = keyword in _LOWER_LIMITS
        narrowed = after is not None and (
            before is None or (after > before if is_lower else after < before)
        )
        reason = f"{keyword} {before} became {after}"
        if narrowed:
            yield "backward", "range_narrowed", reason
        else:
            yield "forward", "range_widened", reason


def _values(old: Shape, new: Shape) -> Iterator[tuple[Direction, str, str]]:
    for keyword in ("pattern", "format"):
        before, after = old.get(keyword), new.get(keyword)
        # Whether one pattern takes less than another is not decidable here: both count.
        if before != after and after is not None:
            yield "backward", f"{keyword}_changed", f"{before} became {after}"
        if before != after and before is not None:
            yield "forward", f"{keyword}_changed", f"{before} became {after}"
    before, after = old.get("enum"), new.get("enum")
    if before == after:
        return
    if after is not None and (before is None or set(before) - set(after)):
        gone = sorted(set(before or ()) - set(after))
        yield "backward", "enum_narrowed", f"no longer allowed: {gone or 'what was free before'}"
    if before is not None and (after is None or set(after) - set(before)):
        come = sorted(set(after or ()) - set(before))
        yield "forward", "enum_widened", f"readers do not know: {come or 'what is free now'}"
