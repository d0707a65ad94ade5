"""Sourcing of bundles in small stories; `test_against_brute_force` tries them by the hundred."""

from __future__ import annotations

from typing import Any

from assets.order_to_fulfillment.sourcing.deciding import Method, source
from assets.order_to_fulfillment.sourcing.explaining import explain_order
from tests.order_to_fulfillment.sourcing.bundle_cases import Line, with_bundles
from tests.order_to_fulfillment.sourcing.network import (
    ANY_NODE,
    Network,
    given,
    policy,
    profile,
    unmet,
)

#: A gift set of a hat and two mugs.
GIFT = (1, 2)


def decided(stock: dict[str, dict[str, int]], *lines: Line, **rules: Any) -> Any:
    tables = with_bundles(Network(stock), [list(lines)])
    return source(tables, [profile(policy(**rules))])


def test_a_bundle_is_given_whole_from_one_node() -> None:
    sourced = decided({"a": {"HAT": 5, "MUG": 1}, "b": {"HAT": 5, "MUG": 9}}, (GIFT, 3, 10))
    assert given(sourced) == [(0, "b", 3), (1, "b", 6)]
    assert unmet(sourced) == []


def test_units_that_complete_no_bundle_are_left_for_others() -> None:
    sourced = decided({"a": {"HAT": 5, "MUG": 5}}, (GIFT, 3, 10))
    assert given(sourced) == [(0, "a", 2), (1, "a", 4)]
    # One mug is left, which is none where two are needed.
    assert unmet(sourced) == [(0, 1, "incomplete_bundle"), (1, 2, "out_of_stock")]


def test_a_bundle_and_a_loose_line_share_what_there_is() -> None:
    sourced = decided({"a": {"HAT": 1, "MUG": 3}}, ("MUG", 2, 10), (GIFT, 1, 10))
    assert given(sourced) == [(0, "a", 1), (1, "a", 1), (2, "a", 2)]
    assert unmet(sourced) == [(0, 1, "out_of_stock")]


def test_components_that_lie_apart_are_a_bundle_only_where_the_policy_says_so() -> None:
    stock = {"a": {"HAT": 1}, "b": {"MUG": 2}}
    together = decided(stock, (GIFT, 1, 10))
    assert given(together) == []
    assert unmet(together) == [(0, 1, "incomplete_bundle"), (1, 2, "incomplete_bundle")]
    apart = decided(stock, (GIFT, 1, 10), bundles_ship_together=False)
    assert given(apart) == [(0, "a", 1), (1, "b", 2)]
    assert apart.shipments.tolist() == [2]
    not_split = decided(stock, (GIFT, 1, 10), bundles_ship_together=False, maximum_splits=0)
    assert given(not_split) == []


def test_bundles_of_one_line_may_come_from_several_nodes_each_whole() -> None:
    stock = {"a": {"HAT": 2, "MUG": 4}, "b": {"HAT": 1, "MUG": 3}}
    sourced = decided(stock, (GIFT, 3, 10))
    assert given(sourced) == [(0, "a", 2), (0, "b", 1), (1, "a", 4), (1, "b", 2)]


def test_the_orders_after_a_bundle_find_what_it_left() -> None:
    tables = with_bundles(
        Network({"a": {"HAT": 2, "MUG": 3}}), [[(GIFT, 2, 10)], [("HAT", 2, 10), ("MUG", 2, 10)]]
    )
    sourced = source(tables, [profile()])
    assert given(sourced) == [(0, "a", 1), (1, "a", 2), (2, "a", 1), (3, "a", 1)]


def test_beyond_the_exact_size_a_good_choice_still_breaks_up_no_bundle() -> None:
    sourced = decided(
        {"a": {"HAT": 3, "MUG": 1}, "b": {"HAT": 1, "MUG": 3}},
        (GIFT, 3, 10),
        exact_limits={"node_sets": 0, "sku_node_pairs": 0, "solver_effort": 10},
    )
    assert sourced.method.tolist() == [Method.BEYOND_EXACT_SIZE]
    assert given(sourced) == [(0, "b", 1), (1, "b", 2)]


def test_a_capacity_in_units_leaves_whole_bundles() -> None:
    terms = {**ANY_NODE, "capacity_per_day": 5, "capacity_unit": "units"}
    sourced = decided({"a": {"HAT": 9, "MUG": 9}}, (GIFT, 3, 10), nodes={"*": terms})
    assert given(sourced) == [(0, "a", 1), (1, "a", 2)]
    assert sourced.method.tolist() == [Method.SOLVED]


def test_what_one_node_could_do_is_told_in_whole_bundles() -> None:
    stock = {"a": {"HAT": 2, "MUG": 3}, "b": {"HAT": 9, "MUG": 9}}
    tables = with_bundles(Network(stock), [[(GIFT, 2, 10)]])
    found = explain_order(tables, [profile()], 0)
    could = {node["node_id"]: node["could_give_quantity"] for node in found.candidates}
    assert could == {"a": 3, "b": 6}
