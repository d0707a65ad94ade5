"""Stories of promises that move, of orders that wait for supply, and of nodes that refuse.

`OPENING` is Monday, 2 March 2026. A standard parcel at home is promised for the third working day,
what is at the dock can leave six hours later, and 80% of what a supplier has confirmed is believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from assets.commerce.identifiers import order_id
from resources.operational_store import inquiries
from resources.policy_book import SHIPPED, FilePolicyBook
from tests.builders import (
    LEEDS,
    WAREHOUSE,
    WEB,
    Shop,
    adjustment,
    assert_all_invariants_hold,
    count,
    fulfilment_rejected,
    inbound,
    minutes,
    order_cancelled,
    order_placed,
    payment_authorised,
    payment_captured,
    product,
    receipt,
    shipment_delivered,
    shipment_dispatched,
)

DAY = 24 * 60


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """Two mugs in the warehouse and ten confirmed for Thursday; every story ends lawfully."""
    shop = Shop(database_url)
    shop.tell(product("MUG"), product("HAT", cost="4.00"))
    shop.tell(count(WAREHOUSE, MUG=2, HAT=5), inbound("PO1", due=3 * DAY, MUG=10))
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


def promises(shop: Shop, number: str = "A1") -> list[tuple[date, str]]:
    return shop.rows(  # type: ignore[return-value]
        "select promised_date, cause_code from order_promise where order_id = :order_id"
        " order by promise_number",
        order_id=order_id(WEB, number),
    )


def waits(shop: Shop) -> list[tuple[str, int, str]]:
    """(kind, units, SKU) of the pools' ledger."""
    return shop.rows(  # type: ignore[return-value]
        "select kind, quantity, sku from backorder_movement"
        " order by occurred_at, is_start desc, order_id, line_number"
    )


def pool(shop: Shop, sku: str = "MUG") -> int:
    return int(
        shop.value("select coalesce(sum(open_quantity), 0) from supply_pool where sku = :s", s=sku)
    )


def ordered(number: str, *lines: tuple[str, int, str], amount: str, at: float = 0) -> list[object]:
    return [order_placed(number, *lines, at=at), payment_authorised(number, amount, at=at + 1)]


# Orders that wait


def test_a_line_without_stock_waits_for_announced_supply_and_is_promised_for_it(
    shop: Shop,
) -> None:
    shop.tell(*ordered("A1", ("MUG", 5, "2.40"), amount="12.00"))
    assert shop.status("A1") == "backordered"
    # Thursday's delivery, on the shelf that afternoon, and three working days.
    assert promises(shop) == [(date(2026, 3, 10), "placed")]
    assert waits(shop) == [("opened", 5, "MUG")]
    # All of it waits: what is there is for who comes for two.
    assert shop.position("MUG") == (2, 0, 0)
    assert shop.messages() == ["order_backordered"]
    shop.tell(order_cancelled("A1", at=5))
    assert shop.status("A1") == "cancelled"
    assert pool(shop) == 0


def test_who_waited_is_served_before_who_comes_when_supply_has_come(shop: Shop) -> None:
    shop.tell(*ordered("A1", ("MUG", 5, "2.40"), ("HAT", 1, "9.00"), amount="21.00"))
    assert shop.position("HAT") == (5, 1, 0)
    shop.clock.advance(minutes(3 * DAY))
    shop.tell(
        receipt("GR1", at=3 * DAY, inbound="PO1", MUG=10),
        *ordered("A2", ("MUG", 8, "2.40"), amount="16.80", at=3 * DAY),
    )
    assert shop.status("A1") == "allocated"
    assert waits(shop) == [("opened", 5, "MUG"), ("supplied", -5, "MUG")]
    # Seven were left for who came then, and nothing more is announced.
    assert shop.rows(
        "select reserved_quantity, unfilled_quantity, backordered_quantity from order_line"
        " where order_id = :id",
        id=order_id(WEB, "A2"),
    ) == [(7, 1, 0)]
    shop.tell(
        shipment_dispatched("A1", (1, "MUG", 5), (2, "HAT", 1), at=3 * DAY + 60),
        payment_captured("A1", "21.00", at=3 * DAY + 61),
        shipment_delivered("A1", at=4 * DAY),
    )
    assert shop.status("A1") == "delivered"


