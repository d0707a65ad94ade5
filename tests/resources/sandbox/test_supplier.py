"""A supplier who ships for the retailer: what he is asked, and what nobody else has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from resources.sandbox.answer_key import read
from resources.sandbox.retailer import Retailer
from tests.resources.sandbox.retail import (
    FAR,
    MONDAY,
    Told,
    command,
    configure,
    open_retailer,
    send,
    stock_told,
    told,
)

NODES = [
    {"node_id": "dc", "country": "GB"},
    {"node_id": "mill", "country": "GB", "kind": "drop_ship"},
]
WEEK = MONDAY + timedelta(days=7)


@pytest.fixture
def retailer(tmp_path: Path) -> Iterator[Retailer]:
    retailer = open_retailer(
        tmp_path, nodes=NODES, starts_at=MONDAY.isoformat(), snapshot_hour=2, cover_weeks=0.001
    )
    items = [
        {
            "sku": sku,
            "list_price": "6.00",
            "first_seen_at": MONDAY.isoformat(),
            "opening_quantity": 30,
            "supplied_by": supplier,
        }
        for sku, supplier in (("MUG", None), ("BASKET", "mill"))
    ]
    retailer.register(json.dumps({"items": items}).encode())
    yield retailer
    retailer.close()


def asked(key: str, units: int = 1, service_level: str = "standard") -> dict[str, Any]:
    payload = {
        "order_number": f"N-{key}",
        "fulfilment_order_id": key,
        "node_id": "mill",
        "service_level": service_level,
        "country": "GB",
        "lines": [{"line_number": 1, "sku": "BASKET", "quantity": units}],
    }
    return command("fulfilment_order.create", key, payload, "2026-03-02T10:00:00Z")


def stated(events: list[Told]) -> list[tuple[str, dict[str, int]]]:
    return [
        (event.data.node_id, {line.sku: line.quantity for line in event.data.lines})
        for event in events
        if event.name == "inventory_snapshot_taken"
    ]


def fed(retailer: Retailer, until: datetime = WEEK) -> list[int]:
    """Units of each change that he tells of his own accord."""
    return [
        line.quantity
        for event in told(retailer, "supplier", until)
        if event.name == "inventory_adjusted"
        for line in event.data.lines
    ]


def test_what_only_he_has_is_counted_by_him_alone(retailer: Retailer) -> None:
    assert stock_told(told(retailer, "supplier", WEEK)) == {("mill", "BASKET"): 30}
    assert stock_told(told(retailer, "erp", WEEK)) == {("dc", "MUG"): 30}
    registered = {e.data.sku for e in told(retailer, "erp") if e.name == "product_registered"}
    assert registered == {"MUG", "BASKET"}
    assert stated(told(retailer, "supplier", MONDAY + timedelta(hours=9))) == [
        ("mill", {"BASKET": 30})
    ]
    assert {node for node, _ in stated(told(retailer, "wms", WEEK))} == {"dc"}
    assert {node for node, _ in stated(told(retailer, "erp", WEEK))} == {"dc"}


@pytest.mark.parametrize("service_level", ["standard", "express"])
def test_he_ships_on_the_next_working_day_never_on_the_same(
    retailer: Retailer, service_level: str
) -> None:
    send(retailer, "supplier", asked("f-1", service_level=service_level))
    (left,) = [e for e in told(retailer, "supplier") if e.name == "shipment_dispatched"]
    assert left.envelope.time.date() == MONDAY.date() + timedelta(days=1)
    assert (left.data.node_id, left.data.lines[0].quantity) == ("mill", 1)


def test_he_refuses_what_he_does_not_have_and_the_key_says_so(
    retailer: Retailer, tmp_path: Path
) -> None:
    configure(retailer, faults={"store_reject": 1.0})
    send(retailer, "supplier", asked("f-1"))
    (refused,) = [e for e in told(retailer, "supplier") if e.name == "fulfilment_rejected"]
    assert (refused.data.node_id, refused.data.reason) == ("mill", "out_of_stock")
    (fault,) = read(tmp_path) or []
    assert (fault.partner, fault.business_key) == ("supplier", "f-1")
    assert fault.expected == "case:fulfilment_rejected"


def test_neither_he_nor_the_warehouse_works_at_the_others_nodes(retailer: Retailer) -> None:
    assert send(retailer, "wms", asked("f-1")) == ["rejected"]
    at_the_dc = asked("f-2")
    at_the_dc["payload"]["node_id"] = "dc"
    assert send(retailer, "supplier", at_the_dc) == ["rejected"]


def test_his_feed_says_what_he_made_when_little_was_left(retailer: Retailer) -> None:
    # Of thirty baskets twenty-two are asked for; below a third he makes what is missing.
    send(retailer, "supplier", asked("f-1", units=22))
    assert fed(retailer)[0] == 22
    days = [units["BASKET"] for _, units in stated(told(retailer, "supplier", WEEK))]
    # They leave on Tuesday; those that he made on its eve are there before.
    assert days[:3] == [30, 52, 30]


def test_others_buy_of_him_too_and_he_says_so(retailer: Retailer) -> None:
    changes = fed(retailer, FAR)
    sold = [units for units in changes if units < 0]
    assert sold
    assert set(sold) <= {-1, -2, -3}
    last = stated(told(retailer, "supplier", FAR))[-1][1]["BASKET"]
    assert last == 30 + sum(changes)


def test_a_retailer_without_a_supplier_stocks_everything_himself(tmp_path: Path) -> None:
    plain = open_retailer(tmp_path / "plain")
    with_him = open_retailer(tmp_path / "with", nodes=NODES)
    wanted = {"starts_at": MONDAY.isoformat(), "days": 1, "orders": 50}
    counted = []
    for retailer in (plain, with_him):
        retailer.trade(json.dumps(wanted).encode())
        counted.append(len({sku for _, sku in stock_told(told(retailer, "erp", MONDAY))}))
    assert counted == [400, 370]
    his = stock_told(told(with_him, "supplier", MONDAY))
    assert {sku.rpartition("-")[0] for _, sku in his} == {"BREBIN", "LAUBAS", "GARTRU"}
    assert len(his) == 30
    for retailer in (plain, with_him):
        retailer.close()
