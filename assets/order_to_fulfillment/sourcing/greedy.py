"""A good choice for one order that is beyond what the policy decides exactly.

Again and again the node that adds most units in time, then most units, then costs least a unit,
until nothing is missing or no further shipment is allowed. Then shipments that are too small are
given up, the least valuable first. Not the best there is; the reason code says so.
"""

from __future__ import annotations

import numpy as np

from assets.order_to_fulfillment.sourcing.problem import Ints
from assets.order_to_fulfillment.sourcing.single import SingleOrder


def good_choice(order: SingleOrder) -> Ints:
    """Units by SKU and node; never against what cannot be bought, and only whole bundles."""
    given = np.zeros(order.units.shape, np.int64)
    refused: set[int] = set()
    while True:
        _add(order, given, refused)
        if order.bundles is not None:
            given = order.bundles.made_whole(given, order.preference)
        if order.is_allowed(given):
            break
        ships = np.flatnonzero(given.sum(axis=0) > 0)
        worth = order.values(given)[ships]
        worst = int(ships[np.lexsort((-ships, worth))[0]])
        given[:, worst] = 0
        refused.add(worst)
    if order.is_weighted and order.objective(given) > order.objective(np.zeros_like(given)):
        given[:] = 0
    return given


def _add(order: SingleOrder, given: Ints, refused: set[int]) -> None:
    while (given.sum(axis=0) > 0).sum() < order.maximum_shipments:
        missing = order.quantity - given.sum(axis=1)
        best: tuple[tuple[float, ...], int, Ints] | None = None
        for node in range(len(order.nodes)):
            if node in refused or given[:, node].any():
                continue
            units = np.minimum(missing, order.units[:, node])
            # What a capacity cuts off is cut from the last SKUs.
            room = np.maximum(order.capacity[node] - (units.cumsum() - units), 0)
            units = np.minimum(units, room)
            total = int(units.sum())
            if not total:
                continue
            cost = int(order.parcel_cost[node]) + int(order.unit_cost[node]) * total
            rank = (
                -0.0 if order.is_late[node] else -float(total),
                -float(total),
                cost / total,
                float(order.distance[node]),
                float(node),
            )
            if best is None or rank < best[0]:
                best = rank, node, units
        if best is None:
            return
        _, node, units = best
        given[:, node] = units
