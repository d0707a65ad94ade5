"""One order by itself: its choice, what makes one choice better than another, and the arrays of it.

A choice gives units of each SKU (rows) from each node (columns). Two choices are compared by

- lexicographic: units unmet, units late, shipments, cost;
- weighted: cost and what the policy charges for further, late and unmet, then units unmet,
  shipments, cost;

and, where all that is equal, by distance, by the ids of the nodes, and by the units: of the first
SKU as many as possible from the nearest node, and so on. So exactly one choice is the best.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assets.order_to_fulfillment.sourcing.bundles import Bundles
from assets.order_to_fulfillment.sourcing.policy import ExactLimits
from assets.order_to_fulfillment.sourcing.problem import Flags, Ints, Problem, State

#: Later than any cost: what a late unit weighs where promises come first.
LATE_FIRST = np.int64(2**40)


@dataclass(frozen=True)
class SingleOrder:
    """One order, over the nodes that could give it something.

    Attributes:
        nodes: Positions of these nodes, ascending.
        quantity: Wanted units by SKU.
        price: Of a unit by SKU (ten-thousandths).
        units: What each node can give (SKU by node), never more than is wanted.
        plain: How many of these are not among its protected last units.
        opportunity: What each of the others costs beside its transport (SKU by node).
        capacity: Units that a node takes yet.
        bundles: What of the wanted units belongs together, if any does.
    """

    nodes: Ints
    quantity: Ints
    price: Ints
    units: Ints
    plain: Ints
    opportunity: Ints
    capacity: Ints
    is_late: Flags
    parcel_cost: Ints
    unit_cost: Ints
    distance: Ints
    is_weighted: bool
    maximum_shipments: int
    minimum_value: int
    extra_shipment: int
    late_unit: int
    unmet_unit: int
    limits: ExactLimits
    bundles: Bundles | None = None

    @cached_property
    def preference(self) -> Ints:
        """Nodes from the nearest on; of equally near ones the smaller id first."""
        return np.lexsort((np.arange(len(self.nodes)), self.distance))

    @property
    def is_limited(self) -> bool:
        """A node's capacity in units may keep it from giving what it has."""
        return bool((self.units.sum(axis=0) > self.capacity).any())

    def objective(self, given: Ints) -> tuple[int, ...]:
        """What a choice is judged by; the smaller the better."""
        by_node = given.sum(axis=0)
        ships = by_node > 0
        shipments = int(ships.sum())
        unmet = int(self.quantity.sum() - by_node.sum())
        late = int(by_node[self.is_late].sum())
        protected = np.maximum(given - self.plain, 0) * self.opportunity
        cost = int(
            self.parcel_cost[ships].sum() + (by_node * self.unit_cost).sum() + protected.sum()
        )
        if not self.is_weighted:
            return unmet, late, shipments, cost
        score = (
            cost
            + self.extra_shipment * max(0, shipments - 1)
            + self.late_unit * late
            + self.unmet_unit * unmet
        )
        return score, unmet, shipments, cost

    def key(self, given: Ints) -> tuple[object, ...]:
        """The objective and everything that breaks ties: no two choices share it."""
        ships = np.flatnonzero(given.sum(axis=0) > 0)
        return (
            *self.objective(given),
            int(self.distance[ships].sum()),
            tuple(ships.tolist()),
            tuple((-given[:, self.preference]).ravel().tolist()),
        )

    def is_allowed(self, given: Ints) -> bool:
        """Whether a choice keeps to what cannot be bought: shipments, their value, capacity."""
        by_node = given.sum(axis=0)
        ships = by_node > 0
        if ships.sum() > self.maximum_shipments or (by_node > self.capacity).any():
            return False
        return bool(ships.sum() < 2 or (self.values(given)[ships] >= self.minimum_value).all())

    def values(self, given: Ints) -> Ints:
        """Goods value of each node's shipment (ten-thousandths)."""
        result: Ints = (given * self.price[:, None]).sum(axis=0)
        return result


def single(problem: Problem, state: State, order: int) -> SingleOrder:
    """One order as it stands when everything before it has been decided."""
    demands, offers, terms = problem.demands, problem.offers, problem.terms
    rows = slice(demands.start[order], demands.start[order + 1])
    profile = problem.profile[order]
    quantity, price = demands.quantity[rows], demands.price[rows]
    stock = state.stock[demands.sku[rows]]
    left = capacity_left(problem, state, order)
    available = np.maximum(stock - terms.kept[profile], 0)
    units = np.minimum(available, quantity[:, None])
    nodes = np.flatnonzero(offers.is_open[order] & (left > 0) & (units.sum(axis=0) > 0))
    counts_units = terms.counts_units[profile][nodes]
    free = np.maximum(stock - np.maximum(terms.kept[profile], terms.protected[profile]), 0)
    return SingleOrder(
        nodes=nodes,
        quantity=quantity,
        price=price,
        units=units[:, nodes],
        plain=np.minimum(free, quantity[:, None])[:, nodes],
        opportunity=price[:, None] * terms.opportunity[profile][nodes] // 10_000,
        capacity=np.where(counts_units, left[nodes], 2**40),
        is_late=offers.is_late[order, nodes],
        parcel_cost=offers.parcel_cost[order, nodes],
        unit_cost=offers.unit_cost[order, nodes],
        distance=offers.distance[order, nodes],
        is_weighted=bool(terms.is_weighted[profile]),
        maximum_shipments=int(terms.maximum_shipments[profile]),
        minimum_value=int(terms.minimum_value[profile]),
        extra_shipment=int(terms.extra_shipment[profile]),
        late_unit=int(terms.late_unit[profile]),
        unmet_unit=int(terms.unmet_unit[profile]),
        limits=problem.profiles[profile].policy.exact_limits,
        bundles=problem.bundles.get(order),
    )


def capacity_left(problem: Problem, state: State, order: int) -> Ints:
    """Orders or units, as each node counts them, that it takes on the day of an order yet."""
    terms, profile = problem.terms, problem.profile[order]
    used = state.used[problem.offers.slot[order], terms.counts_units[profile].astype(np.int64)]
    result: Ints = np.maximum(terms.capacity[profile] - used, 0)
    return result
