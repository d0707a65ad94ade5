from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from assets.inventory.policy import InventoryPolicy, inventory_policy
from assets.inventory.rules import (
    available_to_promise,
    book_change,
    broken_up,
    bundles_available_to_promise,
    correct_count,
)
from assets.ports import Reservation
from tests.builders import stock


def policy(
    threshold: int = 0,
    ceiling: int = 1_000,
    excluded: tuple[str, ...] = (),
    safety: dict[str, int] | None = None,
    **channels: Any,
) -> InventoryPolicy:
    """One channel, ``web``, unless others are given whole."""
    web = {
        "threshold_quantity_each": threshold,
        "ceiling_quantity_each": ceiling,
        "excluded_nodes": list(excluded),
    }
    return inventory_policy(
        {
            "node_safety_quantity_each_by_node": safety or {},
            "channels": channels or {"web": web},
            "availability_lines_per_message": 100,
            "inbound_confidence_basis_points_by_status": {
                "planned": 5_000,
                "confirmed": 8_000,
                "in_transit": 10_000,
            },
            "inbound_believed_hours_overdue": 24,
        }
    )


def told(positions: pd.DataFrame, rules: InventoryPolicy) -> dict[tuple[str, str], int]:
    result = available_to_promise(positions, dict.fromkeys(rules.channels, rules))
    keys = zip(result["channel"], result["sku"], strict=True)
    return dict(zip(keys, result["published_quantity"].tolist(), strict=True))


def test_one_nodes_shortfall_does_not_eat_another_nodes_stock() -> None:
    positions = stock(a={"MUG": 3}, b={"MUG": 10})
    result = available_to_promise(positions, {"web": policy(safety={"a": 5})})
    # Summed first and subtracted then, it would be 8.
    assert result["available_quantity"].tolist() == [10]


def test_where_every_node_exceeds_its_safety_subtracting_totals_gives_the_same() -> None:
    """HotWax's published example: 100 units, four nodes keep 5 each, 10 for the feed, 50 sold."""
    positions = stock(a={"MUG": 20}, b={"MUG": 10}, c={"MUG": 10}, d={"MUG": 10})
    rules = policy(threshold=10, safety={"*": 5})
    assert told(positions, rules) == {("web", "MUG"): 20}


@pytest.mark.parametrize(
    ("unpromised", "published"), [(0, 0), (2, 0), (3, 1), (22, 20), (23, 20), (500, 20)]
)
def test_the_threshold_is_kept_back_and_the_ceiling_hides_the_rest(
    unpromised: int, published: int
) -> None:
    positions = stock(dc={"MUG": unpromised})
    assert told(positions, policy(threshold=2, ceiling=20)) == {("web", "MUG"): published}


def test_a_channel_does_not_see_the_nodes_that_it_excludes() -> None:
    positions = stock(dc={"MUG": 4}, leeds={"MUG": 9, "HAT": 2})
    assert told(positions, policy(excluded=("leeds",))) == {("web", "HAT"): 0, ("web", "MUG"): 4}


def test_every_channel_is_told_of_every_sku_in_order() -> None:
    open_channel = {"threshold_quantity_each": 0, "ceiling_quantity_each": 9}
    rules = policy(web=open_channel, b2b=open_channel)
    result = available_to_promise(stock(dc={"VASE": 1, "HAT": 2}), {"web": rules, "b2b": rules})
    assert list(zip(result["channel"], result["sku"], strict=True)) == [
        ("b2b", "HAT"),
        ("b2b", "VASE"),
        ("web", "HAT"),
        ("web", "VASE"),
    ]


def test_each_channel_is_told_what_its_own_scope_allows() -> None:
    positions = stock(dc={"MUG": 10})
    strict, loose = policy(threshold=4), policy(safety={"dc": 1})
    policies = {
        "eu": replace(strict, channels={"eu": strict.channels["web"]}),
        "web": loose,
    }
    result = available_to_promise(positions, policies)
    assert result["available_quantity"].tolist() == [10, 9]
    assert result["published_quantity"].tolist() == [6, 9]


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["MUG", "HAT"])),
        st.integers(0, 50),
        min_size=1,
    ),
    st.dictionaries(st.sampled_from("abc*"), st.integers(0, 20)),
    st.integers(0, 20),
    st.integers(0, 40),
    st.sets(st.sampled_from("abc")),
)
def test_no_channel_is_told_more_than_its_nodes_can_spare(
    units: dict[tuple[str, str], int],
    safety: dict[str, int],
    threshold: int,
    ceiling: int,
    excluded: set[str],
) -> None:
    positions = pd.DataFrame(
        [(node, sku, quantity) for (node, sku), quantity in units.items()],
        columns=["node_id", "sku", "unpromised_quantity"],
    )
    before = positions.copy(deep=True)
    rules = policy(threshold, ceiling, tuple(excluded), safety)
    spare: dict[str, int] = dict.fromkeys((sku for _, sku in units), 0)
    for (node, sku), quantity in units.items():
        kept = safety.get(node, safety.get("*", 0))
        spare[sku] += 0 if node in excluded else max(0, quantity - kept)
    expected = {
        ("web", sku): min(ceiling, max(0, quantity - threshold)) for sku, quantity in spare.items()
    }
    assert told(positions, rules) == expected
    pd.testing.assert_frame_equal(positions, before)


