"""Stories of orders that their customers collect, on a real PostgreSQL.

`OPENING` is Monday, 2 March 2026, 09:00 in Leeds, when the store opens; a pickup takes 90 minutes
to prepare, lies for 72 hours and another 24 of grace, and customers are reminded after 24 and 60.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from resources.policy_book import SHIPPED, FilePolicyBook
from resources.window_gate import WindowGate, accounts_of
from tests.builders import (
    BRISTOL,
    LEEDS,
    WAREHOUSE,
    Event,
    Shop,
    assert_all_invariants_hold,
    collected,
    count,
    fulfilment_accepted,
    hold_decided,
    minutes,
    node,
    order_cancelled,
    order_placed,
    payment_authorised,
    payment_captured,
    payment_declined,
    payment_refunded,
    payment_screened,
    pickup_placed,
    product,
    ready_for_pickup,
    refund_declined,
    shipment_delivered,
    shipment_dispatched,
    store_rejected,
)

HOUR = 60
MUGS = ("MUG", 3, "2.40")
#: From 250.00 on every paid pickup is screened, and from 120.00 that of a new customer.
DEAR = ("MUG", 3, "100.00")


def opened(url: str, policies: FilePolicyBook | None = None) -> Shop:
    shop = Shop(url, policies)
    shop.tell(product("MUG", cost="1.00"), product("HAT", cost="4.00", tax=0))
    shop.tell(count(WAREHOUSE, MUG=10), count(LEEDS, MUG=5, HAT=2), count(BRISTOL, MUG=4))
    return shop


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """Mugs everywhere, hats in Leeds; every story ends lawfully, a month later."""
    shop = opened(database_url)
    yield shop
    shop.wait_until(30 * 24 * HOUR)
    assert_all_invariants_hold(shop.engine)
    shop.close()


def policies(folder: Path, *replaced: tuple[str, str]) -> FilePolicyBook:
    """The shipped policies with lines of the one of pickups replaced."""
    text = (SHIPPED / "pickup.yaml").read_text()
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    (folder / "pickup.yaml").write_text(text)
    return FilePolicyBook(folder)


def steps(shop: Shop) -> list[tuple[str, str | None, float]]:
    """(what happened, store, minutes after the opening) of every pickup."""
    return [
        (step, store, (at - minutes(0)).total_seconds() / 60)
        for step, store, at in shop.rows(
            "select step, node_id, occurred_at from pickup_step"
            " order by occurred_at, attempt, step_number, step"
        )
    ]


def promised(shop: Shop) -> list[float]:
    """What customers were promised, in minutes after the opening, one after the other."""
    return [
        (at - minutes(0)).total_seconds() / 60
        for (at,) in shop.rows(
            "select promised_ready_at from pickup_step where step = 'promised'"
            " order by attempt, step_number"
        )
    ]


def paid(
    number: str = "A1", *lines: tuple[str, int, str], amount: str = "7.20", **wish: object
) -> list[Event]:
    return [pickup_placed(number, *(lines or (MUGS,)), **wish), payment_authorised(number, amount)]  # type: ignore[arg-type]


def held_by_gates(shop: Shop) -> list[str]:
    """What the gates on windows of facts find wrong, but for the time: a story's stands still."""
    gate = WindowGate(shop.store, accounts_of(shop.store.policies.documents))
    found = [failure.expectation for verdict in gate.close_all() for failure in verdict.failures]
    return [expectation for expectation in found if "from_the_future" not in expectation]


# The way that it should go


