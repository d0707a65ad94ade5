"""Reads the policy files: one YAML a flow, owned, effective-dated, known by the hash of its content.

An overlay has a ``scope`` (region, brand or both) and ``values`` that are laid over the base ones,
mapping by mapping; the most specific scope wins, brand before region. Nothing else of the product
reads a policy file, so a new brand is an overlay and no code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from assets.errors import PolicyError

SHIPPED = Path(__file__).parent / "policies"
FLOWS = ("order_to_fulfillment", "inventory", "finance")


class Overlay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Values for one region, brand, or both."""

    scope: dict[str, str]
    values: dict[str, Any]


class PolicyDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One policy file."""

    policy: str
    owner: str
    effective_from: date
    values: dict[str, Any]
    overlays: list[Overlay] = []

    @property
    def policy_hash(self) -> str:
        """Content hash: equal documents are the same version, wherever they lie."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


def resolve(document: PolicyDocument, region: str, brand: str) -> dict[str, Any]:
    """The values that hold for a region and brand: base, region, brand, then both."""
    here = {"region": region, "brand": brand}
    matching = [
        overlay
        for overlay in document.overlays
        if all(here.get(dimension) == value for dimension, value in overlay.scope.items())
    ]
    matching.sort(key=lambda overlay: (len(overlay.scope), "brand" in overlay.scope))
    values: dict[str, Any] = document.values
    for overlay in matching:
        values = _laid_over(values, overlay.values)
    return values


def _laid_over(base: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in above.items():
        below = result.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        result[key] = _laid_over(below, value) if both else value  # type: ignore[arg-type]
    return result


def read_document(path: Path) -> PolicyDocument:
    """One policy file, checked for shape.

    Raises:
        PolicyError: If it is missing, not YAML, or has unknown or missing keys.
    """
    try:
        document = msgspec.convert(yaml.safe_load(path.read_text("utf-8")), PolicyDocument)
    except FileNotFoundError as error:
        raise PolicyError(f"policy file {path.name} is missing") from error
    except yaml.YAMLError as error:
        raise PolicyError(f"{path.name}: {' '.join(str(error).split())}") from error
    except msgspec.ValidationError as error:
        raise PolicyError(f"{path.name}: {error}") from error
    for overlay in document.overlays:
        unknown = set(overlay.scope) - {"region", "brand"}
        if unknown or not overlay.scope:
            raise PolicyError(f"{path.name}: an overlay's scope names region and brand only")
        strangers = set(overlay.values) - set(document.values)
        if strangers:
            raise PolicyError(f"{path.name}: an overlay sets unknown keys {sorted(strangers)}")
    return document


class FilePolicyBook:
    """The policies of one home: the shipped files, or those of a folder that replaces them.

    Attributes:
        documents: Policy name → document.
    """

    def __init__(self, folder: Path = SHIPPED, fallback: Path = SHIPPED) -> None:
        self.documents: dict[str, PolicyDocument] = {}
        for flow in FLOWS:
            path = folder / f"{flow}.yaml"
            document = read_document(path if path.exists() else fallback / f"{flow}.yaml")
            if document.policy != flow:
                raise PolicyError(f"{path.name} says that it is {document.policy}")
            self.documents[flow] = document
        self._resolve = cache(self._resolved)

    def _resolved(self, policy: str, region: str, brand: str) -> dict[str, Any]:
        return resolve(self.documents[policy], region, brand)

    def resolve(self, policy: str, region: str, brand: str) -> Mapping[str, Any]:
        """Values of one policy for a region and brand."""
        return self._resolve(policy, region, brand)

    def policy_hash(self, policy: str) -> str:
        """The version of one policy."""
        return self.documents[policy].policy_hash
