"""Stories of orders, told to the door and read from the ledgers, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from assets.commerce.identifiers import order_id
from tests.builders import (
    LEEDS,
    WAREHOUSE,
    WEB,
    Shop,
    adjustment,
    assert_all_invariants_hold,
    count,
    event,
    fulfilment_accepted,
    fulfilment_rejected,
    ledger_adjustment,
    order_cancelled,
    order_placed,
    payment_authorised,
    payment_captured,
    payment_declined,
    product,
    receipt,
    shipment_delivered,
    shipment_dispatched,
)


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """Ten mugs and five hats at the warehouse, five mugs in Leeds; every story ends lawfully."""
    shop = Shop(database_url)
    shop.tell(product("MUG", cost="1.00"), product("HAT", cost="4.00", tax=0))
    shop.tell(count(WAREHOUSE, MUG=10, HAT=5), count(LEEDS, MUG=5))
    yield shop
    shop.wait_until(24 * 60)
    assert_all_invariants_hold(shop.engine)
    shop.close()


def test_an_order_is_paid_shipped_and_booked_to_the_penny(shop: Shop) -> None:
    postage = [{"code": "postage", "amount": "1.20"}]
    shop.tell(order_placed("A1", ("MUG", 3, "2.40"), ("HAT", 1, "9.00"), charges=postage))
    assert shop.status("A1") == "awaiting_payment"
    assert shop.position("MUG") == (10, 3, 0)

    shop.tell(payment_authorised("A1", "17.40"))
    assert shop.status("A1") == "allocated"
    assert shop.position("MUG") == (10, 0, 3)

    shop.tell(shipment_dispatched("A1", (1, "MUG", 3), (2, "HAT", 1)))
    assert shop.status("A1") == "dispatched"
    assert shop.position("MUG") == (7, 0, 0)

    shop.tell(payment_captured("A1", "17.40"))
    shop.tell(shipment_delivered("A1"))
    assert shop.status("A1") == "delivered"
    assert shop.entries("authorisation") == [
        ("authorisation", "authorised_payments", "17.4"),
        ("authorisation", "authorised_payments_contra", "-17.4"),
    ]
    assert shop.entries("revenue", "cost_of_goods") == [
        ("cost_of_goods", "cost_of_goods", "7"),
        ("cost_of_goods", "inventory", "-7"),
        # 7.20 with a fifth on top hold 1.20 of tax, 1.20 of postage 0.20, hats none.
        ("revenue", "customer_deposits", "17.4"),
        ("revenue", "goods_revenue", "-15"),
        ("revenue", "charge_revenue", "-1"),
        ("revenue", "tax_payable", "-1.4"),
    ]
    assert shop.entries("capture") == [
        ("capture", "payment_clearing", "17.4"),
        ("capture", "customer_deposits", "-17.4"),
        ("capture", "authorised_payments_contra", "17.4"),
        ("capture", "authorised_payments", "-17.4"),
    ]
    assert shop.messages() == ["order_confirmed", "order_shipped"]
    assert shop.cases() == []


def test_what_is_not_there_is_named_and_not_paid_for(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("HAT", 8, "9.00")))
    assert shop.line("A1") == (5, 3, "out_of_stock")
    assert shop.payable("A1") == "45.0000"
    assert [payload["amount"] for _, payload in shop.commands("payment.authorise")] == ["45.0000"]


def test_an_order_of_which_nothing_is_there_is_unfilled_and_costs_nothing(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("HAT", 5, "9.00")))
    shop.tell(
        order_placed("A2", ("HAT", 2, "9.00"), charges=[{"code": "postage", "amount": "3"}], at=1)
    )
    assert shop.status("A2") == "unfilled"
    assert shop.payable("A2") == "0.0000"
    assert shop.line("A2") == (0, 2, "out_of_stock")
    assert shop.messages() == ["order_confirmed", "order_cancelled"]


def test_an_order_of_charges_only_is_done_when_they_are_paid(shop: Shop) -> None:
    shop.tell(order_placed("A1", charges=[{"code": "repair", "amount": "12.00"}]))
    assert shop.status("A1") == "awaiting_payment"
    shop.tell(payment_authorised("A1", "12.00"))
    assert shop.status("A1") == "awaiting_capture"
    shop.tell(payment_captured("A1", "12.00"))
    assert shop.status("A1") == "completed"
    assert shop.entries("revenue") == [
        ("revenue", "customer_deposits", "12"),
        ("revenue", "charge_revenue", "-10"),
        ("revenue", "tax_payable", "-2"),
    ]


def test_an_order_that_the_channel_has_authorised_is_allocated_at_once(shop: Shop) -> None:
    granted = {"reference": "till-7", "amount": "2.40"}
    shop.tell(order_placed("A1", ("MUG", 1, "2.40"), authorisation=granted))
    assert shop.status("A1") == "allocated"
    assert shop.position("MUG") == (10, 0, 1)
    assert shop.commands("payment.authorise") == []
    shop.tell(shipment_dispatched("A1", (1, "MUG", 1)))
    ((_, capture),) = shop.commands("payment.capture")
    assert (capture["payment_reference"], capture["amount"]) == ("till-7", "2.4000")


def test_a_checkout_that_authorised_too_little_is_given_back_and_asked_again(shop: Shop) -> None:
    granted = {"reference": "till-7", "amount": "1.00"}
    shop.tell(order_placed("A1", ("MUG", 1, "2.40"), authorisation=granted))
    assert shop.status("A1") == "awaiting_payment"
    ((_, void),) = shop.commands("payment.void")
    assert void["payment_reference"] == "till-7"
    assert [payload["amount"] for _, payload in shop.commands("payment.authorise")] == ["2.4000"]
    assert shop.cases() == [("authorisation_mismatch", "web_shop/A1", 1)]
    shop.tell(payment_authorised("A1", "2.40"), shipment_dispatched("A1", (1, "MUG", 1)))
    assert shop.status("A1") == "dispatched"


def test_money_held_for_an_order_that_cannot_be_filled_is_given_back(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("HAT", 5, "9.00")))
    granted = {"reference": "till-8", "amount": "9.00"}
    shop.tell(order_placed("A2", ("HAT", 1, "9.00"), at=1, authorisation=granted))
    assert shop.status("A2") == "unfilled"
    assert [void["payment_reference"] for _, void in shop.commands("payment.void")] == ["till-8"]


def test_a_free_order_ships_without_a_payment(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 2, "0.00")))
    assert shop.status("A1") == "allocated"
    shop.tell(shipment_dispatched("A1", (1, "MUG", 2)), shipment_delivered("A1"))
    assert shop.status("A1") == "delivered"
    assert shop.entries("authorisation", "capture", "revenue") == []
    assert shop.entries("cost_of_goods") == [
        ("cost_of_goods", "cost_of_goods", "2"),
        ("cost_of_goods", "inventory", "-2"),
    ]
    assert shop.commands("payment.authorise", "payment.capture") == []


def split_order(shop: Shop, discount: str | None = None) -> None:
    """Thirteen mugs: ten from the warehouse, three of Leeds's five, which keeps two."""
    code, amount = ("discount", discount) if discount else ("postage", "3.00")
    total = Decimal("31.20") + Decimal(amount)
    shop.tell(order_placed("A1", ("MUG", 13, "2.40"), charges=[{"code": code, "amount": amount}]))
    shop.tell(payment_authorised("A1", str(total)))
    assert shop.position("MUG") == (10, 0, 10)
    assert shop.position("MUG", LEEDS) == (5, 0, 3)


