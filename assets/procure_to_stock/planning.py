"""The one place where a plan's transaction is filled: levels, proposals, and who is asked.

What is proposed of one supplier for one place is one requisition, which waits for consent or is
let in at once, as the policy `approvals` says. The decision itself is kept with its inputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from assets.commerce.identifiers import identify
from assets.commerce.money import to_text
from assets.contracts.purchasing import RequisitionDecided
from assets.flow_writes import FlowWrites
from assets.ports import About, ApprovalRequest, CaseType, UnitOfWork
from assets.procure_to_stock import plan_decision
from assets.procure_to_stock.plan_decision import POLICY
from assets.procure_to_stock.replenishment_policy import replenishment_policy
from assets.procure_to_stock.rules.replenishment import Outcome, propose
from assets.procure_to_stock.supplier_standings import tell_standings
from assets.procure_to_stock.transferring import TRANSFER_PROPOSAL, tell_transfers
from assets.waiting_events import waiting_event

#: What the house's rule of consent is called, and who sends what it is asked about.
SUBJECT_TYPE = "requisition"
SOURCE = "replenishment"
ASKED_BY = "policy:replenishment"

_PROPOSAL = (
    "proposal_id",
    "plan_id",
    "requisition_id",
    "sku",
    "node_id",
    "supplier_id",
    "outcome",
    "problem_code",
    "spike_id",
    "demand_class",
    "model",
    "daily_demand",
    "daily_deviation",
    "lead_time_days",
    "lead_time_deviation_days",
    "safety_stock_quantity",
    "reorder_point_quantity",
    "target_quantity",
    "on_hand_quantity",
    "reserved_quantity",
    "backordered_quantity",
    "on_order_quantity",
    "requested_quantity",
    "needed_quantity",
    "order_quantity",
    "unit_price",
    "amount",
    "currency_code",
    "due_at",
)
_LEVEL = (
    "sku",
    "node_id",
    "plan_id",
    "supplier_id",
    "demand_class",
    "model",
    "daily_demand",
    "daily_deviation",
    "lead_time_days",
    "lead_time_deviation_days",
    "safety_stock_quantity",
    "reorder_point_quantity",
    "target_quantity",
    "position_quantity",
)
_COLUMNS = {
    "replenishment_plan": (
        "plan_id",
        "planned_for",
        "plan_number",
        "policy_hash",
        "series_count",
        "proposal_count",
        "without_supplier_count",
    ),
    "forecast_model": (
        "plan_id",
        "demand_class",
        "model",
        "series_count",
        "rmsse",
        "pinball_loss",
        "is_chosen",
    ),
    "replenishment_proposal": _PROPOSAL,
    "transfer_proposal": TRANSFER_PROPOSAL,
    "supplier_standing": (
        "supplier_id",
        "plan_id",
        "standing",
        "due_line_count",
        "good_line_count",
    ),
    "decision_record": (
        "decision_id",
        "decision_batch_id",
        "kind",
        "business_key",
        "outcome",
        "reason_codes",
    ),
}


@dataclass(frozen=True)
class PlanInputs:
    """What a plan rests on; the tables as `assets.procure_to_stock.rules.replenishment` has them.

    Attributes:
        planned_for: The day.
        plan_number: Of that day, from 1.
        scope: Envelope of what comes of it: legal entity, brand, region, channel.
        spikes: ``spike_id`` by SKU whose class a region asks for more than usual.
        standings: ``supplier_id``, ``standing``, ``due_lines`` and ``good_lines`` of suppliers
            whose deliveries were looked at.
        models: `assets.procure_to_stock.rules.forecasting.Choice.tried`, where models were
            chosen anew.
    """

    planned_for: date
    plan_number: int
    scope: tuple[str, str, str, str]
    demand: pd.DataFrame
    shares: pd.DataFrame
    positions: pd.DataFrame
    terms: pd.DataFrame
    spikes: Mapping[str, str]
    standings: pd.DataFrame
    models: pd.DataFrame | None


@dataclass(frozen=True)
class Planned:
    """How many of what a plan proposes.

    Attributes:
        series: That were forecast, by region and SKU.
        proposals: That are to be ordered, by place and SKU, in so many ``requisitions``.
        waiting: Of the requisitions, those that wait for consent.
    """

    plan_id: str
    series: int
    proposals: int
    without_supplier: int
    not_orderable: int
    over_budget: int
    transfers: int
    requisitions: int
    waiting: int


def plan(inputs: PlanInputs, unit_of_work: UnitOfWork) -> Planned:
    """Propose what is to be ordered, ask for consent to it, and keep what it rests on."""
    policies = unit_of_work.policies
    policy = replenishment_policy(policies.resolve(POLICY, "", ""))
    tables = _tables(inputs)
    proposed = propose(
        tables["demand"], tables["shares"], tables["positions"], tables["terms"], policy
    )
    number = str(inputs.plan_number)
    plan_id = str(identify("replenishment_plan", inputs.planned_for.isoformat(), number))
    writes = FlowWrites(unit_of_work, _COLUMNS)
    kept = proposed.proposals[proposed.proposals["outcome"] != str(Outcome.NO_SUPPLIER)]
    rows = [_row(found, plan_id, inputs, unit_of_work) for found in _records(kept)]
    writes.rows["replenishment_proposal"] += rows
    tell_transfers(plan_id, proposed.transfers, inputs.scope, writes)
    if inputs.models is not None:
        writes.rows["forecast_model"] += [
            (plan_id, *(None if value != value else value for value in row))
            for row in inputs.models.itertuples(index=False, name=None)
        ]
        errors = inputs.demand[["region", "sku", "demand_class", "daily_deviation"]]
        unit_of_work.purchasing.put_forecast_errors(
            {str(name): errors[name].tolist() for name in errors.columns}
        )
    lacking = len(proposed.proposals)
    writes.rows["replenishment_plan"].append(
        (
            plan_id,
            inputs.planned_for,
            inputs.plan_number,
            policies.policy_hash(POLICY),
            len(inputs.demand),
            lacking,
            lacking - len(kept),
        )
    )
    key, outcome, problem = (
        _PROPOSAL.index(name) for name in ("proposal_id", "outcome", "problem_code")
    )
    said = [(row[key], row[outcome], row[problem]) for row in rows]
    plan_decision.keep(plan_id, tables, proposed, said, writes)
    _put_levels(plan_id, proposed.levels, unit_of_work)
    tell_standings(plan_id, inputs.standings, writes)
    _tell_not_orderable(kept, inputs, writes)
    writes.flush()
    waiting = _ask(rows, inputs, unit_of_work)
    outcomes = proposed.proposals["outcome"].value_counts()
    return Planned(
        plan_id=plan_id,
        series=len(inputs.demand),
        proposals=int(outcomes.get(str(Outcome.PROPOSED), 0)),
        without_supplier=lacking - len(kept),
        not_orderable=int(outcomes.get(str(Outcome.NOT_ORDERABLE), 0)),
        over_budget=int(outcomes.get(str(Outcome.OVER_BUDGET), 0)),
        transfers=len(proposed.transfers),
        requisitions=len({row[2] for row in rows if row[2] is not None}),
        waiting=waiting,
    )


def _tables(inputs: PlanInputs) -> dict[str, pd.DataFrame]:
    return {
        "demand": inputs.demand,
        "shares": inputs.shares,
        "positions": inputs.positions,
        "terms": inputs.terms,
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _row(
    found: Mapping[str, Any], plan_id: str, inputs: PlanInputs, unit_of_work: UnitOfWork
) -> tuple[Any, ...]:
    """A proposal as it is stored; its goods are due after the lead time that is planned with."""
    requisition_id = None
    if found["outcome"] == str(Outcome.PROPOSED):
        requisition_id = str(
            identify("requisition", plan_id, found["supplier_id"], found["node_id"])
        )
    made = {
        **found,
        "proposal_id": str(identify("proposal", plan_id, found["sku"], found["node_id"])),
        "plan_id": plan_id,
        "requisition_id": requisition_id,
        "spike_id": inputs.spikes.get(found["sku"]),
        "due_at": unit_of_work.effective_at
        + timedelta(days=int(np.ceil(round(float(found["lead_time_days"]), 6)))),
        "unit_price": int(found["unit_price"]),
        "problem_code": None if found["problem_code"] is None else str(found["problem_code"]),
    }
    return tuple(made[name] for name in _PROPOSAL)


def _put_levels(plan_id: str, levels: pd.DataFrame, unit_of_work: UnitOfWork) -> None:
    """Keep what each place and SKU is held at now."""
    known = levels[levels["demand_class"].notna()].assign(plan_id=plan_id)
    names = [name for name in _LEVEL if name != "plan_id"]
    frame = known[[*names, "plan_id"]].astype(object)
    frame = frame.where(frame.notna(), None)
    columns = {name: frame[name].tolist() for name in [*names, "plan_id"]}
    unit_of_work.purchasing.put_levels(columns)


def _tell_not_orderable(kept: pd.DataFrame, inputs: PlanInputs, writes: FlowWrites) -> None:
    """Ask somebody where a supplier's own rules contradict each other."""
    _, brand, region, channel = inputs.scope
    odd = kept[kept["outcome"] == str(Outcome.NOT_ORDERABLE)]
    for found in _records(odd):
        writes.open_case(
            CaseType.NOT_ORDERABLE,
            f"{found['supplier_id']}/{found['sku']}",
            f"{found['needed_quantity']} units of {found['sku']} are needed and"
            f" {found['supplier_id']} does not sell so: {found['problem_code']}",
            About(region, brand, channel, node_id=found["node_id"]),
        )


