"""Reads the policy files: one YAML a flow. Nothing else of the product reads one.

A home may replace any of them by a file of its own, so a new brand is an overlay and no code.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from assets.decisions.policy_document import PolicyDocument
from assets.errors import PolicyError
from assets.finance.policy import finance_policy
from assets.inventory.policy import inventory_policy
from assets.order_to_fulfillment.policy import order_policy

SHIPPED = Path(__file__).parent / "policies"
#: What each flow makes of its values; it raises where it cannot.
TYPED: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "order_to_fulfillment": order_policy,
    "inventory": inventory_policy,
    "finance": finance_policy,
}
FLOWS = tuple(TYPED)


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
        if not overlay.scope or set(overlay.scope) - {"region", "brand"}:
            raise PolicyError(f"{path.name}: an overlay's scope names region and brand only")
        strangers = set(overlay.values) - set(document.values)
        if strangers:
            raise PolicyError(f"{path.name}: an overlay sets unknown keys {sorted(strangers)}")
    return document


def _check_values(document: PolicyDocument, name: str) -> None:
    """What a flow makes of the values in every scope, so that no order is the first to find out."""
    regions, brands = (
        ["", *sorted({o.scope[dimension] for o in document.overlays if dimension in o.scope})]
        for dimension in ("region", "brand")
    )
    for region, brand in itertools.product(regions, brands):
        try:
            TYPED[document.policy](document.resolve(region, brand))
        except PolicyError as error:
            where = f" for {region} {brand}".rstrip()
            raise PolicyError(f"{name}{where}: {error}") from error


class FilePolicyBook:
    """The policies of one home: its own files where it has them, else the shipped ones.

    Attributes:
        documents: Policy name → document.
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        self.documents: dict[str, PolicyDocument] = {}
        for flow in FLOWS:
            path = folder / f"{flow}.yaml"
            document = read_document(path if path.exists() else SHIPPED / f"{flow}.yaml")
            if document.policy != flow:
                raise PolicyError(f"{path.name} says that it is {document.policy}")
            _check_values(document, path.name)
            self.documents[flow] = document
        self._resolve = cache(self._resolved)

    def _resolved(self, policy: str, region: str, brand: str) -> dict[str, Any]:
        return self.documents[policy].resolve(region, brand)

    def resolve(self, policy: str, region: str, brand: str) -> Mapping[str, Any]:
        """Values of one policy for a region and brand."""
        return self._resolve(policy, region, brand)

    def policy_hash(self, policy: str) -> str:
        """The version of one policy."""
        return self.documents[policy].policy_hash
