"""How each kind of decision is taken again from what was stored of it.

A flow knows its rule and decisions know no flow, so the flow registers its kind here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from assets.errors import RetailFlowError

#: (encoded inputs, policy document) → outcome hash, as they were stored.
Recompute = Callable[[bytes, Mapping[str, Any]], bytes]

DECISION_RULES: dict[str, Recompute] = {}


class UnknownDecisionKind(RetailFlowError):
    """A stored decision is of a kind that no flow of this version takes."""


def register(kind: str, rule: Recompute) -> None:
    """Say how decisions of a kind are taken again.

    Raises:
        ValueError: If another rule has the kind already: one rule, one home.
    """
    if DECISION_RULES.setdefault(kind, rule) is not rule:
        raise ValueError(f"decisions of kind {kind!r} have a rule already")


def recompute(kind: str, inputs: bytes, policy_document: Mapping[str, Any]) -> bytes:
    """The outcome hash that today's rule gives for stored inputs and policy.

    Raises:
        UnknownDecisionKind: If no flow has registered the kind.
    """
    if kind not in DECISION_RULES:
        raise UnknownDecisionKind(f"no rule takes decisions of kind {kind!r}")
    return DECISION_RULES[kind](inputs, policy_document)
