"""Reads the policy files: one YAML a flow, and the platform's two. Nothing else reads one of them.

A home may replace any of them by a file of its own, so a new brand is an overlay and no code.
"""

from __future__ import annotations

import itertools
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from assets.approvals.policy import approvals_policy
from assets.decisions.policy_document import PolicyDocument
from assets.errors import PolicyError
from assets.exception_routing.catalogue import POLICIES, Catalogue
from assets.exception_routing.policy import (
    exceptions_policy,
    owners_policy,
    playbooks_policy,
    service_levels_policy,
)
from assets.finance.policy import finance_policy
from assets.inventory.policy import inventory_policy
from assets.inventory.synchronisation.policy import synchronisation_policy
from assets.master_data.policy import pricing_policy
from assets.notifications.policy import notifications_policy
from assets.operations_policy import OperationsPolicy, operations_policy
from assets.order_to_fulfillment.backordering.policy import backorder_policy
from assets.order_to_fulfillment.pickup.policy import pickup_policy
from assets.order_to_fulfillment.policy import order_policy
from assets.procure_to_stock.policy import procure_policy
from assets.procure_to_stock.replenishment_policy import replenishment_policy
from assets.retention_policy import RetentionPolicy, retention_policy

#: Where in a document an error is, in the words of who decodes it.
_PLACE = re.compile(r"`\$([^`]*)`")
_KEY = re.compile(r"[A-Za-z_]\w*|\d+")
SHIPPED = Path(__file__).parent / "policies"
OPERATIONS = "operations"
RETENTION = "retention"
#: What decisions rest on, and so is kept with them.
FLOWS = (
    "procure_to_stock",
    "replenishment",
    "order_to_fulfillment",
    "pickup",
    "backorder",
    "inventory",
    "finance",
    "inventory_synchronisation",
    "pricing",
    *POLICIES,
    "approvals",
    "notifications",
)
#: What is made of the values of each policy; it raises where that cannot be.
TYPED: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "procure_to_stock": procure_policy,
    "replenishment": replenishment_policy,
    "order_to_fulfillment": order_policy,
    "pickup": pickup_policy,
    "backorder": backorder_policy,
    "inventory": inventory_policy,
    "finance": finance_policy,
    "inventory_synchronisation": synchronisation_policy,
    "pricing": pricing_policy,
    "owners": owners_policy,
    "approvals": approvals_policy,
    "exceptions": exceptions_policy,
    "service_levels": service_levels_policy,
    "playbooks": playbooks_policy,
    "notifications": notifications_policy,
    OPERATIONS: operations_policy,
    RETENTION: retention_policy,
}
#: What no overlay may set, by policy: keys that are asked for before a scope is known, and why.
OF_THE_HOUSE: Mapping[str, Mapping[str, str]] = {
    "inventory_synchronisation": {
        "settling_minutes": "snapshots of all regions and brands are taken up together",
    },
}


def read_document(path: Path) -> PolicyDocument:
    """One policy file, checked for shape.

    Raises:
        PolicyError: If it is missing, not YAML, or has unknown or missing keys.
    """
    try:
        document = msgspec.convert(yaml.safe_load(path.read_text("utf-8")), PolicyDocument)
    except FileNotFoundError as error:
        raise PolicyError(f"policy file {path} is missing") from error
    except yaml.YAMLError as error:
        raise PolicyError(f"{path}: {' '.join(str(error).split())}") from error
    except msgspec.ValidationError as error:
        raise PolicyError(f"{path}: {error}") from error
    for overlay in document.overlays:
        if not overlay.scope or set(overlay.scope) - {"region", "brand"}:
            raise PolicyError(f"{path}: an overlay's scope names region and brand only")
        strangers = set(overlay.values) - set(document.values)
        if strangers:
            raise PolicyError(f"{path}: an overlay sets unknown keys {sorted(strangers)}")
        for key in OF_THE_HOUSE.get(document.policy, {}).keys() & overlay.values.keys():
            why = OF_THE_HOUSE[document.policy][key]
            raise PolicyError(f"{path}: an overlay sets {key}, but {why}")
    return document


def _scopes(documents: Iterable[PolicyDocument]) -> Iterator[tuple[str, str]]:
    """Every (region, brand) for which overlays may say something else, the whole house first."""
    scopes = [overlay.scope for document in documents for overlay in document.overlays]
    regions, brands = (
        ["", *sorted({scope[dimension] for scope in scopes if dimension in scope})]
        for dimension in ("region", "brand")
    )
    return itertools.product(regions, brands)


def _check_values(document: PolicyDocument, path: Path) -> None:
    """Make the values typed in every scope, so that no order is the first to find out."""
    for region, brand in _scopes([document]):
        try:
            TYPED[document.policy](document.resolve(region, brand))
        except PolicyError as error:
            scope = " ".join(part for part in (region, brand) if part)
            where = f" for {scope}" if scope else ""
            raise PolicyError(f"{path}, line {_line(path, str(error))}{where}: {error}") from error


