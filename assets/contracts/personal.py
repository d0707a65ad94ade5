"""What of an event is personal, by the class of its contract's fields: taken out, and put back.

Between the door and its flow an event lies in the inbox without it, so that a person can be erased
while an order waits. Nearly all events have nothing personal, so asking that of one is a single
call; what has is read and written again as plain mappings, which may cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import inspect

from assets.contracts.registry import CONTRACTS

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """One event without what is personal in it, and that.

    Attributes:
        data: The rest as canonical JSON; it still keeps its contract.
        fields: What was taken out, nested as it was, as JSON.
        customer_number: Whose it is, where the event says so.
    """

    data: bytes
    fields: bytes
    customer_number: str | None


def personal_paths(struct: type[msgspec.Struct]) -> list[Path]:
    """Where the personal fields of a contract are, as names from the outermost in.

    Raises:
        TypeError: If one cannot be taken out and put back: it is required, or in a list.
    """
    return list(_walk(inspect.type_info(struct), (), is_reachable=True))


def _walk(kind: inspect.Type, path: Path, *, is_reachable: bool) -> Iterator[Path]:
    if isinstance(kind, inspect.Metadata):
        yield from _walk(kind.type, path, is_reachable=is_reachable)
    elif isinstance(kind, inspect.StructType):
        for field in kind.fields:
            here = (*path, field.encode_name)
            if _is_personal(field.type):
                if field.required or not is_reachable:
                    raise TypeError(f"{'.'.join(here)} is personal and cannot be taken out")
                yield here
            else:
                yield from _walk(field.type, here, is_reachable=is_reachable)
    else:
        # Of a list there is no telling afterwards to which of its items a value belonged.
        for part in _parts(kind):
            yield from _walk(part, path, is_reachable=False)


def _parts(kind: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(kind, inspect.UnionType):
        yield from kind.types
    elif isinstance(kind, inspect.CollectionType):
        yield kind.item_type
    elif isinstance(kind, inspect.DictType):
        yield kind.value_type


def _is_personal(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.UnionType):
        return any(_is_personal(option) for option in kind.types)
    extra = kind.extra_json_schema if isinstance(kind, inspect.Metadata) else None
    return (extra or {}).get("x-security-class") == "personal"


_PATHS: dict[str, list[Path]] = {
    event_type: paths
    for event_type, contract in CONTRACTS.items()
    if (paths := personal_paths(contract.struct))
}


def _reader(paths: list[Path]) -> Callable[[Any], tuple[Any, ...]]:
    names = [".".join(path) for path in paths]
    # One name alone would give its value and not a tuple.
    return attrgetter(*names) if len(names) > 1 else lambda payload: (attrgetter(*names)(payload),)


_READERS = {event_type: _reader(paths) for event_type, paths in _PATHS.items()}
_NOTHING = {event_type: (None,) * len(paths) for event_type, paths in _PATHS.items()}


def split(event_type: str, payload: Any, data: bytes) -> Split | None:
    """An admitted event's ``data`` in two; ``None`` where nothing in it is personal."""
    read = _READERS.get(event_type)
    if read is None or read(payload) == _NOTHING[event_type]:
        return None
    rest: dict[str, Any] = msgspec.json.decode(data)
    fields: dict[str, Any] = {}
    for path in _PATHS[event_type]:
        *outer, name = path
        source = rest
        for step in outer:
            source = source.get(step, {})
        if name in source:
            target = fields
            for step in outer:
                target = target.setdefault(step, {})
            target[name] = source.pop(name)
    number = getattr(payload, "customer_number", None)
    return Split(msgspec.json.encode(rest), msgspec.json.encode(fields), number)


def join(data: str | bytes, fields: str | bytes) -> bytes:
    """An event's ``data`` as it was before `split`, but for the order of its keys."""
    return msgspec.json.encode(_laid_over(msgspec.json.decode(data), msgspec.json.decode(fields)))


def _laid_over(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    added = {name: _laid_over(below.get(name), value) for name, value in above.items()}
    return {**below, **added}
