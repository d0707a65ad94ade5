"""All invoices matched again from the lake: what a policy would hold, beside what is held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from assets.decisions.policy_document import PolicyDocument
from resources.lake.lake import Lake
from resources.match_review import Review, review
from resources.policy_book import FilePolicyBook
from tests.builders import WAREHOUSE, Shop, node, product
from tests.procure_to_stock.documents import goods, invoice, purchase_order, supplier


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    """One order short by two, one charged twice in parts and too dear, one as it should be."""
    shop = Shop(database_url)
    shop.tell(node(WAREHOUSE), product("MUG", cost="2.00"), supplier())
    for number, came in (("P1", 8), ("P2", 10), ("P3", 10)):
        shop.tell(purchase_order(number, ("1", "MUG", 10, "2.50")), goods(number, ("1", came, 0)))
    shop.tell(
        invoice("I1", "P1", ("1", 10, "2.50")),
        invoice("I2", "P2", ("1", 6, "2.60"), at=1_510),
        invoice("I3", "P2", ("1", 4, "2.60"), at=1_520),
        invoice("I4", "P3", ("1", 10, "2.50"), at=1_530),
        invoice("C1", "P3", ("1", 1, "2.50"), at=1_540, kind="credit_note"),
        invoice("I1", "P1", ("1", 10, "2.50"), at=2_000),
        invoice("I9", None, (None, 1, "2000.00"), at=2_010),
    )
    yield shop
    shop.close()


def reviewed(shop: Shop, lake: Path, document: PolicyDocument) -> Review:
    found = Lake(lake)
    found.export(shop.engine)
    return review(shop.engine, found, document)


def policy(**tolerances: Mapping[str, Any]) -> PolicyDocument:
    shipped = FilePolicyBook().documents["procure_to_stock"]
    changed = {**shipped.values["tolerances"], **tolerances}
    return PolicyDocument(
        shipped.policy, shipped.owner, shipped.effective_from,
        {**shipped.values, "tolerances": changed},
    )  # fmt: skip


def test_under_the_policy_in_force_the_same_is_held(shop: Shop, tmp_path: Path) -> None:
    document = FilePolicyBook().documents["procure_to_stock"]
    done = reviewed(shop, tmp_path, document)
    # Copies, credit notes and what has no order are in no review of order lines.
    assert (done.lines, done.held_lines) == (4, 3)
    assert done.held == done.stored == {
        ("price_above", "GBP"): (2, 16_000),
        ("quantity", "GBP"): (1, 50_000),
    }  # fmt: skip
    rows = shop.rows(
        "select line_number, reason_code, value_difference::text from invoice_match_review"
        " order by 2, 3"
    )
    assert rows == [
        (1, "price_above", "0.6000"), (1, "price_above", "1.0000"), (1, "quantity", "5.0000"),
    ]  # fmt: skip


def test_every_line_is_in_the_result_with_its_status(shop: Shop, tmp_path: Path) -> None:
    done = reviewed(shop, tmp_path, FilePolicyBook().documents["procure_to_stock"])
    result = pq.read_table(done.file).to_pylist()
    assert sorted(row["status"] for row in result) == ["held", "held", "held", "matched"]
    assert {row["policy_hash"] for row in result} == {done.policy_hash}
    # Money in the lake is decimal.
    assert sum(row["value_difference"] for row in result) == Decimal("6.6000")


def test_another_policy_would_hold_other_lines_and_changes_no_hold(
    shop: Shop, tmp_path: Path
) -> None:
    before = shop.rows("select * from invoice_match order by invoice_id, reason_code, revision")
    wide = policy(price_above={"basis_points": 500}, quantity={"amount_by_currency": {"*": "4.99"}})
    done = reviewed(shop, tmp_path, wide)
    assert done.held == {("quantity", "GBP"): (1, 50_000)}
    assert done.stored[("price_above", "GBP")] == (2, 16_000)
    assert shop.rows("select count(*) from invoice_match_review") == [(1,)]
    after = shop.rows("select * from invoice_match order by invoice_id, reason_code, revision")
    assert after == before


def test_a_review_of_nothing_finds_nothing(database_url: str, tmp_path: Path) -> None:
    shop = Shop(database_url)
    done = reviewed(shop, tmp_path, FilePolicyBook().documents["procure_to_stock"])
    assert (done.lines, done.held, done.stored) == (0, {}, {})
    shop.close()