def captures_asked_for(shop: Shop) -> list[str]:
    return [payload["amount"] for _, payload in shop.commands("payment.capture")]


def test_two_nodes_ship_one_order_and_the_charges_go_with_the_first_parcel(shop: Shop) -> None:
    split_order(shop)
    shop.tell(shipment_dispatched("A1", (1, "MUG", 3), node_id=LEEDS))
    assert shop.status("A1") == "allocated"
    shop.tell(shipment_dispatched("A1", (1, "MUG", 10), at=40))
    assert shop.status("A1") == "dispatched"
    assert captures_asked_for(shop) == ["10.2000", "24.0000"]
    shop.tell(payment_captured("A1", "10.20", at=41), payment_captured("A1", "24.00", at=42))
    shop.tell(shipment_delivered("A1", LEEDS))
    assert shop.status("A1") == "dispatched"
    shop.tell(shipment_delivered("A1"))
    assert shop.status("A1") == "delivered"
    assert shop.balance("customer_deposits") == 0
    assert shop.balance("authorised_payments") == 0


def test_a_parcel_that_arrives_before_the_second_leaves_is_charged_once(shop: Shop) -> None:
    split_order(shop)
    shop.tell(shipment_dispatched("A1", (1, "MUG", 3), node_id=LEEDS))
    shop.tell(shipment_delivered("A1", LEEDS, at=35))
    shop.tell(shipment_dispatched("A1", (1, "MUG", 10), at=40))
    assert captures_asked_for(shop) == ["10.2000", "24.0000"]


