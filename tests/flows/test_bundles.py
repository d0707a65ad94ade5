"""Stories of bundles: sold as one, kept and sent as what is in them, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assets.commerce.identifiers import order_id
from resources.operational_store.explanation import explain
from resources.policy_book import SHIPPED, FilePolicyBook
from resources.window_gate import WindowGate, accounts_of
from tests.builders import (
    LEEDS,
    WAREHOUSE,
    WEB,
    Shop,
    adjustment,
    assert_all_invariants_hold,
    bundle,
    collected,
    count,
    fulfilment_rejected,
    order_cancelled,
    order_placed,
    payment_authorised,
    payment_captured,
    pickup_placed,
    product,
    ready_for_pickup,
    receipt,
    shipment_delivered,
    shipment_dispatched,
    store_rejected,
)
from tests.inventory.stock_story import snapshot


def opened(url: str, policies: FilePolicyBook | None = None) -> Shop:
    """A gift is two mugs and a hat; 10 mugs and 3 hats at the warehouse, some in the stores."""
    shop = Shop(url, policies)
    shop.tell(product("MUG", cost="1.00"), product("HAT", cost="4.00", tax=0))
    shop.tell(bundle("GIFT", MUG=2, HAT=1))
    shop.tell(count(WAREHOUSE, MUG=10, HAT=3), count(LEEDS, MUG=7, HAT=4))
    return shop


def closed(shop: Shop) -> None:
    """Every story ends lawfully and passes the gates."""
    shop.wait_until(24 * 60)
    assert_all_invariants_hold(shop.engine)
    shop.close()


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    shop = opened(database_url)
    yield shop
    closed(shop)


@pytest.fixture
def split_shop(database_url: str, tmp_path: Path) -> Iterator[Shop]:
    """One whose bundles may leave from several nodes."""
    for path in SHIPPED.glob("*.yaml"):
        text = path.read_text()
        if path.stem == "order_to_fulfillment":
            told = "bundles_ship_together: true"
            assert told in text
            text = text.replace(told, "bundles_ship_together: false")
        (tmp_path / path.name).write_text(text)
    shop = opened(database_url, FilePolicyBook(tmp_path))
    yield shop
    closed(shop)


def published(shop: Shop, channel: str = WEB) -> dict[str, int]:
    return dict(
        shop.rows(  # type: ignore[arg-type]
            "select sku, published_quantity from channel_availability where channel = :channel",
            channel=channel,
        )
    )


def handed_over(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.rows(
        "select s.shipment_number, b.line_number, b.sku, b.quantity from bundle_handed_over b"
        " join shipment_dispatched s on s.shipment_id = b.shipment_id order by 1, 2"
    )


def held_by_gates(shop: Shop) -> list[str]:
    """What the gates on windows of facts find wrong, but for the time: a story's stands still."""
    gate = WindowGate(shop.store, accounts_of(shop.store.policies.documents))
    found = [failure.expectation for verdict in gate.close_all() for failure in verdict.failures]
    return [expectation for expectation in found if "from_the_future" not in expectation]


# Ordered, shipped, paid


def test_a_bundle_is_ordered_and_paid_as_one_and_leaves_as_what_is_in_it(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("GIFT", 2, "12.00"), ("MUG", 1, "2.40")))
    assert shop.line("A1", 1) == (2, 0, None)
    assert shop.payable("A1") == "26.4000"
    assert shop.position("MUG") == (10, 5, 0)
    assert shop.position("HAT") == (3, 2, 0)
    ((_, sold),) = shop.commands("sales_order.create")
    assert [(line["sku"], line["quantity"]) for line in sold["lines"]] == [("GIFT", 2), ("MUG", 1)]

    shop.tell(payment_authorised("A1", "26.40"))
    ((_, wanted),) = shop.commands("fulfilment_order.create")
    assert wanted["lines"] == [
        {"line_number": 2, "sku": "MUG", "quantity": 1},
        {"line_number": 3, "sku": "MUG", "quantity": 4},
        {"line_number": 4, "sku": "HAT", "quantity": 2},
    ]
    shop.tell(shipment_dispatched("A1", (3, "MUG", 4), (4, "HAT", 2), (2, "MUG", 1)))
    shop.tell(payment_captured("A1", "26.40"), shipment_delivered("A1"))
    assert shop.status("A1") == "delivered"
    assert shop.position("MUG") == (5, 0, 0)
    assert handed_over(shop) == [(f"A1-{WAREHOUSE}", 1, "GIFT", 2)]
    assert shop.entries("revenue", "cost_of_goods") == [
        ("cost_of_goods", "cost_of_goods", "13"),
        ("cost_of_goods", "inventory", "-13"),
        # 24.00 of gifts and 2.40 of mugs, a fifth on top of both.
        ("revenue", "customer_deposits", "26.4"),
        ("revenue", "goods_revenue", "-22"),
        ("revenue", "tax_payable", "-4.4"),
    ]
    assert shop.balance("customer_deposits") == 0
    assert shop.cases() == []