def _ask(rows: Iterable[tuple[Any, ...]], inputs: PlanInputs, unit_of_work: UnitOfWork) -> int:
    """Ask for consent, a question for each supplier and place; gives how many wait."""
    of_requisition: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found = dict(zip(_PROPOSAL, row, strict=True))
        if found["requisition_id"] is not None:
            of_requisition.setdefault(found["requisition_id"], []).append(found)
    requests = [_request(key, lines, inputs) for key, lines in sorted(of_requisition.items())]
    unit_of_work.request_approvals(requests)
    pending = unit_of_work.approvals.pending(SUBJECT_TYPE, sorted(of_requisition))
    return len(pending)


def _request(
    requisition_id: str, lines: Sequence[Mapping[str, Any]], inputs: PlanInputs
) -> ApprovalRequest:
    first = lines[0]
    amount = sum(line["amount"] for line in lines)
    whose = dict(zip(("legal_entity", "brand", "region", "channel"), inputs.scope, strict=True))
    whose["correlation_id"] = str(identify("correlation", requisition_id))
    spiking = sum(line["spike_id"] is not None for line in lines)
    why = f", {spiking} of them for a spike" if spiking else ""
    summary = (
        f"order {len(lines)} SKUs of {first['supplier_id']} for {first['node_id']}{why},"
        f" worth {to_text(amount)} {first['currency_code']}"
    )

    def event(decision: str) -> dict[str, Any]:
        data = RequisitionDecided(
            requisition_id=requisition_id,
            total_amount=to_text(amount),
            decision=decision,  # type: ignore[arg-type]  # one of the two that it may be
            decided_by=ASKED_BY,
            reason=summary,
        )
        return waiting_event("retail.requisition.decided.v1", requisition_id, whose, data)

    return ApprovalRequest(
        SUBJECT_TYPE,
        requisition_id,
        summary,
        SOURCE,
        event("approved"),
        amount,
        first["currency_code"],
        whose["region"],
        whose["brand"],
        ASKED_BY,
        denial=event("denied"),
    )
