"""Sourcing finds what trying everything finds: the same objective, and of equals the same one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from assets.order_to_fulfillment.sourcing.deciding import Method, choose, source
from assets.order_to_fulfillment.sourcing.enumeration import best_of_sets
from assets.order_to_fulfillment.sourcing.problem import lay_out
from assets.order_to_fulfillment.sourcing.profile import Profile
from assets.order_to_fulfillment.sourcing.single import single
from assets.order_to_fulfillment.sourcing.solver import best_of_all
from tests.order_to_fulfillment.sourcing.brute_force import Node, Rules, best
from tests.order_to_fulfillment.sourcing.bundle_cases import BundleCase
from tests.order_to_fulfillment.sourcing.network import (
    ANY_NODE,
    Network,
    Wanted,
    anywhere,
    given,
    lane,
    policy,
    profile,
)

pytestmark = pytest.mark.slow

CASES = 1_000
#: Fewer, since each is tried in many more ways.
BUNDLE_CASES = 125
SKUS = ("HAT", "MUG")


class Case:
    """A random network with orders that compete for it, and what the brute force makes of it."""

    def __init__(self, seed: int, mode: str, is_constrained: bool) -> None:
        random = np.random.default_rng([seed, len(mode), is_constrained])

        def one_of(*values: Any) -> Any:
            return values[int(random.integers(len(values)))]

        names = ["a", "b", "c", "d"][: int(random.integers(2, 5))]
        most = 4 if len(names) < 4 else 3
        self.stock = {
            node: {sku: int(random.integers(0, most + 2)) for sku in SKUS} for node in names
        }
        self.kept = {node: one_of(0, 0, 0, 1) for node in names}
        terms, lanes, self.nodes = {}, {}, []
        for name in names:
            capacity = one_of(None, None, 1, 2) if is_constrained else None
            counts_units = is_constrained and one_of(False, True)
            node = Node(
                name=name,
                kept=self.kept[name],
                protected=one_of(0, 0, 2, 3),
                opportunity_basis_points=one_of(0, 2_500),
                parcel=one_of(0, 2, 3, 3),
                unit=one_of(0, 1, 1, 2),
                km=one_of(0, 10, 10, 20),
                is_late=one_of(False, False, False, True),
                is_open=one_of(True, True, True, True, False),
                capacity=capacity,
                counts_units=counts_units,
            )
            self.nodes.append(node)
            terms[name] = {
                "capacity_per_day": capacity,
                "capacity_unit": "units" if counts_units else "orders",
                "protected_quantity_each": node.protected,
                "opportunity_basis_points": node.opportunity_basis_points,
            }
            # A node of which the clock plays no part is late by its carrier, and closed by having
            # no lane.
            days = 9 if node.is_late else 1
            lanes[name] = (
                anywhere(lane(str(node.parcel), str(node.unit), days, node.km))
                if node.is_open
                else {}
            )
        self.rules = Rules(
            mode=mode,
            maximum_splits=one_of(0, 1, 2, 3) if is_constrained else 3,
            minimum_value=one_of(0, 12, 21) if is_constrained else 0,
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
        )
        self.orders = [
            Wanted(
                [
                    (sku, int(random.integers(1, most + 1)), one_of(4, 10, 11))
                    for sku in sorted(set(random.choice(SKUS, size=2)))
                ],
                promised_days=4,
            )
            for _ in range(int(random.integers(1, 5)))
        ]

    @property
    def profile(self) -> Profile:
        return profile(self.policy, kept_back=self.kept)

    def by_brute_force(self) -> list[tuple[Any, tuple[tuple[int, ...], ...]]]:
        stock = {
            (node, sku): units for node, held in self.stock.items() for sku, units in held.items()
        }
        used = {node.name: [0, 0] for node in self.nodes}
        return [
            best(list(wanted.lines), self.nodes, stock, used, self.rules) for wanted in self.orders
        ]

    def expected(self) -> list[tuple[int, str, int]]:
        result, line = [], 0
        near = sorted(range(len(self.nodes)), key=lambda p: (self.nodes[p].km, self.nodes[p].name))
        for _, choice in self.by_brute_force():
            for row in choice:
                result += [(line, self.nodes[p].name, row[p]) for p in near if row[p]]
                line += 1
        return result


@pytest.mark.parametrize("mode", ["lexicographic", "weighted"])
@pytest.mark.parametrize("is_constrained", [False, True], ids=["free", "constrained"])
def test_a_thousand_random_decisions_equal_the_brute_force(mode: str, is_constrained: bool) -> None:
    seen: set[int] = set()
    for seed in range(CASES // 4):
        case = Case(seed, mode, is_constrained)
        tables = Network(case.stock).tables(case.orders)
        sourced = source(tables, [case.profile])
        assert given(sourced) == case.expected(), f"case {seed}"
        seen |= set(sourced.method.tolist())
    expected = {Method.COMMON_CASE, Method.ENUMERATED}
    assert seen == (expected | {Method.SOLVED} if is_constrained else expected)


@pytest.mark.parametrize("mode", ["lexicographic", "weighted"])
def test_the_solver_and_the_enumeration_choose_the_same(mode: str) -> None:
    both = 0
    for seed in range(60):
        case = Case(seed, mode, is_constrained=seed % 2 == 0)
        problem = lay_out(Network(case.stock).tables(case.orders[:1]), [case.profile])
        order = single(problem, problem.state, 0)
        ((key, _),) = case.by_brute_force()[:1]
        solved = best_of_all(order)
        assert solved is not None
        width = 2 if mode == "weighted" else 4
        assert order.objective(solved)[:width] == key[:width], f"case {seed}"
        enumerated, is_exact = best_of_sets(order)
        if is_exact:
            both += 1
            assert enumerated.tolist() == solved.tolist(), f"case {seed}"
        assert choose(order).given.tolist() == solved.tolist()
    assert both > 30


@pytest.mark.parametrize("mode", ["lexicographic", "weighted"])
@pytest.mark.parametrize("is_constrained", [False, True], ids=["free", "constrained"])
@pytest.mark.parametrize("ship_together", [True, False], ids=["together", "apart"])
def test_random_orders_with_bundles_equal_the_brute_force(
    mode: str, is_constrained: bool, ship_together: bool
) -> None:
    seen: set[int] = set()
    for seed in range(BUNDLE_CASES):
        case = BundleCase(seed, mode, is_constrained, ship_together)
        sourced = source(case.tables, [case.profile])
        assert given(sourced) == case.expected(), f"case {seed}"
        seen |= set(sourced.method.tolist())
    assert seen == {Method.COMMON_CASE, Method.ENUMERATED, Method.SOLVED}