def test_a_bundle_is_never_partly_promised(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("GIFT", 5, "12.00")))
    # Three at the warehouse and, since Leeds keeps two of each back, two there.
    assert shop.line("A1") == (5, 0, None)
    assert shop.position("HAT") == (3, 3, 0)
    assert shop.position("MUG") == (10, 6, 0)
    assert shop.position("MUG", LEEDS) == (7, 4, 0)
    shop.tell(order_placed("A2", ("GIFT", 1, "12.00"), at=1))
    assert shop.line("A2") == (0, 1, "protected_store_stock")
    assert shop.status("A2") == "unfilled"


def test_a_bundle_and_loose_units_together_never_take_more_than_there_is(shop: Shop) -> None:
    shop.tell(adjustment("W1", LEEDS, MUG=-7, HAT=-4))
    shop.tell(order_placed("A1", ("MUG", 7, "2.40"), ("GIFT", 3, "12.00")))
    assert shop.position("MUG") == (10, 10, 0)
    assert shop.line("A1", 1) == (4, 3, "out_of_stock")
    assert shop.line("A1", 2) == (3, 0, None)
    assert shop.payable("A1") == "45.6000"


def test_a_bundle_of_something_unknown_waits_for_it(shop: Shop) -> None:
    shop.tell(bundle("BOX", MUG=1, TIN=1))
    shop.tell(order_placed("A1", ("BOX", 1, "12.00")))
    assert shop.inbox() == {f"order-{WEB}-A1": "waiting"}
    shop.tell(product("TIN", at=-30), count(WAREHOUSE, at=-20, TIN=1))
    assert shop.line("A1") == (1, 0, None)


def test_what_was_ordered_stays_what_it_was(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("GIFT", 1, "12.00")))
    shop.tell(bundle("GIFT", at=5, MUG=1))
    shop.tell(order_placed("A2", ("GIFT", 1, "12.00"), at=6))
    assert shop.position("MUG") == (10, 3, 0)
    assert shop.position("HAT") == (3, 1, 0)
    shop.tell(payment_authorised("A1", "12.00", at=7))
    shop.tell(shipment_dispatched("A1", (2, "MUG", 2), (3, "HAT", 1)))
    assert handed_over(shop) == [(f"A1-{WAREHOUSE}", 1, "GIFT", 1)]


def test_an_order_that_is_taken_back_frees_everything_in_it(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("GIFT", 2, "12.00")))
    shop.tell(order_cancelled("A1", at=2))
    assert shop.position("MUG") == (10, 0, 0)
    assert shop.position("HAT") == (3, 0, 0)


def test_only_whole_bundles_are_charged_and_a_person_hears_of_the_rest(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("GIFT", 2, "12.00")), payment_authorised("A1", "24.00"))
    shop.tell(shipment_dispatched("A1", (2, "MUG", 4), (3, "HAT", 1)))
    assert handed_over(shop) == [(f"A1-{WAREHOUSE}", 1, "GIFT", 1)]
    ((_, capture),) = shop.commands("payment.capture")
    assert capture["amount"] == "12.0000"
    assert shop.balance("cost_of_goods") == 8
    assert shop.cases() == [("bundle_incomplete", "web_shop/A1/1", 1)]


