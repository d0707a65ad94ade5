from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.commerce.calendar import add_working_days
from assets.errors import IllegalTransition
from assets.order_to_fulfillment.policy import order_policy
from assets.order_to_fulfillment.rules import (
    FINAL_STATES,
    TRANSITIONS,
    Profile,
    first_day_in_time,
    next_status,
    source,
)
from resources.policy_book import FilePolicyBook
from tests.builders import order_lines, stock

WAREHOUSE_FIRST: Profile = (("dc", 0), ("leeds", 2), ("bristol", 2))
LEEDS_FIRST: Profile = (("leeds", 0), ("dc", 0))

Taken = list[tuple[int, str, int]]


def taken(result: pd.DataFrame) -> Taken:
    return list(result[["line", "node_id", "quantity"]].itertuples(index=False, name=None))


def test_the_earliest_order_is_served_first() -> None:
    lines = order_lines(("MUG", 4), ("MUG", 5))
    assert taken(source(lines, stock(dc={"MUG": 7}), [WAREHOUSE_FIRST])) == [
        (0, "dc", 4),
        (1, "dc", 3),
    ]


def test_nodes_are_asked_in_the_order_of_the_profile() -> None:
    supply = stock(leeds={"MUG": 9}, dc={"MUG": 9})
    assert taken(source(order_lines(("MUG", 5)), supply, [WAREHOUSE_FIRST])) == [(0, "dc", 5)]
    assert taken(source(order_lines(("MUG", 5)), supply, [LEEDS_FIRST])) == [(0, "leeds", 5)]


def test_a_node_keeps_its_brokering_safety() -> None:
    supply = stock(leeds={"MUG": 3}, bristol={"MUG": 2})
    assert taken(source(order_lines(("MUG", 5)), supply, [WAREHOUSE_FIRST])) == [(0, "leeds", 1)]


def test_a_line_is_split_over_nodes_when_one_has_too_few() -> None:
    supply = stock(dc={"MUG": 2}, leeds={"MUG": 5})
    assert taken(source(order_lines(("MUG", 4)), supply, [WAREHOUSE_FIRST])) == [
        (0, "dc", 2),
        (0, "leeds", 2),
    ]


def test_two_lines_of_one_order_never_get_the_same_unit() -> None:
    lines = order_lines(("MUG", 2), ("MUG", 2)).assign(order_id="A1", line_number=[1, 2])
    assert taken(source(lines, stock(dc={"MUG": 3}), [WAREHOUSE_FIRST])) == [
        (0, "dc", 2),
        (1, "dc", 1),
    ]


def test_channels_with_other_rankings_compete_in_the_order_of_their_orders() -> None:
    lines = order_lines(("MUG", 3, 0), ("MUG", 3, 1), ("MUG", 3, 0))
    supply = stock(dc={"MUG": 4}, leeds={"MUG": 5})
    assert taken(source(lines, supply, [WAREHOUSE_FIRST, LEEDS_FIRST])) == [
        (0, "dc", 3),
        (1, "leeds", 3),
        (2, "dc", 1),
    ]


def test_stock_of_goods_that_nobody_ordered_changes_nothing() -> None:
    supply = stock(dc={"VASE": 9, "MUG": 1})
    assert taken(source(order_lines(("MUG", 2)), supply, [WAREHOUSE_FIRST])) == [(0, "dc", 1)]


def test_goods_without_stock_are_given_by_nobody() -> None:
    assert taken(source(order_lines(("MUG", 2)), stock(dc={"HAT": 1}), [WAREHOUSE_FIRST])) == []


def test_no_lines_take_nothing() -> None:
    assert taken(source(order_lines(), stock(dc={"MUG": 1}), [WAREHOUSE_FIRST])) == []


def test_stock_that_is_listed_twice_is_refused() -> None:
    twice = pd.concat([stock(dc={"MUG": 1}), stock(dc={"MUG": 1})])
    with pytest.raises(ValueError, match="twice"):
        source(order_lines(("MUG", 1)), twice, [WAREHOUSE_FIRST])


# For any lines, stocks and profiles

NODES = ("dc", "leeds", "bristol", "york")
SKUS = ("MUG", "HAT", "VASE")
profiles_of_any_kind = st.lists(
    st.permutations(NODES).flatmap(
        lambda nodes: st.integers(1, len(nodes)).flatmap(
            lambda count: st.tuples(
                *(st.tuples(st.just(node), st.integers(0, 3)) for node in nodes[:count])
            )
        )
    ),
    min_size=1,
    max_size=3,
)
supplies = st.dictionaries(
    st.tuples(st.sampled_from(NODES), st.sampled_from(SKUS)), st.integers(0, 12)
)

any_decision = settings(max_examples=60, deadline=None)


@st.composite
def decisions(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame, list[Profile]]:
    profiles: list[Profile] = draw(profiles_of_any_kind)
    lines = draw(
        st.lists(
            st.tuples(st.sampled_from(SKUS), st.integers(1, 9), st.integers(0, len(profiles) - 1)),
            max_size=12,
        )
    )
    units: dict[str, dict[str, int]] = {}
    for (node, sku), quantity in draw(supplies).items():
        units.setdefault(node, {})[sku] = quantity
    return order_lines(*lines), stock(**units), profiles


def one_after_the_other(
    lines: pd.DataFrame, supply: pd.DataFrame, profiles: list[Profile]
) -> Taken:
    left = {
        (row.node_id, row.sku): row.unpromised_quantity for row in supply.itertuples(index=False)
    }
    result: Taken = []
    for position, line in enumerate(lines.itertuples(index=False)):
        wanted = line.quantity
        for node, kept in profiles[line.profile]:
            units = min(wanted, max(0, left.get((node, line.sku), 0) - kept))
            if units:
                left[node, line.sku] -= units
                wanted -= units
                result.append((position, node, units))
    return result


