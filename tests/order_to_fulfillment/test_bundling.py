"""Bundle lines as the lines that stock knows."""

from __future__ import annotations

import pytest

from assets.contracts.order import OrderLine
from assets.order_to_fulfillment.bundling import (
    Component,
    components_of,
    stock_lines,
    whole_bundles,
    why_unmet,
)
from assets.ports import ProductTerms

BUNDLES = {"GIFT": [("MUG", 2), ("HAT", 1)], "BOX": [("MUG", 3)]}
PRODUCTS = {
    "MUG": ProductTerms(10_000, 2_000, "GBP"),
    "HAT": ProductTerms(40_000, 0, "GBP"),
    "GIFT": ProductTerms(0, 2_000, "GBP", is_bundle=True),
    "BOX": ProductTerms(0, 2_000, "GBP", is_bundle=True),
}


def line(number: int, sku: str, quantity: int, price: str) -> OrderLine:
    return OrderLine(line_number=number, sku=sku, quantity=quantity, unit_price=price)


def test_components_take_the_numbers_that_the_order_leaves_free() -> None:
    lines = [line(2, "GIFT", 1, "12.00"), line(4, "MUG", 1, "2.00"), line(7, "BOX", 2, "6.00")]
    found = components_of(lines, BUNDLES, PRODUCTS)
    assert {number: [part.number for part in parts] for number, parts in found.items()} == {
        2: [1, 3],
        7: [5],
    }
    rows = [
        (row.number, row.sku, row.quantity, row.line_number) for row in stock_lines(lines, found)
    ]
    assert rows == [(1, "MUG", 2, 2), (3, "HAT", 1, 2), (4, "MUG", 1, 4), (5, "MUG", 6, 7)]


def test_a_bundles_price_is_shared_by_what_its_components_cost() -> None:
    (parts,) = components_of([line(1, "GIFT", 1, "12.00")], BUNDLES, PRODUCTS).values()
    # A third for two mugs of a pound each, two thirds for a hat of four.
    assert [(part.sku, part.unit_price) for part in parts] == [("MUG", 20_000), ("HAT", 80_000)]


@pytest.mark.parametrize(
    "hat", [ProductTerms(40_000, 0, "EUR"), ProductTerms(0, 0, "GBP")], ids=["currency", "costless"]
)
def test_what_cannot_be_compared_by_cost_is_shared_by_units(hat: ProductTerms) -> None:
    mug = ProductTerms(0, 2_000, "GBP") if hat.currency_code == "GBP" else PRODUCTS["MUG"]
    (parts,) = components_of(
        [line(1, "GIFT", 1, "10.00")], BUNDLES, {**PRODUCTS, "HAT": hat, "MUG": mug}
    ).values()
    # 66,667 and 33,333 ten-thousandths; a mug has half of its own, rounded down.
    assert [part.unit_price for part in parts] == [33_333, 33_333]


def test_bundles_are_as_many_as_the_scarcest_component_completes() -> None:
    parts = [Component(2, "MUG", 2, 0), Component(3, "HAT", 1, 0)]
    assert whole_bundles(parts, {2: 5, 3: 4}) == 2
    assert whole_bundles(parts, {2: 5}) == 0


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        ([], None),
        (["incomplete_bundle"], "incomplete_bundle"),
        (["incomplete_bundle", "out_of_stock"], "out_of_stock"),
        (["beyond_maximum_splits", "protected_store_stock"], "protected_store_stock"),
        (["store_closed", "store_closed"], "store_closed"),
    ],
)
def test_a_bundle_lacks_for_what_is_hardest_to_get(reasons: list[str], said: str | None) -> None:
    assert why_unmet(reasons) == said
