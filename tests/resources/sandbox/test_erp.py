from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from resources.sandbox.retailer import Retailer
from tests.resources.sandbox.retail import (
    MONDAY,
    Told,
    command,
    list_items,
    open_retailer,
    send,
    stock_told,
    told,
)

WEEK = timedelta(days=7)
NODES = [{"node_id": "dc", "stock_share": 3}, {"node_id": "shop", "kind": "store"}]
SHOWROOM = {"node_id": "showroom", "kind": "store", "stock_share": 0}


def open_erp(folder: Path, **settings: Any) -> Retailer:
    given = {"starts_at": MONDAY.isoformat(), "nodes": NODES, "cover_weeks": 2.0}
    return open_retailer(folder, **{**given, **settings})


def ordered(number: str, day: int, sku: str, quantity: int) -> dict[str, Any]:
    moment = MONDAY + timedelta(days=day, hours=12)
    line = {"sku": sku, "quantity": quantity, "unit_price": "9.9500"}
    payload = {"order_number": number, "ordered_at": moment.isoformat(), "lines": [line]}
    return command("sales_order.create", number, payload)


def issued(number: str, node: str, sku: str, quantity: int) -> dict[str, Any]:
    lines = [{"sku": sku, "quantity": quantity}]
    payload = {"order_number": number, "shipment_number": number, "node_id": node, "lines": lines}
    return command("goods_issue.post", number, payload)


def received(retailer: Retailer, until: datetime) -> list[Told]:
    return [event for event in told(retailer, "erp", until) if event.name == "inventory_received"]


def test_nodes_are_announced_once_unless_they_change(tmp_path: Path) -> None:
    retailer = open_erp(tmp_path)
    retailer.configure(b'{"cover_weeks": 3}')
    retailer.configure(b'{"nodes": [{"node_id": "shop", "kind": "store", "is_active": false}]}')
    nodes = [(event.data.node_id, event.data.is_active) for event in told(retailer, "erp")]
    assert sorted(nodes) == [("dc", True), ("shop", False), ("shop", True)]
    retailer.close()


def test_an_item_becomes_a_product_with_a_cost_between_a_third_and_two_thirds_of_its_price(
    tmp_path: Path,
) -> None:
    retailer = open_erp(tmp_path, nodes=[])
    list_items(retailer, *((f"SKU-{n}", "10.00") for n in range(200)), ("FREE", "0"))
    list_items(retailer, ("SKU-1", "10.00"))
    products = {event.data.sku: event.data for event in told(retailer, "erp")}
    assert len(products) == len(told(retailer, "erp")) == 201
    free = products.pop("FREE")
    assert 0 < Decimal(free.standard_cost) <= 2
    costs = [Decimal(product.standard_cost) for product in products.values()]
    assert Decimal("3.5") <= min(costs) < Decimal("3.6") < Decimal("6.4") < max(costs) <= 6.5
    untaxed = Counter(product.tax_rate for product in products.values())
    assert set(untaxed) == {0, 2000}
    assert 15 <= untaxed[0] <= 45
    assert all(product.is_synthetic for product in products.values())
    retailer.close()


def test_opening_stock_is_counted_where_stock_is_held_in_documents_of_a_few_hundred_lines(
    tmp_path: Path,
) -> None:
    retailer = open_erp(tmp_path, nodes=[*NODES, SHOWROOM], document_lines=300)
    list_items(retailer, *((f"SKU-{n:03d}", "10.00") for n in range(400)))
    counts = [event for event in told(retailer, "erp") if event.name == "inventory_counted"]
    assert sorted((event.data.document_number, len(event.data.lines)) for event in counts) == [
        ("OC-dc-20260302-001", 300),
        ("OC-dc-20260302-002", 100),
        ("OC-shop-20260302-001", 300),
        ("OC-shop-20260302-002", 100),
    ]
    assert {event.at for event in counts} == {MONDAY.isoformat()}
    units = stock_told(counts)
    assert all(6 <= units["dc", sku] + units["shop", sku] <= 48 for _, sku in units)
    retailer.close()


