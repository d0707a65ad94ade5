"""Why an order lacks units: what kept each node that has some from giving them."""

from __future__ import annotations

import numpy as np

from assets.order_to_fulfillment.sourcing.bundles import completed
from assets.order_to_fulfillment.sourcing.problem import Ints, Problem, Reason, State
from assets.order_to_fulfillment.sourcing.single import capacity_left

OUT_OF_STOCK = "out_of_stock"
PROTECTED_STORE_STOCK = "protected_store_stock"
NO_LANE = "no_lane"
EXCLUDED_AFTER_REJECT = "excluded_after_reject"
BLACKOUT = "blackout"
AFTER_CUT_OFF = "after_cut_off"
NO_PICKUP = "no_pickup"
PROMISE_NOT_FEASIBLE = "promise_not_feasible"
NO_CAPACITY = "no_capacity"
BEYOND_MAXIMUM_SPLITS = "beyond_maximum_splits"
BELOW_MINIMUM_SHIPMENT_VALUE = "below_minimum_shipment_value"
DEARER_THAN_UNMET = "dearer_than_unmet"
INCOMPLETE_BUNDLE = "incomplete_bundle"

#: Of several reasons the first of these is the line's: what a person could change soonest.
PRECEDENCE = (
    DEARER_THAN_UNMET,
    BELOW_MINIMUM_SHIPMENT_VALUE,
    BEYOND_MAXIMUM_SPLITS,
    NO_CAPACITY,
    PROMISE_NOT_FEASIBLE,
    BLACKOUT,
    NO_PICKUP,
    EXCLUDED_AFTER_REJECT,
    NO_LANE,
    INCOMPLETE_BUNDLE,
    PROTECTED_STORE_STOCK,
    OUT_OF_STOCK,
)


def reasons_for_lack(
    problem: Problem, state: State, order: int, short: Ints, shipments: int
) -> list[str]:
    """The reason for each demand in ``short`` (counted from the order's first).

    Args:
        problem: What was decided from.
        state: What is left after the order.
        order: Its position.
        short: Demands that lack units.
        shipments: In which the order goes.
    """
    profile = problem.profile[order]
    start = problem.demands.start[order]
    stock = state.stock[problem.demands.sku[start + short]]
    has_units = stock > problem.terms.kept[profile]
    if not has_units.any():
        return [PROTECTED_STORE_STOCK if row.any() else OUT_OF_STOCK for row in stock > 0]
    is_full = shipments >= problem.terms.maximum_shipments[profile]
    by_node = [
        _reason_of(problem, state, order, node, is_full) for node in range(len(problem.node_ids))
    ]
    in_bundles = _reasons_in_bundles(problem, state, order, short)
    result = []
    for row, positive, said in zip(has_units, stock > 0, in_bundles, strict=True):
        found = {said.get(node, by_node[node]) for node in np.flatnonzero(row).tolist()}
        if not found:
            found = {PROTECTED_STORE_STOCK if positive.any() else OUT_OF_STOCK}
        result.append(min(found, key=PRECEDENCE.index))
    return result


def _reasons_in_bundles(
    problem: Problem, state: State, order: int, short: Ints
) -> list[dict[int, str]]:
    """Why units of each short demand that a node has complete no bundle there, by node."""
    bundles = problem.bundles.get(order)
    if bundles is None:
        return [{} for _ in short]
    rows = slice(problem.demands.start[order], problem.demands.start[order + 1])
    stock = state.stock[problem.demands.sku[rows]]
    left = bundles.within_reach(stock - problem.terms.kept[problem.profile[order]])
    stock = bundles.within_reach(stock)
    completes = np.array([completed(recipe, left) for recipe in bundles.recipes])
    result = []
    for demand in short.tolist():
        of_bundles = np.flatnonzero(bundles.recipes[:, demand])
        said: dict[int, str] = {}
        if len(of_bundles):
            each = bundles.recipes[of_bundles, demand].min()
            for node in np.flatnonzero(completes[of_bundles].sum(axis=0) == 0).tolist():
                if left[demand, node] >= each:
                    said[node] = INCOMPLETE_BUNDLE
                else:
                    is_kept = stock[demand, node] >= each
                    said[node] = PROTECTED_STORE_STOCK if is_kept else OUT_OF_STOCK
        result.append(said)
    return result


def _reason_of(problem: Problem, state: State, order: int, node: int, is_full: bool) -> str:
    """Why a node that has units left does not give them."""
    reasons = Reason(int(problem.offers.reasons[order, node]))
    if Reason.NO_LANE in reasons:
        return NO_LANE
    if Reason.EXCLUDED_AFTER_REJECT in reasons:
        return EXCLUDED_AFTER_REJECT
    if Reason.NO_PICKUP in reasons:
        return BLACKOUT if Reason.BLACKOUT in reasons else NO_PICKUP
    if not problem.offers.is_open[order, node]:
        return PROMISE_NOT_FEASIBLE
    if not capacity_left(problem, state, order)[node]:
        return NO_CAPACITY
    profile = problem.profile[order]
    if is_full:
        return BEYOND_MAXIMUM_SPLITS
    if problem.terms.minimum_value[profile]:
        return BELOW_MINIMUM_SHIPMENT_VALUE
    return DEARER_THAN_UNMET if problem.terms.is_weighted[profile] else BEYOND_MAXIMUM_SPLITS
