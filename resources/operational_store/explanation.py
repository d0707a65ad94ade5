"""Why a decision came out as it did: what was asked, what each node had, which policy, which rule.

Everything is read from what was stored when it was decided, and decided again; nothing is taken
from positions or policies of today.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from assets.commerce.money import to_text
from assets.decisions.policy_document import PolicyDocument
from assets.errors import BadInput, RetailFlowError
from assets.order_to_fulfillment import decision as sourcing
from assets.order_to_fulfillment.sourcing.deciding import Sourced, source
from assets.order_to_fulfillment.sourcing.explaining import explain_order
from assets.order_to_fulfillment.sourcing.profile import Profile
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
    again = _decided_again(row)
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
        "sourcing": _judged(again) if again else None,
        "lines": _lines(connection, row, again) if again else [],
        "recomputation_agrees": wrong is None,
        "recomputation_differs_because": wrong,
    }


@dataclass(frozen=True)
class _Again:
    """A stored sourcing decision, decided again."""

    inputs: sourcing.SourcingInputs
    profiles: list[Profile]
    sourced: Sourced
    order: int


def _decided_again(row: sa.Row[Any]) -> _Again | None:
    if row.kind != sourcing.KIND or row.inputs is None or row.document is None:
        return None
    try:
        inputs = sourcing.SourcingInputs.decode(bytes(row.inputs))
        profiles = inputs.profiles_under(msgspec.convert(row.document, PolicyDocument))
        orders = inputs.tables.orders["order_id"].tolist()
        order = orders.index(row.business_key)
        return _Again(inputs, profiles, source(inputs.tables, profiles), order)
    except (RetailFlowError, ValueError, LookupError, TypeError, OSError, msgspec.MsgspecError):
        # Inputs that cannot be read any more are what `recomputation_differs_because` says.
        return None


def _judged(again: _Again) -> dict[str, Any]:
    """Every node with its scores; amounts as decimal text."""
    found = explain_order(again.inputs.tables, again.profiles, again.order)

    def readable(values: dict[str, Any]) -> dict[str, Any]:
        return {
            name: to_text(value) if name.endswith("_amount") else value
            for name, value in values.items()
        }

    return {
        "mode": found.mode,
        "method": found.method,
        "objective": readable(found.objective),
        "candidates": [
            {
                **readable(candidate),
                "objective_alone": candidate["objective_alone"]
                and readable(candidate["objective_alone"]),
            }
            for candidate in found.candidates
        ],
    }


def _lines(connection: sa.Connection, row: sa.Row[Any], again: _Again) -> list[dict[str, Any]]:
    """Each line of the order with every node, those that its channel would rather have first."""
    tables, taken = again.inputs.tables, again.sourced.units
    lines = tables.order_lines
    profile = again.profiles[int(tables.orders["profile"].iloc[again.order])]
    nodes = sorted(tables.nodes["node_id"], key=lambda node: (profile.rank(node), node))
    skus = lines["sku"].to_numpy(object)
    taken = taken.assign(sku=skus[taken["line"].to_numpy()])
    stock = tables.stock.set_index(["node_id", "sku"])["unpromised_quantity"].to_dict()
    unmet = again.sourced.unmet.set_index("line")["reason_code"].to_dict()
    reserved = _reserved(connection, row.business_key)
    bundle_of = dict(
        zip(tables.bundles["line"], tables.bundles["bundle_line_number"].tolist(), strict=True)
    )
    sku_of = _ordered_skus(connection, row.business_key) if bundle_of else {}
    result = []
    for position, line in lines[lines["order"] == again.order].iterrows():
        earlier = taken[(taken["sku"] == line["sku"]) & (taken["line"] < position)]
        before = earlier.groupby("node_id")["quantity"].sum().to_dict()
        number = int(line["line_number"])
        candidates: list[dict[str, Any]] = [
            {
                "node_id": node,
                "unpromised_quantity": int(stock.get((node, line["sku"]), 0)),
                "taken_by_earlier_lines_quantity": int(before.get(node, 0)),
                "kept_back_quantity": profile.kept(node),
                "reserved_quantity": reserved.get((number, node), 0),
            }
            for node in nodes
        ]
        wanted = int(line["quantity"])
        given = sum(int(candidate["reserved_quantity"]) for candidate in candidates)
        result.append(
            {
                "line_number": number,
                "sku": line["sku"],
                "bundle_line_number": bundle_of.get(position),
                "bundle_sku": sku_of.get(bundle_of.get(position)),
                "ordered_quantity": wanted,
                "reserved_quantity": given,
                "unfilled_quantity": wanted - given,
                "unfilled_reason_code": unmet.get(position),
                "candidates": candidates,
            }
        )
    return result


def _ordered_skus(connection: sa.Connection, order_id: str) -> dict[int | None, str]:
    """SKU of each line of an order, bundles as such."""
    rows = connection.execute(
        sa.text("select line_number, sku from order_line where order_id = cast(:order_id as uuid)"),
        {"order_id": order_id},
    )
    return {row.line_number: row.sku for row in rows}


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