def test_a_discount_larger_than_the_first_parcel_goes_on_with_the_second(shop: Shop) -> None:
    split_order(shop, discount="-11.20")
    shop.tell(shipment_dispatched("A1", (1, "MUG", 3), node_id=LEEDS))
    assert captures_asked_for(shop) == []
    shop.tell(shipment_dispatched("A1", (1, "MUG", 10), at=40))
    assert captures_asked_for(shop) == ["20.0000"]
    shop.tell(payment_captured("A1", "20.00", at=41))
    assert shop.balance("customer_deposits") == 0


def test_two_parcels_of_an_order_may_not_share_a_number(shop: Shop) -> None:
    split_order(shop)
    shop.tell(shipment_dispatched("A1", (1, "MUG", 3), node_id=LEEDS, shipment="S-1"))
    shop.tell(shipment_dispatched("A1", (1, "MUG", 10), at=40, shipment="S-1"))
    assert shop.cases() == [("shipment_number_used", "web_shop/A1", 1)]
    assert shop.position("MUG") == (10, 0, 10)


def test_what_is_shipped_short_is_neither_charged_nor_held(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 4, "2.40")), payment_authorised("A1", "9.60"))
    shop.tell(shipment_dispatched("A1", (1, "MUG", 3)))
    assert shop.position("MUG") == (7, 0, 0)
    assert captures_asked_for(shop) == ["7.2000"]
    assert len(shop.commands("payment.void")) == 1
    shop.tell(payment_captured("A1", "7.20"))
    assert shop.balance("authorised_payments") == 0
    assert shop.rows("select quantity, reason_code from deallocation") == [(1, "short_shipped")]


def test_where_no_other_node_has_it_a_rejected_order_gives_stock_and_money_back(
    shop: Shop,
) -> None:
    shop.tell(order_placed("A1", ("HAT", 4, "2.40")), payment_authorised("A1", "9.60"))
    shop.tell(fulfilment_rejected("A1"))
    assert shop.status("A1") == "unfilled"
    assert shop.position("HAT") == (5, 0, 0)
    assert shop.balance("authorised_payments") == 0
    assert [case_type for case_type, _, _ in shop.cases()] == ["fulfilment_rejected"]
    assert shop.messages()[-1] == "order_cancelled"
    # What is reported of the case finds its order and node by what happened.
    assert shop.rows(
        "select process.objects #>> '{1,id}' = cases.business_key, process.objects #>> '{2,id}'"
        " from process_event as process, exception_case as cases"
        " where process.activity = 'fulfilment rejected'"
    ) == [(True, WAREHOUSE)]


def test_a_declined_payment_frees_the_stock(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 4, "2.40")), payment_declined("A1"))
    assert shop.status("A1") == "declined"
    assert shop.position("MUG") == (10, 0, 0)
    assert len(shop.commands("sales_order.cancel")) == 1


@pytest.mark.parametrize("batch_size", [1, 1_000])
def test_a_decline_before_an_authorisation_counts_in_any_batch(shop: Shop, batch_size: int) -> None:
    shop.tell(
        order_placed("A1", ("MUG", 4, "2.40")),
        payment_declined("A1", at=1),
        payment_authorised("A1", "9.60", at=2, reference="second-card"),
        batch_size=batch_size,
    )
    assert shop.status("A1") == "declined"
    ((_, void),) = shop.commands("payment.void")
    assert void["payment_reference"] == "second-card"


def test_an_order_cancelled_before_it_is_paid_frees_the_stock(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 4, "2.40")), order_cancelled("A1", at=1))
    assert shop.status("A1") == "cancelled"
    assert shop.position("MUG") == (10, 0, 0)


