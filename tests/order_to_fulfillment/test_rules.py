from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.commerce.calendar import add_working_days
from assets.errors import IllegalTransition
from assets.order_to_fulfillment.policy import order_policy
from assets.order_to_fulfillment.rules import (
    FINAL_STATES,
    TRANSITIONS,
    first_day_in_time,
    next_status,
)
from resources.policy_book import FilePolicyBook

# What the policy makes of it


@pytest.mark.parametrize(
    ("channel", "ranks"), [("web_shop", [0, 1, 1, 1]), ("store", [2, 0, 1, 3])]
)
def test_nodes_that_a_ranking_does_not_name_come_after_it_as_equals(
    channel: str, ranks: list[int]
) -> None:
    policy = order_policy(FilePolicyBook().resolve("order_to_fulfillment", "uk", "main"))
    profile = policy.profile(channel, "uk")
    nodes = ["dc_midlands", "store_leeds", "store_bristol", "york"]
    assert [profile.rank(node) for node in nodes] == ranks


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
