"""The decision of a plan as it is stored, and how to take it again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pandas as pd

from assets.commerce.identifiers import decision_id, identify
from assets.decisions.policy_document import PolicyDocument
from assets.decisions.tables import decode_tables, encode_tables
from assets.flow_writes import FlowWrites
from assets.procure_to_stock.replenishment_policy import (
    ReplenishmentPolicy,
    replenishment_policy,
)
from assets.procure_to_stock.rules.replenishment import Proposed, propose

KIND = "replenishment"
POLICY = "replenishment"


def outcome_hash(proposed: Proposed) -> bytes:
    """SHA-256 over what is proposed and moved."""
    said = [
        ",".join(map(str, row))
        for table, names in (
            (
                proposed.proposals,
                ["sku", "node_id", "supplier_id", "outcome", "needed_quantity", "order_quantity"],
            ),
            (proposed.transfers, ["sku", "from_node_id", "to_node_id", "quantity"]),
        )
        for row in table[names].itertuples(index=False, name=None)
    ]
    return hashlib.sha256("\n".join(said).encode()).digest()


def recompute(encoded: bytes, document: Mapping[str, Any]) -> bytes:
    """The outcome hash that stored inputs and policy give today."""
    tables, _ = decode_tables(encoded)
    stored = msgspec.convert(dict(document), PolicyDocument)
    policy: ReplenishmentPolicy = replenishment_policy(stored.resolve("", ""))
    return outcome_hash(
        propose(tables["demand"], tables["shares"], tables["positions"], tables["terms"], policy)
    )


def keep(
    plan_id: str,
    tables: Mapping[str, pd.DataFrame],
    proposed: Proposed,
    said: Sequence[tuple[str, str, str | None]],
    writes: FlowWrites,
) -> None:
    """Keep a plan's decision: its inputs once, and (proposal, outcome, problem) of each."""
    unit_of_work = writes.unit_of_work
    batch_id = str(identify("decision_batch", KIND, plan_id))
    unit_of_work.append(
        "decision_batch",
        {
            "decision_batch_id": [batch_id],
            "kind": [KIND],
            "policy_hash": [unit_of_work.policies.policy_hash(POLICY)],
            "mode": ["normal"],
            "inputs": [encode_tables(tables, [])],
            "outcome_hash": [outcome_hash(proposed)],
        },
    )
    writes.rows["decision_record"] += [
        (
            str(decision_id(KIND, proposal)),
            batch_id,
            KIND,
            proposal,
            outcome,
            [problem] if problem else [],
        )
        for proposal, outcome, problem in said
    ]
