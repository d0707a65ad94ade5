"""Stories of what comes after a delivery: quality holds, inspection, back-orders, put-away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from resources.operational_store.digests import table_digests
from tests.builders import (
    WAREHOUSE,
    Event,
    Shop,
    assert_all_invariants_hold,
    event,
    node,
    product,
)
from tests.procure_to_stock.documents import goods, invoice, purchase_order, supplier

ORDER = purchase_order("P1", ("1", "MUG", 10, "2.50"))


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """A product and a supplier; every story ends lawfully."""
    shop = Shop(database_url)
    shop.tell(node(WAREHOUSE), product("MUG", cost="2.00"), supplier())
    yield shop
    assert_all_invariants_hold(shop.engine)
    shop.close()


def on_hold(order: str, line: str, delivered: int, held: int, at: float = 1_440) -> Event:
    receipt = goods(order, (line, delivered, 0), at=at)
    receipt["data"]["lines"][0]["held_quantity"] = held
    return receipt


def inspected(
    passed: int, rejected: int = 0, document: str = "Q1", at: float = 1_600, **said: Any
) -> Event:
    line = {
        "line_number": 1,
        "purchase_order_line_id": "1",
        "passed_quantity": passed,
        "rejected_quantity": rejected,
        **({"rejection_reason": "broken"} if rejected else {}),
    }
    data = {
        "document_number": document,
        "purchase_order_id": "P1",
        "node_id": WAREHOUSE,
        "lines": [line],
        **said,
    }
    return event("retail.goods.inspected.v1", f"inspected-{document}", document, at, data=data)


def put_away(units: int, document: str = "A1", at: float = 1_700) -> Event:
    line = {
        "line_number": 1,
        "purchase_order_line_id": "1",
        "quantity": units,
        "location": "A-01-3",
    }
    data = {
        "document_number": document,
        "purchase_order_id": "P1",
        "node_id": WAREHOUSE,
        "lines": [line],
    }
    return event("retail.goods.put_away.v1", f"put-away-{document}", document, at, data=data)


def line(shop: Shop) -> dict[str, int]:
    """How the order's line stands."""
    names = (
        "delivered_quantity",
        "accepted_quantity",
        "rejected_quantity",
        "held_quantity",
        "put_away_quantity",
        "backordered_quantity",
    )
    (row,) = shop.rows(f"select {', '.join(names)} from purchase_order_line")
    return {name.removesuffix("_quantity"): units for name, units in zip(names, row, strict=True)}