def test_opening_stock_does_not_depend_on_how_items_are_cut_into_requests(tmp_path: Path) -> None:
    items = [(f"SKU-{n}", f"{n}.50") for n in range(30)]
    whole, pieces = open_erp(tmp_path / "whole"), open_erp(tmp_path / "pieces")
    list_items(whole, *items)
    for item in reversed(items):
        list_items(pieces, item)
    until = MONDAY + timedelta(days=1)
    assert whole.page("erp", until, 1000).events == pieces.page("erp", until, 1000).events
    whole.close()
    pieces.close()


def test_every_monday_what_four_weeks_sold_is_bought_up_to_the_cover(tmp_path: Path) -> None:
    retailer = open_erp(tmp_path, opening_stock_factor=0)
    list_items(retailer, ("MUG", "10.00"), ("BOWL", "12.00"))
    send(retailer, "erp", ordered("N-1", 0, "MUG", 20), ordered("N-2", 6, "MUG", 21))
    # 41 units in four weeks, two weeks of cover: 20.5 units, so 21; three quarters go to the dc.
    both = received(retailer, MONDAY + WEEK + timedelta(hours=6))
    dc, shop = sorted(both, key=lambda event: event.data.node_id)
    assert dc.at == "2026-03-09T06:00:00+00:00"
    assert stock_told([dc, shop]) == {("dc", "MUG"): 16, ("shop", "MUG"): 5}
    assert dc.data.document_number == "GR-dc-20260309-001"
    retailer.close()


def test_the_planner_counts_what_is_on_hand_and_what_was_issued(tmp_path: Path) -> None:
    retailer = open_erp(tmp_path, nodes=NODES[:1], opening_stock_factor=0)
    list_items(retailer, ("MUG", "10.00"))
    send(retailer, "erp", ordered("N-1", 0, "MUG", 20))
    assert stock_told(received(retailer, MONDAY + WEEK + timedelta(days=1))) == {("dc", "MUG"): 10}
    send(retailer, "erp", issued("N-1", "dc", "MUG", 4))
    later = received(retailer, MONDAY + 2 * WEEK + timedelta(days=1))
    assert stock_told(later) == {("dc", "MUG"): 14}, "four more"
    retailer.close()


def test_a_cancelled_order_was_demand_all_the_same(tmp_path: Path) -> None:
    retailer = open_erp(tmp_path, nodes=NODES[:1], opening_stock_factor=0)
    list_items(retailer, ("MUG", "10.00"))
    cancel = {"order_number": "N-1", "reason": "customer_request"}
    send(
        retailer,
        "erp",
        ordered("N-1", 0, "MUG", 20),
        command("sales_order.cancel", "N-1", cancel),
    )
    assert stock_told(received(retailer, MONDAY + WEEK + timedelta(days=1))) == {("dc", "MUG"): 10}
    retailer.close()


def test_receipts_come_at_six_local_time_all_year(tmp_path: Path) -> None:
    summer = datetime(2026, 6, 1, tzinfo=UTC)
    retailer = open_erp(tmp_path, starts_at=summer.isoformat(), opening_stock_factor=0)
    list_items(retailer, ("MUG", "10.00"), at=summer)
    payload = {
        "order_number": "N-1",
        "ordered_at": "2026-06-02T12:00:00Z",
        "lines": [{"sku": "MUG", "quantity": 9}],
    }
    send(retailer, "erp", command("sales_order.create", "N-1", payload))
    receipts = received(retailer, summer + WEEK + timedelta(days=1))
    assert {event.at for event in receipts} == {"2026-06-08T05:00:00+00:00"}
    retailer.close()


def test_of_a_bundle_the_planner_buys_what_is_in_it(tmp_path: Path) -> None:
    retailer = open_erp(tmp_path, nodes=NODES[:1], opening_stock_factor=0)
    list_items(retailer, ("MUG", "10.00"), ("HAT", "12.00"))
    gift = {
        "sku": "GIFT",
        "list_price": "25.00",
        "first_seen_at": MONDAY.isoformat(),
        "components": [{"sku": "MUG", "quantity": 2}, {"sku": "HAT", "quantity": 1}],
    }
    retailer.register(json.dumps({"items": [gift]}).encode())
    send(retailer, "erp", ordered("N-1", 0, "GIFT", 8), ordered("N-2", 0, "MUG", 4))
    # 20 mugs and 8 hats in four weeks, two weeks of cover.
    bought = stock_told(received(retailer, MONDAY + WEEK + timedelta(days=1)))
    assert bought == {("dc", "HAT"): 4, ("dc", "MUG"): 10}
    retailer.close()
