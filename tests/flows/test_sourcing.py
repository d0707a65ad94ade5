"""Sourcing through the flow: what nodes took on counts, and history can be asked otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assets.order_to_fulfillment.counterfactual import Comparison, compare
from assets.order_to_fulfillment.decision import KIND
from resources.operational_store.decision_history import decision_batches
from resources.operational_store.explanation import explain
from resources.policy_book import SHIPPED, FilePolicyBook, read_policy
from tests.builders import (
    BRISTOL,
    LEEDS,
    WAREHOUSE,
    Shop,
    assert_all_invariants_hold,
    count,
    fulfilment_rejected,
    node,
    order_cancelled,
    order_placed,
    payment_authorised,
    pickup_placed,
    product,
    shipment_dispatched,
    store_rejected,
)

POLICY = (SHIPPED / "order_to_fulfillment.yaml").read_text()
Given = dict[str, list[tuple[str, int]]]


def changed(folder: Path, *changes: tuple[str, str]) -> Path:
    text = POLICY
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path = folder / "order_to_fulfillment.yaml"
    path.write_text(text)
    return path


def given(shop: Shop) -> Given:
    result: Given = {}
    for number, node_id, quantity in shop.rows(
        "select o.order_number, r.node_id, r.quantity from reservation_movement r"
        " join order_placed o on o.order_id = r.order_id where r.is_start order by 1, 2"
    ):
        result.setdefault(number, []).append((node_id, quantity))
    return result


def reasons(shop: Shop) -> dict[str, list[str]]:
    return dict(
        shop.rows(
            "select o.order_number, d.reason_codes from decision_record d"
            " join order_placed o on o.order_id::text = d.business_key"
        )
    )


@pytest.fixture
def busy_warehouse(database_url: str, tmp_path: Path) -> Iterator[Shop]:
    changed(
        tmp_path,
        ("      store:\n        # Stores ship", "      dc_midlands: {capacity_per_day: 2}\n"
         "      store:\n        # Stores ship"),
    )  # fmt: skip
    shop = Shop(database_url, FilePolicyBook(tmp_path))
    shop.tell(product("MUG"), count(WAREHOUSE, MUG=99), count(LEEDS, MUG=20))
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_a_node_takes_on_what_it_can_in_a_day_however_orders_come(
    busy_warehouse: Shop, batch_size: int
) -> None:
    orders = [order_placed(f"A{n}", ("MUG", 1, "2.40"), at=n) for n in range(1, 4)]
    tomorrow = order_placed("B1", ("MUG", 1, "2.40"), at=24 * 60)
    busy_warehouse.tell(*orders, tomorrow, batch_size=batch_size)
    assert given(busy_warehouse) == {
        "A1": [(WAREHOUSE, 1)],
        "A2": [(WAREHOUSE, 1)],
        "A3": [(LEEDS, 1)],
        "B1": [(WAREHOUSE, 1)],
    }


def test_one_parcel_from_a_store_goes_before_two_parcels(database_url: str) -> None:
    shop = Shop(database_url)
    shop.tell(product("MUG"), count(WAREHOUSE, MUG=2), count(LEEDS, MUG=9))
    shop.tell(order_placed("A1", ("MUG", 5, "2.40"), at=1))
    assert given(shop) == {"A1": [(LEEDS, 5)]}
    with shop.engine.connect() as connection:
        explanation: dict[str, Any] = explain(connection, "A1")
    judged = explanation["sourcing"]
    assert (judged["mode"], judged["objective"]["shipments"]) == ("lexicographic", 1)
    found = {candidate["node_id"]: candidate for candidate in judged["candidates"]}
    assert found[WAREHOUSE]["reason_codes"] == ["leaves_units_unmet"]
    assert found[WAREHOUSE]["parcel_amount"] == "3.2000"
    assert found[LEEDS]["is_chosen"]
    assert found[BRISTOL]["reason_codes"] == ["out_of_stock"]
    shop.close()


MILL = "supplier_northmill"


def test_what_only_a_supplier_has_is_shipped_by_him_and_booked_as_any_other(
    database_url: str,
) -> None:
    shop = Shop(database_url)
    shop.tell(node(MILL), product("MUG"), product("BASKET"))
    shop.tell(count(WAREHOUSE, MUG=9), count(MILL, BASKET=20))
    shop.wait_until(1)
    shop.tell(
        order_placed("A1", ("MUG", 1, "2.40"), ("BASKET", 2, "2.40"), at=2),
        payment_authorised("A1", "7.20", at=3),
    )
    assert given(shop) == {"A1": [(WAREHOUSE, 1), (MILL, 2)]}
    assert shop.rows(
        "select partner, payload ->> 'node_id' from command_outbox"
        " where command_type = 'fulfilment_order.create' order by 1"
    ) == [("supplier", MILL), ("wms", WAREHOUSE)]
    shop.tell(shipment_dispatched("A1", (2, "BASKET", 2), node_id=MILL))
    assert shop.position("BASKET", MILL) == (18, 0, 0)
    shop.tell(fulfilment_rejected("A1"))
    assert shop.status("A1") == "dispatched"
    assert [case for case, *_ in shop.cases()] == ["fulfilment_rejected"]
    assert_all_invariants_hold(shop.engine)
    shop.close()


def test_a_suppliers_last_units_and_his_place_at_tills_are_kept_from_channels(
    database_url: str,
) -> None:
    shop = Shop(database_url)
    shop.tell(node(MILL), product("BASKET"), product("STOOL"))
    # Of the stool he has fewer than he keeps back for others; the warehouse's are not eaten by it.
    shop.tell(count(MILL, BASKET=20, STOOL=1), count(WAREHOUSE, STOOL=10))
    shop.wait_until(1)
    told = shop.rows("select channel, sku, published_quantity from availability_published")
    assert sorted(told) == [
        ("b2b", "BASKET", 17), ("b2b", "STOOL", 10),
        ("marketplace", "BASKET", 12), ("marketplace", "STOOL", 5),
        ("store", "BASKET", 0), ("store", "STOOL", 10),
        ("web_shop", "BASKET", 15), ("web_shop", "STOOL", 8),
    ]  # fmt: skip
    shop.close()


def test_nothing_is_collected_at_a_suppliers_and_a_refused_pickup_goes_to_no_such_place(
    database_url: str,
) -> None:
    shop = Shop(database_url)
    shop.tell(node(MILL), product("MUG"), count(MILL, MUG=20), count(LEEDS, MUG=5))
    shop.tell(pickup_placed("A1", ("MUG", 1, "2.40"), store=MILL))
    assert shop.cases() == [("not_a_store", "web_shop/A1", 1)]
    shop.tell(
        pickup_placed("A2", ("MUG", 1, "2.40"), other_store=True),
        payment_authorised("A2", "2.40"),
        store_rejected("A2", "not_found", (1, "MUG", 1)),
    )
    # Another store is the only other place to collect; its customer did not want it sent.
    assert shop.status("A2") == "unfilled"
    assert shop.position("MUG", MILL) == (20, 0, 0)
    assert_all_invariants_hold(shop.engine)
    shop.close()


def test_a_late_order_is_sent_and_the_decision_says_that_it_is_late(database_url: str) -> None:
    shop = Shop(database_url)
    shop.tell(product("MUG"), count(WAREHOUSE, MUG=9))
    shop.tell(order_placed("A1", ("MUG", 1, "2.40"), at=1, promised_date="2026-03-02"))
    assert given(shop) == {"A1": [(WAREHOUSE, 1)]}
    assert reasons(shop) == {"A1": ["promise_not_feasible"]}
    shop.close()


# Counterfactuals


@pytest.fixture
def history(database_url: str) -> Iterator[Shop]:
    shop = Shop(database_url)
    shop.tell(product("MUG"), product("HAT"))
    shop.tell(count(WAREHOUSE, MUG=6, HAT=2), count(LEEDS, MUG=8, HAT=9), count(BRISTOL, HAT=9))
    for number in range(1, 6):
        shop.tell(
            order_placed(f"A{number}", ("MUG", 2, "2.40"), ("HAT", 1, "9.00"), at=number),
            batch_size=1,
        )
    shop.tell(order_cancelled("A1", at=6))
    yield shop
    shop.close()


def compared(shop: Shop, policy: Path) -> Comparison:
    with shop.engine.connect() as connection:
        batches = decision_batches(connection, KIND, None, None)
        return compare(batches, read_policy(policy, "order_to_fulfillment"))


def test_under_the_policy_of_its_day_history_is_what_it_was(history: Shop) -> None:
    found = compared(history, SHIPPED / "order_to_fulfillment.yaml")
    assert (found.batches, found.orders, found.order_lines, found.ordered_quantity) == (
        5,
        5,
        10,
        15,
    )
    assert found.differing_orders == 0
    assert found.stored == found.counterfactual
    reserved = history.value("select sum(reserved_quantity)::int from order_line")
    assert found.stored.filled_quantity == reserved


def test_what_the_other_policy_takes_is_gone_for_the_orders_after_it(
    history: Shop, tmp_path: Path
) -> None:
    stores_first = changed(tmp_path, ('"*": [dc_midlands]', '"*": [store_leeds]'))
    found = compared(history, stores_first)
    # Leeds gives the first three two mugs and a hat each, and then has only what it keeps back; the
    # third came from there in any case.
    assert found.differing_orders == 4
    assert found.counterfactual.filled_quantity == 15
    assert found.counterfactual.shipments == 5
    assert found.counterfactual.transport_amount == 3 * 47_000 + 2 * 33_500


def test_a_home_that_limits_capacity_is_its_own_counterfactual(
    busy_warehouse: Shop, tmp_path: Path
) -> None:
    for number in range(1, 5):
        busy_warehouse.tell(order_placed(f"A{number}", ("MUG", 1, "2.40"), at=number), batch_size=1)
    found = compared(busy_warehouse, tmp_path / "order_to_fulfillment.yaml")
    assert found.differing_orders == 0
    # Without the limit, the warehouse would have shipped all four.
    unlimited = compared(busy_warehouse, SHIPPED / "order_to_fulfillment.yaml")
    assert unlimited.differing_orders == 2
    assert unlimited.counterfactual.transport_amount == 4 * 32_500
