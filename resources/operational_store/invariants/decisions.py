"""P2: a decision is what its stored inputs and its policy make it, today as on its day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import MsgspecError

from assets.decisions.policy_document import PolicyDocument
from assets.decisions.recompute import UnknownDecisionKind, recompute, register
from assets.errors import RetailFlowError
from assets.order_to_fulfillment import decision as sourcing
from assets.order_to_fulfillment.backordering import decision as backorder
from assets.order_to_fulfillment.pickup import decision as pickup
from assets.procure_to_stock import plan_decision
from resources.operational_store.invariants.judging import Invariant, Violation


def _decisions_taken_otherwise(connection: sa.Connection) -> Iterator[Violation]:
    """Decisions that today's rule, on the stored inputs and policy, takes otherwise."""
    documents: dict[str, Any] = {}
    for row in connection.execute(
        sa.text("select policy_hash, document from policy_version order by policy_hash")
    ):
        documents[row.policy_hash] = row.document
        if _hash_of(row.document) != row.policy_hash:
            yield {
                "wrong": "a policy is not the one that its hash names",
                "policy_hash": row.policy_hash,
            }
    batches = connection.execute(
        sa.text(
            """
            select decision_batch_id, kind, policy_hash, inputs, outcome_hash
            from decision_batch
            order by recorded_xid, decision_batch_id
            """
        ),
        execution_options={"stream_results": True, "yield_per": 20},
    )
    for row in batches:
        wrong = difference(
            row.kind, documents.get(row.policy_hash), bytes(row.inputs), bytes(row.outcome_hash)
        )
        if wrong is not None:
            keys = {"decision_batch_id": row.decision_batch_id, "kind": row.kind}
            yield {"wrong": wrong, **keys}


def difference(kind: str, document: Any | None, inputs: bytes, outcome_hash: bytes) -> str | None:
    """What is wrong with a stored decision when it is taken again; ``None`` where nothing is."""
    # Decisions know no flow, so whoever takes one again says which flows there are.
    register(sourcing.KIND, sourcing.recompute)
    register(pickup.KIND, pickup.recompute)
    register(pickup.OTHER_STORE_KIND, pickup.recompute_store)
    register(backorder.KIND, backorder.recompute)
    register(plan_decision.KIND, plan_decision.recompute)
    register(backorder.RELEASE_KIND, backorder.recompute_release)
    if document is None:
        return "decided under a policy that is not stored"
    try:
        again = recompute(kind, inputs, document)
    except UnknownDecisionKind:
        return "no rule takes decisions of this kind"
    except (RetailFlowError, ValueError, LookupError, TypeError, OSError, MsgspecError) as error:
        # Inputs that cannot be read are evidence lost, which is what this check is for.
        return f"cannot be taken again: {type(error).__name__}"
    return None if again == outcome_hash else "is taken otherwise today"


def _hash_of(document: Any) -> str | None:
    try:
        return msgspec.convert(document, PolicyDocument).policy_hash
    except msgspec.ValidationError:
        return None


P2 = Invariant(
    "P2",
    "Every decision, taken again from its stored inputs and policy, comes out the same",
    "select exists (select from decision_batch) or exists (select from decision_record)",
    {
        "decided without stored inputs": """
            select record.decision_id, record.kind, record.business_key
            from decision_record as record
            left join decision_batch as batch
                on record.decision_batch_id = batch.decision_batch_id and record.kind = batch.kind
            where batch.decision_batch_id is null
            order by record.decision_id
        """,
    },
    _decisions_taken_otherwise,
)
