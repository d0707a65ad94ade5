"""What the demo's scorecard says of promises that moved and of units that waited for supply."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.console import Console

from orchestration.commands._demo_view import trade
from orchestration.scorecard import Scorecard, backordered_units, moved_promises
from tests.builders import (
    WAREHOUSE,
    Shop,
    count,
    inbound,
    minutes,
    order_placed,
    payment_authorised,
    product,
    receipt,
)

DAY = 24 * 60


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    shop = Shop(database_url)
    shop.tell(product("MUG"), count(WAREHOUSE, MUG=0), inbound("PO1", due=3 * DAY, MUG=10))
    yield shop
    shop.close()


def promise(count: int, *, on_last: bool | None, in_full: bool = True) -> dict[str, object]:
    return {"promise_count": count, "is_on_last_promise": on_last, "is_in_full": in_full}


def test_a_moved_promise_is_kept_when_all_of_it_came_by_the_last_date() -> None:
    performance = [
        promise(1, on_last=True),
        promise(2, on_last=True),
        promise(3, on_last=True, in_full=False),
        promise(2, on_last=False),
        promise(2, on_last=None),
    ]
    assert moved_promises(performance) == (4, 1)


def test_units_that_wait_are_counted_until_supply_serves_them(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 5, "2.40")), payment_authorised("A1", "12.00"))
    shop.tell(order_placed("A2", ("MUG", 3, "2.40"), at=2), payment_authorised("A2", "7.20", at=3))
    with shop.store.transaction() as connection:
        assert backordered_units(connection) == (8, 0)
    shop.clock.advance(minutes(3 * DAY))
    shop.tell(receipt("GR1", at=3 * DAY, inbound="PO1", MUG=6))
    shop.wait_until(3 * DAY + 10)
    with shop.store.transaction() as connection:
        assert backordered_units(connection) == (8, 5)


def test_the_scorecard_has_a_line_for_each() -> None:
    card = Scorecard(
        orders=100,
        order_lines=200,
        units_ordered=300,
        units_reserved=280,
        events_in=0,
        events_applied=0,
        events_waiting=0,
        events_quarantined=0,
        events_duplicate=0,
        shipments=90,
        commands_delivered=0,
        commands_open=0,
        revenue="1000",
        journal_entries=0,
        cases=[],
        statuses={"delivered": 90},
        promises={"kept": 80, "broken": 20},
        promises_moved=7,
        promises_kept_as_moved=6,
        units_backordered=40,
        units_supplied=35,
        invariants={},
        marts={},
        marts_held=[],
        gate_cases=[],
        faults=None,
    )
    console = Console(width=80, record=True)
    console.print(trade(card))
    lines = [" ".join(line.split()) for line in console.export_text().splitlines()]
    assert "moved to a later day 7 6 kept as moved" in lines
    assert "units backordered 40 35 served from supply" in lines
