"""Bundles of one order: units that are given together or not at all.

A bundle is so many units of each of its components. What an order is given is judged by its units
alone, as of any order; bundles only say which choices there are: the units beyond the loose ones
make up whole bundles, at each node where bundles ship together, else over all nodes. Of several
ways to see bundles in the same units, the first bundle has as many as it can from the nearest node,
and so on, so there is exactly one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from assets.order_to_fulfillment.sourcing.tables import Tables

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Bundles:
    """The bundles of one order, over its demands.

    Attributes:
        recipes: Units (each) of every demand (columns) in one bundle (rows).
        quantity: How many of each bundle are wanted.
        loose: Units (each) of every demand that are wanted outside bundles.
        lines: Of each order line: its position, its demand, its bundle (-1 for none) and its units.
        ship_together: All components of a bundle come from one node.
    """

    recipes: Ints
    quantity: Ints
    loose: Ints
    lines: list[tuple[int, int, int, int]]
    ship_together: bool

    def size(self, nodes: int) -> int:
        """How many numbers say what is given of these bundles by so many nodes."""
        return len(self.quantity) * (nodes if self.ship_together else 1)

    def capped(self, units: Ints) -> Bundles:
        """The same without bundles that nobody can complete.

        Args:
            units: What each node can give (demand by node).
        """
        supply = units if self.ship_together else units.sum(axis=1, keepdims=True)
        most = np.array([completed(recipe, supply).sum() for recipe in self.recipes], np.int64)
        return replace(self, quantity=np.minimum(self.quantity, most))

    def within_reach(self, units: Ints) -> Ints:
        """Units by demand that each node can complete bundles from: its own, or those of all."""
        units = np.maximum(units, 0)
        if self.ship_together:
            return units
        result: Ints = np.broadcast_to(units.sum(axis=1, keepdims=True), units.shape)
        return result

    @property
    def demand(self) -> Ints:
        """Units (each) that are wanted in all."""
        result: Ints = self.loose + self.quantity @ self.recipes
        return result

    def seen_in(self, given: Ints, preference: Ints) -> Ints:
        """How many of each bundle (rows) are in given units, by node, else over all (columns).

        Args:
            given: Units by demand and node.
            preference: Nodes from the nearest on.
        """
        together = self.ship_together
        left = given.copy() if together else given.sum(axis=1, keepdims=True)
        order = preference if together else np.zeros(1, np.int64)
        seen = np.zeros((len(self.quantity), left.shape[1]), np.int64)
        for bundle, recipe in enumerate(self.recipes):
            most = completed(recipe, left)[order]
            before = most.cumsum() - most
            seen[bundle, order] = np.clip(self.quantity[bundle] - before, 0, most)
            left -= recipe[:, None] * seen[bundle]
        return seen

    def beside(self, given: Ints, seen: Ints) -> Ints:
        """Units by demand that are given outside the bundles seen in them."""
        result: Ints = given.sum(axis=1) - seen.sum(axis=1) @ self.recipes
        return result

    def is_whole(self, given: Ints, preference: Ints) -> bool:
        """Whether given units are bundles that can be seen at once, and loose ones."""
        seen = self.seen_in(given, preference)
        return bool((self.beside(given, seen) <= self.loose).all())

    def made_whole(self, given: Ints, preference: Ints) -> Ints:
        """Given units without those that neither complete a bundle nor are wanted loose."""
        seen = self.seen_in(given, preference)
        surplus = np.maximum(self.beside(given, seen) - self.loose, 0)
        bundled = self.recipes.T @ seen if self.ship_together else np.zeros_like(given)
        result = given.copy()
        # What is farthest is given up first.
        for node in preference[::-1]:
            dropped = np.minimum(surplus, given[:, node] - bundled[:, node])
            result[:, node] -= dropped
            surplus -= dropped
        return result

    def by_line(self, given: Ints, seen: Ints, preference: Ints) -> list[tuple[int, int, int]]:
        """(line, node, units) of each line with units, from the nearest node on.

        Lines of bundles come first; where components do not ship together, and of loose units, the
        first line has them from the first node.
        """
        left = given.copy()
        shares: list[tuple[int, int, int]] = []
        for line, demand, bundle, units in sorted(self.lines, key=lambda row: (row[2] < 0, row[0])):
            wanted, offered = units, left[demand]
            if bundle >= 0:
                each = int(self.recipes[bundle, demand])
                wanted = each * int(seen[bundle].sum())
                if self.ship_together:
                    offered = each * seen[bundle]
            for node in preference.tolist():
                taken = min(wanted, int(offered[node]))
                if taken:
                    wanted -= taken
                    left[demand, node] -= taken
                    shares.append((line, node, taken))
        return shares


def completed(recipe: Ints, supply: Ints) -> Ints:
    """How many bundles of one recipe each column of units (demand by column) completes."""
    parts = np.flatnonzero(recipe)
    result: Ints = (supply[parts] // recipe[parts, None]).min(axis=0)
    return result


def bundles_by_order(
    tables: Tables, of_line: Ints, start: Ints, ship_together: Sequence[bool]
) -> dict[int, Bundles]:
    """The bundles of each order that has any, by its position.

    Args:
        tables: What is decided from.
        of_line: Demand of each order line.
        start: First demand of each order; one more than there are orders.
        ship_together: What each profile says.
    """
    if not len(tables.bundles):
        return {}
    lines = tables.order_lines
    order_of = lines["order"].to_numpy(np.int64)
    quantity = lines["quantity"].to_numpy(np.int64)
    profiles = tables.orders["profile"].to_numpy(np.int64)
    parts: dict[int, dict[int, tuple[int, int]]] = defaultdict(dict)
    columns = ("line", "bundle_line_number", "quantity_per_bundle")
    for line, number, each in zip(
        *(tables.bundles[name].tolist() for name in columns), strict=True
    ):
        parts[int(order_of[line])][line] = (number, each)
    return {
        order: _of_order(
            np.arange(*np.searchsorted(order_of, [order, order + 1])),
            of_line - start[order],
            int(start[order + 1] - start[order]),
            quantity,
            of_order,
            ship_together[profiles[order]],
        )
        for order, of_order in sorted(parts.items())
    }


def _of_order(
    positions: Ints,
    demand_of: Ints,
    demands: int,
    quantity: Ints,
    parts: dict[int, tuple[int, int]],
    ship_together: bool,
) -> Bundles:
    numbers = list(dict.fromkeys(parts[line][0] for line in positions.tolist() if line in parts))
    recipes = np.zeros((len(numbers), demands), np.int64)
    wanted = np.zeros(len(numbers), np.int64)
    loose = np.zeros(demands, np.int64)
    lines = []
    for line in positions.tolist():
        demand, units = int(demand_of[line]), int(quantity[line])
        bundle = -1
        if line in parts:
            number, each = parts[line]
            bundle = numbers.index(number)
            recipes[bundle, demand] = each
            wanted[bundle] = units // each
        else:
            loose[demand] += units
        lines.append((line, demand, bundle, units))
    return Bundles(recipes, wanted, loose, lines, ship_together)
