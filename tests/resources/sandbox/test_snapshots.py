"""What ERP, warehouse and channels believe each morning, from what they did and were told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from resources.sandbox.retailer import Retailer
from resources.sandbox.snapshots import StockBook
from tests.resources.sandbox.retail import (
    MONDAY,
    Told,
    command,
    list_items,
    open_retailer,
    send,
    told,
)

NODES = [{"node_id": "dc", "country": "GB"}]
FRIDAY = datetime(2026, 3, 6, 12, tzinfo=UTC)


@pytest.fixture
def retailer(tmp_path: Path) -> Iterator[Retailer]:
    retailer = open_retailer(
        tmp_path,
        nodes=NODES,
        starts_at=MONDAY.isoformat(),
        snapshot_hour=2,
        acknowledges_availability=True,
        shows_prices=True,
    )
    list_items(retailer, ("MUG", "6.00"))
    yield retailer
    retailer.close()


def snapshots(retailer: Retailer, code: str, until: datetime = FRIDAY) -> list[Told]:
    events = told(retailer, code, until)
    return [event for event in events if event.name == "inventory_snapshot_taken"]


def believed(retailer: Retailer, code: str) -> list[tuple[str, dict[str, int]]]:
    """(day, units by SKU) of each snapshot."""
    return [
        (f"{event.data.as_of:%a}", {line.sku: line.quantity for line in event.data.lines})
        for event in snapshots(retailer, code)
    ]


def shipment(number: str, units: int, at: str) -> dict[str, Any]:
    payload = {
        "order_number": number,
        "fulfilment_order_id": number,
        "node_id": "dc",
        "service_level": "standard",
        "country": "GB",
        "lines": [{"line_number": 1, "sku": "MUG", "quantity": units}],
    }
    return command("fulfilment_order.create", number, payload, at)


def issue(number: str, units: int, at: str) -> dict[str, Any]:
    payload = {
        "order_number": number,
        "node_id": "dc",
        "lines": [{"sku": "MUG", "quantity": units}],
    }
    return command("goods_issue.post", number, payload, at)


def opening(retailer: Retailer) -> int:
    (counted,) = [e for e in told(retailer, "erp", MONDAY) if e.name == "inventory_counted"]
    quantity: int = counted.data.lines[0].quantity
    return quantity


def test_a_day_is_told_hours_later_when_all_of_it_is_known(retailer: Retailer) -> None:
    first, *_ = snapshots(retailer, "erp")
    assert first.data.as_of.isoformat() == "2026-03-02T02:00:00+00:00"
    assert first.at == "2026-03-02T08:00:00+00:00"
    assert (first.data.system, first.data.node_id) == ("erp", "dc")
    assert [f"{e.data.as_of:%a}" for e in snapshots(retailer, "erp")] == [
        "Mon", "Tue", "Wed", "Thu", "Fri",
    ]  # fmt: skip


def test_the_warehouse_misses_what_has_left_by_then_and_the_erp_what_it_was_told(
    retailer: Retailer,
) -> None:
    stock = opening(retailer)
    # Decided on Tuesday, it leaves on Wednesday, and the ERP is told of it then.
    send(retailer, "wms", shipment("f-1", 3, "2026-03-03T10:00:00Z"))
    send(retailer, "erp", issue("f-1", 3, "2026-03-04T11:00:00Z"))
    expected = [("Mon", stock), ("Tue", stock), ("Wed", stock), ("Thu", stock - 3)]
    for code in ("wms", "erp"):
        days = [(day, units["MUG"]) for day, units in believed(retailer, code)]
        assert days == [*expected, ("Fri", stock - 3)]


def test_an_issue_that_is_told_late_is_booked_on_its_own_day_where_that_is_still_open(
    retailer: Retailer,
) -> None:
    stock = opening(retailer)
    assert len(snapshots(retailer, "erp", datetime(2026, 3, 4, 12, tzinfo=UTC))) == 3
    send(retailer, "erp", issue("f-1", 3, "2026-03-03T11:00:00Z"))
    # Wednesday was told already; Thursday knows.
    assert [units["MUG"] for _, units in believed(retailer, "erp")][2:] == [
        stock, stock - 3, stock - 3,
    ]  # fmt: skip


def test_the_erp_follows_a_correction_that_it_is_told(retailer: Retailer) -> None:
    stock = opening(retailer)
    payload = {
        "document_number": "c-1",
        "node_id": "dc",
        "reason": "reconciliation",
        "lines": [{"sku": "MUG", "quantity": -2}],
    }
    adjustment = command("stock_adjustment.post", "c-1", payload, "2026-03-04T02:00:00Z")
    assert send(retailer, "erp", adjustment, adjustment) == ["accepted", "duplicate"]
    assert believed(retailer, "erp")[-1] == ("Fri", {"MUG": stock - 2})


def publish(key: str, quantity: int, as_of: str) -> dict[str, Any]:
    lines = [{"sku": "MUG", "quantity": quantity}]
    payload = {"channel": "web_shop", "as_of": as_of, "lines": lines}
    named = command("availability.publish", key, payload, as_of)
    return {**named, "command_id": str(UUID(int=int(key)))}


def test_a_channel_tells_the_level_of_the_instant_and_acknowledges_each_message(
    retailer: Retailer,
) -> None:
    send(retailer, "web_shop", publish("1", 5, "2026-03-03T10:00:00Z"))
    send(retailer, "web_shop", publish("2", 4, "2026-03-05T01:00:00Z"))
    assert [units for _, units in believed(retailer, "web_shop")] == [
        {"MUG": 5}, {"MUG": 4}, {"MUG": 4},
    ]  # fmt: skip
    heard = [e for e in told(retailer, "web_shop") if e.name == "availability_acknowledged"]
    assert [event.data.publication_id for event in heard] == [
        str(UUID(int=1)),
        str(UUID(int=2)),
    ]
    assert all(0 < event.envelope.time.second <= 45 for event in heard)


def test_the_erp_announces_a_price_for_every_channel_and_each_shows_its_own(
    retailer: Retailer,
) -> None:
    announced = [e.data for e in told(retailer, "erp", FRIDAY) if e.name == "price_changed"]
    prices = {data.price_channel: data.unit_price for data in announced}
    assert prices == {
        "web_shop": "6.0000",
        "marketplace": "6.3000",
        "store": "6.0000",
        "b2b": "4.8000",
    }
    for code, price in prices.items():
        shown = [e.data for e in told(retailer, code, FRIDAY) if e.name == "price_shown"]
        assert len(shown) == 5
        assert {line.unit_price for data in shown for line in data.lines} == {price}


def test_nobody_tells_anything_that_was_not_asked_for(tmp_path: Path) -> None:
    retailer = open_retailer(tmp_path / "plain", nodes=NODES, starts_at=MONDAY.isoformat())
    list_items(retailer, ("MUG", "6.00"))
    send(retailer, "web_shop", publish("1", 5, "2026-03-03T10:00:00Z"))
    for code in retailer.systems:
        names = {event.name for event in told(retailer, code, FRIDAY)}
        assert not names & {
            "inventory_snapshot_taken",
            "availability_acknowledged",
            "price_shown",
            "price_changed",
        }
    retailer.close()


def test_a_sandbox_that_is_started_again_believes_the_same(tmp_path: Path) -> None:
    settings = {"nodes": NODES, "starts_at": MONDAY.isoformat(), "snapshot_hour": 2}
    retailer = open_retailer(tmp_path / "killed", **settings)
    list_items(retailer, ("MUG", "6.00"))
    send(retailer, "wms", shipment("f-1", 3, "2026-03-03T10:00:00Z"))
    before = [snapshots(retailer, code) for code in ("wms", "erp")]
    retailer.close()
    again = open_retailer(tmp_path / "killed")
    assert [snapshots(again, code) for code in ("wms", "erp")] == before
    again.close()


def test_a_book_knows_an_earlier_instant_and_takes_what_is_told_late() -> None:
    book = StockBook()
    nine, ten = MONDAY.replace(hour=9), MONDAY.replace(hour=10)
    book.move(nine, "dc", "MUG", 5)
    book.move(ten, "dc", "MUG", -2)
    assert book.at(nine) == {"dc": {"MUG": 5}}
    book.move(nine, "dc", "MUG", 1)
    assert book.at(ten) == {"dc": {"MUG": 4}}