def test_no_more_waits_than_may_be_promised_of_what_is_announced(shop: Shop) -> None:
    # Eight of the ten confirmed units are believed in.
    shop.tell(*ordered("A1", ("MUG", 5, "2.40"), amount="12.00"))
    shop.tell(*ordered("A2", ("MUG", 4, "2.40"), amount="4.80", at=2))
    shop.tell(*ordered("A3", ("MUG", 3, "2.40"), amount="7.20", at=4))
    assert [shop.status(number) for number in ("A1", "A2", "A3")] == [
        "backordered",
        "allocated",
        "backordered",
    ]
    assert pool(shop) == 8
    assert shop.rows(
        "select outcome, reason_codes from decision_record where kind = 'backorder'"
        " order by effective_at, outcome"
    ) == [("refused", ["no_supply_announced"]), ("waits", ["backorder"]), ("waits", ["backorder"])]


def test_a_pool_takes_no_more_than_its_cap(database_url: str, tmp_path: Path) -> None:
    text = (SHIPPED / "backorder.yaml").read_text()
    (tmp_path / "backorder.yaml").write_text(text.replace("web_shop: 60", "web_shop: 6"))
    shop = Shop(database_url, FilePolicyBook(tmp_path))
    shop.tell(product("MUG"), count(WAREHOUSE, MUG=0), inbound("PO1", due=3 * DAY, MUG=100))
    shop.tell(*ordered("A1", ("MUG", 5, "2.40"), amount="12.00"))
    shop.tell(order_placed("A2", ("MUG", 2, "2.40"), at=2))
    assert shop.status("A2") == "unfilled"
    assert pool(shop) == 5
    assert_all_invariants_hold(shop.engine)
    shop.close()


def test_what_channels_may_sell_is_less_by_what_is_waited_for_and_known_over_time(
    shop: Shop,
) -> None:
    shop.tell(*ordered("A1", ("MUG", 5, "2.40"), amount="12.00"))
    shop.store.publish_availability()
    with shop.engine.connect() as connection:
        (mug,) = inquiries.availability(connection, "b2b", ["MUG"])
    # Two are there, five are waited for, and eight more may be promised from Thursday on.
    assert mug.quantity == 0
    assert [(later.expected_at, later.quantity) for later in mug.later] == [(minutes(3 * DAY), 5)]
    told = [payload for _, payload in shop.commands("availability.publish")]
    lines = {line["sku"]: line for message in told if message["channel"] == "b2b"
             for line in message["lines"]}  # fmt: skip
    assert [later["quantity"] for later in lines["MUG"]["later"]] == [5]


def test_of_a_single_announced_unit_nothing_is_sold_later(shop: Shop) -> None:
    shop.store.publish_availability()
    # Eight tenths of one are none: no channel hears of it, and nothing breaks.
    shop.tell(
        product("VASE"),
        count(WAREHOUSE, document="VC", VASE=1),
        inbound("PO2", due=3 * DAY, VASE=1),
    )
    shop.store.publish_availability()
    told = [payload for _, payload in shop.commands("availability.publish")]
    lines = [line for message in told for line in message["lines"] if line["sku"] == "VASE"]
    assert lines
    assert not any(line.get("later") for line in lines)


def test_supply_that_moves_moves_the_promise_and_the_customer_hears_of_it_once(shop: Shop) -> None:
    shop.tell(*ordered("A1", ("MUG", 5, "2.40"), amount="12.00"))
    shop.tell(inbound("PO1", due=7 * DAY, at=60, MUG=10))
    shop.wait_until(90)
    shop.wait_until(120)
    assert promises(shop) == [(date(2026, 3, 10), "placed"), (date(2026, 3, 12), "supply_late")]
    assert shop.messages() == ["order_backordered", "promise_moved"]
    # Sooner again, it is no worse than what was promised, so nobody is told anything.
    shop.tell(inbound("PO1", due=2 * DAY, at=150, MUG=10))
    shop.wait_until(180)
    assert len(promises(shop)) == 2


