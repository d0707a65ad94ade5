"""Random networks with bundles, and sourcing them by trying every choice there is."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from assets.order_to_fulfillment.sourcing.profile import Profile
from assets.order_to_fulfillment.sourcing.tables import Tables
from tests.order_to_fulfillment.sourcing.brute_force import Node, Rules, best
from tests.order_to_fulfillment.sourcing.network import (
    ANY_NODE,
    Network,
    Wanted,
    anywhere,
    lane,
    policy,
    profile,
)

SKUS = ("HAT", "MUG")
#: Units of a hat and of a mug.
RECIPES = ((1, 1), (2, 1), (1, 2))

#: A line is (SKU, units, price) or, of a bundle, (recipe, bundles, price of a unit).
Line = tuple[Any, int, int]


def exploded(lines: list[Line]) -> tuple[list[tuple[str, int, int]], list[tuple[int, int, int]]]:
    """Lines as stock knows them, and (line, bundle's number, units in one bundle) of components."""
    rows: list[tuple[str, int, int]] = []
    parts: list[tuple[int, int, int]] = []
    for number, (what, quantity, price) in enumerate(lines):
        if isinstance(what, str):
            rows.append((what, quantity, price))
            continue
        for sku, each in zip(SKUS, what, strict=True):
            parts.append((len(rows), number, each))
            rows.append((sku, quantity * each, price))
    return rows, parts


def with_bundles(network: Network, orders: list[list[Line]], days: int = 4) -> Tables:
    """The tables of a network and orders whose lines may be bundles."""
    wanted, bundles = [], []
    first = 0
    for lines in orders:
        rows, parts = exploded(lines)
        wanted.append(Wanted(rows, promised_days=days))
        bundles += [(first + line, number, each) for line, number, each in parts]
        first += len(rows)
    columns = ["line", "bundle_line_number", "quantity_per_bundle"]
    frame = pd.DataFrame(bundles, columns=columns).astype("int64")
    return replace(network.tables(wanted), bundles=frame)


class BundleCase:
    """Orders of hats, mugs and bundles of both that compete for a random network."""

    def __init__(self, seed: int, mode: str, is_constrained: bool, ship_together: bool) -> None:
        random = np.random.default_rng([seed, len(mode), is_constrained, ship_together])

        def one_of(*values: Any) -> Any:
            return values[int(random.integers(len(values)))]

        self.ship_together = ship_together
        names = ["a", "b", "c"][: int(random.integers(2, 4))]
        self.stock = {node: {sku: int(random.integers(0, 4)) for sku in SKUS} for node in names}
        self.nodes = []
        terms, lanes = {}, {}
        for name in names:
            node = Node(
                name=name,
                kept=0,
                protected=one_of(0, 0, 2),
                opportunity_basis_points=one_of(0, 2_500),
                parcel=one_of(0, 2, 3),
                unit=one_of(0, 1, 2),
                km=one_of(0, 10, 10),
                is_late=one_of(False, False, True),
                is_open=True,
                capacity=one_of(None, 1, 2) if is_constrained else None,
                counts_units=is_constrained and one_of(False, True),
            )
            self.nodes.append(node)
            terms[name] = {
                "capacity_per_day": node.capacity,
                "capacity_unit": "units" if node.counts_units else "orders",
                "protected_quantity_each": node.protected,
                "opportunity_basis_points": node.opportunity_basis_points,
            }
            days = 9 if node.is_late else 1
            lanes[name] = anywhere(lane(str(node.parcel), str(node.unit), days, node.km))
        self.rules = Rules(
            mode=mode,
            maximum_splits=one_of(0, 1, 2) if is_constrained else 2,
            minimum_value=one_of(0, 12) if is_constrained else 0,
            extra_shipment=one_of(0, 1, 5),
            late_unit=one_of(0, 1, 4),
            unmet_unit=one_of(2, 5, 40),
        )
        self.policy = policy(
            mode=mode,
            maximum_splits=self.rules.maximum_splits,
            minimum_shipment_value=str(self.rules.minimum_value),
            weights={
                "extra_shipment": str(self.rules.extra_shipment),
                "late_unit": str(self.rules.late_unit),
                "unmet_unit": str(self.rules.unmet_unit),
            },
            nodes={"*": ANY_NODE, **terms},
            lanes=lanes,
            bundles_ship_together=ship_together,
        )
        self.orders: list[list[Line]] = []
        for _ in range(int(random.integers(1, 4))):
            price = one_of(4, 10)
            lines: list[Line] = [(one_of(*RECIPES), int(random.integers(1, 3)), price)]
            if one_of(False, True):
                lines.append((one_of(*SKUS), int(random.integers(1, 3)), price))
            if one_of(False, False, True):
                lines.append((one_of(*RECIPES), 1, price))
            order = random.permutation(len(lines))
            self.orders.append([lines[index] for index in order])

    @property
    def profile(self) -> Profile:
        return profile(self.policy)

    @property
    def tables(self) -> Tables:
        return with_bundles(Network(self.stock), self.orders)

    def expected(self) -> list[tuple[int, str, int]]:
        """(line, node, units) as every choice, tried one after the other, gives it."""
        stock = {
            (node, sku): units for node, held in self.stock.items() for sku, units in held.items()
        }
        used = {node.name: [0, 0] for node in self.nodes}
        near = sorted(range(len(self.nodes)), key=lambda p: (self.nodes[p].km, self.nodes[p].name))
        result: list[tuple[int, str, int]] = []
        first = 0
        for lines in self.orders:
            rows, parts = exploded(lines)
            skus = list(dict.fromkeys(sku for sku, _, _ in rows))
            quantity = {sku: sum(n for name, n, _ in rows if name == sku) for sku in skus}
            wanted = [(sku, quantity[sku], rows[0][2]) for sku in skus]
            _, choice = best(
                wanted,
                self.nodes,
                stock,
                used,
                self.rules,
                lambda choice, rows=rows, parts=parts, skus=skus: (  # type: ignore[misc]
                    self._bundles_in(choice, rows, parts, skus, near) is not None
                ),
            )
            seen = self._bundles_in(choice, rows, parts, skus, near)
            assert seen is not None
            result += self._by_line(choice, seen, rows, parts, skus, near, first)
            first += len(rows)
        return result

    def _bundles_in(
        self,
        choice: Any,
        rows: list[tuple[str, int, int]],
        parts: list[tuple[int, int, int]],
        skus: list[str],
        near: list[int],
    ) -> dict[tuple[int, int], int] | None:
        """How many of each bundle a choice holds at each node (0 for all): the largest way."""
        numbers = list(dict.fromkeys(number for _, number, _ in parts))
        recipe = {(number, skus.index(rows[line][0])): each for line, number, each in parts}
        most = {number: rows[line][1] // each for line, number, each in parts}
        components = {line for line, _, _ in parts}
        loose = [
            sum(
                n
                for line, (name, n, _) in enumerate(rows)
                if name == sku and line not in components
            )
            for sku in skus
        ]
        places = near if self.ship_together else [0]
        given = [
            [row[place] for place in range(len(self.nodes))] if self.ship_together else [sum(row)]
            for row in choice
        ]
        keys = [(number, place) for number in numbers for place in places]
        ranges = [range(most[number], -1, -1) for number, _ in keys]
        for units in product(*ranges):
            seen = dict(zip(keys, units, strict=True))
            if any(sum(seen[n, p] for p in places) > most[n] for n in numbers):
                continue
            beside = [
                [
                    given[sku][place] - sum(recipe[n, sku] * seen[n, place] for n in numbers)
                    for place in places
                ]
                for sku in range(len(skus))
            ]
            if any(units < 0 for row in beside for units in row):
                continue
            if all(sum(row) <= limit for row, limit in zip(beside, loose, strict=True)):
                return seen
        return None

    def _by_line(
        self,
        choice: Any,
        seen: dict[tuple[int, int], int],
        rows: list[tuple[str, int, int]],
        parts: list[tuple[int, int, int]],
        skus: list[str],
        near: list[int],
        first: int,
    ) -> list[tuple[int, str, int]]:
        left = [list(row) for row in choice]
        of_line = {line: (number, each) for line, number, each in parts}
        shares: dict[int, list[tuple[int, str, int]]] = {line: [] for line in range(len(rows))}
        for line in sorted(range(len(rows)), key=lambda line: (line not in of_line, line)):
            sku, wanted, _ = rows[line]
            row = skus.index(sku)
            bundles = {
                place: units
                for (number, place), units in seen.items()
                if line in of_line and number == of_line[line][0]
            }
            if line in of_line:
                wanted = of_line[line][1] * sum(bundles.values())
            for place in near:
                offered = left[row][place]
                if line in of_line and self.ship_together:
                    offered = of_line[line][1] * bundles[place]
                taken = min(wanted, offered)
                if taken:
                    wanted -= taken
                    left[row][place] -= taken
                    shares[line].append((first + line, self.nodes[place].name, taken))
        return [share for line in range(len(rows)) for share in shares[line]]