def without(supply: pd.DataFrame, lines: pd.DataFrame, given: pd.DataFrame) -> pd.DataFrame:
    """The stock that a decision leaves."""
    gone = given.assign(sku=lines["sku"].to_numpy()[given["line"].to_numpy()])
    gone = gone.groupby(["node_id", "sku"], as_index=False)["quantity"].sum()
    left = supply.merge(gone, how="left", on=["node_id", "sku"])
    left["unpromised_quantity"] -= left["quantity"].fillna(0).astype("int64")
    return left[["node_id", "sku", "unpromised_quantity"]]


@any_decision
@given(decisions())
def test_deciding_at_once_equals_deciding_line_after_line(
    decision: tuple[pd.DataFrame, pd.DataFrame, list[Profile]],
) -> None:
    assert taken(source(*decision)) == one_after_the_other(*decision)


@any_decision
@given(decisions(), st.lists(st.integers(0, 12), max_size=4))
def test_how_orders_are_cut_into_batches_changes_nothing(
    decision: tuple[pd.DataFrame, pd.DataFrame, list[Profile]], cuts: list[int]
) -> None:
    lines, supply, profiles = decision
    at_once = taken(source(lines, supply, profiles))
    edges = sorted({0, len(lines), *(min(cut, len(lines)) for cut in cuts)})
    in_batches: Taken = []
    for start, end in pairwise(edges):
        batch = lines.iloc[start:end].reset_index(drop=True)
        given_units = source(batch, supply, profiles)
        in_batches += [(start + line, node, units) for line, node, units in taken(given_units)]
        supply = without(supply, batch, given_units)
    assert in_batches == at_once


@any_decision
@given(decisions())
def test_nobody_gets_more_than_ordered_and_no_node_gives_more_than_it_may(
    decision: tuple[pd.DataFrame, pd.DataFrame, list[Profile]],
) -> None:
    lines, supply, profiles = decision
    given_units = source(lines, supply, profiles)
    assert (given_units["quantity"] > 0).all()
    by_line = given_units.groupby("line")["quantity"].sum()
    assert (by_line <= lines["quantity"].reindex(by_line.index)).all()
    assert (without(supply, lines, given_units)["unpromised_quantity"] >= 0).all()


@any_decision
@given(decisions())
def test_the_inputs_stay_as_they_are(
    decision: tuple[pd.DataFrame, pd.DataFrame, list[Profile]],
) -> None:
    lines, supply, profiles = decision
    before = lines.copy(deep=True), supply.copy(deep=True)
    source(lines, supply, profiles)
    pd.testing.assert_frame_equal(lines, before[0])
    pd.testing.assert_frame_equal(supply, before[1])


# What the policy makes of it


def test_nodes_that_a_ranking_does_not_name_come_after_it_by_their_id() -> None:
    policy = order_policy(FilePolicyBook().resolve("order_to_fulfillment", "uk", "main"))
    nodes = ["york", "store_leeds", "dc_midlands", "bath"]
    assert policy.ranked_nodes("web_shop", nodes) == ("dc_midlands", "bath", "store_leeds", "york")
    assert policy.ranked_nodes("store", nodes) == ("store_leeds", "dc_midlands", "bath", "york")


@pytest.mark.parametrize(
    ("region", "service_level", "days"),
    [("uk", "standard", 3), ("eu", "standard", 6), ("us", "standard", 10), ("eu", "express", 1)],
)
def test_the_promise_depends_on_region_and_service(
    region: str, service_level: str, days: int
) -> None:
    policy = order_policy(FilePolicyBook().resolve("order_to_fulfillment", region, "main"))
    assert policy.promise_days(region, service_level) == days


# States

STATES = {state for state, _ in TRANSITIONS} | set(TRANSITIONS.values())
HAPPENINGS = {happening for _, happening in TRANSITIONS}
PATHS = {
    "delivered": ("reserved", "payment_authorised", "all_dispatched", "all_delivered"),
    "completed": ("reserved", "charges_authorised", "completed"),
    "unfilled": ("reserved", "payment_authorised", "all_rejected"),
    "declined": ("reserved", "payment_declined"),
    "cancelled": ("reserved", "cancelled"),
    "expired": ("reserved", "expired"),
}


@pytest.mark.parametrize("end", PATHS)
def test_an_order_comes_to_each_of_its_ends(end: str) -> None:
    status = "new"
    for happening in PATHS[end]:
        status = next_status(status, happening)
    assert status == end


@pytest.mark.parametrize(
    ("status", "happening"),
    sorted((s, h) for s in STATES for h in HAPPENINGS if (s, h) not in TRANSITIONS),
)
def test_an_order_cannot_go_where_the_table_does_not_lead(status: str, happening: str) -> None:
    with pytest.raises(IllegalTransition, match=f"{status} cannot become {happening}"):
        next_status(status, happening)


def test_exactly_the_final_states_lead_nowhere() -> None:
    assert STATES - {state for state, _ in TRANSITIONS} == FINAL_STATES


@given(
    today=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    working_days=st.integers(0, 20),
    ago=st.integers(0, 40),
)
def test_a_parcel_is_in_time_until_its_last_working_day_is_over(
    today: date, working_days: int, ago: int
) -> None:
    dispatched = today - timedelta(days=ago)
    is_in_time = dispatched >= first_day_in_time(today, working_days)
    # A parcel of the weekend counts from the Friday before.
    counted_from = dispatched - timedelta(days=max(0, dispatched.weekday() - 4))
    assert is_in_time == (add_working_days(counted_from, working_days) >= today)