def reasons(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.rows("select reason_code from quarantined_event")


def test_what_is_on_hold_is_neither_stock_nor_payable_until_it_passes(shop: Shop) -> None:
    shop.tell(ORDER, on_hold("P1", "1", 10, 4), invoice("I1", "P1", ("1", 10, "2.50")))
    assert shop.position("MUG") == (6, 0, 0)
    assert shop.balance("inventory") == 12
    held = "select status, quantity_difference from invoice_match order by revision desc limit 1"
    assert shop.rows(held) == [("held", 4)]
    shop.tell(inspected(3, 1))
    assert shop.position("MUG") == (9, 0, 0)
    assert line(shop) == {
        "delivered": 10,
        "accepted": 9,
        "rejected": 1,
        "held": 0,
        "put_away": 0,
        "backordered": 1,
    }
    assert shop.rows(held) == [("held", 1)]
    assert shop.entries("goods_inspection") == [
        ("goods_inspection", "inventory", "6"),
        ("goods_inspection", "goods_invoice_clearing", "-7.5"),
        ("goods_inspection", "purchase_price_variance", "1.5"),
    ]


def test_when_all_of_it_passes_nothing_is_held_any_more(shop: Shop) -> None:
    shop.tell(ORDER, on_hold("P1", "1", 10, 10), invoice("I1", "P1", ("1", 10, "2.50")))
    assert [case[0] for case in shop.cases()] == ["invoice_held"]
    shop.tell(inspected(6, document="Q1"), inspected(4, document="Q2", at=1_610))
    assert shop.balance("goods_invoice_clearing") == 0
    last = "select status from invoice_match order by revision desc limit 1"
    assert shop.rows(last) == [("cured",)]
    assert len(shop.commands("supplier_invoice.release")) == 1


def test_an_inspection_waits_for_its_goods_and_is_booked_once(shop: Shop) -> None:
    shop.tell(ORDER, inspected(4))
    assert "waiting" in shop.inbox().values()
    shop.tell(on_hold("P1", "1", 10, 4))
    assert shop.position("MUG") == (10, 0, 0)
    shop.tell(event("retail.goods.inspected.v1", "again", "Q1", 1_650, data=inspected(4)["data"]))
    assert reasons(shop) == [("document_already_booked",)]
    assert shop.position("MUG") == (10, 0, 0)


@pytest.mark.parametrize("wrong", [inspected(5), put_away(7)])
def test_more_than_is_there_is_a_case(shop: Shop, wrong: Event) -> None:
    shop.tell(ORDER, on_hold("P1", "1", 10, 4), wrong)
    assert [case[0] for case in shop.cases()] == ["goods_not_there"]
    assert reasons(shop) == [("goods_not_there",)]
    assert (line(shop)["held"], line(shop)["put_away"]) == (4, 0)


def test_two_documents_of_one_batch_share_what_is_there(shop: Shop) -> None:
    shop.tell(
        ORDER,
        on_hold("P1", "1", 10, 4),
        inspected(3, document="Q1"),
        inspected(2, document="Q2", at=1_610),
    )
    assert line(shop)["held"] == 1
    assert [case[0] for case in shop.cases()] == ["goods_not_there"]


def test_what_is_accepted_is_put_away_in_parts(shop: Shop) -> None:
    shop.tell(ORDER, goods("P1", ("1", 10, 0)), put_away(6), put_away(4, "A2", 1_710))
    assert line(shop)["put_away"] == 10
    places = shop.rows("select quantity, location_code from goods_put_away order by occurred_at")
    assert places == [(6, "A-01-3"), (4, "A-01-3")]
    assert shop.position("MUG") == (10, 0, 0)


@pytest.mark.parametrize(("delivered", "waited_for"), [(98, 0), (97, 3), (50, 50), (100, 0)])
def test_what_is_short_by_more_than_is_tolerated_is_back_ordered(
    shop: Shop, delivered: int, waited_for: int
) -> None:
    shop.tell(purchase_order("P1", ("1", "MUG", 100, "2.50")), goods("P1", ("1", delivered, 0)))
    assert line(shop)["backordered"] == waited_for
    said = shop.rows("select backordered_quantity from goods_received")
    assert said == [(waited_for,)]


def test_a_back_order_ends_when_the_rest_comes_or_the_order_is_closed(shop: Shop) -> None:
    shop.tell(ORDER, goods("P1", ("1", 6, 0)))
    assert line(shop)["backordered"] == 4
    shop.tell(goods("P1", ("1", 4, 0), at=2_000))
    assert line(shop)["backordered"] == 0
    shop.tell(purchase_order("P1", ("1", "MUG", 15, "2.50"), version=2, at=2_100))
    assert line(shop)["backordered"] == 5
    closed = purchase_order("P1", ("1", "MUG", 15, "2.50"), version=3, at=2_200, status="closed")
    shop.tell(closed)
    assert line(shop)["backordered"] == 0


def test_told_twice_in_another_order_everything_is_the_same(shop: Shop) -> None:
    told = [ORDER, on_hold("P1", "1", 10, 4), inspected(4), put_away(10)]
    shop.tell(*told)
    with shop.store.transaction() as connection:
        before = table_digests(connection)
    shop.tell(*reversed(told))
    with shop.store.transaction() as connection:
        assert table_digests(connection) == before