def test_whole_bundles_move_to_another_node_and_end_when_that_refuses_them_too(
    shop: Shop,
) -> None:
    shop.tell(order_placed("A1", ("GIFT", 2, "12.00")), payment_authorised("A1", "24.00"))
    shop.tell(fulfilment_rejected("A1"))
    assert shop.status("A1") == "allocated"
    assert shop.position("MUG") == (10, 0, 0)
    assert (shop.position("MUG", LEEDS), shop.position("HAT", LEEDS)) == ((7, 0, 4), (4, 0, 2))
    shop.tell(fulfilment_rejected("A1", LEEDS, at=20))
    assert shop.status("A1") == "unfilled"
    assert [case_type for case_type, _, _ in shop.cases()] == ["fulfilment_rejected"] * 2


def test_a_bundle_that_loses_a_part_lets_go_of_the_others(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("GIFT", 2, "12.00"), ("MUG", 1, "2.40")))
    shop.tell(count(WAREHOUSE, at=2, document="found", HAT=1))
    assert shop.position("HAT") == (1, 0, 0)
    assert shop.position("MUG") == (10, 1, 0)
    assert shop.cases() == [
        ("shortage_after_count", f"{order_id(WEB, 'A1')}/4", 1),
    ]
    shop.tell(payment_authorised("A1", "26.40", at=3))
    ((_, wanted),) = shop.commands("fulfilment_order.create")
    assert wanted["lines"] == [{"line_number": 2, "sku": "MUG", "quantity": 1}]
    shop.tell(shipment_dispatched("A1", (2, "MUG", 1)))
    ((_, capture),) = shop.commands("payment.capture")
    assert capture["amount"] == "2.4000"


def test_one_count_that_takes_both_parts_ends_each_reservation_once(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("GIFT", 2, "12.00")))
    shop.tell(count(WAREHOUSE, at=2, document="none", HAT=0, MUG=0))
    assert shop.position("HAT") == (0, 0, 0)
    assert shop.position("MUG") == (0, 0, 0)
    shop.tell(payment_authorised("A1", "24.00", at=3))
    assert shop.status("A1") == "unfilled"


# Over several nodes


def test_bundles_split_over_nodes_are_paid_for_when_their_last_part_leaves(
    split_shop: Shop,
) -> None:
    shop = split_shop
    shop.tell(adjustment("W1", WAREHOUSE, HAT=-3), adjustment("L1", LEEDS, MUG=-7))
    shop.tell(order_placed("A1", ("GIFT", 2, "12.00")), payment_authorised("A1", "24.00"))
    assert shop.position("MUG") == (10, 0, 4)
    assert shop.position("HAT", LEEDS) == (4, 0, 2)

    shop.tell(shipment_dispatched("A1", (2, "MUG", 4)))
    assert handed_over(shop) == []
    assert shop.commands("payment.capture") == []
    assert shop.balance("goods_revenue") == 0
    assert shop.balance("cost_of_goods") == 4

    shop.tell(shipment_dispatched("A1", (3, "HAT", 2), node_id=LEEDS, at=90))
    assert handed_over(shop) == [(f"A1-{LEEDS}", 1, "GIFT", 2)]
    ((_, capture),) = shop.commands("payment.capture")
    assert capture["amount"] == "24.0000"
    assert shop.balance("goods_revenue") == -20
    assert shop.balance("cost_of_goods") == 12
    assert shop.cases() == []


def test_both_parts_that_are_told_at_once_make_one_bundle(split_shop: Shop) -> None:
    shop = split_shop
    shop.tell(adjustment("W1", WAREHOUSE, HAT=-3), adjustment("L1", LEEDS, MUG=-7))
    shop.tell(order_placed("A1", ("GIFT", 1, "12.00")), payment_authorised("A1", "12.00"))
    shop.tell(
        shipment_dispatched("A1", (2, "MUG", 2)),
        shipment_dispatched("A1", (3, "HAT", 1), node_id=LEEDS, at=90),
    )
    assert handed_over(shop) == [(f"A1-{LEEDS}", 1, "GIFT", 1)]


def test_where_bundles_ship_together_parts_that_lie_apart_are_none(shop: Shop) -> None:
    shop.tell(adjustment("W1", WAREHOUSE, HAT=-3), adjustment("L1", LEEDS, MUG=-7))
    shop.tell(order_placed("A1", ("GIFT", 2, "12.00")))
    assert shop.line("A1") == (0, 2, "incomplete_bundle")


