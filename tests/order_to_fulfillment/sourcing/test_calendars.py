"""When goods leave a node: its own clock, its days, its blackouts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.commerce.calendar import add_working_days, trading_date
from assets.order_to_fulfillment.sourcing.calendars import arrivals, departures, local_days
from assets.order_to_fulfillment.sourcing.policy import NodeTerms
from tests.order_to_fulfillment.sourcing.network import (
    ANY_NODE,
    WORKING_DAYS,
    Network,
    anywhere,
    lane,
    order,
    policy,
    profile,
    unmet,
)
from tests.order_to_fulfillment.sourcing.network import given as given_units

NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)


def terms(**changes: Any) -> NodeTerms:
    values = {**ANY_NODE, "cut_off_by_weekday": WORKING_DAYS, **changes}
    return msgspec.convert(values, NodeTerms)


def leaves(at: str, zone: str = "Europe/London", **changes: Any) -> tuple[str, bool, bool]:
    """The day of despatch, whether today's pickup was missed, whether a blackout lay between."""
    instant = datetime.fromisoformat(at).astimezone(UTC).replace(tzinfo=None)
    longest = changes.pop("longest_wait_days", 45)
    found = departures(np.array([instant], "datetime64[us]"), zone, terms(**changes), longest)
    return str(found.day[0]), bool(found.is_after_cut_off[0]), bool(found.is_blacked_out[0])


def test_an_order_makes_todays_pickup_when_its_handling_ends_by_it() -> None:
    # Monday, pickup at 17:00, an hour of handling: the last moment is 16:00.
    assert leaves("2026-03-02T16:00:00Z") == ("2026-03-02", False, False)
    assert leaves("2026-03-02T16:00:01Z") == ("2026-03-03", True, False)


def test_an_order_of_the_weekend_leaves_on_monday_and_has_missed_no_pickup() -> None:
    assert leaves("2026-03-07T10:00:00Z") == ("2026-03-09", False, False)


def test_a_cut_off_stays_at_its_local_time_when_the_clock_changes() -> None:
    # 2026-03-29 is the day of the change in London: 17:00 is 17:00 UTC before, 16:00 UTC after.
    assert leaves("2026-03-27T16:00:00Z") == ("2026-03-27", False, False)
    assert leaves("2026-03-30T15:00:00Z") == ("2026-03-30", False, False)
    assert leaves("2026-03-30T15:00:01Z") == ("2026-03-31", True, False)


def test_handling_takes_as_long_over_the_night_in_which_the_clock_changes() -> None:
    # Saturday 18:00 to Sunday 17:00 are 22 hours when the clock goes forward, 24 when it goes back.
    every_day = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "17:00")
    changes = {"cut_off_by_weekday": every_day, "handling_hours": 23}
    assert leaves("2026-03-28T18:00:00+00:00", **changes)[0] == "2026-03-30"
    assert leaves("2026-10-24T18:00:00+01:00", **changes)[0] == "2026-10-25"


def test_each_node_goes_by_its_own_clock() -> None:
    # 20:30 UTC is 15:30 in New York, where the pickup has yet to come, and night in London.
    assert leaves("2026-03-02T20:30:00Z", "America/New_York") == ("2026-03-02", False, False)
    assert leaves("2026-03-02T20:30:00Z") == ("2026-03-03", True, False)
    # 2026-03-03 03:00 UTC is still Monday evening there.
    assert leaves("2026-03-03T03:00:00Z", "America/New_York") == ("2026-03-03", True, False)


def test_a_node_ships_nothing_on_a_blackout_date() -> None:
    blackout = {"blackout_dates": ["2026-03-03", "2026-03-04"]}
    assert leaves("2026-03-02T18:00:00Z", **blackout) == ("2026-03-05", True, True)
    assert leaves("2026-03-03T09:00:00Z", **blackout) == ("2026-03-05", False, True)
    assert leaves("2026-03-02T09:00:00Z", **blackout) == ("2026-03-02", False, False)


def test_a_node_that_is_closed_for_longer_than_the_policy_waits_does_not_ship() -> None:
    # Pickups on Mondays only, and the next of them has just gone: the one after is a week away.
    mondays = {"cut_off_by_weekday": {"mon": "17:00"}, "longest_wait_days": 7}
    assert leaves("2026-03-02T18:00:00Z", **mondays) == ("2026-03-09", True, False)
    mondays["longest_wait_days"] = 6
    assert leaves("2026-03-02T18:00:00Z", **mondays) == ("NaT", False, False)


def test_how_long_a_pickup_is_waited_for_is_a_value_of_the_policy() -> None:
    nodes = {"*": {**ANY_NODE, "cut_off_by_weekday": {"mon": "08:00"}}}
    network = Network({"dc": {"MUG": 5}})
    wanted = [order(("MUG", 1), promised_days=9)]
    patient = profile(policy(nodes=nodes, longest_wait_for_pickup_days=7))
    assert given_units(network.source(wanted, patient)) == [(0, "dc", 1)]
    hasty = profile(policy(nodes=nodes, longest_wait_for_pickup_days=6))
    assert unmet(network.source(wanted, hasty)) == [(0, 1, "no_pickup")]


def test_a_node_without_a_pickup_does_not_ship() -> None:
    assert leaves("2026-03-02T09:00:00Z", cut_off_by_weekday={})[0] == "NaT"
    network = Network({"dc": {"MUG": 5}})
    never = profile(policy(nodes={"*": {**ANY_NODE, "cut_off_by_weekday": {}}}))
    assert unmet(network.source([order(("MUG", 1))], never)) == [(0, 1, "no_pickup")]


def test_an_order_after_the_cut_off_goes_from_the_node_that_still_keeps_the_promise() -> None:
    nodes = {"*": ANY_NODE, "dc": {"cut_off_by_weekday": {**WORKING_DAYS, "mon": "09:30"}}}
    lanes = {"dc": anywhere(lane("3")), "leeds": anywhere(lane("4"))}
    network = Network({"dc": {"MUG": 5}, "leeds": {"MUG": 5}})
    judged = profile(policy(nodes=nodes, lanes=lanes))
    # Ordered on Monday at 09:00, promised for Tuesday.
    assert given_units(network.source([order(("MUG", 1), promised_days=1)], judged)) == [
        (0, "leeds", 1)
    ]
    assert given_units(network.source([order(("MUG", 1), promised_days=2)], judged)) == [
        (0, "dc", 1)
    ]


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Pacific/Auckland"])
@given(st.integers(0, 2 * 365 * 24 * 60).map(lambda count: NEW_YEAR + timedelta(minutes=count)))
def test_local_days_are_those_of_the_calendar(zone: str, instant: datetime) -> None:
    (day,) = local_days(np.array([instant.replace(tzinfo=None)], "datetime64[us]"), zone).astype(
        object
    )
    assert day == trading_date(instant, zone)


@given(st.dates(date(2025, 1, 1), date(2026, 12, 31)), st.integers(0, 12))
def test_arrivals_count_working_days_as_promises_do(day: date, days: int) -> None:
    (found,) = arrivals(np.array([day], "datetime64[D]"), np.array([[days]])[0]).astype(object)
    assert found == add_working_days(day, days)
