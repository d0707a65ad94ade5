"""What is told after a count though it happened before it: the position stays what was counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.builders import (
    WAREHOUSE,
    Event,
    Shop,
    adjustment,
    assert_all_invariants_hold,
    count,
    order_placed,
    payment_authorised,
    product,
    receipt,
    shipment_dispatched,
)


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """Ten mugs at the warehouse since an hour before the shop opens."""
    shop = Shop(database_url)
    shop.tell(product("MUG", cost="1.00"), count(WAREHOUSE, MUG=10))
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


def sold(number: str, units: int) -> list[Event]:
    """An order of mugs that is paid within the first minute."""
    amount = f"{units * 2}.00"
    return [order_placed(number, ("MUG", units, "2.00")), payment_authorised(number, amount)]


def test_a_despatch_that_a_count_knew_already_is_subtracted_once(shop: Shop) -> None:
    shop.tell(*sold("A1", 3))
    shop.tell(count(WAREHOUSE, at=60, MUG=7))
    assert shop.position("MUG") == (7, 0, 3)
    shop.tell(shipment_dispatched("A1", (1, "MUG", 3), at=30))
    assert shop.position("MUG") == (7, 0, 0)


def test_the_difference_of_the_count_is_taken_back_in_the_journal(shop: Shop) -> None:
    shop.tell(*sold("A1", 3))
    shop.tell(count(WAREHOUSE, at=60, MUG=7))
    assert shop.balance("inventory_adjustment") == 3
    shop.tell(shipment_dispatched("A1", (1, "MUG", 3), at=30))
    assert shop.balance("inventory_adjustment") == 0
    assert shop.balance("cost_of_goods") == 3
    assert shop.balance("inventory") == 7


def test_a_despatch_after_the_count_is_subtracted(shop: Shop) -> None:
    shop.tell(*sold("A1", 3))
    shop.tell(count(WAREHOUSE, at=20, MUG=10))
    shop.tell(shipment_dispatched("A1", (1, "MUG", 3), at=30))
    assert shop.position("MUG") == (7, 0, 0)


def test_whichever_is_told_first_the_position_is_what_was_counted(shop: Shop) -> None:
    shop.tell(*sold("A1", 3))
    shop.tell(shipment_dispatched("A1", (1, "MUG", 3), at=30))
    shop.tell(count(WAREHOUSE, at=60, MUG=7))
    assert shop.position("MUG") == (7, 0, 0)
    assert shop.balance("inventory_adjustment") == 0


def test_units_being_picked_stay_in_the_books_until_their_despatch_is_told(shop: Shop) -> None:
    shop.tell(*sold("A1", 8))
    shop.tell(count(WAREHOUSE, at=60, MUG=2))
    assert shop.position("MUG") == (8, 0, 8), "the node may not be done with them"
    assert shop.cases() == [("stock_beyond_the_books", f"opening-{WAREHOUSE}-60/MUG", 1)]
    shop.tell(shipment_dispatched("A1", (1, "MUG", 8), at=30))
    assert shop.position("MUG") == (2, 0, 0)
    assert shop.balance("inventory") == 2


def test_a_receipt_and_a_write_off_that_a_count_knew_change_nothing(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 9, "2.00")))
    shop.tell(count(WAREHOUSE, at=60, MUG=12))
    shop.tell(receipt("R1", at=10, MUG=4), adjustment("W1", at=20, MUG=-2))
    assert shop.position("MUG") == (12, 9, 0)
    assert shop.balance("goods_received_not_invoiced") == -4
    assert shop.balance("inventory") == 12
    assert shop.cases() == []


def test_a_count_that_is_told_after_a_later_one_changes_nothing(shop: Shop) -> None:
    shop.tell(count(WAREHOUSE, at=60, MUG=7))
    shop.tell(count(WAREHOUSE, at=30, MUG=9))
    assert shop.position("MUG") == (7, 0, 0)


def test_a_count_without_a_difference_is_remembered(shop: Shop) -> None:
    shop.tell(*sold("A1", 3))
    shop.tell(count(WAREHOUSE, at=60, document="C1", MUG=10))
    assert shop.rows(
        "select sku, counted_quantity from inventory_counted order by occurred_at desc limit 1"
    ) == [("MUG", 10)]
    shop.tell(shipment_dispatched("A1", (1, "MUG", 3), at=30))
    assert shop.position("MUG") == (10, 0, 0), "seven were there, and three had been found"
