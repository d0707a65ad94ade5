"""Bundles of orders: one line to the customer and the ledger, their components to stock.

When an order is placed, each component of a bundle line becomes a line of stock under a number that
the order does not use. Reservations, allocations, fulfilment orders and shipments know only these;
price, invoice and refund know only the bundle. What was in a bundle then stays with the order. The
design is the decision record ``bundles`` in ``docs/adr``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import NamedTuple

import pandas as pd

from assets.commerce.money import share_out, to_ten_thousandths
from assets.contracts.order import OrderLine
from assets.facts import in_columns
from assets.order_to_fulfillment.sourcing.lacking import INCOMPLETE_BUNDLE, PRECEDENCE
from assets.order_to_fulfillment.sourcing.tables import NO_BUNDLES
from assets.ports import Components, MasterData, ProductTerms


class Component(NamedTuple):
    """One component of a bundle line; its price is a share of the bundle's (ten-thousandths)."""

    number: int
    sku: str
    quantity_per_bundle: int
    unit_price: int


class StockLine(NamedTuple):
    """What stock is asked for; a plain order line, or a component of a bundle line.

    ``quantity_per_bundle`` is 0 where ``number`` is that of the order line itself.
    """

    number: int
    sku: str
    quantity: int
    unit_price: int
    line_number: int
    quantity_per_bundle: int


#: Bundle lines of an order: line number → components.
Bundled = Mapping[int, list[Component]]


def load_bundles(
    products: dict[str, ProductTerms], master_data: MasterData
) -> dict[str, Components]:
    """What is in those of these products that are bundles; adds the components to the products."""
    skus = [sku for sku, terms in products.items() if terms.is_bundle]
    if not skus:
        return {}
    bundles = master_data.components(skus)
    parts = {sku for components in bundles.values() for sku, _ in components}
    products |= master_data.products(parts - products.keys())
    return bundles


def unknown_component(
    lines: Iterable[OrderLine],
    bundles: Mapping[str, Components],
    products: Mapping[str, ProductTerms],
) -> str | None:
    """A component of these lines' bundles that nobody knows yet."""
    for line in lines:
        for sku, _ in bundles.get(line.sku, ()):
            if sku not in products:
                return sku
    return None


def components_of(
    lines: list[OrderLine],
    bundles: Mapping[str, Components],
    products: Mapping[str, ProductTerms],
) -> dict[int, list[Component]]:
    """The components of each bundle line, under the first numbers that the order does not use."""
    used = {line.line_number for line in lines}
    free = (number for number in count(1) if number not in used)
    return {
        line.line_number: [
            Component(next(free), sku, each, price)
            for (sku, each), price in zip(
                bundles[line.sku],
                _unit_prices(to_ten_thousandths(line.unit_price), bundles[line.sku], products),
                strict=True,
            )
        ]
        for line in lines
        if line.sku in bundles
    }


def _unit_prices(
    price: int, components: Components, products: Mapping[str, ProductTerms]
) -> list[int]:
    """The share of each component's unit in a bundle's price, by what they cost."""
    terms = [products[sku] for sku, _ in components]
    units = [each for _, each in components]
    weights = [term.standard_cost * each for term, each in zip(terms, units, strict=True)]
    if len({term.currency_code for term in terms}) > 1 or not any(weights):
        weights = units
    return [share // each for share, each in zip(share_out(price, weights), units, strict=True)]


def stock_lines(lines: Iterable[OrderLine], bundled: Bundled) -> Iterator[StockLine]:
    """What stock is asked for by these lines, in their order."""
    for line in lines:
        number, units = line.line_number, line.quantity
        components = bundled.get(number)
        if components is None:
            price = to_ten_thousandths(line.unit_price)
            yield StockLine(number, line.sku, units, price, number, 0)
            continue
        for part in components:
            each = part.quantity_per_bundle
            yield StockLine(part.number, part.sku, units * each, part.unit_price, number, each)


def bundles_table(components: list[tuple[int, int, int]]) -> pd.DataFrame:
    """(stock line, bundle's line number, units in one bundle) as the rules want them."""
    if not components:
        return NO_BUNDLES
    return pd.DataFrame(in_columns(tuple(NO_BUNDLES.columns), components)).astype("int64")


def whole_bundles(components: list[Component], given: Mapping[int, int]) -> int:
    """How many bundles the units given of their components, by number, complete."""
    return min(given.get(part.number, 0) // part.quantity_per_bundle for part in components)


def why_unmet(reasons: Iterable[str]) -> str | None:
    """Why a bundle is not there: of its components' reasons the one that is hardest to change."""
    said = set(reasons)
    told = said - {INCOMPLETE_BUNDLE} or said
    return max(told, key=_hardness) if told else None


def _hardness(reason: str) -> tuple[int, str]:
    return (PRECEDENCE.index(reason) if reason in PRECEDENCE else len(PRECEDENCE), reason)
