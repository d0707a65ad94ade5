from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

from resources.sandbox.retailer import Retailer
from tests.resources.sandbox.retail import MONDAY, Told, open_retailer, told

CHANNELS = ("web_shop", "marketplace", "store", "b2b")


def traded(folder: Path, **settings: object) -> Retailer:
    retailer = open_retailer(folder, **settings)
    trade(retailer)
    return retailer


def trade(retailer: Retailer, orders: int = 600) -> dict[str, object]:
    wanted = {"starts_at": MONDAY.isoformat(), "days": 7, "orders": orders}
    planned = retailer.trade(json.dumps(wanted).encode())
    return {"status": planned.status, "orders": planned.orders}


def orders_of(retailer: Retailer) -> dict[str, list[Told]]:
    return {
        channel: [event for event in told(retailer, channel) if event.name == "order_placed"]
        for channel in CHANNELS
    }


def test_a_trading_week_brings_range_nodes_customers_and_orders(tmp_path: Path) -> None:
    retailer = traded(tmp_path)
    of_erp = Counter(event.name for event in told(retailer, "erp", MONDAY))
    assert of_erp == {"node_registered": 3, "product_registered": 400, "inventory_counted": 3}
    assert {event.name for event in told(retailer, "crm")} == {"customer_registered"}
    orders = orders_of(retailer)
    assert sum(map(len, orders.values())) == 600
    assert all(orders.values())
    skus = {event.data.sku for event in told(retailer, "erp") if hasattr(event.data, "sku")}
    for event in (event for events in orders.values() for event in events):
        assert event.envelope.subject == event.envelope.correlationid == event.data.order_number
        assert event.envelope.time > MONDAY
        assert 1 <= len(event.data.lines) <= 8
        assert {line.sku for line in event.data.lines} <= skus
    retailer.close()


def test_the_same_seed_trades_the_same_week_and_another_seed_another(tmp_path: Path) -> None:
    pages = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        retailer = traded(tmp_path / name, seed=seed)
        pages.append([retailer.page(channel, MONDAY.replace(day=9), 9999) for channel in CHANNELS])
        retailer.close()
    assert pages[0] == pages[1] != pages[2]


def test_a_week_is_traded_once(tmp_path: Path) -> None:
    retailer = traded(tmp_path)
    assert trade(retailer) == {"status": "duplicate", "orders": 0}
    assert sum(map(len, orders_of(retailer).values())) == 600
    retailer.close()


def test_channels_differ_as_they_do_in_life(tmp_path: Path) -> None:
    retailer = traded(tmp_path)
    orders = orders_of(retailer)
    for event in orders["marketplace"]:
        goods = sum(line.quantity * Decimal(line.unit_price) for line in event.data.lines)
        charges = sum(Decimal(charge.amount) for charge in event.data.charges)
        assert Decimal(event.data.authorisation.amount) == goods + charges
    assert all(event.data.authorisation is None for event in orders["web_shop"] + orders["b2b"])
    assert all(event.envelope.time.weekday() < 5 for event in orders["b2b"])
    assert {event.data.service_level for event in orders["store"]} == {"pickup"}
    assert {event.data.ship_to.name for event in orders["store"]} == {None}
    assert len({event.data.ship_to.country for event in orders["marketplace"]}) >= 4

    def units(channel: str) -> float:
        lines = [line for event in orders[channel] for line in event.data.lines]
        return sum(line.quantity for line in lines) / len(orders[channel])

    assert units("b2b") > 5 * units("web_shop")
    retailer.close()


def test_few_skus_sell_most(tmp_path: Path) -> None:
    retailer = traded(tmp_path)
    sold = Counter(
        line.sku
        for events in orders_of(retailer).values()
        for event in events
        for line in event.data.lines
    )
    top = sum(count for _, count in sold.most_common(40))
    assert 0.3 < top / sold.total() < 0.7
    retailer.close()


def test_a_customer_who_cancels_has_ordered_before(tmp_path: Path) -> None:
    retailer = open_retailer(tmp_path)
    trade(retailer, orders=1500)
    cancelled = 0
    for channel in CHANNELS:
        placed = {}
        for event in told(retailer, channel):
            if event.name == "order_placed":
                placed[event.data.order_number] = event.envelope.time
            else:
                cancelled += 1
                assert placed[event.data.order_number] < event.envelope.time
    assert 5 <= cancelled <= 30
    retailer.close()


def test_some_web_orders_are_collected_at_a_store_near_by(tmp_path: Path) -> None:
    retailer = traded(tmp_path)
    orders = orders_of(retailer)
    collected = [event.data for event in orders["web_shop"] if event.data.pickup]
    assert 0.1 < len(collected) / len(orders["web_shop"]) < 0.25
    assert {order.service_level for order in collected} == {"pickup"}
    assert {order.ship_to.country for order in collected} == {"GB"}
    assert {order.pickup.node_id for order in collected} == {"store_bristol", "store_leeds"}
    assert not any(order.charges for order in collected)
    elsewhere = [event for name in ("marketplace", "store", "b2b") for event in orders[name]]
    assert not any(event.data.pickup for event in elsewhere)
    retailer.close()


def test_sets_are_sold_beside_a_week_that_stays_what_it_is(tmp_path: Path) -> None:
    plain = traded(tmp_path / "plain")
    retailer = open_retailer(tmp_path / "sets")
    wanted = {"starts_at": MONDAY.isoformat(), "days": 7, "orders": 600, "set_share": 0.1}
    retailer.trade(json.dumps(wanted).encode())
    of_erp = told(retailer, "erp", MONDAY)
    registered = {
        event.data.sku: event.data for event in of_erp if event.name == "product_registered"
    }
    sets = {sku for sku, data in registered.items() if data.components}
    assert (len(registered), len(sets)) == (408, 8)
    for sku in sets:
        parts = registered[sku].components
        assert {part.sku for part in parts} <= registered.keys() - sets
        cost = sum(Decimal(registered[part.sku].standard_cost) * part.quantity for part in parts)
        assert Decimal(registered[sku].standard_cost) == cost
    counted = {
        line.sku
        for event in of_erp
        if event.name == "inventory_counted"
        for line in event.data.lines
    }
    assert counted == registered.keys() - sets
    sold = 0
    for channel, orders in orders_of(retailer).items():
        for order, without in zip(orders, orders_of(plain)[channel], strict=True):
            lines = order.data.lines
            kept = [line for line in lines if line.sku not in sets]
            assert kept == without.data.lines
            sold += len(lines) - len(kept)
    assert 40 <= sold <= 80
    plain.close()
    retailer.close()
