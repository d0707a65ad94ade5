"""S5, M6, M7, M8: each is broken by hand once, and found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from resources.operational_store.invariants import check
from tests.builders import WAREHOUSE, Shop, node, product
from tests.procure_to_stock.documents import goods, invoice, purchase_order, supplier

LAWS = ("S5", "M6", "M7", "M8", "P1")


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """Ten mugs ordered, nine came and one of them broken, ten charged, and the copy of that."""
    shop = Shop(database_url)
    shop.tell(node(WAREHOUSE), product("MUG", cost="2.00"), supplier())
    shop.tell(purchase_order("P1", ("1", "MUG", 10, "2.50")), goods("P1", ("1", 9, 1)))
    shop.tell(invoice("I1", "P1", ("1", 10, "2.50")))
    shop.tell(invoice("I-01", "P1", ("1", 10, "2.50"), at=9_000))
    yield shop
    shop.close()


def found(shop: Shop, *statements: str) -> set[tuple[str, str]]:
    """What the laws say after these statements, past the triggers that would refuse them."""
    with shop.engine.begin() as connection:
        connection.execute(sa.text("set local session_replication_role = replica"))
        for statement in statements:
            connection.execute(sa.text(statement))
    with shop.engine.connect() as connection:
        results = check(connection, LAWS)
    assert all(result.applies for result in results)
    return {(one.id, str(violation["wrong"])) for one in results for violation in one.violations}


def test_purchases_as_the_flow_leaves_them_are_lawful(shop: Shop) -> None:
    assert found(shop) == set()


@pytest.mark.parametrize(
    ("law", "wrong", "statement"),
    [
        (
            "S5",
            "more came than was ordered and nobody was asked",
            "update purchase_order_line set ordered_quantity = 7",
        ),
        (
            "S5",
            "a line has other receipts than its documents",
            "update goods_received set rejected_quantity = 0",
        ),
        (
            "S5",
            "what was accepted is not in stock",
            "update stock_movement set quantity = 7 where kind = 'received'",
        ),
        (
            "M6",
            "the clearing account is not what is open",
            "update purchase_order_line set unit_price = 2.51",
        ),
        (
            "M6",
            "a line is charged otherwise than by its invoices",
            "update supplier_invoice_line set quantity = 9",
        ),
        (
            "M6",
            "a line is cleared otherwise than by its entries",
            "update purchase_order_line set cleared_quantity = 1",
        ),
        (
            "M6",
            "the exchange difference is not what the two rates say",
            "update supplier_invoice_received set currency_code = 'USD', exchange_rate = 0.9"
            " where duplicate_of is null",
        ),
        (
            "M6",
            "what is payable is not what was posted",
            "update supplier_invoice_received set total_amount = 24 where duplicate_of is null",
        ),
        (
            "M7",
            "nothing holds what is off by quantity",
            "delete from invoice_match",
        ),
        (
            "M7",
            "nothing holds what is off by price_above",
            "update supplier_invoice_line set unit_price = 9.99",
        ),
        (
            "M7",
            "a revision is missing",
            "update invoice_match set revision = 3",
        ),
        (
            "M8",
            "a copy has lines that were posted",
            "update supplier_invoice_line set invoice_id ="
            " (select invoice_id from supplier_invoice_received where duplicate_of is not null)",
        ),
        (
            "M8",
            "posted and not owed, or owed and not posted",
            "delete from journal_line where entry_kind = 'supplier_invoice'",
        ),
        (
            "P1",
            "purchasing documents and what was booked of them differ",
            "delete from supplier_invoice_received where duplicate_of is not null",
        ),
    ],
)
def test_what_breaks_a_law_is_found(shop: Shop, law: str, wrong: str, statement: str) -> None:
    assert (law, wrong) in found(shop, statement)


def test_an_invoice_that_was_posted_twice_is_refused_by_the_database_and_found(
    shop: Shop,
) -> None:
    twice = (
        "update supplier_invoice_received set duplicate_of = null, normalised_number = 'I1'"
        " where duplicate_of is not null"
    )
    with pytest.raises(sa.exc.IntegrityError):
        found(shop, twice)
    dropped = "drop index uq_supplier_invoice_received_posted"
    assert ("M8", "posted twice") in found(shop, dropped, twice)