def test_a_payment_that_is_declined_after_its_order_was_taken_back_changes_nothing(
    shop: Shop,
) -> None:
    shop.tell(order_placed("A1", ("MUG", 4, "2.40")), order_cancelled("A1", at=1))
    shop.tell(payment_declined("A1", at=2))
    assert shop.status("A1") == "cancelled"
    assert shop.position("MUG") == (10, 0, 0)
    assert shop.cases() == []
    assert shop.messages() == ["order_confirmed", "order_cancelled"]


def test_an_order_that_we_could_not_fill_may_be_cancelled_without_anybody_s_help(
    shop: Shop,
) -> None:
    shop.tell(product("VASE"), order_placed("A1", ("VASE", 1, "2.40")))
    shop.tell(order_cancelled("A1", at=11))
    assert shop.status("A1") == "unfilled"
    assert shop.cases() == []
    assert shop.inbox()["order.cancelled-A1-"] == "applied"


def test_an_order_cancelled_after_it_is_allocated_needs_a_person(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 4, "2.40")), payment_authorised("A1", "9.60"))
    shop.tell(fulfilment_accepted("A1"), order_cancelled("A1", at=11))
    assert shop.status("A1") == "allocated"
    assert shop.cases() == [("illegal_transition", "web_shop/A1", 1)]
    assert shop.inbox()["order.cancelled-A1-"] == "quarantined"


def test_an_order_that_is_not_paid_in_time_expires_at_the_minute(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 4, "2.40")))
    shop.wait_until(14.9)
    assert shop.status("A1") == "awaiting_payment"
    shop.wait_until(15)
    assert shop.status("A1") == "expired"
    assert shop.position("MUG") == (10, 0, 0)


def test_an_order_whose_payment_lies_unread_does_not_expire(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 4, "2.40")))
    shop.admit(payment_authorised("A1", "9.60", at=2))
    shop.wait_until(60)
    assert shop.status("A1") == "awaiting_payment"
    shop.store.drain_all()
    assert shop.status("A1") == "allocated"


def test_an_authorisation_that_comes_too_late_is_given_back_once(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 4, "2.40")))
    shop.wait_until(20)
    shop.tell(payment_authorised("A1", "9.60", at=21))
    shop.tell(payment_authorised("A1", "9.60", at=22))
    assert shop.status("A1") == "expired"
    assert [void["payment_reference"] for _, void in shop.commands("payment.void")] == ["pay-A1"]
    assert shop.entries("authorisation") == []


def test_an_authorisation_of_too_little_needs_a_person(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 4, "2.40")), payment_authorised("A1", "9.59"))
    assert shop.status("A1") == "awaiting_payment"
    assert shop.cases() == [("authorisation_mismatch", "web_shop/A1", 1)]


def test_an_order_of_unknown_goods_waits_for_the_product(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("VASE", 1, "2.40")))
    assert shop.inbox() == {"order-web_shop-A1": "waiting"}
    shop.tell(count(WAREHOUSE, at=-40, VASE=3))
    shop.tell(product("VASE", at=5))
    assert shop.inbox() == {"order-web_shop-A1": "applied"}
    assert shop.position("VASE") == (3, 1, 0)


def test_an_event_that_overtakes_its_order_waits_for_it(shop: Shop) -> None:
    shop.tell(payment_authorised("A1", "2.40"))
    assert list(shop.inbox().values()) == ["waiting"]
    shop.tell(order_placed("A1", ("MUG", 1, "2.40")))
    assert shop.status("A1") == "allocated"
    assert set(shop.inbox().values()) == {"applied"}


def test_an_order_and_all_that_follows_may_come_in_one_batch_in_any_order(shop: Shop) -> None:
    shop.tell(
        shipment_delivered("A1"),
        payment_captured("A1", "2.40"),
        shipment_dispatched("A1", (1, "MUG", 1)),
        fulfilment_accepted("A1"),
        payment_authorised("A1", "2.40"),
        order_placed("A1", ("MUG", 1, "2.40")),
    )
    assert shop.status("A1") == "delivered"
    assert set(shop.inbox().values()) == {"applied"}


