"""Sourcing in the words of the order desk."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from assets.order_to_fulfillment.sourcing import deciding
from assets.order_to_fulfillment.sourcing.deciding import Method, source
from assets.order_to_fulfillment.sourcing.explaining import explain_order
from assets.order_to_fulfillment.sourcing.profile import Profile
from tests.order_to_fulfillment.sourcing.network import (
    ANY_NODE,
    MONDAY,
    Network,
    Wanted,
    anywhere,
    given,
    lane,
    order,
    policy,
    profile,
    unmet,
)

CHEAP_DC = {"dc": anywhere(lane("3")), "leeds": anywhere(lane("4")), "york": anywhere(lane("5"))}


def test_the_earliest_order_is_served_first() -> None:
    sourced = Network({"dc": {"MUG": 7}}).source([order(("MUG", 4)), order(("MUG", 5))])
    assert given(sourced) == [(0, "dc", 4), (1, "dc", 3)]
    assert unmet(sourced) == [(1, 2, "out_of_stock")]


def test_an_order_that_a_node_does_not_serve_takes_nothing_from_those_after_it() -> None:
    lanes = {"dc": {"GB": {"*": lane()}}}
    orders = [order(("MUG", 1), country="US"), order(("MUG", 1))]
    sourced = Network({"dc": {"MUG": 1}}).source(orders, profile(policy(lanes=lanes)))
    assert given(sourced) == [(1, "dc", 1)]
    assert unmet(sourced) == [(0, 1, "no_lane")]


def test_one_parcel_from_a_dearer_node_goes_before_two_from_cheaper_ones() -> None:
    network = Network({"dc": {"MUG": 1}, "leeds": {"HAT": 1}, "york": {"MUG": 1, "HAT": 1}})
    sourced = network.source([order(("MUG", 1), ("HAT", 1))], profile(policy(lanes=CHEAP_DC)))
    assert given(sourced) == [(0, "york", 1), (1, "york", 1)]


def test_two_cheap_parcels_go_before_a_dear_one_where_the_weights_say_so() -> None:
    lanes = {**CHEAP_DC, "york": anywhere(lane("12"))}
    weighted = policy(mode="weighted", lanes=lanes)
    network = Network({"dc": {"MUG": 1}, "leeds": {"HAT": 1}, "york": {"MUG": 1, "HAT": 1}})
    # 3 + 4 and 2 for the second parcel are 9; York alone is 12.
    assert given(network.source([order(("MUG", 1), ("HAT", 1))], profile(weighted))) == [
        (0, "dc", 1),
        (1, "leeds", 1),
    ]


def test_a_promise_is_kept_from_a_dearer_node() -> None:
    lanes = {"dc": anywhere(lane("3", days=6)), "leeds": anywhere(lane("4", days=1))}
    network = Network({"dc": {"MUG": 5}, "leeds": {"MUG": 5}})
    sourced = network.source([order(("MUG", 1), promised_days=2)], profile(policy(lanes=lanes)))
    assert given(sourced) == [(0, "leeds", 1)]
    assert sourced.late_units.tolist() == [0]


def test_late_units_are_sent_only_where_the_policy_says_so() -> None:
    network = Network({"dc": {"MUG": 5}})
    lanes = {"dc": anywhere(lane(days=9))}
    wanted = [order(("MUG", 2))]
    sent = network.source(wanted, profile(policy(lanes=lanes)))
    assert given(sent) == [(0, "dc", 2)]
    assert sent.late_units.tolist() == [2]
    kept = network.source(wanted, profile(policy(lanes=lanes, may_ship_late=False)))
    assert given(kept) == []
    assert unmet(kept) == [(0, 2, "promise_not_feasible")]


@pytest.mark.parametrize(("splits", "shipped"), [(0, 3), (1, 5), (2, 6)])
def test_maximum_splits_count_the_parcels_after_the_first(splits: int, shipped: int) -> None:
    network = Network({"dc": {"MUG": 3}, "leeds": {"MUG": 2}, "york": {"MUG": 1}})
    sourced = network.source([order(("MUG", 6))], profile(policy(maximum_splits=splits)))
    assert sourced.units["quantity"].sum() == shipped
    assert sourced.shipments.tolist() == [splits + 1]
    missing = [(0, 6 - shipped, "beyond_maximum_splits")] if shipped < 6 else []
    assert unmet(sourced) == missing


def test_both_parts_of_a_split_order_are_worth_their_parcel() -> None:
    network = Network({"dc": {"MUG": 5}, "leeds": {"MUG": 1}})
    twenty = policy(minimum_shipment_value="20")
    # The last mug alone is worth 10: not sent. With one unit less from the warehouse both would be
    # worth it only if Leeds had two.
    sourced = network.source([order(("MUG", 6))], profile(twenty))
    assert given(sourced) == [(0, "dc", 5)]
    assert unmet(sourced) == [(0, 1, "below_minimum_shipment_value")]
    network = Network({"dc": {"MUG": 5}, "leeds": {"MUG": 2}})
    assert given(network.source([order(("MUG", 6))], profile(twenty))) == [
        (0, "dc", 4),
        (0, "leeds", 2),
    ]


def test_a_part_that_stays_unmet_keeps_no_parcel_from_going() -> None:
    network = Network({"dc": {"MUG": 1}})
    sourced = network.source([order(("MUG", 6))], profile(policy(minimum_shipment_value="20")))
    assert given(sourced) == [(0, "dc", 1)]


def test_a_store_keeps_its_last_units_unless_they_save_more_than_they_are_worth() -> None:
    terms = {
        "*": ANY_NODE,
        "leeds": {"protected_quantity_each": 2, "opportunity_basis_points": 2_000},
    }
    lanes = {"dc": anywhere(lane("5")), "leeds": anywhere(lane("4"))}
    protecting = profile(policy(nodes=terms, lanes=lanes))
    network = Network({"dc": {"MUG": 9}, "leeds": {"MUG": 3}})
    # A parcel from Leeds is 1 cheaper; a mug of 10 among the last two costs 2 on top.
    assert given(network.source([order(("MUG", 1))], protecting)) == [(0, "leeds", 1)]
    assert given(network.source([order(("MUG", 2))], protecting)) == [(0, "dc", 2)]
    assert given(network.source([order(("MUG", 2, 2))], protecting)) == [(0, "leeds", 2)]


def test_what_a_node_keeps_back_is_given_to_no_order() -> None:
    keeping = profile(kept_back={"leeds": 2, "*": 0})
    sourced = Network({"leeds": {"MUG": 3}}).source([order(("MUG", 3))], keeping)
    assert given(sourced) == [(0, "leeds", 1)]
    assert unmet(sourced) == [(0, 2, "protected_store_stock")]


def test_units_are_kept_back_by_node_before_anything_is_added_up() -> None:
    # The golden of available to promise: A has 3 and keeps 5, B has 10 and keeps none: 10, not 8.
    keeping = profile(kept_back={"a": 5, "*": 0})
    sourced = Network({"a": {"MUG": 3}, "b": {"MUG": 10}}).source([order(("MUG", 11))], keeping)
    assert given(sourced) == [(0, "b", 10)]


@pytest.mark.parametrize(("unit", "served"), [("orders", 2), ("units", 1)])
def test_a_node_takes_on_no_more_in_a_day_than_it_can(unit: str, served: int) -> None:
    terms = {"*": ANY_NODE, "leeds": {"capacity_per_day": 3, "capacity_unit": unit}}
    busy = profile(policy(nodes=terms, maximum_splits=0))
    network = Network({"leeds": {"MUG": 99}}, used=[("leeds", "2026-03-02", 1, 1)])
    sourced = network.source([order(("MUG", 2)), order(("MUG", 2)), order(("MUG", 2))], busy)
    assert sourced.units["quantity"].tolist() == [2] * served
    assert {reason for _, _, reason in unmet(sourced)} == {"no_capacity"}
    tomorrow = order(("MUG", 2), decided_at=MONDAY + timedelta(days=1))
    assert given(network.source([tomorrow], busy)) == [(0, "leeds", 2)]


def test_a_node_that_rejected_the_order_is_not_asked_again() -> None:
    network = Network({"dc": {"MUG": 5}, "leeds": {"MUG": 1}})
    sourced = network.source([order(("MUG", 2), rejected_by=["dc"])])
    assert given(sourced) == [(0, "leeds", 1)]
    assert unmet(sourced) == [(0, 1, "excluded_after_reject")]


def test_a_node_without_a_lane_does_not_serve() -> None:
    lanes = {"dc": {"uk": {"*": lane()}, "FR": {"express": lane()}}}
    network, only_here = Network({"dc": {"MUG": 5}}), profile(policy(lanes=lanes))
    assert given(network.source([order(("MUG", 1))], only_here)) == [(0, "dc", 1)]
    abroad = profile(policy(lanes=lanes), region="eu")
    assert unmet(network.source([order(("MUG", 1), country="FR")], abroad)) == [(0, 1, "no_lane")]
    fast = order(("MUG", 1), country="FR", service_level="express")
    assert given(network.source([fast], abroad)) == [(0, "dc", 1)]


def test_nodes_work_as_their_kind_does_unless_they_say_otherwise() -> None:
    terms = {
        "*": ANY_NODE,
        "warehouse": {"capacity_per_day": 0},
        "york": {"capacity_per_day": None},
    }
    network = Network({"leeds": {"MUG": 5}, "york": {"MUG": 5}})
    sourced = network.source([order(("MUG", 1))], profile(policy(nodes=terms)))
    assert given(sourced) == [(0, "york", 1)]


def test_a_channel_has_the_nodes_of_its_ranking_unless_the_step_is_worth_it() -> None:
    lanes = {"dc": anywhere(lane("3")), "leeds": anywhere(lane("4"))}
    network = Network({"dc": {"MUG": 5}, "leeds": {"MUG": 5}})
    leeds_first = {"ranking": ("leeds",)}
    dear = profile(policy(lanes=lanes, preference_step_cost="2"), **leeds_first)
    assert given(network.source([order(("MUG", 1))], dear)) == [(0, "leeds", 1)]
    cheap = profile(policy(lanes=lanes, preference_step_cost="0.5"), **leeds_first)
    sourced = network.source([order(("MUG", 1))], cheap)
    assert given(sourced) == [(0, "dc", 1)]
    assert sourced.transport.tolist() == [30_000], "a preference is not paid to anybody"


def test_equals_are_told_apart_by_distance_and_then_by_id() -> None:
    near = {"a": anywhere(lane(km=20)), "b": anywhere(lane(km=10)), "c": anywhere(lane(km=10))}
    network = Network({node: {"MUG": 1} for node in ("c", "b", "a")})
    assert given(network.source([order(("MUG", 1))], profile(policy(lanes=near)))) == [(0, "b", 1)]
    assert given(network.source([order(("MUG", 1))])) == [(0, "a", 1)]


def test_lines_of_one_sku_share_what_the_order_was_given() -> None:
    network = Network({"dc": {"MUG": 2}, "leeds": {"MUG": 2}})
    sourced = network.source([order(("MUG", 3), ("MUG", 2))])
    assert given(sourced) == [(0, "dc", 2), (0, "leeds", 1), (1, "leeds", 1)]
    assert unmet(sourced) == [(1, 1, "out_of_stock")]


def test_beyond_the_size_that_is_decided_exactly_a_good_choice_says_so() -> None:
    limits = {"node_sets": 1, "sku_node_pairs": 1, "solver_effort": 1}
    network = Network({"dc": {"MUG": 2}, "leeds": {"MUG": 3}})
    sourced = network.source([order(("MUG", 5))], profile(policy(exact_limits=limits)))
    assert given(sourced) == [(0, "dc", 2), (0, "leeds", 3)]
    assert deciding.REASONS[sourced.method[0]] == ["beyond_exact_size"]


def test_an_order_without_goods_and_a_home_without_nodes_are_no_trouble() -> None:
    assert given(Network({"dc": {"MUG": 1}}).source([order(), order(("MUG", 1))])) == [(0, "dc", 1)]
    assert unmet(Network({}).source([order(("MUG", 1))])) == [(0, 1, "out_of_stock")]
    assert given(Network({"dc": {"MUG": 1}}).source([])) == []


def test_stock_that_is_listed_twice_is_refused() -> None:
    tables = Network({"dc": {"MUG": 1}}).tables([order(("MUG", 1))])
    twice = pd.concat([tables.stock, tables.stock])
    with pytest.raises(ValueError, match="twice"):
        source(deciding.Tables(**{**vars(tables), "stock": twice}), [profile()])


def test_an_explanation_shows_every_node_with_its_scores_and_what_spoke_against_it() -> None:
    network = Network({"dc": {"MUG": 5}, "leeds": {"MUG": 5}, "york": {"MUG": 2}})
    judged = profile(policy(lanes=CHEAP_DC), kept_back={"york": 2, "*": 0})
    wanted = [order(("MUG", 4)), order(("MUG", 2))]
    explained = explain_order(network.tables(wanted), [judged], 1)
    assert explained.mode == "lexicographic"
    assert explained.objective == {
        "unmet_quantity": 0,
        "late_quantity": 0,
        "shipments": 1,
        "cost_amount": 40_000,
    }
    found = {candidate["node_id"]: candidate for candidate in explained.candidates}
    assert {node: candidate["reason_codes"] for node, candidate in found.items()} == {
        "dc": ["leaves_units_unmet"],
        "leeds": [],
        "york": ["protected_store_stock"],
    }
    assert [node for node, candidate in found.items() if candidate["is_chosen"]] == ["leeds"]
    assert found["dc"]["could_give_quantity"] == 1, "four of five went to the order before"
    assert found["dc"]["objective_alone"]["unmet_quantity"] == 1


# For any network and orders

SKUS = ("HAT", "MUG", "VASE")
NODES = ("a", "b", "c", "d")


@st.composite
def decisions(draw: st.DrawFn) -> tuple[Network, list[Wanted], list[Profile]]:
    stock = {
        node: {sku: draw(st.integers(0, 9)) for sku in SKUS}
        for node in draw(st.lists(st.sampled_from(NODES), unique=True, max_size=4))
    }
    profiles = [
        profile(
            policy(
                mode=draw(st.sampled_from(["lexicographic", "weighted"])),
                maximum_splits=draw(st.integers(0, 2)),
                minimum_shipment_value=draw(st.sampled_from(["0", "25"])),
                may_ship_late=draw(st.booleans()),
                nodes={
                    "*": {
                        **ANY_NODE,
                        "protected_quantity_each": 2,
                        "opportunity_basis_points": 3_000,
                    },
                    "a": {"capacity_per_day": draw(st.sampled_from([None, 2, 6]))},
                    "b": {"capacity_per_day": 5, "capacity_unit": "units"},
                },
                lanes={
                    node: anywhere(lane(str(2 + rank), "0.5", draw(st.sampled_from([1, 9])), rank))
                    for rank, node in enumerate(NODES)
                },
            ),
            kept_back={node: draw(st.integers(0, 2)) for node in NODES},
        )
        for _ in range(draw(st.integers(1, 2)))
    ]
    orders = [
        Wanted(
            draw(
                st.lists(
                    st.tuples(st.sampled_from(SKUS), st.integers(1, 6), st.sampled_from([4, 10])),
                    max_size=3,
                )
            ),
            profile=draw(st.integers(0, len(profiles) - 1)),
            decided_at=MONDAY + timedelta(hours=draw(st.integers(0, 30))),
        )
        for _ in range(draw(st.integers(0, 7)))
    ]
    return Network(stock), orders, profiles


any_decision = settings(max_examples=40, deadline=None)


@any_decision
@for_all(decisions())
def test_every_unit_is_sourced_or_unmet_with_a_reason_and_no_node_gives_more_than_it_may(
    decision: tuple[Network, list[Wanted], list[Profile]],
) -> None:
    network, orders, profiles = decision
    tables = network.tables(orders)
    sourced = source(tables, profiles)
    quantity = tables.order_lines["quantity"].to_numpy().copy()
    np.subtract.at(quantity, sourced.units["line"].to_numpy(), sourced.units["quantity"])
    np.subtract.at(quantity, sourced.unmet["line"].to_numpy(), sourced.unmet["quantity"])
    assert (quantity == 0).all()
    assert (sourced.units["quantity"] > 0).all()
    assert sourced.unmet["reason_code"].notna().all()
    taken: Counter[tuple[str, str]] = Counter()
    for line, node, units in given(sourced):
        taken[node, str(tables.order_lines["sku"].iloc[line])] += units
    assert all(units <= network.stock[node][sku] for (node, sku), units in taken.items())
    limits = [p.policy.maximum_splits + 1 for p in profiles]
    assert all(
        shipments <= limits[wanted.profile]
        for shipments, wanted in zip(sourced.shipments, orders, strict=True)
    )


@any_decision
@for_all(decisions(), st.lists(st.integers(0, 7), max_size=3))
def test_how_orders_are_cut_into_batches_changes_nothing(
    decision: tuple[Network, list[Wanted], list[Profile]], cuts: list[int]
) -> None:
    network, orders, profiles = decision
    whole = source(network.tables(orders), profiles)
    units: list[Any] = []
    reasons: list[Any] = []
    stock = {node: dict(held) for node, held in network.stock.items()}
    used: dict[tuple[str, str], list[int]] = {}
    line = 0
    for start, end in pairwise(sorted({0, len(orders), *(min(c, len(orders)) for c in cuts)})):
        batch = orders[start:end]
        before = [(node, day, *taken) for (node, day), taken in used.items()]
        tables = Network(stock, used=before).tables(batch, first=start)
        sourced = source(tables, profiles)
        units += [(line + position, node, n) for position, node, n in given(sourced)]
        reasons += [(line + position, n, reason) for position, n, reason in unmet(sourced)]
        parcels = set()
        for position, node, n in given(sourced):
            row = tables.order_lines.iloc[position]
            stock[node][row["sku"]] -= n
            day = batch[row["order"]].decided_at.date().isoformat()
            taken = used.setdefault((node, day), [0, 0])
            taken[0] += (node, row["order"]) not in parcels
            taken[1] += n
            parcels.add((node, row["order"]))
        line += len(tables.order_lines)
    assert units == given(whole)
    assert reasons == unmet(whole)


@any_decision
@for_all(decisions())
def test_the_size_of_a_chunk_changes_nothing(
    decision: tuple[Network, list[Wanted], list[Profile]],
) -> None:
    network, orders, profiles = decision
    whole = source(network.tables(orders), profiles)
    kept, deciding.CHUNK = deciding.CHUNK, 2
    try:
        small = source(network.tables(orders), profiles)
    finally:
        deciding.CHUNK = kept
    assert given(small) == given(whole)
    assert unmet(small) == unmet(whole)


@any_decision
@for_all(decisions())
def test_the_inputs_stay_as_they_are(
    decision: tuple[Network, list[Wanted], list[Profile]],
) -> None:
    network, orders, profiles = decision
    tables = network.tables(orders)
    source(tables, profiles)
    for name, frame in vars(network.tables(orders)).items():
        pd.testing.assert_frame_equal(getattr(tables, name), frame)


def test_most_orders_of_a_well_stocked_home_are_settled_at_once() -> None:
    network = Network({"dc": {"MUG": 500, "HAT": 500}, "leeds": {"MUG": 3}})
    wanted = [order(("MUG", 1), ("HAT", 2)) for _ in range(200)]
    sourced = network.source(wanted, profile(policy(lanes=CHEAP_DC)))
    assert set(sourced.method.tolist()) == {Method.COMMON_CASE}
    assert sourced.units["quantity"].sum() == 600