def test_a_pickup_is_reserved_prepared_collected_and_booked_at_the_counter(shop: Shop) -> None:
    shop.tell(pickup_placed("A1", MUGS))
    assert shop.position("MUG", LEEDS) == (5, 3, 0)
    assert shop.position("MUG") == (10, 0, 0)
    assert promised(shop) == [90]

    shop.tell(payment_authorised("A1", "7.20"))
    assert shop.status("A1") == "allocated"
    ((_, told),) = shop.commands("pickup.prepare")
    assert told["node_id"] == LEEDS
    assert told["lines"] == [{"line_number": 1, "sku": "MUG", "quantity": 3}]
    assert shop.commands("fulfilment_order.create") == []

    shop.tell(fulfilment_accepted("A1", LEEDS, at=5), ready_for_pickup("A1", at=60))
    assert shop.status("A1") == "ready_for_pickup"
    assert shop.entries("revenue", "cost_of_goods") == []
    assert shop.commands("payment.capture") == []

    shop.tell(collected("A1", (1, "MUG", 3)), payment_captured("A1", "7.20", at=301))
    assert shop.status("A1") == "delivered"
    assert shop.position("MUG", LEEDS) == (2, 0, 0)
    assert shop.entries("revenue", "cost_of_goods", "capture") == [
        ("cost_of_goods", "cost_of_goods", "3"),
        ("cost_of_goods", "inventory", "-3"),
        ("revenue", "customer_deposits", "7.2"),
        ("revenue", "goods_revenue", "-6"),
        ("revenue", "tax_payable", "-1.2"),
        ("capture", "payment_clearing", "7.2"),
        ("capture", "customer_deposits", "-7.2"),
        ("capture", "authorised_payments_contra", "7.2"),
        ("capture", "authorised_payments", "-7.2"),
    ]
    assert shop.messages() == ["order_confirmed", "pickup_ready", "pickup_collected"]
    assert steps(shop) == [
        ("promised", LEEDS, 0),
        ("ready", LEEDS, 60),
        ("collected", LEEDS, 300),
    ]
    assert [payload["node_id"] for _, payload in shop.commands("goods_issue.post")] == [LEEDS]
    assert shop.commands("shipment.book") == []
    assert shop.cases() == []


def test_a_pickup_may_take_the_units_that_a_store_keeps_from_parcels(shop: Shop) -> None:
    shop.tell(pickup_placed("A1", ("MUG", 5, "2.40")))
    assert shop.line("A1") == (5, 0, None)
    shop.tell(order_placed("A2", ("MUG", 14, "2.40"), at=1))
    # Ten at the warehouse, two of Bristol's four, none of those in Leeds.
    assert shop.line("A2") == (12, 2, "protected_store_stock")


@pytest.mark.parametrize("batch_size", [1, 1_000])
def test_a_pickup_outranks_a_parcel_of_the_same_window(shop: Shop, batch_size: int) -> None:
    shop.tell(
        order_placed("A1", ("HAT", 1, "9.00"), channel="store", at=1),
        order_placed("A2", ("MUG", 17, "2.40"), at=2),
        pickup_placed("A3", ("MUG", 5, "2.40"), at=3),
        pickup_placed("A4", ("HAT", 2, "9.00"), at=4),
        batch_size=batch_size,
    )
    assert shop.line("A3") == (5, 0, None)
    assert shop.line("A4") == (2, 0, None)
    assert shop.line("A2") == (12, 5, "protected_store_stock")
    assert shop.line("A1", channel="store") == (0, 1, "out_of_stock")


def test_what_the_store_lacks_is_named_and_not_paid_for(shop: Shop) -> None:
    shop.tell(
        pickup_placed("A1", ("HAT", 3, "9.00")), pickup_placed("A2", ("HAT", 1, "9.00"), at=1)
    )
    assert shop.line("A1") == (2, 1, "out_of_stock")
    assert shop.payable("A1") == "18.0000"
    assert shop.status("A2") == "unfilled"
    assert shop.messages() == ["order_confirmed", "order_cancelled"]


def test_an_order_of_the_evening_is_promised_for_the_next_morning(shop: Shop) -> None:
    # 16:29:30 leaves 90 minutes and a half; 16:31 does not.
    shop.tell(pickup_placed("A1", MUGS, at=449.5), pickup_placed("A2", ("MUG", 1, "2.40"), at=451))
    assert promised(shop) == [539.5, 24 * HOUR + 90]
    days = shop.rows("select order_number, promised_date::text from order_placed order by 1")
    assert days == [("A1", "2026-03-02"), ("A2", "2026-03-03")]


def test_a_store_that_never_opens_promises_nothing(database_url: str, tmp_path: Path) -> None:
    closed = [
        (f"{day}day: 09:00-18:00", f"{day}day: closed")
        for day in ("mon", "tues", "wednes", "fri", "satur")
    ]
    closed += [
        ("thursday: 09:00-20:00", "thursday: closed"),
        ("sunday: 11:00-16:30", "sunday: closed"),
    ]
    shop = opened(database_url, policies(tmp_path, *closed))
    shop.tell(pickup_placed("A1", MUGS))
    assert shop.status("A1") == "unfilled"
    assert shop.line("A1") == (0, 3, "store_closed")
    assert steps(shop) == []
    assert_all_invariants_hold(shop.engine)
    shop.close()