def test_an_order_number_that_a_channel_uses_again_is_refused(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 1, "2.40")))
    shop.tell(order_placed("A1", ("MUG", 2, "2.40"), id="another-event"))
    shop.tell(order_placed("A1", ("HAT", 2, "2.40"), channel="marketplace"))
    assert shop.position("MUG") == (10, 1, 0)
    assert shop.position("HAT") == (5, 2, 0)
    assert shop.cases() == [("order_already_placed", "web_shop/A1", 1)]


def test_more_shipped_than_allocated_is_refused_and_a_person_is_asked(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 1, "2.40")), payment_authorised("A1", "2.40"))
    shop.tell(shipment_dispatched("A1", (1, "MUG", 2)))
    assert shop.status("A1") == "allocated"
    assert shop.position("MUG") == (10, 0, 1)
    assert shop.cases() == [("shipped_not_allocated", "web_shop/A1", 1)]


def test_a_capture_that_nobody_asked_for_is_refused(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 1, "2.40")), payment_authorised("A1", "2.40"))
    shop.tell(payment_captured("A1", "2.40"))
    assert shop.entries("capture") == []
    assert shop.cases() == [("capture_not_asked_for", "web_shop/A1", 1)]


def test_a_capture_in_another_currency_is_refused(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 1, "2.40")), payment_authorised("A1", "2.40"))
    capture = payment_captured("A1", "2.40")
    capture["data"]["currency"] = "EUR"
    shop.tell(shipment_dispatched("A1", (1, "MUG", 1)), capture)
    assert shop.balance("payment_clearing") == 0
    assert shop.cases() == [("capture_not_asked_for", "web_shop/A1", 1)]


def test_a_delivery_that_overtakes_its_despatch_waits_for_it(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 1, "2.40")), payment_authorised("A1", "2.40"))
    shop.tell(shipment_delivered("A1"))
    assert shop.inbox()["shipment.delivered-A1-A1-dc_midlands"] == "waiting"
    shop.tell(shipment_dispatched("A1", (1, "MUG", 1)))
    assert shop.status("A1") == "delivered"


def test_whoever_brings_what_others_wait_for_releases_them_at_once(shop: Shop) -> None:
    """Not only when somebody sweeps: a sensor drains one flow, and another one the next."""
    for event_id, waiting, flow, awaited in (
        (
            "order-web_shop-A2",
            order_placed("A2", ("VASE", 1, "2.40")),
            "master_data",
            product("VASE", at=1),
        ),
        (
            "payment.authorised-A1-None-1",
            payment_authorised("A1", "2.40"),
            "order_to_fulfillment",
            order_placed("A1", ("MUG", 1, "2.40")),
        ),
        (
            "shipment.delivered-A1-A1-dc_midlands",
            shipment_delivered("A1"),
            "order_to_fulfillment",
            shipment_dispatched("A1", (1, "MUG", 1)),
        ),
    ):
        shop.tell(waiting)
        assert shop.inbox()[event_id] == "waiting"
        shop.admit(awaited)
        shop.store.drain(flow)
        assert shop.inbox()[event_id] == "pending"
        shop.store.drain_all()
        assert shop.inbox()[event_id] == "applied"


def test_a_write_off_takes_from_the_newest_reservation_first(shop: Shop) -> None:
    shop.tell(
        order_placed("OLD", ("HAT", 2, "9.00")),
        order_placed("NEW", ("HAT", 3, "9.00"), at=1),
    )
    shop.tell(adjustment("W1", HAT=-1, at=5))
    assert shop.position("HAT") == (4, 2, 0)
    ((case_type, _, _),) = shop.cases()
    assert case_type == "shortage_after_count"
    shop.tell(payment_authorised("OLD", "18.00", at=6), payment_authorised("NEW", "27.00", at=6))
    assert shop.status("OLD") == "allocated"
    assert shop.status("NEW") == "unfilled"
    assert shop.messages() == ["order_confirmed", "order_confirmed", "order_cancelled"]
    assert [void["order_number"] for _, void in shop.commands("payment.void")] == ["NEW"]


