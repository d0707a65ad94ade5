"""What nobody should send about orders: refused with a reason, and nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.builders import (
    WAREHOUSE,
    WEB,
    Event,
    Shop,
    assert_all_invariants_hold,
    count,
    minutes,
    order_cancelled,
    order_placed,
    payment_authorised,
    payment_captured,
    product,
    shipment_dispatched,
)
from tests.inventory.stock_story import snapshot


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    shop = Shop(database_url)
    shop.tell(product("MUG"), product("HAT"))
    shop.tell(count(WAREHOUSE, MUG=2_000_000, HAT=5))
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


def refused(shop: Shop) -> list[str]:
    return [code for (code,) in shop.rows("select reason_code from quarantined_event order by 1")]


def orders(shop: Shop) -> int:
    return int(shop.value("select count(*) from order_placed"))


def address(**parts: str) -> dict[str, Any]:
    return {"country": "GB", "name": "A. Buyer", "address": "1 Mill Lane", "city": "Leeds", **parts}


@pytest.mark.parametrize(
    ("placed", "reason"),
    [
        (order_placed("A1"), "empty_order"),
        (order_placed("A1", ("MUG", 1_000_001, "1.00")), "schema_violation"),
        (order_placed("A1", ("MUG", 1, "1.00"), channel="nowhere"), "unknown_channel"),
        (order_placed("A1", ("MUG", 1, "1.00"), ship_to=address()), "address_invalid"),
    ],
)
def test_an_order_that_cannot_be_meant_is_refused(shop: Shop, placed: Event, reason: str) -> None:
    shop.tell(placed)
    assert refused(shop) == [reason]
    assert orders(shop) == 0
    assert shop.position("MUG") == (2_000_000, 0, 0)
    assert shop.commands("sales_order.create") == []


def test_an_address_has_no_postcode_where_nobody_has_one(shop: Shop) -> None:
    shop.tell(
        order_placed("A1", ("MUG", 1, "1.00"), ship_to=address(country="HK")),
        order_placed("A2", ("MUG", 1, "1.00"), ship_to=address(postcode="LS1 1AA")),
        # A wholesaler's orders say the country only, and travel by a contract of their own.
        order_placed("A3", ("MUG", 1, "1.00"), ship_to={"country": "GB"}),
    )
    assert refused(shop) == []
    assert orders(shop) == 3


def test_a_thousand_lines_and_a_million_units_are_orders_as_any_other(shop: Shop) -> None:
    shop.tell(
        order_placed("A1", *[("MUG", 1, "0.01")] * 1_000),
        order_placed("A2", ("MUG", 1_000_000, "0.01")),
    )
    assert shop.position("MUG") == (2_000_000, 1_001_000, 0)


def test_a_payment_before_its_order_waits_for_it(shop: Shop) -> None:
    shop.tell(payment_authorised("A1", "9.00"))
    assert list(shop.inbox().values()) == ["waiting"]
    shop.tell(order_placed("A1", ("HAT", 1, "9.00")))
    assert shop.status("A1") == "allocated"


def test_more_than_was_ordered_is_not_shipped_and_what_left_is_not_taken_back(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("HAT", 1, "9.00")), payment_authorised("A1", "9.00"))
    shop.tell(shipment_dispatched("A1", (1, "HAT", 2), shipment="S1"))
    assert refused(shop) == ["shipped_not_allocated"]
    assert shop.position("HAT") == (5, 0, 1)
    good = shipment_dispatched("A1", (1, "HAT", 1))
    shop.tell({**good, "id": "another"}, payment_captured("A1", "9.00"))
    before = shop.rows("select * from order_state")
    shop.tell(order_cancelled("A1", at=90))
    assert refused(shop) == ["illegal_transition", "shipped_not_allocated"]
    assert shop.rows("select * from order_state") == before
    assert ("illegal_transition", f"{WEB}/A1", 1) in shop.cases()


def test_a_snapshot_from_the_future_or_of_last_year_corrects_nothing(shop: Shop) -> None:
    shop.clock.advance(minutes(60))
    shop.tell(
        snapshot("wms", 10 * 24 * 60, told_at=0, HAT=1),
        snapshot("wms", -400 * 24 * 60, told_at=0, HAT=1),
    )
    shop.wait_until(3 * 24 * 60)
    assert refused(shop) == ["snapshot_from_the_future", "snapshot_too_old"]
    assert shop.position("HAT") == (5, 0, 0)
    assert shop.rows("select * from stock_correction") == []