def test_goods_are_collected_only_from_stores_that_there_are(shop: Shop) -> None:
    shop.tell(
        pickup_placed("A1", MUGS, store=WAREHOUSE), pickup_placed("A2", MUGS, store="store_york")
    )
    assert shop.cases() == [("not_a_store", "web_shop/A1", 1)]
    assert shop.inbox() == {"order-web_shop-A1": "quarantined", "order-web_shop-A2": "waiting"}
    shop.tell(node("store_york"))
    assert shop.status("A2") == "unfilled"


def test_a_pickup_that_is_not_paid_frees_the_stock(shop: Shop) -> None:
    shop.tell(
        pickup_placed("A1", MUGS), pickup_placed("A2", ("MUG", 1, "2.40")), payment_declined("A2")
    )
    assert shop.position("MUG", LEEDS) == (5, 3, 0)
    shop.wait_until(15)
    assert shop.status("A1") == "expired"
    assert shop.status("A2") == "declined"
    assert shop.position("MUG", LEEDS) == (5, 0, 0)


def test_what_the_customer_does_not_take_stays_and_is_not_charged(shop: Shop) -> None:
    shop.tell(*paid(), ready_for_pickup("A1"), collected("A1", (1, "MUG", 2)))
    assert shop.position("MUG", LEEDS) == (3, 0, 0)
    assert [payload["amount"] for _, payload in shop.commands("payment.capture")] == ["4.8000"]
    shop.tell(payment_captured("A1", "4.80", at=301))
    assert shop.balance("authorised_payments") == 0
    assert shop.rows("select quantity, reason_code from deallocation") == [(1, "not_taken")]


def test_a_store_that_forgot_to_say_ready_may_still_hand_over(shop: Shop) -> None:
    shop.tell(*paid(), collected("A1", (1, "MUG", 3), at=100))
    assert shop.status("A1") == "delivered"


def test_a_store_may_neither_ship_a_pickup_nor_hand_over_more_than_there_is(shop: Shop) -> None:
    shop.tell(*paid())
    shop.tell(shipment_dispatched("A1", (1, "MUG", 3), node_id=LEEDS))
    shop.tell(collected("A1", (1, "MUG", 4)))
    assert shop.cases() == [
        ("shipped_not_allocated", "web_shop/A1", 1),
        ("waits_for_its_customer", "web_shop/A1", 1),
    ]
    assert shop.position("MUG", LEEDS) == (5, 0, 3)


def test_a_parcel_cannot_be_collected(shop: Shop) -> None:
    shop.tell(order_placed("A1", MUGS), payment_authorised("A1", "7.20"))
    shop.tell(
        ready_for_pickup("A1", store=WAREHOUSE), collected("A1", (1, "MUG", 3), store=WAREHOUSE)
    )
    assert shop.cases() == [("not_a_pickup", "web_shop/A1", 2)]


# Fraud


def screened(shop: Shop, at: float = 0) -> None:
    shop.tell(*paid("A1", DEAR, amount="300.00", at=at))
    assert shop.status("A1") == "screening"
    assert shop.position("MUG", LEEDS) == (5, 3, 0)
    assert shop.commands("pickup.prepare") == []


def test_a_dear_pickup_is_screened_and_prepared_once_it_is_cleared(shop: Shop) -> None:
    screened(shop)
    ((_, asked),) = shop.commands("fraud.check")
    assert (asked["amount"], asked["reasons"]) == ("300.0000", ["amount", "new_customer"])
    shop.tell(payment_screened("A1", "cleared"))
    assert shop.status("A1") == "allocated"
    assert shop.position("MUG", LEEDS) == (5, 0, 3)
    assert len(shop.commands("pickup.prepare")) == 1
    # The store makes up for two minutes, and the customer hears nothing of it.
    assert promised(shop) == [90]
    assert shop.messages() == ["order_confirmed"]


def test_a_customer_who_has_ordered_before_is_screened_for_more_only(shop: Shop) -> None:
    known = {"customer_number": "C1"}
    dear = ("MUG", 1, "150.00")
    shop.tell(order_placed("A1", ("MUG", 1, "2.40"), **known))
    shop.wait_until(10)
    shop.tell(*paid("A2", dear, amount="150.00", at=11, **known))
    shop.tell(pickup_placed("A3", dear, at=11), payment_authorised("A3", "150.00", at=12))
    assert (shop.status("A2"), shop.status("A3")) == ("allocated", "screening")
    assert [asked["reasons"] for _, asked in shop.commands("fraud.check")] == [["new_customer"]]