@pytest.mark.parametrize("batch_size", [1, 1_000])
def test_who_gives_way_does_not_depend_on_how_facts_are_batched(
    shop: Shop, batch_size: int
) -> None:
    shop.tell(
        order_placed("OLD", ("HAT", 2, "9.00")),
        order_placed("MID", ("HAT", 1, "9.00"), at=1),
        order_placed("NEW", ("HAT", 2, "9.00"), at=2),
    )
    shop.tell(
        adjustment("W1", HAT=-1, at=5),
        adjustment("W2", HAT=1, at=6),
        adjustment("W3", HAT=-2, at=7),
        batch_size=batch_size,
    )
    # The first takes the newest order's two, so that one unit is free; the third finds three.
    assert shop.position("HAT") == (3, 3, 0)
    assert len(shop.cases()) == 1


def test_a_write_off_beyond_the_books_stops_at_what_is_being_picked(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("HAT", 3, "9.00")), payment_authorised("A1", "27.00"))
    shop.tell(adjustment("W1", HAT=-9, at=5))
    assert shop.position("HAT") == (3, 0, 3)
    assert shop.cases() == [("stock_beyond_the_books", "W1/HAT", 1)]


def test_the_first_count_of_a_position_opens_it_and_later_ones_adjust(shop: Shop) -> None:
    assert shop.balance("opening_balance") == -35
    assert shop.balance("inventory_adjustment") == 0
    shop.tell(receipt("GR-1", MUG=5))
    shop.tell(receipt("GR-2", node_id=LEEDS, HAT=2))
    shop.tell(count(WAREHOUSE, at=10, MUG=14, HAT=5), count(LEEDS, at=20, HAT=3, VASE=1))
    shop.tell(product("VASE", cost="7.00", at=30))
    assert shop.balance("opening_balance") == -35 - 7
    # One mug less than the books said, one hat more.
    assert shop.balance("inventory_adjustment") == 1 - 4
    assert shop.balance("goods_received_not_invoiced") == -5 - 8


def test_a_late_count_does_not_bring_sold_stock_back(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("HAT", 2, "9.00")), payment_authorised("A1", "18.00"))
    shop.tell(shipment_dispatched("A1", (1, "HAT", 2), at=30))
    shop.tell(count(WAREHOUSE, at=20, HAT=5))
    assert shop.position("HAT") == (3, 0, 0)


def test_a_document_that_comes_twice_under_other_ids_is_booked_once(shop: Shop) -> None:
    shop.tell(receipt("GR-1", MUG=5))
    again = {**receipt("GR-1", MUG=5), "id": "another-event"}
    shop.tell(again, receipt("GR-2", MUG=1))
    assert shop.position("MUG") == (16, 0, 0)
    assert shop.inbox()["another-event"] == "quarantined"


def test_a_ledger_document_that_comes_twice_is_booked_once(shop: Shop) -> None:
    shop.tell(ledger_adjustment("J1", "5.00"), ledger_adjustment("J1", "5.00", at=1))
    shop.tell(ledger_adjustment("J1", "5.00", at=2), ledger_adjustment("J2", "-1.00"))
    assert shop.balance("bad_debt") == 4


def test_a_new_cost_revalues_what_is_on_hand(shop: Shop) -> None:
    assert shop.balance("inventory") == 35
    shop.tell(product("MUG", cost="1.50", at=5), product("HAT", cost="3.00", tax=0, at=6))
    assert shop.balance("inventory") == 15 * Decimal("1.5") + 5 * 3
    assert shop.balance("inventory_revaluation") == Decimal("-2.5")


def test_a_word_of_the_erp_that_comes_late_does_not_undo_a_newer_one(shop: Shop) -> None:
    shop.tell(product("MUG", cost="1.50", at=20))
    shop.tell(product("MUG", cost="9.00", at=10))
    assert shop.value("select standard_cost from product where sku = 'MUG'") == Decimal("1.5")
    assert set(shop.rows("select status from event_inbox")) == {("applied",)}


@pytest.mark.parametrize("batch_size", [1, 1_000])
def test_two_new_costs_are_two_entries_in_any_batch(shop: Shop, batch_size: int) -> None:
    shop.tell(
        product("HAT", cost="5.00", at=5),
        product("HAT", cost="3.00", at=6),
        batch_size=batch_size,
    )
    assert sorted(shop.entries("inventory_revaluation")) == [
        ("inventory_revaluation", "inventory", "-10"),
        ("inventory_revaluation", "inventory", "5"),
        ("inventory_revaluation", "inventory_revaluation", "-5"),
        ("inventory_revaluation", "inventory_revaluation", "10"),
    ]


