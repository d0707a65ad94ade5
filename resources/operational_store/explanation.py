"""Why a decision came out as it did: what was asked, what each node had, which policy, which rule.

Everything is read from what was stored when it was decided, and decided again; nothing is taken
from positions or policies of today.
"""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
import sqlalchemy as sa

from assets.decisions.policy_document import PolicyDocument
from assets.errors import BadInput, RetailFlowError
from assets.order_to_fulfillment import decision as sourcing
from assets.order_to_fulfillment.policy import order_policy
from resources.operational_store.invariants.decisions import difference

_DECISIONS = """
select
    record.decision_id,
    record.kind,
    record.business_key,
    record.outcome,
    record.reason_codes,
    record.effective_at,
    record.decision_batch_id,
    batch.mode,
    batch.policy_hash,
    batch.inputs,
    batch.outcome_hash,
    policy.policy,
    policy.owner,
    policy.effective_from,
    policy.document,
    placed.order_number,
    placed.channel,
    placed.region,
    placed.brand
from decision_record as record
left join decision_batch as batch on record.decision_batch_id = batch.decision_batch_id
left join policy_version as policy on batch.policy_hash = policy.policy_hash
left join order_placed as placed on record.business_key = placed.order_id::text
where {which}
order by record.effective_at, record.decision_id
"""


def explain(connection: sa.Connection, name: str) -> dict[str, Any]:
    """Explain a decision by its own id, or by the id or number of the order that it is about.

    Raises:
        BadInput: If nothing is known by that name, or more than one decision: an order number is
            the channel's own, so two channels may have given the same.
    """
    found = connection.execute(
        sa.text(_DECISIONS.format(which=_which(connection, name))), {"name": name}
    ).all()
    if not found:
        raise BadInput(f"no decision and no order with decisions is known as {name}")
    if len(found) > 1:
        choices = ", ".join(f"{row.decision_id} ({row.kind}, {row.channel})" for row in found)
        raise BadInput(f"{name} names {len(found)} decisions; say which: {choices}")
    return _explained(connection, found[0])


def _which(connection: sa.Connection, name: str) -> str:
    """The condition that needs the fewest rows: ids are looked up by key, numbers are not."""
    try:
        uuid.UUID(name)
    except ValueError:
        orders = connection.execute(
            sa.text("select 1 from order_placed where order_number = :name limit 1"), {"name": name}
        ).first()
        if orders is None:
            raise BadInput(f"no order is known as {name}, and it is no decision's id") from None
        return (
            "record.business_key in"
            " (select order_id::text from order_placed where order_number = :name)"
        )
    decisions = connection.execute(
        sa.text("select 1 from decision_record where decision_id = cast(:name as uuid)"),
        {"name": name},
    ).first()
    if decisions is not None:
        return "record.decision_id = cast(:name as uuid)"
    return "record.business_key = cast(cast(:name as uuid) as text)"


def _explained(connection: sa.Connection, row: sa.Row[Any]) -> dict[str, Any]:
    kept = row.inputs is not None
    wrong = (
        difference(row.kind, row.document, bytes(row.inputs), bytes(row.outcome_hash))
        if kept
        else "decided without stored inputs"
    )
    return {
        "decision_id": str(row.decision_id),
        "kind": row.kind,
        "business_key": row.business_key,
        "order_number": row.order_number,
        "channel": row.channel,
        "effective_at": row.effective_at.isoformat(),
        "mode": row.mode,
        "outcome": row.outcome,
        "reason_codes": list(row.reason_codes),
        "decision_batch_id": str(row.decision_batch_id),
        "policy": {
            "policy": row.policy,
            "owner": row.owner,
            "effective_from": row.effective_from and row.effective_from.isoformat(),
            "policy_hash": row.policy_hash,
        },
        "lines": _lines(connection, row) if kept and row.document is not None else [],
        "recomputation_agrees": wrong is None,
        "recomputation_differs_because": wrong,
    }


def _lines(connection: sa.Connection, row: sa.Row[Any]) -> list[dict[str, Any]]:
    """Each line of the order with every node that it could ask, in the order of asking."""
    if row.kind != sourcing.KIND:
        return []
    try:
        inputs = sourcing.SourcingInputs.decode(bytes(row.inputs))
        document = msgspec.convert(row.document, PolicyDocument)
        again = sourcing.decide_again(inputs, document)
    except (RetailFlowError, ValueError, LookupError, TypeError, OSError, msgspec.MsgspecError):
        # Inputs that cannot be read any more are what `recomputation_differs_because` says.
        return []
    profiles = inputs.profiles(lambda region, brand: order_policy(document.resolve(region, brand)))
    lines = inputs.order_lines
    taken = again.merge(
        lines[["sku"]].rename_axis("line").reset_index(), on="line", validate="many_to_one"
    )
    stock = inputs.stock.set_index(["node_id", "sku"])["unpromised_quantity"].to_dict()
    reserved = _reserved(connection, row.business_key)
    result = []
    for position, line in lines[lines["order_id"] == row.business_key].iterrows():
        earlier = taken[(taken["sku"] == line["sku"]) & (taken["line"] < position)]
        before = earlier.groupby("node_id")["quantity"].sum().to_dict()
        number = int(line["line_number"])
        candidates: list[dict[str, Any]] = [
            {
                "node_id": node,
                "unpromised_quantity": int(stock.get((node, line["sku"]), 0)),
                "taken_by_earlier_lines_quantity": int(before.get(node, 0)),
                "kept_back_quantity": kept_back,
                "reserved_quantity": reserved.get((number, node), 0),
            }
            for node, kept_back in profiles[int(line["profile"])]
        ]
        wanted = int(line["quantity"])
        given = sum(int(candidate["reserved_quantity"]) for candidate in candidates)
        result.append(
            {
                "line_number": number,
                "sku": line["sku"],
                "ordered_quantity": wanted,
                "reserved_quantity": given,
                "unfilled_quantity": wanted - given,
                "candidates": candidates,
            }
        )
    return result


def _reserved(connection: sa.Connection, order_id: str) -> dict[tuple[int, str], int]:
    """What the ledger says was reserved for an order, by line and node."""
    rows = connection.execute(
        sa.text(
            "select line_number, node_id, quantity from reservation_movement"
            " where order_id = cast(:order_id as uuid) and is_start"
        ),
        {"order_id": order_id},
    )
    return {(row.line_number, row.node_id): row.quantity for row in rows}