def test_a_region_may_be_screened_from_less(database_url: str, tmp_path: Path) -> None:
    overlay = """overlays:
  - scope: {region: uk}
    values: {screening: {from_amount_by_currency: {GBP: "7.00"}}}
"""
    shop = opened(database_url, policies(tmp_path, ("overlays: []\n", overlay)))
    shop.tell(*paid())
    assert shop.status("A1") == "screening"
    shop.close()


def test_a_held_pickup_waits_for_a_person_who_releases_it(shop: Shop) -> None:
    screened(shop)
    shop.tell(payment_screened("A1", "held"))
    assert shop.status("A1") == "held"
    assert shop.cases() == [("payment_held", "web_shop/A1", 1)]
    shop.wait_until(5 * HOUR)
    assert shop.position("MUG", LEEDS) == (5, 3, 0)
    shop.tell(hold_decided("A1", "release", at=5 * HOUR))
    assert shop.status("A1") == "allocated"
    # 14:00 and 90 minutes: the promise has moved, and the customer hears of it once.
    assert promised(shop) == [90, 390]
    assert shop.messages() == ["order_confirmed", "pickup_moved"]
    assert shop.rows("select outcome, decided_by from payment_screened order by occurred_at") == [
        ("asked", None),
        ("held", None),
        ("released", "p.osei"),
    ]
    # The provider's own answer comes too late to matter.
    shop.tell(payment_screened("A1", "cleared", at=400))
    assert shop.status("A1") == "allocated"
    assert len(shop.cases()) == 1


def test_a_held_pickup_goes_on_when_the_provider_clears_it_later(shop: Shop) -> None:
    screened(shop)
    shop.tell(payment_screened("A1", "held"), payment_screened("A1", "cleared", at=30))
    assert shop.status("A1") == "allocated"


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        (payment_screened("A1", "rejected", at=30), "rejected"),
        (hold_decided("A1", "cancel", at=30), "cancelled"),
        (order_cancelled("A1", at=30), "cancelled"),
    ],
)
def test_a_held_pickup_that_ends_gives_back_stock_and_money(
    shop: Shop, ending: Event, status: str
) -> None:
    screened(shop)
    shop.tell(payment_screened("A1", "held"), ending)
    assert shop.status("A1") == status
    assert shop.position("MUG", LEEDS) == (5, 0, 0)
    assert shop.balance("authorised_payments") == 0
    assert len(shop.commands("payment.void")) == 1
    assert shop.messages() == ["order_confirmed", "order_cancelled"]


def test_word_of_a_payment_whose_order_was_taken_back_meanwhile_asks_nobody(shop: Shop) -> None:
    screened(shop)
    shop.tell(payment_screened("A1", "held"), order_cancelled("A1", at=30))
    shop.tell(payment_screened("A1", "rejected", at=400))
    assert shop.status("A1") == "cancelled"
    assert [case for case, *_ in shop.cases()] == ["payment_held"]
    assert shop.value("select count(*) from quarantined_event") == 0
    assert shop.rows("select outcome from payment_screened order by occurred_at") == [
        ("asked",),
        ("held",),
        ("rejected",),
    ]


def test_a_hold_that_nobody_decides_ends_with_the_time_of_the_pickup(shop: Shop) -> None:
    screened(shop)
    shop.tell(payment_screened("A1", "held"))
    shop.wait_until(90 + 96 * HOUR - 1)
    assert shop.status("A1") == "held"
    shop.wait_until(90 + 96 * HOUR)
    assert shop.status("A1") == "expired"
    assert shop.position("MUG", LEEDS) == (5, 0, 0)
    assert shop.balance("authorised_payments") == 0


def test_nobody_decides_about_what_is_not_held(shop: Shop) -> None:
    shop.tell(*paid(), hold_decided("A1", "release"))
    assert shop.cases() == [("illegal_transition", "web_shop/A1", 1)]


# Stores that refuse


