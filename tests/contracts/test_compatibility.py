from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from assets.contracts.compatibility import compare, fields, readded
from assets.contracts.fields import EventData, PersonName


class Part(EventData, frozen=True, kw_only=True):
    sku: str


class Published(EventData, frozen=True, kw_only=True):
    number: Annotated[str, Meta(min_length=1, max_length=10, pattern="^[a-z]+$")]
    quantity: Annotated[int, Meta(ge=1, le=10)]
    kind: Literal["a", "b"] = "a"
    note: str | None = None
    parts: list[Part] = msgspec.field(default_factory=list)


def schema(struct: type[msgspec.Struct]) -> dict[str, Any]:
    made = msgspec.json.schema(struct)
    top = made["$defs"].pop(struct.__name__)
    return {**top, "$defs": made["$defs"]}


def changed(*removed: str, **new: Any) -> dict[str, Any]:
    """The published schema without some fields, and with others put in or replaced."""
    old = msgspec.structs.fields(Published)
    defined: list[Any] = []
    types = {field.name: field for field in old}
    for name, field in types.items():
        if name in removed or name in new:
            continue
        if field.default_factory is not msgspec.NODEFAULT:
            default = msgspec.field(default_factory=field.default_factory)
            defined.append((name, field.type, default))
        elif field.required:
            defined.append((name, field.type))
        else:
            defined.append((name, field.type, field.default))
    defined += [
        (name, *value) if isinstance(value, tuple) else (name, value) for name, value in new.items()
    ]
    return schema(msgspec.defstruct("Changed", defined, kw_only=True))


OLD = schema(Published)


def found(new: dict[str, Any], mode: Any) -> list[tuple[str, str]]:
    return [(change.path, change.change) for change in compare(OLD, new, mode)]


class RenamedPart(EventData, frozen=True, kw_only=True):
    item: str


def test_an_unchanged_schema_may_follow() -> None:
    assert found(OLD, "full") == []


def test_a_new_optional_field_may_come() -> None:
    assert found(changed(colour=(str | None, None)), "full") == []


SENDERS_BREAK: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    (changed(colour=str), [("colour", "required_field_added")]),
    (changed("note"), [("note", "field_removed")]),
    (
        changed(note=str),
        [("note", "type_changed"), ("note", "became_required")],
    ),
    (changed(quantity=Annotated[int, Meta(ge=2, le=10)]), [("quantity", "range_narrowed")]),
    (changed(quantity=Annotated[int, Meta(ge=1, le=9)]), [("quantity", "range_narrowed")]),
    (
        changed(number=Annotated[str, Meta(min_length=1, max_length=9, pattern="^[a-z]+$")]),
        [("number", "range_narrowed")],
    ),
    (
        changed(number=Annotated[str, Meta(min_length=1, max_length=10, pattern="^[a-y]+$")]),
        [("number", "pattern_changed")],
    ),
    (changed(kind=(Literal["a"], "a")), [("kind", "enum_narrowed")]),
    (changed(kind=(Literal["a", "b"], "b")), [("kind", "default_changed")]),
    (
        changed(parts=(list[RenamedPart], msgspec.field(default_factory=list))),
        [("parts[].item", "required_field_added"), ("parts[].sku", "field_removed")],
    ),
]


@pytest.mark.parametrize(("new", "changes"), SENDERS_BREAK)
def test_what_breaks_a_sender_is_refused_backward_and_fully(
    new: dict[str, Any], changes: list[tuple[str, str]]
) -> None:
    assert found(new, "backward") == changes
    assert set(found(new, "full")) >= set(changes)


READERS_BREAK: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    (changed("number"), [("number", "required_field_removed")]),
    (
        changed("number", name=str),
        [("number", "required_field_removed")],
    ),
    (changed(quantity=(Annotated[int, Meta(ge=1, le=10)], 1)), [("quantity", "became_optional")]),
    (changed(quantity=Annotated[int, Meta(ge=1, le=11)]), [("quantity", "range_widened")]),
    (changed(quantity=Annotated[int, Meta(le=10)]), [("quantity", "range_widened")]),
    (changed(kind=(Literal["a", "b", "c"], "a")), [("kind", "enum_widened")]),
    (changed(quantity=str), [("quantity", "type_changed"), *[("quantity", "range_widened")] * 2]),
]


@pytest.mark.parametrize(("new", "changes"), READERS_BREAK)
def test_what_breaks_a_reader_is_refused_forward_and_fully(
    new: dict[str, Any], changes: list[tuple[str, str]]
) -> None:
    assert found(new, "forward") == changes
    assert set(found(new, "full")) >= set(changes)


def test_a_renamed_required_field_breaks_both_sides() -> None:
    assert found(changed("number", name=str), "full") == [
        ("name", "required_field_added"),
        ("number", "field_removed"),
        ("number", "required_field_removed"),
    ]


def test_widening_breaks_no_sender_and_narrowing_no_reader() -> None:
    assert found(changed(kind=(Literal["a", "b", "c"], "a")), "backward") == []
    assert found(changed(quantity=Annotated[int, Meta(ge=2, le=9)]), "forward") == []


def test_a_secret_field_never_becomes_an_open_one() -> None:
    secret = changed(note=(PersonName | None, None))
    secret["properties"]["note"] |= {"x-security-class": "personal"}
    opened = changed(note=(PersonName | None, None))
    changes = [change.change for change in compare(secret, opened, "backward")]
    assert changes == ["security_class_lowered"]


def test_a_removed_field_never_comes_back_whatever_it_means() -> None:
    tombstones = {"note": fields(OLD)["note"]}
    with_note = fields(changed("note", note=(int, 0)))
    same_note = fields(OLD)
    for returned in (with_note, same_note):
        assert [c.change for c in readded(tombstones, returned)] == ["field_readded"]
    assert readded(tombstones, fields(changed("note"))) == []