def test_a_large_order_lets_small_ones_pass_for_a_week_and_then_nobody(shop: Shop) -> None:
    shop.tell(inbound("PO2", due=20 * DAY, status="in_transit", MUG=40))
    shop.tell(*ordered("A1", ("MUG", 30, "2.40"), amount="72.00"))
    shop.tell(*ordered("A2", ("MUG", 3, "2.40"), amount="7.20", at=2))
    shop.clock.advance(minutes(3 * DAY))
    shop.tell(receipt("GR1", at=3 * DAY, inbound="PO1", MUG=10))
    shop.wait_until(3 * DAY + 10)
    assert (shop.status("A1"), shop.status("A2")) == ("backordered", "allocated")
    shop.clock.advance(minutes(8 * DAY))
    shop.tell(order_placed("A3", ("MUG", 1, "2.40"), at=8 * DAY))
    assert shop.status("A3") == "awaiting_payment"
    # It waits behind the large one, though nine are on the shelf.
    assert shop.position("MUG") == (12, 0, 3)
    assert pool(shop) == 31


def test_a_wait_ends_when_its_supply_does_not_come_and_the_rest_is_sent(shop: Shop) -> None:
    shop.tell(*ordered("A1", ("MUG", 5, "2.40"), ("HAT", 2, "9.00"), amount="30.00"))
    shop.wait_until(40 * DAY)
    assert shop.status("A1") == "allocated"
    assert shop.position("HAT") == (5, 0, 2)
    assert [case_type for case_type, _, _ in shop.cases()] == ["backorder_not_supplied"]
    shop.tell(
        shipment_dispatched("A1", (2, "HAT", 2), at=40 * DAY),
        payment_captured("A1", "18.00", at=40 * DAY + 1),
    )
    assert shop.balance("authorised_payments") == 0
    assert waits(shop)[-1] == ("lapsed", -5, "MUG")


def test_an_order_of_which_nothing_ever_comes_ends_and_gives_its_money_back(shop: Shop) -> None:
    shop.tell(*ordered("A1", ("MUG", 5, "2.40"), amount="12.00"))
    shop.wait_until(40 * DAY)
    assert shop.status("A1") == "unfilled"
    assert shop.balance("authorised_payments") == 0
    assert shop.messages()[-1] == "order_cancelled"


def test_who_never_pays_waits_no_longer(shop: Shop) -> None:
    shop.tell(order_placed("A1", ("MUG", 5, "2.40")))
    shop.wait_until(20)
    assert shop.status("A1") == "expired"
    assert waits(shop) == [("opened", 5, "MUG"), ("cancelled", -5, "MUG")]


def test_a_novelty_is_preordered_until_its_day_whether_it_is_on_the_shelf_or_not(
    shop: Shop,
) -> None:
    shop.tell(product("VASE", available_from=5 * DAY))
    shop.tell(count(WAREHOUSE, at=-45, VASE=4))
    shop.tell(*ordered("A1", ("VASE", 3, "9.00"), amount="27.00"))
    shop.tell(order_placed("A2", ("VASE", 3, "9.00"), at=2))
    assert (shop.status("A1"), shop.status("A2")) == ("backordered", "unfilled")
    assert shop.rows("select pool, open_quantity from supply_pool") == [("preorder", 3)]
    assert promises(shop) == [(date(2026, 3, 11), "placed")]
    shop.wait_until(4 * DAY)
    assert shop.position("VASE") == (4, 0, 0)
    shop.wait_until(5 * DAY)
    assert shop.position("VASE") == (4, 0, 3)
    assert shop.status("A1") == "allocated"


def test_an_announcement_told_late_does_not_undo_a_newer_one(shop: Shop) -> None:
    shop.tell(inbound("PO1", due=3 * DAY, status="cancelled", at=-10, MUG=10))
    shop.tell(inbound("PO1", due=2 * DAY, at=-20, MUG=10))
    shop.tell(order_placed("A1", ("MUG", 5, "2.40")))
    assert shop.rows("select reserved_quantity, backordered_quantity from order_line") == [(2, 0)]


def test_supply_of_an_unknown_sku_waits_for_it(shop: Shop) -> None:
    shop.tell(inbound("PO9", due=DAY, LAMP=3))
    assert shop.inbox()["inbound-PO9--30"] == "waiting"
    shop.tell(product("LAMP"))
    assert shop.inbox()["inbound-PO9--30"] == "applied"