@pytest.mark.parametrize(
    ("reason", "lines", "on_hand", "kind", "value"),
    [
        ("not_found", [], 2, "inventory_counted", "3"),
        ("not_found", [(1, "MUG", 1)], 4, "inventory_counted", "1"),
        ("damaged", [(1, "MUG", 2)], 3, "inventory_adjusted", "2"),
        ("too_busy", [], 5, None, None),
    ],
)
def test_the_reason_of_a_store_decides_what_becomes_of_its_stock(
    shop: Shop,
    reason: str,
    lines: list[tuple[int, str, int]],
    on_hand: int,
    kind: str | None,
    value: str | None,
) -> None:
    shop.tell(*paid(), store_rejected("A1", reason, *lines))
    assert shop.position("MUG", LEEDS) == (on_hand, 0, 0)
    assert shop.status("A1") == "unfilled"
    assert shop.rows(
        "select entry_kind, amount::text from journal_line"
        " where entry_kind like 'inventory_%%' and occurred_at = :at and amount > 0",
        at=minutes(10),
    ) == ([(kind, f"{value}.0000")] if kind else [])
    gone = [payload["lines"] for _, payload in shop.commands("stock_adjustment.post")]
    assert gone == ([[{"sku": "MUG", "quantity": on_hand - 5}]] if kind else [])
    assert shop.balance("authorised_payments") == 0
    assert shop.cases() == [("pickup_not_fulfilled", "web_shop/A1", 1)]
    assert shop.messages() == ["order_confirmed", "order_cancelled"]


def test_another_store_takes_over_if_the_customer_goes_there(shop: Shop) -> None:
    shop.tell(*paid(other_store=True), store_rejected("A1", "too_busy"))
    assert shop.status("A1") == "allocated"
    assert shop.position("MUG", LEEDS) == (5, 0, 0)
    assert shop.position("MUG", BRISTOL) == (4, 0, 3)
    assert [told["node_id"] for _, told in shop.commands("pickup.prepare")] == [LEEDS, BRISTOL]
    assert promised(shop) == [90, 100]
    assert shop.messages() == ["order_confirmed", "pickup_moved"]
    shop.tell(ready_for_pickup("A1", BRISTOL, at=90), collected("A1", (1, "MUG", 3), store=BRISTOL))
    assert shop.status("A1") == "delivered"
    assert shop.cases() == []
    assert held_by_gates(shop) == []


def test_after_the_last_store_that_may_be_asked_it_travels(shop: Shop) -> None:
    shop.tell(*paid(other_store=True, shipping=True), store_rejected("A1", "too_busy"))
    shop.tell(store_rejected("A1", "too_busy", store=BRISTOL, at=20))
    assert shop.position("MUG") == (10, 0, 3)
    ((_, told),) = shop.commands("fulfilment_order.create")
    assert told["node_id"] == WAREHOUSE
    assert shop.messages() == ["order_confirmed", "pickup_moved", "pickup_shipped_instead"]
    shop.tell(shipment_dispatched("A1", (1, "MUG", 3)), shipment_delivered("A1"))
    assert shop.status("A1") == "delivered"
    assert held_by_gates(shop) == []
    assert [step for step, _, _ in steps(shop)] == [
        "promised",
        "rejected",
        "promised",
        "rejected",
        "shipped_instead",
    ]


def test_after_the_last_store_without_a_parcel_a_person_hears_of_it(shop: Shop) -> None:
    shop.tell(*paid(other_store=True), store_rejected("A1", "not_found"))
    shop.tell(store_rejected("A1", "damaged", store=BRISTOL, at=20))
    assert shop.status("A1") == "unfilled"
    assert shop.cases() == [("pickup_not_fulfilled", "web_shop/A1", 1)]
    assert shop.position("MUG", LEEDS) == (2, 0, 0)
    assert shop.position("MUG", BRISTOL) == (1, 0, 0)
    assert shop.balance("authorised_payments") == 0


def test_a_parcel_holds_what_other_nodes_have_and_the_rest_is_never_charged(shop: Shop) -> None:
    shop.tell(*paid("A1", MUGS, ("HAT", 1, "9.00"), amount="16.20", shipping=True))
    shop.tell(store_rejected("A1", "too_busy"))
    shop.tell(shipment_dispatched("A1", (1, "MUG", 3)))
    assert shop.status("A1") == "dispatched"
    assert [payload["amount"] for _, payload in shop.commands("payment.capture")] == ["7.2000"]
    shop.tell(payment_captured("A1", "7.20"))
    assert shop.balance("authorised_payments") == 0


