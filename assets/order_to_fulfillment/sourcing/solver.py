"""The best choice for one order by OR-Tools CP-SAT, where enumerating sets of nodes does not do.

Each part of what a choice is judged by is minimised in its turn and then held, and so are the
tie-breakers, packed into few numbers; the solver has no choice left and gives the same units on
every machine. One worker, a fixed seed, and a limit on work instead of time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from assets.order_to_fulfillment.sourcing.problem import Ints
from assets.order_to_fulfillment.sourcing.single import SingleOrder

if TYPE_CHECKING:
    from ortools.sat.python import cp_model

#: Tie-breakers are packed into one number up to this, so that few turns are needed. Packing the
#: objective as well took twice as long (November 2026).
_PACKED = 2**40


def is_solvable(order: SingleOrder) -> bool:
    """Whether the policy lets the solver have an order of this size."""
    bundled = order.bundles.size(len(order.nodes)) if order.bundles else 0
    return order.units.size + bundled <= order.limits.sku_node_pairs


def best_of_all(order: SingleOrder) -> Ints | None:
    """Units by SKU and node of the best choice; ``None`` when the limit on work came first."""
    found = best_with_bundles(order)
    return None if found is None else found[0]


def best_with_bundles(order: SingleOrder) -> tuple[Ints, Ints] | None:
    """The same, and how many of each bundle are in it, as `Bundles.seen_in` gives them."""
    if not order.units.size:
        return np.zeros(order.units.shape, np.int64), np.zeros((0, 0), np.int64)
    return _Model(order).solve()


class _Model:
    """One order as constraints."""

    def __init__(self, order: SingleOrder) -> None:
        # Loaded here only: half a second that a process which never needs it does not spend.
        from ortools.sat.python import cp_model

        self._cp = cp_model
        self._order = order
        self._model = cp_model.CpModel()
        skus, nodes = order.units.shape
        self._plain = self._variables(order.plain)
        self._protected = self._variables(order.units - order.plain)
        self._given = [
            [self._plain[sku][node] + self._protected[sku][node] for node in range(nodes)]
            for sku in range(skus)
        ]
        self._ships = [self._model.new_bool_var("") for _ in range(nodes)]
        self._limit()
        self._whole = self._keep_bundles_whole() if order.bundles else []

    def _variables(self, most: Ints) -> list[list[Any]]:
        return [[self._model.new_int_var(0, int(units), "") for units in row] for row in most]

    def _limit(self) -> None:
        order, model = self._order, self._model
        for sku, row in enumerate(self._given):
            model.add(sum(row) <= int(order.quantity[sku]))
            for node, units in enumerate(row):
                model.add(units <= int(order.units[sku, node]) * self._ships[node])
        is_split = model.new_bool_var("")
        model.add(sum(self._ships) <= 1).only_enforce_if(is_split.Not())
        model.add(sum(self._ships) <= order.maximum_shipments)
        for node, ships in enumerate(self._ships):
            by_node = sum(row[node] for row in self._given)
            model.add(by_node >= ships)
            model.add(by_node <= int(min(order.capacity[node], order.units[:, node].sum())))
            if order.minimum_value:
                value = sum(
                    int(order.price[sku]) * row[node] for sku, row in enumerate(self._given)
                )
                model.add(value >= order.minimum_value).only_enforce_if(is_split, ships)

    def _keep_bundles_whole(self) -> list[list[Any]]:
        """Tie units to whole bundles; gives how many bundles come from each node, or from all."""
        order, model = self._order, self._model
        bundles = order.bundles
        assert bundles is not None  # noqa: S101 - who calls has looked
        places = (
            [[node] for node in range(len(order.nodes))]
            if bundles.ship_together
            else [list(range(len(order.nodes)))]
        )
        whole = [[model.new_int_var(0, int(most), "") for _ in places] for most in bundles.quantity]
        for row, most in zip(whole, bundles.quantity.tolist(), strict=True):
            model.add(sum(row) <= most)
        for sku, row in enumerate(self._given):
            loose = []
            for place, nodes in enumerate(places):
                bundled = sum(
                    int(recipe[sku]) * whole[bundle][place]
                    for bundle, recipe in enumerate(bundles.recipes)
                )
                loose.append(sum(row[node] for node in nodes) - bundled)
                model.add(loose[-1] >= 0)
            model.add(sum(loose) <= int(bundles.loose[sku]))
        return whole

    def solve(self) -> tuple[Ints, Ints] | None:
        """Minimise one part after the other."""
        solver = None
        for part in self._turns():
            solver = self._minimise(part)
            if solver is None:
                return None
            self._model.add(part == round(solver.objective_value))
            self._model.clear_hints()  # type: ignore[no-untyped-call]
            for variable in self._every_variable():
                self._model.add_hint(variable, solver.value(variable))
        if solver is None:
            return None
        given, whole = (
            np.array([[solver.value(units) for units in row] for row in rows], np.int64)
            for rows in (self._given, self._whole)
        )
        return given, whole

    def _every_variable(self) -> list[Any]:
        rows = [*self._plain, *self._protected, *self._whole, self._ships]
        return [variable for row in rows for variable in row]

    def _minimise(self, part: Any) -> cp_model.CpSolver | None:
        solver = self._cp.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 1
        solver.parameters.max_deterministic_time = float(self._order.limits.solver_effort)
        self._model.minimize(part)
        return solver if solver.solve(self._model) == self._cp.OPTIMAL else None

    def _turns(self) -> list[Any]:
        """What is minimised, one after the other: the objective, then what breaks ties."""
        order = self._order
        nodes = range(len(order.nodes))
        most = min(order.maximum_shipments, len(order.nodes))
        by_node = [sum(row[node] for row in self._given) for node in nodes]
        unmet = int(order.quantity.sum()) - sum(by_node)
        late = sum(by_node[node] for node in nodes if order.is_late[node])
        shipments = sum(self._ships)
        cost = self._cost(by_node)
        distance = sum(int(order.distance[node]) * self._ships[node] for node in nodes)
        if order.is_weighted:
            further = self._model.new_int_var(0, len(order.nodes), "")
            self._model.add(further >= shipments - 1)
            score = (
                cost
                + order.extra_shipment * further
                + order.late_unit * late
                + order.unmet_unit * unmet
            )
            parts = [score, unmet, shipments, cost]
        else:
            parts = [unmet, late, shipments, cost]
        near = order.preference.tolist()
        ties = _packed(
            [
                (distance, int(np.sort(order.distance)[-most:].sum())),
                *((1 - self._ships[node], 1) for node in nodes),
                *(
                    (int(order.units[sku, node]) - row[node], int(order.units[sku, node]))
                    for sku, row in enumerate(self._given)
                    for node in near
                ),
                *self._bundle_ties(near),
            ]
        )
        return [part for part in parts if not isinstance(part, int)] + ties

    def _bundle_ties(self, near: list[int]) -> list[tuple[Any, int]]:
        """As many as possible of the first bundle from the nearest node, and so on."""
        bundles = self._order.bundles
        if bundles is None:
            return []
        places = near if bundles.ship_together else [0]
        return [
            (most - row[place], most)
            for row, most in zip(self._whole, bundles.quantity.tolist(), strict=True)
            for place in places
        ]

    def _cost(self, by_node: list[Any]) -> Any:
        """Of parcels, units and last units."""
        order = self._order
        return sum(
            int(order.parcel_cost[node]) * ships + int(order.unit_cost[node]) * by_node[node]
            for node, ships in enumerate(self._ships)
        ) + sum(
            int(order.opportunity[sku, node]) * units
            for sku, row in enumerate(self._protected)
            for node, units in enumerate(row)
        )


def _packed(terms: list[tuple[Any, int]]) -> list[Any]:
    """Numbers that compare as the terms do one after the other; each comes with its largest.

    A term that is a plain number decides nothing.
    """
    packed: list[Any] = []
    number, size = None, 1
    for term, largest in terms:
        if not largest or isinstance(term, int):
            continue
        if number is not None and size * (largest + 1) <= _PACKED:
            number = number * (largest + 1) + term
            size *= largest + 1
        else:
            if number is not None:
                packed.append(number)
            number, size = term, largest + 1
    return packed if number is None else [*packed, number]
