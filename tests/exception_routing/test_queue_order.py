"""Which case a team sees to first."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from assets.exception_routing.policy import QueueOrder
from assets.exception_routing.queue_order import in_order

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def case(
    name: str,
    *,
    age_hours: int = 0,
    cost: str | None = "1",
    minutes: int | None = 10,
    promised: date | None = None,
    value: str | None = None,
) -> dict[str, Any]:
    return {
        "case_id": name,
        "opened_at": MONDAY - timedelta(hours=age_hours),
        "delay_cost_per_hour": None if cost is None else Decimal(cost),
        "handling_minutes": minutes,
        "promised_date": promised,
        "value_at_risk": None if value is None else Decimal(value),
    }


def named(cases: list[dict[str, Any]], by: str = "delay_cost", every: int = 100) -> str:
    order = QueueOrder(by=by, oldest_every_cases=every)  # type: ignore[arg-type]
    return " ".join(str(one["case_id"]) for one in in_order(cases, order))


def test_what_costs_most_for_each_minute_of_work_comes_first() -> None:
    slow, quick = case("slow", cost="9", minutes=60), case("quick", cost="2", minutes=5)
    assert named([slow, quick]) == "quick slow"


def test_among_equals_the_older_comes_first_and_what_nobody_routed_last() -> None:
    unknown = case("unknown", age_hours=9, cost=None, minutes=None)
    assert named([unknown, case("new"), case("old", age_hours=1)]) == "old new unknown"


def test_every_so_many_is_the_oldest_however_little_it_costs() -> None:
    dear = [case(f"dear{n}", cost="9") for n in range(4)]
    cheap = [case("cheap", age_hours=8, cost="0"), case("cheaper", age_hours=7, cost="0")]
    assert named([*dear, *cheap], every=3) == "dear0 dear1 cheap dear2 dear3 cheaper"


def test_in_an_outage_promises_go_before_money() -> None:
    cases = [
        case("rich", value="900"),
        case("later", promised=date(2026, 3, 5), value="500", cost="9"),
        case("today", promised=date(2026, 3, 2), value="5", cost="0"),
        case("today_dear", promised=date(2026, 3, 2), value="50", cost="0"),
    ]
    assert named(cases, by="commitment") == "today_dear today later rich"


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9), st.integers(1, 60)), max_size=30))
def test_every_case_is_shown_once(drawn: list[tuple[int, int, int]]) -> None:
    cases = [
        case(f"c{n}", age_hours=age, cost=str(cost), minutes=minutes)
        for n, (age, cost, minutes) in enumerate(drawn)
    ]
    shown = named(cases, every=4).split()
    assert sorted(shown) == sorted(str(one["case_id"]) for one in cases)