# Collected


def test_a_bundle_is_collected_as_one(shop: Shop) -> None:
    shop.tell(pickup_placed("P1", ("GIFT", 1, "12.00")), payment_authorised("P1", "12.00"))
    ((_, wanted),) = shop.commands("pickup.prepare")
    assert wanted["lines"] == [
        {"line_number": 2, "sku": "MUG", "quantity": 2},
        {"line_number": 3, "sku": "HAT", "quantity": 1},
    ]
    shop.tell(ready_for_pickup("P1", at=90))
    shop.tell(collected("P1", (2, "MUG", 2), (3, "HAT", 1), at=200))
    shop.tell(payment_captured("P1", "12.00", at=201))
    assert shop.status("P1") == "delivered"
    assert handed_over(shop) == [(f"P1-{LEEDS}", 1, "GIFT", 1)]
    assert shop.balance("goods_revenue") == -10
    assert shop.balance("customer_deposits") == 0


def test_a_store_holds_whole_bundles_line_after_line(shop: Shop) -> None:
    shop.tell(
        pickup_placed("P1", ("GIFT", 2, "12.00"), ("MUG", 4, "2.40")),
        pickup_placed("P2", ("GIFT", 1, "12.00"), ("HAT", 1, "9.00"), at=1),
    )
    held = shop.rows(
        "select sku, sum(quantity) from reservation_movement where node_id = :node group by 1"
        " order by 1",
        node=LEEDS,
    )
    free = {"MUG": 7, "HAT": 4}
    assert all(units <= free[sku] for sku, units in held)
    first, loose = shop.line("P1", 1), shop.line("P1", 2)
    second, hat = shop.line("P2", 1), shop.line("P2", 2)
    assert (first[0], loose[0]) == (2, 3)
    assert (second[0], hat[0]) == (0, 1)


def test_a_bundle_that_its_store_refuses_travels_whole(shop: Shop) -> None:
    shop.tell(
        pickup_placed("P1", ("GIFT", 2, "12.00"), shipping=True), payment_authorised("P1", "24.00")
    )
    shop.tell(adjustment("W1", WAREHOUSE, HAT=-2, at=3))
    shop.tell(store_rejected("P1", "stock_not_found", (3, "HAT", 2)))
    ((_, wanted),) = shop.commands("fulfilment_order.create")
    assert wanted["lines"] == [
        {"line_number": 2, "sku": "MUG", "quantity": 2},
        {"line_number": 3, "sku": "HAT", "quantity": 1},
    ]


# What cannot be meant


def test_a_bundle_of_itself_or_of_one_thing_twice_does_not_pass_the_door(shop: Shop) -> None:
    twice = bundle("BOX", MUG=1)
    twice["data"]["components"] *= 2
    (itself, double) = shop.tell(bundle("BAG", BAG=1), twice)
    assert (itself.reason_code, double.reason_code) == ("bundle_of_itself", "duplicate_sku")


def test_a_bundle_of_bundles_is_quarantined_whichever_is_told_first(shop: Shop) -> None:
    shop.tell(bundle("BOX", GIFT=1), bundle("HAT", at=-10, MUG=1))
    assert shop.cases() == [("bundle_of_bundles", "BOX", 1), ("bundle_of_bundles", "HAT", 1)]
    assert shop.rows("select sku from product where is_bundle") == [("GIFT",)]


def test_what_has_stock_becomes_no_bundle_and_a_bundle_stays_one(shop: Shop) -> None:
    shop.tell(product("TIN"), count(WAREHOUSE, document="tins", TIN=2))
    shop.tell(bundle("TIN", at=-5, MUG=1), product("GIFT", at=-4))
    assert shop.cases() == [
        ("bundle_with_stock", "TIN", 1),
        ("bundle_without_components", "GIFT", 1),
    ]


def test_a_document_that_moves_a_bundle_moves_nothing(shop: Shop) -> None:
    shop.tell(receipt("R1", MUG=1, GIFT=1))
    assert shop.position("MUG") == (10, 0, 0)
    assert shop.cases() == [("bundle_with_stock", "R1/GIFT", 1)]


