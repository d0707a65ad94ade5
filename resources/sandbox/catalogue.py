"""The demo retailer's range: forty things in ten finishes and sets of them, and where they lie."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from assets.commerce.money import to_ten_thousandths, to_text
from assets.contracts.master_data import BundleComponent
from resources.sandbox.chance import Chance
from resources.sandbox.erp import Item
from resources.sandbox.settings import NodeSetting

NODES = (
    NodeSetting(node_id="dc_midlands", kind="warehouse", stock_share=8),
    NodeSetting(node_id="store_bristol", kind="store", stock_share=1),
    NodeSetting(node_id="store_leeds", kind="store", stock_share=1),
)
_FINISHES = (
    "Sage", "Chalk", "Slate", "Ochre", "Teal", "Rose", "Indigo", "Oak", "Copper", "Stripe",
)  # fmt: skip
# Name and usual price in pounds.
_THINGS: tuple[tuple[str, int], ...] = (
    ("Enamel mug", 9), ("Stoneware bowl", 14), ("Dinner plate", 16), ("Side plate", 11),
    ("Teapot", 32), ("Carafe", 24), ("Tumbler pair", 18), ("Linen napkins", 20),
    ("Table runner", 28), ("Tea towel", 10), ("Apron", 26), ("Oven glove", 15),
    ("Chopping board", 34), ("Bread bin", 45), ("Storage jar", 13), ("Spice tin", 8),
    ("Candle", 12), ("Candle holder", 17), ("Vase", 29), ("Photo frame", 19),
    ("Wall clock", 48), ("Desk lamp", 65), ("Lantern", 38), ("Cushion cover", 22),
    ("Wool throw", 79), ("Bath towel", 21), ("Hand towel", 12), ("Bath mat", 27),
    ("Soap dish", 9), ("Wash bag", 18), ("Laundry basket", 42), ("Coat hook", 11),
    ("Door mat", 25), ("Plant pot", 16), ("Watering can", 31), ("Garden trug", 36),
    ("Notebook", 7), ("Pencil case", 13), ("Gift box", 6), ("Draught excluder", 23),
)  # fmt: skip
#: What a supplier makes and ships himself, where the retailer has one.
_BULKY = frozenset({"Bread bin", "Laundry basket", "Garden trug"})

# Things and how many of each are in a set, which is made in two finishes.
_SETS: tuple[tuple[str, dict[str, int]], ...] = (
    ("Tea for two", {"Teapot": 1, "Enamel mug": 2}),
    ("Bathroom set", {"Bath towel": 2, "Hand towel": 2, "Soap dish": 1}),
    ("Candlelight", {"Candle": 3, "Candle holder": 1, "Gift box": 1}),
    ("Table for six", {"Dinner plate": 6, "Side plate": 6, "Linen napkins": 1}),
)
_SET_FINISHES = ("Sage", "Chalk")
#: What a set costs of its parts (basis points).
_SET_PRICE = 9_000


def popularity(skus: Sequence[str], chance: Chance) -> list[float]:
    """Zipf weights over a seeded ranking: few things sell a lot, most sell now and then."""
    ranking = sorted(range(len(skus)), key=lambda index: chance.number("rank", skus[index]))
    weights = [0.0] * len(skus)
    for rank, index in enumerate(ranking):
        weights[index] = 1 / (rank + 4) ** 0.85
    return weights


def items(
    chance: Chance,
    at: datetime,
    currency: str,
    expected_units: float,
    expected_sets: float = 0.0,
    supplier: str | None = None,
) -> list[Item]:
    """The range, stocked for what a planner expects of one selling period, with honest errors.

    Args:
        chance: Of the retailer's seed.
        at: Since when it is sold.
        currency: Of the list prices.
        expected_units: What is expected to be sold of all of it.
        expected_sets: What is expected to be sold of sets; their parts are stocked for it as well.
        supplier: The node of a supplier who ships what is bulky himself, where there is one.
    """
    in_sets: Counter[str] = Counter()
    for _, things in _SETS:
        for finish in _SET_FINISHES:
            in_sets.update({_sku(thing, finish): units for thing, units in things.items()})
    for_sets = expected_sets / (len(_SETS) * len(_SET_FINISHES))
    drafts = []
    for thing, pounds in _THINGS:
        for finish in _FINISHES:
            sku = _sku(thing, finish)
            pence = pounds * chance.between(85, 120, "price", sku) // 5 * 5 + 95 - 100
            source = supplier if thing in _BULKY else None
            drafts.append((sku, f"{thing}, {finish.lower()}", max(195, pence), source))
    weights = popularity([sku for sku, *_ in drafts], chance)
    scale = expected_units / sum(weights)
    found = []
    for (sku, description, pence, source), weight in zip(drafts, weights, strict=True):
        error = chance.between(65, 240, "planner", sku) / 100
        found.append(
            Item(
                sku=sku,
                description=description,
                list_price=to_text(pence * 100),
                currency=currency,
                first_seen_at=at,
                opening_quantity=max(20, math.ceil(weight * scale * error))
                + math.ceil(for_sets * in_sets[sku] * error),
                supplied_by=source,
                product_class=description.partition(",")[0].lower().replace(" ", "_"),
            )
        )
    return found


def sets(range_: Sequence[Item]) -> list[Item]:
    """The sets that can be made of a range, for less than their parts."""
    of_sku = {item.sku: item for item in range_}
    found = []
    for name, things in _SETS:
        for finish in _SET_FINISHES:
            parts = {_sku(thing, finish): units for thing, units in things.items()}
            if not parts.keys() <= of_sku.keys():
                continue
            worth = sum(
                to_ten_thousandths(of_sku[sku].list_price) * units for sku, units in parts.items()
            )
            first = of_sku[next(iter(parts))]
            found.append(
                Item(
                    sku=f"SET-{_sku(name, finish)}",
                    description=f"{name}, {finish.lower()}",
                    # Whole pennies.
                    list_price=to_text(worth * _SET_PRICE // 10_000 // 100 * 100),
                    currency=first.currency,
                    first_seen_at=first.first_seen_at,
                    components=[
                        BundleComponent(sku=sku, quantity=units) for sku, units in parts.items()
                    ],
                )
            )
    return found


def _sku(thing: str, finish: str) -> str:
    stem = "".join(word[:3] for word in thing.upper().split())
    return f"{stem}-{finish[:3].upper()}"
