"""Why an order was sourced as it was: every node, what it could do, and what spoke against it.

Everything before the order is decided again, so that each node is shown with what it had then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from assets.order_to_fulfillment.sourcing import lacking
from assets.order_to_fulfillment.sourcing.deciding import CHUNK, Choice, Desk, Method, choose
from assets.order_to_fulfillment.sourcing.problem import Problem, Reason, State, lay_out
from assets.order_to_fulfillment.sourcing.profile import Profile
from assets.order_to_fulfillment.sourcing.single import SingleOrder, capacity_left, single
from assets.order_to_fulfillment.sourcing.tables import Tables

OBJECTIVES = {
    False: ("unmet_quantity", "late_quantity", "shipments", "cost_amount"),
    True: ("score_amount", "unmet_quantity", "shipments", "cost_amount"),
}
_AGAINST = {
    Reason.NO_LANE: lacking.NO_LANE,
    Reason.EXCLUDED_AFTER_REJECT: lacking.EXCLUDED_AFTER_REJECT,
    Reason.BLACKOUT: lacking.BLACKOUT,
    Reason.AFTER_CUT_OFF: lacking.AFTER_CUT_OFF,
    Reason.NO_PICKUP: lacking.NO_PICKUP,
    Reason.PROMISE_NOT_FEASIBLE: lacking.PROMISE_NOT_FEASIBLE,
}
_WORSE = {
    "unmet_quantity": "leaves_units_unmet",
    "late_quantity": lacking.PROMISE_NOT_FEASIBLE,
    "shipments": "needs_more_shipments",
    "cost_amount": "costs_more",
    "score_amount": "scores_worse",
}


@dataclass(frozen=True)
class Explanation:
    """One order's decision.

    Attributes:
        mode: lexicographic or weighted.
        method: How it was found.
        objective: What the choice was judged by, in that order (each; ten-thousandths).
        candidates: One entry per node, those that the channel would rather have first.
    """

    mode: str
    method: str
    objective: dict[str, int]
    candidates: list[dict[str, Any]]


def explain_order(tables: Tables, profiles: list[Profile], order: int) -> Explanation:
    """Explain the order at a position of ``tables.orders``."""
    problem = lay_out(tables, profiles)
    desk = Desk(problem)
    for first in range(0, order, CHUNK):
        desk.decide(first, min(first + CHUNK, order))
    before = desk.state
    alone = single(problem, before, order)
    choice = choose(alone)
    mode = profiles[problem.profile[order]].policy.mode
    names = OBJECTIVES[alone.is_weighted]
    objective = dict(zip(names, alone.objective(choice.given), strict=True))
    kinds = dict(zip(tables.nodes["node_id"], tables.nodes["kind"], strict=True))
    profile = profiles[problem.profile[order]]
    candidates = [
        {
            "node_id": name,
            "kind": kinds[name],
            **_candidate(problem, before, order, node, alone, choice),
        }
        for node, name in enumerate(problem.node_ids)
    ]
    candidates.sort(
        key=lambda candidate: (profile.rank(candidate["node_id"]), candidate["node_id"])
    )
    return Explanation(mode, Method(choice.method).name.lower(), objective, candidates)


def _candidate(
    problem: Problem, state: State, order: int, node: int, alone: SingleOrder, choice: Choice
) -> dict[str, Any]:
    """What one node could do for the order, by itself and after everybody before."""
    position = np.flatnonzero(alone.nodes == node)
    if not len(position):
        return {
            **dict.fromkeys(("could_give_quantity", "given_quantity", "late_quantity"), 0),
            **dict.fromkeys(("parcel_amount", "unit_amount", "opportunity_amount"), 0),
            "objective_alone": None,
            "is_chosen": False,
            "reason_codes": _against(problem, state, order, node),
        }
    column = int(position[0])
    given = np.zeros_like(alone.units)
    given[:, column] = alone.units[:, column]
    if alone.bundles is not None:
        given = alone.bundles.made_whole(given, alone.preference)
    units = int(given.sum())
    protected = np.maximum(given - alone.plain, 0) * alone.opportunity
    is_chosen = bool(choice.given[:, column].any())
    names = OBJECTIVES[alone.is_weighted]
    objective = alone.objective(given)
    codes = _against(problem, state, order, node)
    if not is_chosen:
        codes.append(_why_not(names, objective, alone.objective(choice.given)))
    return {
        "could_give_quantity": units,
        "given_quantity": int(choice.given[:, column].sum()),
        "late_quantity": units if alone.is_late[column] else 0,
        "parcel_amount": int(alone.parcel_cost[column]),
        "unit_amount": int(alone.unit_cost[column]) * units,
        "opportunity_amount": int(protected.sum()),
        "objective_alone": dict(zip(names, objective, strict=True)),
        "is_chosen": is_chosen,
        "reason_codes": list(dict.fromkeys(codes)),
    }


def _why_not(names: tuple[str, ...], own: tuple[int, ...], chosen: tuple[int, ...]) -> str:
    for name, mine, theirs in zip(names, own, chosen, strict=True):
        if mine > theirs:
            return _WORSE[name]
        if mine < theirs:
            # Alone it would be better, but not with what the order may not do without.
            return lacking.BELOW_MINIMUM_SHIPMENT_VALUE
    return "farther_or_later_by_id"


def _against(problem: Problem, state: State, order: int, node: int) -> list[str]:
    """What keeps a node from giving, or makes it late."""
    flags = Reason(int(problem.offers.reasons[order, node]))
    codes = [code for flag, code in _AGAINST.items() if flag in flags]
    if not capacity_left(problem, state, order)[node]:
        codes.append(lacking.NO_CAPACITY)
    rows = slice(problem.demands.start[order], problem.demands.start[order + 1])
    stock = state.stock[problem.demands.sku[rows], node]
    kept = problem.terms.kept[problem.profile[order], node]
    if not (stock > kept).any():
        codes.append(lacking.PROTECTED_STORE_STOCK if stock.any() else lacking.OUT_OF_STOCK)
    return codes