def test_a_count_that_finds_less_takes_from_what_waits_beside_a_backorder(shop: Shop) -> None:
    shop.tell(*ordered("A1", ("MUG", 5, "2.40"), ("HAT", 3, "9.00"), amount="39.00"))
    shop.tell(adjustment("W1", at=10, HAT=-4))
    assert shop.position("HAT") == (1, 0, 0)
    shop.clock.advance(minutes(3 * DAY))
    shop.tell(receipt("GR1", at=3 * DAY, inbound="PO1", MUG=10))
    shop.wait_until(3 * DAY + 10)
    assert shop.status("A1") == "allocated"
    assert shop.position("MUG") == (12, 0, 5)


# Promises of parcels


def test_a_parcel_that_does_not_leave_is_promised_anew_twice_and_then_no_more(shop: Shop) -> None:
    shop.tell(*ordered("A1", ("HAT", 1, "9.00"), amount="9.00"))
    for day in range(1, 15):
        shop.wait_until(day * DAY)
    assert promises(shop) == [
        (date(2026, 3, 5), "placed"),
        (date(2026, 3, 11), "despatch_late"),
        (date(2026, 3, 17), "despatch_late"),
    ]
    assert shop.messages() == ["order_confirmed", "promise_moved", "promise_moved"]


def test_a_parcel_under_way_is_late_by_its_carrier(shop: Shop) -> None:
    shop.tell(
        *ordered("A1", ("HAT", 1, "9.00"), amount="9.00"),
        shipment_dispatched("A1", (1, "HAT", 1)),
        payment_captured("A1", "9.00"),
    )
    shop.wait_until(4 * DAY)
    assert promises(shop)[1:] == [(date(2026, 3, 10), "carrier_late")]
    shop.tell(shipment_delivered("A1", at=5 * DAY))
    shop.wait_until(20 * DAY)
    assert len(promises(shop)) == 2


# Nodes that refuse


def test_what_a_node_refuses_another_one_ships_and_the_case_is_closed(shop: Shop) -> None:
    shop.tell(count(LEEDS, at=-40, HAT=6))
    shop.tell(*ordered("A1", ("HAT", 3, "9.00"), amount="27.00"))
    shop.tell(fulfilment_rejected("A1"))
    assert shop.status("A1") == "allocated"
    assert shop.position("HAT") == (5, 0, 0)
    assert shop.position("HAT", LEEDS) == (6, 0, 3)
    assert shop.rows("select case_type, status from exception_case") == [
        ("fulfilment_rejected", "closed")
    ]
    shop.tell(
        shipment_dispatched("A1", (1, "HAT", 3), node_id=LEEDS),
        payment_captured("A1", "27.00"),
        shipment_delivered("A1", node_id=LEEDS),
    )
    assert shop.status("A1") == "delivered"


def test_of_a_split_order_the_other_part_stays_as_it_is(shop: Shop) -> None:
    shop.tell(count(LEEDS, at=-40, HAT=6), product("CUP"), count(LEEDS, at=-39, CUP=9))
    shop.tell(*ordered("A1", ("HAT", 5, "9.00"), ("CUP", 2, "3.00"), amount="51.00"))
    assert shop.position("CUP", LEEDS) == (9, 0, 2)
    shop.tell(fulfilment_rejected("A1"))
    # Leeds was asked already: it is not asked a second time for the same order.
    assert shop.status("A1") == "allocated"
    shop.tell(
        shipment_dispatched("A1", (2, "CUP", 2), node_id=LEEDS),
        payment_captured("A1", "6.00"),
    )
    assert shop.status("A1") == "dispatched"
    assert shop.balance("authorised_payments") == 0


def test_a_third_refusal_is_a_matter_for_a_person(shop: Shop) -> None:
    shop.tell(count(LEEDS, at=-40, HAT=6))
    shop.tell(*ordered("A1", ("HAT", 2, "9.00"), amount="18.00"))
    shop.tell(fulfilment_rejected("A1"), fulfilment_rejected("A1", LEEDS, at=20))
    assert shop.status("A1") == "unfilled"
    assert sorted(shop.rows("select status from exception_case")) == [("closed",), ("open",)]
    assert shop.messages()[-1] == "order_cancelled"