def test_stock_that_changes_its_currency_leaves_nothing_in_the_old_one(shop: Shop) -> None:
    shop.tell(product("HAT", cost="5.00", at=5, currency="EUR"))
    worth = shop.rows(
        "select currency_code, sum(amount) from journal_line where account_code = '1400'"
        " group by 1 order by 1"
    )
    assert worth == [("EUR", Decimal("25.0000")), ("GBP", Decimal("15.0000"))]


def test_who_a_customer_is_stands_in_one_table_only(shop: Shop) -> None:
    ship_to = {"country": "GB", "name": "Ada Byron", "email": "ada@example.org", "city": "Ealing"}
    shop.tell(order_placed("A1", ("MUG", 1, "2.40"), customer_number="C-7", ship_to=ship_to))
    registered = {"customer_number": "C-8", "country": "GB", "name": "Ada Byron"}
    shop.tell(event("retail.customer.registered.v1", "customer-8", "C-8", 0, data=registered))
    tables = [
        name
        for (name,) in shop.rows(
            "select table_name from information_schema.tables where table_schema = 'public'"
        )
    ]
    holding = [
        name
        for name in tables
        if shop.value(
            f'select exists (select from "{name}" t where t::text ~ :personal)',
            personal="Ada Byron|ada@example.org|Ealing",
        )
    ]
    assert holding == ["customer_contact"]


def test_availability_told_twice_at_one_instant_is_two_messages(shop: Shop) -> None:
    shop.store.publish_availability()
    shop.tell(order_placed("A1", ("MUG", 13, "2.40")))
    shop.store.publish_availability()
    told = [
        {line["sku"]: line["quantity"] for line in payload["lines"]}
        for _, payload in shop.commands("availability.publish")
        if payload["channel"] == "b2b"
    ]
    assert told == [{"HAT": 5, "MUG": 10}, {"MUG": 0}]


# What never comes


def test_what_waits_too_long_becomes_one_case_and_goes_on_waiting(shop: Shop) -> None:
    shop.tell(payment_authorised("A1", "2.40"), order_placed("A2", ("VASE", 1, "2.40")))
    shop.wait_until(72 * 60 - 1)
    assert shop.cases() == []
    shop.wait_until(72 * 60)
    shop.wait_until(80 * 60)
    assert shop.cases() == [
        ("predecessor_missing", "partner/order-web_shop-A2", 1),
        ("predecessor_missing", "partner/payment.authorised-A1-None-1", 1),
    ]
    assert set(shop.rows("select owner, opened_at from exception_case")) == {
        ("order_desk", shop.value("select timestamptz '2026-03-05 09:00+00'"))
    }
    assert set(shop.inbox().values()) == {"waiting"}
    shop.tell(order_placed("A1", ("MUG", 1, "2.40")))
    assert shop.status("A1") == "allocated"


def test_what_waits_for_a_flow_that_is_not_built_is_nobodys_case(shop: Shop) -> None:
    data = {
        "return_number": "R1",
        "currency": "GBP",
        "lines": [{"line_number": 1, "sku": "MUG", "quantity": 1, "unit_price": "2.40"}],
    }
    shop.tell(event("retail.return.requested.v1", "return-1", "R1", 0, data=data))
    shop.wait_until(100 * 60)
    assert shop.inbox() == {"return-1": "waiting"}
    assert shop.cases() == []


def test_an_event_parked_while_its_order_came_is_found_again(shop: Shop) -> None:
    """Two workers: one parks while the other, which cannot see that, stores the order."""
    shop.admit(payment_authorised("A1", "2.40"))
    with shop.store.unit_of_work() as unit_of_work:
        (early,) = unit_of_work.inbox.claim("order_to_fulfillment", shop.clock.wall(), 10)
        shop.tell(order_placed("A1", ("MUG", 1, "2.40")))
        unit_of_work.inbox.park(early, "order_unknown", f"order:{order_id(WEB, 'A1')}")
    assert shop.status("A1") == "awaiting_payment"
    shop.store.drain_all()
    assert shop.status("A1") == "allocated"
