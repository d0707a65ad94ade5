"""A policy as it is stored: owned, effective-dated, known by its content, laid over by scope.

An overlay has a ``scope`` (region, brand or both) and ``values`` that are laid over the base ones,
mapping by mapping; the most specific scope wins, brand after region. Pure, so that a decision can
be recomputed from a stored document.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from assets.settled import settled


class Overlay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Values for one region, brand, or both."""

    scope: dict[str, str]
    values: dict[str, Any]


@settled
class PolicyDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of one policy."""

    policy: str
    owner: str
    effective_from: date
    values: dict[str, Any]
    overlays: list[Overlay] = []

    @property
    def policy_hash(self) -> str:
        """Content hash: equal documents are the same version, wherever they lie."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()

    def resolve(self, region: str, brand: str) -> dict[str, Any]:
        """The values that hold for a region and brand: base, region, brand, then both."""
        here = {"region": region, "brand": brand}
        matching = [
            overlay
            for overlay in self.overlays
            if all(here.get(dimension) == value for dimension, value in overlay.scope.items())
        ]
        matching.sort(key=lambda overlay: (len(overlay.scope), "brand" in overlay.scope))
        values: dict[str, Any] = self.values
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