def _line(path: Path, error: str) -> int:
    """The line of what an error is about, as far down as the error names it."""
    said = _PLACE.search(error)
    keys = ["values", *(_KEY.findall(said.group(1)) if said else [])]
    node = yaml.compose(path.read_text("utf-8"))
    line = 0
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == key), None)
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and key.isdigit() and int(key) < len(node.value):
            node = node.value[int(key)]
            line = node.start_mark.line
        else:
            break
    return line + 1


def read_policy(path: Path, flow: str) -> PolicyDocument:
    """One policy file of a flow, its values checked in every scope.

    Raises:
        PolicyError: If it is missing, malformed, of another flow, or its values cannot be meant.
    """
    document = read_document(path)
    if document.policy != flow:
        raise PolicyError(f"{path} says that it is {document.policy}")
    _check_values(document, path)
    return document


def _path(folder: Path, policy: str) -> Path:
    """Where a policy of a home is: its own file where it has one, else the shipped one."""
    path = folder / f"{policy}.yaml"
    return path if path.exists() else SHIPPED / path.name


def _read_whole(folder: Path, policy: str, why: str) -> PolicyDocument:
    """A policy that takes no overlay at all."""
    path = _path(folder, policy)
    document = read_policy(path, policy)
    if document.overlays:
        raise PolicyError(f"{path}: {why}")
    return document


def read_operations(folder: Path = SHIPPED) -> OperationsPolicy:
    """How the platform's processes behave in one home, in every region and brand alike.

    Raises:
        PolicyError: If the file has unknown or missing keys, values of the wrong kind, or overlays.
    """
    document = _read_whole(folder, OPERATIONS, "a process works for all regions and brands")
    return operations_policy(document.values)


def read_retention(folder: Path = SHIPPED) -> RetentionPolicy:
    """How long what is no fact is kept in one home: a refused body does not say whose it is.

    Raises:
        PolicyError: If the file has unknown or missing keys, values of the wrong kind, or overlays.
    """
    document = _read_whole(folder, RETENTION, "it holds for the whole home, without overlays")
    return retention_policy(document.values)


class FilePolicyBook:
    """The policies of one home: its own files where it has them, else the shipped ones.

    Attributes:
        documents: The flows' policies by name.
        operations: How the platform's processes behave.
        retention: How long what is no fact is kept.
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        self.documents = {flow: read_policy(_path(folder, flow), flow) for flow in FLOWS}
        self.operations = read_operations(folder)
        self.retention = read_retention(folder)
        self._resolve = cache(self._resolved)
        # What each policy says of cases has to agree with the others, wherever an overlay holds.
        for region, brand in _scopes(self.documents[policy] for policy in POLICIES):
            try:
                Catalogue.resolved(self, region, brand)
            except PolicyError as error:
                policy = str(error).partition(":")[0]
                raise PolicyError(f"{_path(folder, policy)}: {error}") from error

    def _resolved(self, policy: str, region: str, brand: str) -> dict[str, Any]:
        return self.documents[policy].resolve(region, brand)

    def resolve(self, policy: str, region: str, brand: str) -> Mapping[str, Any]:
        """Values of one policy for a region and brand."""
        return self._resolve(policy, region, brand)

    def policy_hash(self, policy: str) -> str:
        """The version of one policy."""
        return self.documents[policy].policy_hash


def kept_in(folder: Path) -> Path:
    """Where the last good policies of a home lie, whose own policies are in this folder."""
    return folder.parent / "run" / "policies"


def in_force(folder: Path) -> tuple[FilePolicyBook, str | None]:
    """The policies of a home, or the last ones that could be meant, and what is wrong then.

    Args:
        folder: The home's own policies; good ones are kept, whole or not at all.

    Raises:
        PolicyError: If neither can be meant.
    """
    kept = kept_in(folder)
    try:
        book = FilePolicyBook(folder)
    except PolicyError as refused:
        if not kept.exists():
            raise
        return FilePolicyBook(kept), str(refused)
    _keep(folder, kept)
    return book, None


def _keep(folder: Path, kept: Path) -> None:
    own = sorted(folder.glob("*.yaml")) if folder.exists() else []
    said = {path.name: path.read_bytes() for path in own}
    if kept.exists() and said == {path.name: path.read_bytes() for path in kept.glob("*.yaml")}:
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f"{kept.name}.", dir=kept.parent))
    for name, content in said.items():
        (draft / name).write_bytes(content)
    former = Path(tempfile.mkdtemp(prefix=f"{kept.name}.", dir=kept.parent))
    if kept.exists():
        kept.replace(former / kept.name)
    draft.replace(kept)
    shutil.rmtree(former, ignore_errors=True)