def test_a_store_that_says_nothing_is_taken_to_have_refused(shop: Shop) -> None:
    shop.tell(*paid(other_store=True))
    shop.wait_until(44)
    assert len(shop.commands("pickup.prepare")) == 1
    shop.wait_until(45)
    assert [told["node_id"] for _, told in shop.commands("pickup.cancel")] == [LEEDS]
    assert shop.position("MUG", LEEDS) == (5, 0, 0)
    assert shop.position("MUG", BRISTOL) == (4, 0, 3)
    assert ("rejected", LEEDS, 45) in steps(shop)
    # It wakes up when the order is no longer its own.
    shop.tell(ready_for_pickup("A1", at=60))
    assert shop.cases() == [("illegal_transition", "web_shop/A1", 1)]
    shop.wait_until(50)
    shop.tell(fulfilment_accepted("A1", BRISTOL, at=50))
    shop.wait_until(24 * HOUR)
    assert shop.status("A1") == "allocated"


def test_an_answer_that_lies_unread_is_an_answer(shop: Shop) -> None:
    shop.tell(*paid())
    shop.admit(fulfilment_accepted("A1", LEEDS, at=30))
    shop.wait_until(60)
    assert shop.commands("pickup.cancel") == []


def test_goods_that_are_late_are_a_case_of_the_stores(shop: Shop) -> None:
    shop.tell(*paid(), fulfilment_accepted("A1", LEEDS, at=5))
    shop.wait_until(149)
    assert shop.cases() == []
    shop.wait_until(150)
    assert shop.rows("select case_type, owner from exception_case") == [
        ("pickup_not_ready", "store_operations")
    ]
    shop.tell(ready_for_pickup("A1", at=160), collected("A1", (1, "MUG", 3)))
    assert shop.status("A1") == "delivered"


def test_goods_that_break_at_the_counter_are_written_off_and_found_elsewhere(shop: Shop) -> None:
    shop.tell(
        *paid(other_store=True), ready_for_pickup("A1"), store_rejected("A1", "damaged", at=70)
    )
    assert shop.status("A1") == "allocated"
    assert shop.position("MUG", LEEDS) == (2, 0, 0)
    assert shop.position("MUG", BRISTOL) == (4, 0, 3)
    shop.tell(ready_for_pickup("A1", BRISTOL, at=200))
    assert shop.messages() == ["order_confirmed", "pickup_ready", "pickup_moved", "pickup_ready"]


# Customers who do not come


def test_a_customer_is_reminded_twice_and_then_the_goods_are_free(shop: Shop) -> None:
    shop.tell(*paid(), ready_for_pickup("A1"))
    ready = 60
    for hours, messages in ((23, 2), (24, 3), (59, 3), (60, 4), (95, 4)):
        shop.wait_until(ready + hours * HOUR)
        assert len(shop.messages()) == messages
    assert shop.position("MUG", LEEDS) == (5, 0, 3)
    shop.wait_until(ready + 96 * HOUR)
    assert shop.status("A1") == "unclaimed"
    assert shop.position("MUG", LEEDS) == (5, 0, 0)
    assert shop.balance("authorised_payments") == 0
    assert shop.messages() == [
        "order_confirmed",
        "pickup_ready",
        "pickup_reminder",
        "pickup_reminder",
        "pickup_unclaimed",
    ]
    assert [told["reason"] for _, told in shop.commands("sales_order.cancel")] == ["unclaimed"]
    assert len(shop.commands("payment.void", "pickup.cancel")) == 2
    assert shop.commands("payment.refund") == []
    assert shop.rows("select reason_code from deallocation") == [("unclaimed",)]
    assert shop.cases() == []
    # Whoever comes now finds nothing.
    shop.tell(collected("A1", (1, "MUG", 3), at=7_000))
    assert shop.cases() == [("illegal_transition", "web_shop/A1", 1)]


def test_after_a_standstill_a_customer_is_reminded_once(shop: Shop) -> None:
    shop.tell(*paid(), ready_for_pickup("A1"))
    shop.wait_until(70 * HOUR)
    assert shop.messages() == ["order_confirmed", "pickup_ready", "pickup_reminder"]
    assert steps(shop)[-1] == ("reminded", LEEDS, 61 * HOUR)


