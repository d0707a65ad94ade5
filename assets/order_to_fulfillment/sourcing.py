"""Sourcing: where the units of new orders come from, decided for all lines at once and kept."""

from __future__ import annotations

import pandas as pd

from assets.commerce.identifiers import decision_id, identify
from assets.order_to_fulfillment.decision import KIND, SourcingInputs, outcome_hash
from assets.order_to_fulfillment.intake import Candidate
from assets.order_to_fulfillment.rules import source
from assets.order_to_fulfillment.writes import Writes

OUT_OF_STOCK = "out_of_stock"


def source_lines(candidates: list[Candidate], writes: Writes) -> str:
    """Decide all lines at once and keep the decision; fills each candidate's ``sourced``."""
    scopes = _scopes(candidates)
    index_of = {scope: index for index, scope in enumerate(scopes)}
    rows: list[tuple[str, int, str, int, int]] = []
    owners: list[Candidate] = []
    for candidate in candidates:
        event = candidate.event
        profile = index_of[event.channel, event.region, event.brand]
        candidate.first_line = len(rows)
        for line in candidate.data.lines:
            rows.append((candidate.order_id, line.line_number, line.sku, line.quantity, profile))
            owners.append(candidate)
    order_lines = pd.DataFrame(
        rows, columns=["order_id", "line_number", "sku", "quantity", "profile"]
    ).astype({"line_number": "int64", "quantity": "int64", "profile": "int64"})
    positions = writes.unit_of_work.stock.lock_positions({row[2] for row in rows})
    stock = pd.DataFrame(
        [(position.node_id, position.sku, position.unpromised) for position in positions],
        columns=["node_id", "sku", "unpromised_quantity"],
    ).astype({"unpromised_quantity": "int64"})
    nodes = sorted(writes.unit_of_work.master_data.nodes())
    inputs = SourcingInputs(order_lines, stock, scopes, nodes)
    sourced = source(order_lines, stock, inputs.profiles(writes.policy))
    for line, node, units in zip(
        sourced["line"].tolist(),
        sourced["node_id"].tolist(),
        sourced["quantity"].tolist(),
        strict=True,
    ):
        owners[line].sourced[line].append((node, units))
    return _keep_decision(candidates, inputs, outcome_hash(order_lines, sourced), writes)


def _scopes(candidates: list[Candidate]) -> list[tuple[str, str, str]]:
    """Distinct (channel, region, brand) in the order in which they come."""
    return list(dict.fromkeys((c.event.channel, c.event.region, c.event.brand) for c in candidates))


def _keep_decision(
    candidates: list[Candidate], inputs: SourcingInputs, outcome: bytes, writes: Writes
) -> str:
    batch_id = str(identify("decision_batch", KIND, *(c.order_id for c in candidates)))
    writes.unit_of_work.append(
        "decision_batch",
        {
            "decision_batch_id": [batch_id],
            "kind": [KIND],
            "policy_hash": [writes.unit_of_work.policies.policy_hash("order_to_fulfillment")],
            "mode": ["normal"],
            "inputs": [inputs.encode()],
            "outcome_hash": [outcome],
        },
    )
    return batch_id


def record_decision(
    candidate: Candidate, ordered: int, reserved: int, batch_id: str, writes: Writes
) -> None:
    """Write what was decided about one order, and why; quantities are in each."""
    nodes = {node for given in candidate.sourced.values() for node, _ in given}
    reasons = ["split_over_nodes"] if len(nodes) > 1 else []
    if not ordered:
        outcome = "charges_only"
    elif reserved == ordered:
        outcome = "filled"
    else:
        outcome = "partly_filled" if reserved else "unfilled"
        reasons.append(OUT_OF_STOCK)
    writes.rows["decision_record"].append(
        (
            str(decision_id(KIND, candidate.order_id)),
            batch_id,
            KIND,
            candidate.order_id,
            outcome,
            reasons,
        )
    )
    objects = [("order", candidate.order_id, "sourced for")]
    objects += [("node", node, "ships") for node in sorted(nodes)]
    writes.process.add(
        "stock reserved" if reserved else "stock not found",
        candidate.order_id,
        writes.unit_of_work.effective_at,
        objects,
        candidate.order_id,
    )
