"""A carrier that says nothing of a parcel: a person is asked, until the parcel is there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.builders import (
    OPENING,
    WAREHOUSE,
    Shop,
    assert_all_invariants_hold,
    count,
    order_placed,
    payment_authorised,
    product,
    shipment_delivered,
    shipment_dispatched,
)

PARCEL = "web_shop/A1/A1-dc_midlands"


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """Ten mugs at the warehouse; every story ends lawfully."""
    shop = Shop(database_url)
    shop.tell(product("MUG"), count(WAREHOUSE, MUG=10))
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


def minutes_until(day: int, hour: int = 0) -> float:
    """Minutes from the opening, Monday 2 March, to a time in March."""
    return (datetime(2026, 3, day, hour, tzinfo=UTC) - OPENING).total_seconds() / 60


def ship(shop: Shop, number: str, region: str = "uk") -> None:
    shop.tell(order_placed(number, ("MUG", 1, "2.50"), region=region))
    shop.tell(payment_authorised(number, "2.50"), shipment_dispatched(number, (1, "MUG", 1)))


def cases(shop: Shop) -> list[tuple[str, str, int]]:
    return shop.rows(  # type: ignore[return-value]
        "select business_key, status, case_count from exception_case"
        " where case_type = 'carrier_silence' order by 1"
    )


def test_a_parcel_at_home_is_asked_after_when_its_ninth_working_day_is_over(shop: Shop) -> None:
    ship(shop, "A1")
    shop.wait_until(minutes_until(13, 23))
    assert cases(shop) == []
    shop.wait_until(minutes_until(14))
    assert cases(shop) == [(PARCEL, "open", 1)]
    ((owner, reason),) = shop.rows("select owner, reason from exception_case")
    assert (owner, reason) == ("fulfilment", "carrier has said nothing of it since 2026-03-02")


def test_a_parcel_abroad_has_two_days_more(shop: Shop) -> None:
    ship(shop, "A1", region="eu")
    shop.wait_until(minutes_until(17, 23))
    assert cases(shop) == []
    shop.wait_until(minutes_until(18))
    assert cases(shop) == [(PARCEL, "open", 1)]


def test_a_day_more_of_silence_is_the_same_case(shop: Shop) -> None:
    ship(shop, "A1")
    for day in (14, 15, 16):
        shop.wait_until(minutes_until(day))
    assert cases(shop) == [(PARCEL, "open", 1)]


def test_the_case_closes_itself_when_the_parcel_is_delivered(shop: Shop) -> None:
    ship(shop, "A1")
    ship(shop, "A2")
    shop.wait_until(minutes_until(20, 12))
    shop.tell(shipment_delivered("A1", at=minutes_until(20, 11)))
    assert cases(shop) == [
        (PARCEL, "closed", 1),
        ("web_shop/A2/A2-dc_midlands", "open", 1),
    ]
    ((closed_at, resolution),) = shop.rows(
        "select closed_at, resolution from exception_case where status = 'closed'"
    )
    assert closed_at == datetime(2026, 3, 20, 12, tzinfo=UTC)
    assert resolution == "the parcel was delivered"
    shop.wait_until(minutes_until(21))
    assert [status for _, status, _ in cases(shop)] == ["closed", "open"]


def test_who_closed_the_case_is_not_asked_again(shop: Shop) -> None:
    ship(shop, "A1")
    shop.wait_until(minutes_until(14))
    with shop.engine.begin() as connection:
        connection.exec_driver_sql("update exception_case set status = 'closed', closed_at = now()")
    shop.wait_until(minutes_until(30))
    assert cases(shop) == [(PARCEL, "closed", 1)]


def test_a_parcel_that_was_delivered_in_time_is_never_asked_after(shop: Shop) -> None:
    ship(shop, "A1")
    shop.tell(shipment_delivered("A1"))
    shop.wait_until(minutes_until(30))
    assert cases(shop) == []