# What the books can show of a physical change


@pytest.mark.parametrize(
    ("change", "position", "expected"),
    [
        (5, (0, 0, 0), (5, 0, 0)),
        (-3, (10, 4, 3), (-3, 0, 0)),
        (-4, (10, 4, 3), (-4, 1, 0)),
        (-7, (10, 4, 3), (-7, 4, 0)),
        # Three are being picked, so three are there.
        (-9, (10, 4, 3), (-7, 4, 2)),
        (-1, (0, 0, 0), (0, 0, 1)),
    ],
)
def test_reservations_give_way_before_what_is_being_picked(
    change: int, position: tuple[int, int, int], expected: tuple[int, int, int]
) -> None:
    assert book_change(change, *position) == expected


@st.composite
def lawful_positions(draw: st.DrawFn) -> tuple[int, int, int]:
    reserved, allocated, free = (draw(st.integers(0, 50)) for _ in range(3))
    return reserved + allocated + free, reserved, allocated


@given(st.integers(-200, 200), lawful_positions())
def test_a_lawful_position_stays_lawful_and_no_unit_is_lost(
    change: int, position: tuple[int, int, int]
) -> None:
    on_hand, reserved, allocated = position
    booked, giving_way, beyond = book_change(change, on_hand, reserved, allocated)
    assert 0 <= giving_way <= reserved
    assert reserved - giving_way + allocated <= on_hand + booked
    assert booked - beyond == change
    assert beyond == 0 or on_hand + booked == allocated
    # Nobody gives way while there is a free unit left.
    assert giving_way == 0 or reserved - giving_way + allocated == on_hand + booked


@pytest.mark.parametrize(
    ("change", "excess", "expected"),
    [(-3, 0, (3, 0)), (-8, 6, (2, 0)), (-3, 6, (0, 3)), (4, 0, (-4, 0)), (4, 5, (-4, 5))],
)
def test_a_count_is_corrected_by_what_it_knew_and_what_could_not_be_booked(
    change: int, excess: int, expected: tuple[int, int]
) -> None:
    assert correct_count(change, excess) == expected


# Bundles

GIFT = {"GIFT": [("MUG", 2), ("HAT", 1)]}


def told_of_gifts(
    positions: pd.DataFrame, rules: InventoryPolicy, together: bool
) -> list[tuple[int, int]]:
    """(available, published) of a gift of two mugs and a hat."""
    result = bundles_available_to_promise(positions, GIFT, {"web": rules}, {"web": together})
    assert list(zip(result["channel"], result["sku"], strict=True)) == [("web", "GIFT")]
    return list(zip(result["available_quantity"], result["published_quantity"], strict=True))


def test_a_channel_may_sell_a_bundle_as_often_as_its_scarcest_component_does_for() -> None:
    positions = stock(a={"MUG": 9, "HAT": 2}, b={"MUG": 1, "HAT": 5})
    assert told_of_gifts(positions, policy(), together=False) == [(5, 5)]
    # Alone, a completes two and b none.
    assert told_of_gifts(positions, policy(), together=True) == [(2, 2)]


def test_a_bundle_keeps_to_the_buffers_of_its_components() -> None:
    positions = stock(a={"MUG": 13, "HAT": 9}, b={"MUG": 50, "HAT": 50})
    rules = policy(threshold=2, excluded=("b",), safety={"a": 1})
    # 12 mugs and 8 hats are free, 10 and 6 above the threshold.
    assert told_of_gifts(positions, rules, together=True) == [(6, 5)]
    assert told_of_gifts(positions, policy(ceiling=3), together=True) == [(31, 3)]


def test_a_bundle_of_what_lies_nowhere_is_told_as_none() -> None:
    assert told_of_gifts(stock(a={"MUG": 9}), policy(), together=True) == [(0, 0)]
    assert told_of_gifts(stock(), policy(), together=False) == [(0, 0)]


def held(line: int, node: str, sku: str, units: int) -> Reservation:
    return Reservation("order", line, node, sku, units)


def test_whole_bundles_at_other_nodes_outlive_a_lost_component() -> None:
    mugs, hats = held(2, "a", "MUG", 4), held(3, "a", "HAT", 2)
    elsewhere = [(held(2, "b", "MUG", 2), 2), (held(3, "b", "HAT", 1), 1)]
    assert broken_up(hats, [(mugs, 2), (hats, 1), *elsewhere]) == [mugs]


def test_bundles_whose_parts_lie_apart_go_as_a_whole() -> None:
    mugs, hats, more = held(2, "a", "MUG", 4), held(3, "b", "HAT", 1), held(3, "c", "HAT", 1)
    assert broken_up(hats, [(mugs, 2), (hats, 1), (more, 1)]) == [mugs, more]


def test_what_is_no_component_takes_nothing_with_it() -> None:
    assert broken_up(held(1, "a", "MUG", 4), []) == []
