"""Whose a case is and by when: said by policy, in the transaction that opens it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from assets.ports import About, Case, CaseType
from resources.operational_store.cases import open_cases
from tests.builders import Shop

LONDON = ZoneInfo("Europe/London")
#: Ten-thousandths of a pound.
POUND = 10_000


def london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    shop = Shop(database_url)
    yield shop
    shop.close()


def opened(shop: Shop, at: str, *cases: Case) -> None:
    shop.clock.advance(london(at))
    with shop.store.unit_of_work() as unit_of_work:
        unit_of_work.open_cases(cases)


def held(value: int, key: str = "web_shop/A1", **about: Any) -> Case:
    worth = About(value_at_risk=value * POUND, currency_code="GBP", **about)
    return Case(CaseType.PAYMENT_HELD, key, "may be fraud", worth)


def test_a_case_that_a_flow_opens_is_somebodys_when_it_is_there(shop: Shop) -> None:
    opened(shop, "2026-03-02T17:00", held(20))
    assert shop.rows("select owner, severity, service_level, due_at from exception_case") == [
        ("payments", "high", "four_hours", london("2026-03-03T11:00"))
    ]


def test_a_case_worth_more_goes_by_its_own_route(shop: Shop) -> None:
    opened(shop, "2026-03-02T10:00", held(999, "below"), held(1_000, "above"))
    routed = "select business_key, severity, due_at from exception_case order by 1"
    assert shop.rows(routed) == [
        ("above", "critical", london("2026-03-02T11:00")),
        ("below", "high", london("2026-03-02T14:00")),
    ]


@pytest.mark.parametrize(
    ("promised", "severity"), [(3, "critical"), (4, "high"), (1, "critical"), (None, "high")]
)
def test_a_refused_order_is_urgent_when_its_promise_is_near(
    shop: Shop, promised: int | None, severity: str
) -> None:
    day = None if promised is None else date(2026, 3, promised)
    case = Case(CaseType.FULFILMENT_REJECTED, "f-1", "no stock", About(promised_date=day))
    opened(shop, "2026-03-02T10:00", case)
    assert shop.value("select severity from exception_case") == severity


def test_a_working_day_is_the_same_time_on_the_next_one(shop: Shop) -> None:
    silent = Case(CaseType.CARRIER_SILENCE, "web_shop/A1/S1", "nothing is heard of it")
    opened(shop, "2026-03-06T16:30", silent)
    assert shop.value("select due_at from exception_case") == london("2026-03-09T16:30")


def test_stores_work_on_saturdays_by_their_own_calendar(shop: Shop) -> None:
    late = Case(CaseType.PICKUP_NOT_READY, "web_shop/A1", "it was promised")
    opened(shop, "2026-03-06T17:45", late)
    assert shop.rows("select owner, due_at from exception_case") == [
        ("store_operations", london("2026-03-07T09:45"))
    ]


def test_a_dead_letter_is_the_team_s_whose_command_it_was(shop: Shop) -> None:
    shop.clock.advance(london("2026-03-02T10:00"))
    dead = Case(CaseType.DEAD_LETTER, "crm/C1", "unknown address", brought_by="customer_care")
    with shop.store.transaction() as connection:
        open_cases(connection, [dead], shop.clock.effective_at())
    assert shop.rows("select owner, routed_at from exception_case") == [(None, None)]
    assert shop.store.route_cases() == 1
    assert shop.rows("select owner, due_at from exception_case") == [
        ("customer_care", london("2026-03-02T14:00"))
    ]
    assert shop.store.route_cases() == 0


def test_a_case_that_comes_back_has_all_of_its_time_again(shop: Shop) -> None:
    opened(shop, "2026-03-02T09:00", held(20))
    opened(shop, "2026-03-02T10:00", held(20))
    with shop.store.unit_of_work() as unit_of_work:
        unit_of_work.close_cases(CaseType.PAYMENT_HELD, ["web_shop/A1"], "released")
    opened(shop, "2026-03-02T12:00", held(20))
    state = "select status, case_count, cycle, opened_at, due_at from exception_case"
    assert shop.rows(state) == [
        ("open", 3, 2, london("2026-03-02T09:00"), london("2026-03-02T16:00"))
    ]
    ledger = "select cycle, movement_number, kind, due_at from service_level_movement order by 1"
    assert shop.rows(ledger) == [
        (1, 1, "started", london("2026-03-02T13:00")),
        (2, 1, "started", london("2026-03-02T16:00")),
    ]


def test_a_case_that_is_cured_where_it_was_found_had_an_owner_too(shop: Shop) -> None:
    shop.clock.advance(london("2026-03-02T10:00"))
    with shop.store.unit_of_work() as unit_of_work:
        unit_of_work.open_cases([held(20)])
        unit_of_work.close_cases(CaseType.PAYMENT_HELD, ["web_shop/A1"], "released")
    assert shop.rows("select status, owner from exception_case") == [("closed", "payments")]
    shop.clock.advance(london("2026-03-09T10:00"))
    assert shop.store.escalate() == 0, "nobody is late with what is over"


def test_an_hour_of_delay_costs_a_share_of_what_is_at_risk(shop: Shop) -> None:
    opened(shop, "2026-03-02T10:00", held(500))
    # 0.50 a case and 20 basis points of 500.
    assert str(shop.value("select delay_cost_per_hour from exception_case")) == "1.5000"


def test_what_happens_out_of_hours_is_due_in_the_morning(shop: Shop) -> None:
    opened(shop, "2026-03-07T23:00", held(2_000))
    assert shop.value("select due_at from exception_case") == london("2026-03-09T09:00")
