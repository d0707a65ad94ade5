"""A case that nobody sees to climbs a ladder, each rung once; people may stop and move its time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from assets.errors import BadInput
from assets.exception_routing import timekeeping
from assets.ports import About, Case, CaseType
from resources.operational_store.cases import case_id
from resources.operational_store.people import be_away, put_person
from tests.builders import Shop

LONDON = ZoneInfo("Europe/London")
POUND = 10_000
KEY = "web_shop/A1"
CASE_ID = case_id("payment_held", KEY)


def london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """A payment of 20 pounds is held since Monday, 2 March at 9:00: four hours, due at 13:00."""
    shop = Shop(database_url)
    shop.clock.advance(london("2026-03-02T09:00"))
    open_case(shop, 20)
    yield shop
    shop.close()


def open_case(shop: Shop, pounds: int, key: str = KEY) -> None:
    worth = About(value_at_risk=pounds * POUND, currency_code="GBP")
    with shop.store.unit_of_work() as unit_of_work:
        unit_of_work.open_cases([Case(CaseType.PAYMENT_HELD, key, "may be fraud", worth)])


def at(shop: Shop, time: str) -> int:
    """Let time pass until then; gives the rungs that were taken."""
    shop.clock.advance(london(time))
    return shop.store.escalate()


def rungs(shop: Shop) -> list[tuple[object, ...]]:
    return shop.rows(
        "select percent_of_budget, occurred_at, told, assigned_to, is_breach from case_escalated"
        " order by occurred_at"
    )


def test_half_the_time_reminds_the_owner_and_four_fifths_the_lead_too(shop: Shop) -> None:
    assert at(shop, "2026-03-02T10:59") == 0
    assert at(shop, "2026-03-02T11:00") == 1
    assert at(shop, "2026-03-02T12:12") == 1
    assert rungs(shop) == [
        (50, london("2026-03-02T11:00"), ["payments"], None, False),
        (80, london("2026-03-02T12:12"), ["payments", "payments_lead"], None, False),
    ]


def test_a_breach_gives_the_case_to_the_lead_and_half_as_much_again_to_the_area(
    shop: Shop,
) -> None:
    at(shop, "2026-03-02T13:00")
    assert rungs(shop)[-1] == (
        100,
        london("2026-03-02T13:00"),
        ["payments_lead"],
        "payments_lead",
        True,
    )
    assert shop.value("select assigned_to from exception_case") == "payments_lead"
    at(shop, "2026-03-02T15:00")
    assert shop.value("select assigned_to from exception_case") == "head_of_finance"


def test_a_leap_in_time_takes_every_rung_once_and_in_its_order(shop: Shop) -> None:
    assert at(shop, "2026-03-09T09:00") == 4
    assert at(shop, "2026-03-09T09:00") == 0
    assert [(percent, when) for percent, when, *_ in rungs(shop)] == [
        (50, london("2026-03-02T11:00")),
        (80, london("2026-03-02T12:12")),
        (100, london("2026-03-02T13:00")),
        (150, london("2026-03-02T15:00")),
    ]


def test_an_executive_hears_of_much_money_only(shop: Shop) -> None:
    open_case(shop, 2_000, "web_shop/A2")
    at(shop, "2026-03-02T12:00")
    told = "select business_key, told from case_escalated join exception_case using (case_id)"
    assert shop.rows(f"{told} where percent_of_budget = 200") == [
        ("web_shop/A2", ["chief_operating_officer"])
    ]
    assert at(shop, "2026-03-09T09:00") == 3, "the other case has no fifth rung"


@pytest.mark.parametrize(
    ("deputy", "whose"),
    [("dan", "dan"), (None, "hana")],
    ids=["who stands in", "the level above"],
)
def test_the_case_of_a_lead_who_is_out_of_office_goes_to(
    shop: Shop, deputy: str | None, whose: str
) -> None:
    with shop.store.transaction() as connection:
        for person, roles in {
            "lee": ["payments_lead"],
            "dan": [],
            "hana": ["head_of_finance"],
        }.items():
            put_person(connection, person, roles, [])
        away = london("2026-03-02T08:00"), london("2026-03-02T20:00")
        be_away(connection, "lee", *away, deputy)
    at(shop, "2026-03-02T13:00")
    assert shop.value("select assigned_to from exception_case") == whose


def test_the_case_of_a_lead_who_is_back_goes_to_them(shop: Shop) -> None:
    with shop.store.transaction() as connection:
        put_person(connection, "lee", ["payments_lead"], [])
        be_away(connection, "lee", london("2026-03-02T08:00"), london("2026-03-02T13:00"), None)
    at(shop, "2026-03-02T13:00")
    assert shop.value("select assigned_to from exception_case") == "lee"


def test_what_was_closed_climbs_no_further_and_begins_anew_when_it_comes_back(shop: Shop) -> None:
    at(shop, "2026-03-02T11:00")
    with shop.store.unit_of_work() as unit_of_work:
        unit_of_work.close_cases(CaseType.PAYMENT_HELD, [KEY], "released")
    assert at(shop, "2026-03-03T09:00") == 0
    open_case(shop, 20)
    assert at(shop, "2026-03-03T11:00") == 1
    assert shop.rows("select cycle, rung from case_escalated order by 1") == [(1, 0), (2, 0)]


def test_two_who_look_at_one_time_take_a_rung_once(shop: Shop) -> None:
    shop.clock.advance(london("2026-03-02T13:00"))
    taken: list[int] = []
    workers = [
        threading.Thread(target=lambda: taken.append(shop.store.escalate())) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(taken) == [0, 0, 0, 3]
    assert len(rungs(shop)) == 3


def test_a_pause_takes_nothing_of_the_time(shop: Shop) -> None:
    shop.clock.advance(london("2026-03-02T10:00"))
    with shop.store.unit_of_work() as unit_of_work:
        timekeeping.pause(CASE_ID, "ada", "waiting for the customer", unit_of_work)
    assert at(shop, "2026-03-03T09:00") == 0
    with shop.store.unit_of_work() as unit_of_work:
        due = timekeeping.resume(CASE_ID, "ada", "they answered", unit_of_work)
    assert due == london("2026-03-03T12:00"), "three of four hours were left"
    assert at(shop, "2026-03-03T09:59") == 0
    assert at(shop, "2026-03-03T10:00") == 1, "half of the time is used up"
    ledger = (
        "select kind, consumed_seconds / 3600, reason, actor from service_level_movement"
        " order by movement_number"
    )
    assert shop.rows(ledger) == [
        ("started", 0, None, "exception_routing"),
        ("paused", 1, "waiting for the customer", "ada"),
        ("resumed", 1, "they answered", "ada"),
    ]


def test_another_queue_has_what_is_left_by_its_own_calendar(shop: Shop) -> None:
    shop.clock.advance(london("2026-03-06T16:00"))
    open_case(shop, 20, "web_shop/A3")
    shop.clock.advance(london("2026-03-06T17:00"))
    third = case_id("payment_held", "web_shop/A3")
    with shop.store.unit_of_work() as unit_of_work:
        due = timekeeping.assign(third, "store_operations", "bo", "ada", "theirs", unit_of_work)
    # Three hours are left: one on Friday until six, two from nine on Saturday.
    assert due == london("2026-03-07T11:00")
    owned = "select owner, assigned_to, calendar from exception_case where case_id = :id"
    assert shop.rows(owned, id=third) == [("store_operations", "bo", "stores")]


def pause(case: str, shop: Shop) -> None:
    with shop.store.unit_of_work() as unit_of_work:
        timekeeping.pause(case, "ada", "why", unit_of_work)


def resume(case: str, shop: Shop) -> None:
    with shop.store.unit_of_work() as unit_of_work:
        timekeeping.resume(case, "ada", "why", unit_of_work)


def test_time_is_not_changed_against_its_state(shop: Shop) -> None:
    unknown = case_id("payment_held", "web_shop/A9")
    with pytest.raises(BadInput, match=f"no case {unknown} is open"):
        pause(unknown, shop)
    with pytest.raises(BadInput, match="is running"):
        resume(CASE_ID, shop)
    pause(CASE_ID, shop)
    with pytest.raises(BadInput, match="stands still already"):
        pause(CASE_ID, shop)
    assert shop.value("select count(*) from service_level_movement") == 2


def test_a_case_is_given_to_a_queue_that_exists(shop: Shop) -> None:
    def give() -> None:
        with shop.store.unit_of_work() as unit_of_work:
            timekeeping.assign(CASE_ID, "bakery", None, "ada", "why", unit_of_work)

    with pytest.raises(BadInput, match="bakery is no queue"):
        give()
    assert shop.value("select owner from exception_case") == "payments"


def test_a_clock_that_leaps_over_the_end_of_winter_takes_each_rung_once_and_in_order(
    shop: Shop,
) -> None:
    # Saturday night: four hours of Monday, whose office opens at 8:00 by the new time.
    open_case(shop, 20, "web_shop/A2")
    shop.clock.advance(london("2026-03-28T23:00"))
    open_case(shop, 20, "web_shop/A3")
    at(shop, "2026-03-31T00:00")
    taken = shop.rows(
        "select percent_of_budget, occurred_at from case_escalated"
        " join exception_case using (case_id) where business_key = 'web_shop/A3'"
        " order by rung"
    )
    assert taken == [
        (50, london("2026-03-30T10:00")),
        (80, london("2026-03-30T11:12")),
        (100, london("2026-03-30T12:00")),
        (150, london("2026-03-30T14:00")),
    ]
    assert at(shop, "2026-03-31T00:01") == 0
