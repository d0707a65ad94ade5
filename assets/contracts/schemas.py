"""The JSON Schemas that we publish, made by ``python -m assets.contracts.schemas``.

They lie in the folder of the same name and are committed, with a history of every field that was
ever published. Writing refuses a schema that may not follow the published one, so an incompatible
change is seen where it is made and not by a partner.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from assets.contracts.compatibility import Incompatibility, compare_fields, fields, readded
from assets.contracts.envelope import ArrivingEnvelope
from assets.contracts.registry import CONTRACTS, Contract

FOLDER = Path(__file__).parent / "schemas"
HISTORY = "history.json"
ENVELOPE = "envelope"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"

Published = dict[str, dict[str, Any]]


def schema_of(contract: Contract) -> dict[str, Any]:
    """The published schema of one event type's ``data``."""
    return {
        **_generate(contract.struct, contract.event_type),
        "x-owner": contract.owner,
        "x-lifecycle": contract.lifecycle,
        "x-compatibility": contract.compatibility,
    }


def envelope_schema() -> dict[str, Any]:
    """The published schema of the envelope around every event."""
    return {
        **_generate(ArrivingEnvelope, ENVELOPE),
        "x-owner": "platform",
        "x-lifecycle": "active",
        "x-compatibility": "full",
    }


def schemas() -> dict[str, dict[str, Any]]:
    """Every published schema by its name."""
    made = {event_type: schema_of(contract) for event_type, contract in CONTRACTS.items()}
    return {ENVELOPE: envelope_schema(), **made}


def read_history(folder: Path = FOLDER) -> Published:
    """Every field ever published, by schema and path; a removed one says so."""
    path = folder / HISTORY
    if not path.exists():
        return {}
    history: Published = json.loads(path.read_text())
    return history


def judge(
    history: Published, made: Mapping[str, Mapping[str, Any]]
) -> list[tuple[str, Incompatibility]]:
    """What of these schemas may not follow what was published. Drafts are free."""
    found: list[tuple[str, Incompatibility]] = []
    for name, schema in made.items():
        if schema["x-lifecycle"] == "draft":
            continue
        published = history.get(name, {})
        standing = {path: shape for path, shape in published.items() if not shape["removed"]}
        tombstones = {path: shape for path, shape in published.items() if shape["removed"]}
        now = fields(schema)
        changes = compare_fields(standing, now, schema["x-compatibility"]) if standing else []
        found += [(name, change) for change in (*changes, *readded(tombstones, now))]
    return found


def extend_history(history: Published, made: Mapping[str, Mapping[str, Any]]) -> Published:
    """The history after these schemas are published; nothing ever leaves it."""
    extended = {name: dict(published) for name, published in history.items()}
    for name, schema in made.items():
        if schema["x-lifecycle"] == "draft":
            continue
        now = fields(schema)
        published = extended.setdefault(name, {})
        for path in published.keys() - now.keys():
            published[path] = {**published[path], "removed": True}
        published |= {path: {**shape, "removed": False} for path, shape in now.items()}
    return extended


def written(value: object) -> str:
    """JSON as it is committed."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def publish(folder: Path = FOLDER) -> list[tuple[str, Incompatibility]]:
    """Write all schemas and the history, or nothing when one of them may not follow."""
    made = schemas()
    history = read_history(folder)
    found = judge(history, made)
    if found:
        return found
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in made.items():
        (folder / f"{name}.json").write_text(written(schema))
    (folder / HISTORY).write_text(written(extend_history(history, made)))
    return []


def _generate(struct: type[msgspec.Struct], name: str) -> dict[str, Any]:
    made = msgspec.json.schema(struct)
    definitions = made["$defs"]
    top = definitions.pop(struct.__name__)
    document = {"$schema": _DIALECT, "$id": f"urn:omniflow:contract:{name}", **top, "title": name}
    if definitions:
        document["$defs"] = definitions
    for part in (document, *definitions.values()):
        for field in part.get("properties", {}).values():
            field["x-security-class"] = _security_class(field)
    return {key: _published(value) for key, value in document.items()}


def _security_class(field: dict[str, Any]) -> str:
    """Say the class at the field itself, not at one of its alternatives."""
    found = field.pop("x-security-class", None)
    for option in field.get("anyOf", ()):
        found = option.pop("x-security-class", None) or found
    return found or "internal"


def _published(value: Any) -> Any:
    r"""Python's end of text is ``\Z`` where a JSON Schema's is ``$``."""
    if isinstance(value, dict):
        return {
            key: part.removesuffix(r"\Z") + "$"
            if key == "pattern" and isinstance(part, str) and part.endswith(r"\Z")
            else _published(part)
            for key, part in value.items()
        }
    return [_published(part) for part in value] if isinstance(value, list) else value


def main() -> int:
    """Publish, or say what may not be published."""
    parser = argparse.ArgumentParser(description="Write the published JSON Schemas.")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    found = publish(parser.parse_args().folder)
    for name, change in found:
        sys.stderr.write(f"{name}: {change.path}: {change.change}: {change.reason}\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