def test_goods_of_worth_that_nobody_wants_are_looked_at(shop: Shop) -> None:
    shop.tell(*paid("A1", ("MUG", 3, "200.00"), amount="600.00"), payment_screened("A1", "cleared"))
    shop.tell(ready_for_pickup("A1"))
    shop.wait_until(60 + 96 * HOUR)
    assert shop.cases() == [("pickup_unclaimed", "web_shop/A1", 1)]


@pytest.fixture
def prepaid(database_url: str, tmp_path: Path) -> Iterator[Shop]:
    """A shop that takes the money when the goods are ready."""
    shop = opened(
        database_url, policies(tmp_path, ("capture_when: collected", "capture_when: ready"))
    )
    shop.tell(*paid(), ready_for_pickup("A1"))
    assert [payload["amount"] for _, payload in shop.commands("payment.capture")] == ["7.2000"]
    yield shop
    shop.wait_until(30 * 24 * HOUR)
    assert_all_invariants_hold(shop.engine)
    shop.close()


def test_money_that_was_taken_early_becomes_revenue_at_the_counter(prepaid: Shop) -> None:
    prepaid.tell(payment_captured("A1", "7.20", at=61))
    assert prepaid.balance("customer_deposits") == Decimal("-7.20")
    prepaid.tell(collected("A1", (1, "MUG", 3)))
    assert prepaid.balance("customer_deposits") == 0
    assert len(prepaid.commands("payment.capture")) == 1
    assert prepaid.commands("payment.refund") == []


def test_money_that_was_taken_for_goods_that_nobody_collects_is_refunded(prepaid: Shop) -> None:
    prepaid.tell(payment_captured("A1", "7.20", at=61))
    prepaid.wait_until(60 + 96 * HOUR)
    assert prepaid.status("A1") == "unclaimed"
    ((_, asked),) = prepaid.commands("payment.refund")
    assert (asked["amount"], asked["reason"]) == ("7.2000", "unclaimed")
    assert prepaid.commands("payment.void") == []
    assert prepaid.entries("refund_request") == [
        ("refund_request", "customer_deposits", "7.2"),
        ("refund_request", "refunds_payable", "-7.2"),
    ]
    prepaid.tell(payment_refunded("A1", "7.20"))
    assert prepaid.entries("refund") == [
        ("refund", "refunds_payable", "7.2"),
        ("refund", "payment_clearing", "-7.2"),
    ]
    assert prepaid.balance("refunds_payable") == prepaid.balance("payment_clearing") == 0
    prepaid.tell(payment_refunded("A1", "0.01", at=10_001))
    assert prepaid.cases() == [("refund_not_asked_for", "web_shop/A1", 1)]
    assert held_by_gates(prepaid) == []


def test_a_refund_that_the_provider_cannot_pay_stays_owed_and_needs_a_person(prepaid: Shop) -> None:
    prepaid.tell(payment_captured("A1", "7.20", at=61))
    prepaid.wait_until(60 + 96 * HOUR)
    prepaid.tell(refund_declined("A1"))
    assert prepaid.rows("select case_type, owner from exception_case") == [
        ("refund_declined", "payments")
    ]
    assert prepaid.balance("refunds_payable") == Decimal("-7.20")


def test_a_capture_that_comes_after_the_end_goes_back(prepaid: Shop) -> None:
    prepaid.wait_until(60 + 96 * HOUR)
    assert prepaid.commands("payment.refund") == []
    prepaid.tell(payment_captured("A1", "7.20", at=6_000))
    assert [asked["amount"] for _, asked in prepaid.commands("payment.refund")] == ["7.2000"]


def test_what_is_not_taken_of_prepaid_goods_is_refunded(prepaid: Shop) -> None:
    prepaid.tell(payment_captured("A1", "7.20", at=61), collected("A1", (1, "MUG", 2)))
    ((_, asked),) = prepaid.commands("payment.refund")
    assert (asked["amount"], asked["reason"]) == ("2.4000", "not_taken")
    prepaid.tell(payment_refunded("A1", "2.40"))
    assert prepaid.balance("customer_deposits") == 0


def test_prepaid_goods_that_break_end_the_order_and_are_refunded(prepaid: Shop) -> None:
    prepaid.tell(payment_captured("A1", "7.20", at=61), store_rejected("A1", "damaged", at=70))
    assert prepaid.status("A1") == "unfilled"
    assert [asked["amount"] for _, asked in prepaid.commands("payment.refund")] == ["7.2000"]
    assert prepaid.cases() == [("pickup_not_fulfilled", "web_shop/A1", 1)]