def test_what_a_system_says_of_bundles_at_a_node_corrects_nothing(shop: Shop) -> None:
    shop.tell(snapshot("wms", 60, MUG=10, HAT=3, GIFT=3))
    shop.wait_until(4 * 60)
    assert shop.rows("select sku from inventory_snapshot order by 1") == [("HAT",), ("MUG",)]
    assert shop.position("GIFT") == (0, 0, 0)


# What channels are told, and why


def test_channels_are_told_of_a_bundle_when_a_part_of_it_moves(shop: Shop) -> None:
    shop.wait_until(1)
    # Leeds keeps three of everything and the web shop two: 10 + 4 - 2 mugs, 3 + 1 - 2 hats.
    told = published(shop)
    assert (told["MUG"], told["HAT"], told["GIFT"]) == (12, 2, 2)
    assert published(shop, "marketplace")["GIFT"] == 0
    shop.tell(receipt("R1", HAT=20, at=2))
    shop.wait_until(3)
    # All mugs of the warehouse go into five, and those of Leeds that are not kept into one more.
    assert published(shop)["GIFT"] == 6
    last = shop.commands("availability.publish")[-1][1]["lines"]
    assert {line["sku"] for line in last} == {"HAT", "GIFT"}


def test_a_new_recipe_is_told_though_nothing_moved(shop: Shop) -> None:
    shop.wait_until(1)
    shop.tell(bundle("GIFT", at=2, MUG=5))
    shop.wait_until(3)
    assert published(shop)["GIFT"] == 2
    shop.tell(product("TIN"), bundle("GIFT", at=4, TIN=1))
    shop.wait_until(5)
    assert published(shop)["GIFT"] == 0


def test_where_bundles_may_be_split_channels_are_told_of_all_nodes_together(
    split_shop: Shop,
) -> None:
    shop = split_shop
    shop.tell(adjustment("W1", WAREHOUSE, HAT=-3), adjustment("L1", LEEDS, MUG=-7))
    shop.tell(receipt("R1", LEEDS, HAT=9))
    shop.wait_until(1)
    # Ten mugs less two, and ten hats that are not kept less two.
    assert published(shop)["GIFT"] == 4


def test_an_explanation_shows_what_is_in_a_bundle(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("GIFT", 4, "12.00")))
    with shop.engine.connect() as connection:
        found = explain(connection, "A1")
    assert found["recomputation_agrees"]
    assert [
        (line["line_number"], line["sku"], line["bundle_line_number"], line["bundle_sku"])
        for line in found["lines"]
    ] == [(2, "MUG", 1, "GIFT"), (3, "HAT", 1, "GIFT")]
    assert [line["reserved_quantity"] for line in found["lines"]] == [8, 4]


# The laws


def test_the_gates_pass_what_bundles_write(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("GIFT", 4, "12.00"), ("MUG", 1, "2.40")))
    shop.tell(payment_authorised("A1", "50.40"))
    shop.tell(pickup_placed("P1", ("GIFT", 1, "12.00"), at=1))
    assert held_by_gates(shop) == []


def test_the_gates_hold_a_bundle_of_which_too_much_is_reserved(database_url: str) -> None:
    shop = opened(database_url)
    shop.tell(order_placed("A1", ("GIFT", 1, "12.00")))
    with shop.engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into reservation_movement (order_id, line_number, node_id, sku, kind, quantity,"
            " is_start, expires_at, effective_at) select order_id, line_number, 'store_leeds', sku,"
            " kind, 1, true, expires_at, effective_at from reservation_movement where sku = 'HAT'"
        )
    assert held_by_gates(shop) == ["reservations_agree_holds"]
    shop.close()


def test_what_was_decided_for_bundles_is_decided_so_again(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("GIFT", 9, "12.00"), ("MUG", 1, "2.40")))
    shop.tell(pickup_placed("P1", ("GIFT", 1, "12.00"), at=1))
    with shop.engine.connect() as connection:
        found = [explain(connection, number)["recomputation_agrees"] for number in ("A1", "P1")]
    assert found == [True, True]
