"""Sourcing by trying every choice there is: slow, simple, and right by being so.

Nothing of the product's search is used, only plain numbers. A choice gives units of each SKU by
node; all of them are tried for each order in its turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any


@dataclass(frozen=True)
class Node:
    """What one node means to one order, in whole pounds."""

    name: str
    kept: int
    protected: int
    opportunity_basis_points: int
    parcel: int
    unit: int
    km: int
    is_late: bool
    is_open: bool
    capacity: int | None
    counts_units: bool


@dataclass(frozen=True)
class Rules:
    mode: str
    maximum_splits: int
    minimum_value: int
    extra_shipment: int
    late_unit: int
    unmet_unit: int


Stock = dict[tuple[str, str], int]
Choice = tuple[tuple[int, ...], ...]


def best(
    wanted: list[tuple[str, int, int]],
    nodes: list[Node],
    stock: Stock,
    used: dict[str, list[int]],
    rules: Rules,
    is_whole: Callable[[Choice], bool] = lambda _: True,
) -> tuple[Any, Choice]:
    """The best choice (SKU by node) and what it was judged by; takes it from stock and capacity.

    Only choices that break up no bundle count, as ``is_whole`` says.
    """
    found: tuple[Any, Choice] | None = None
    for choice in _choices(wanted, nodes, stock):
        if not _is_allowed(choice, wanted, nodes, used, rules):
            continue
        key = _key(choice, wanted, nodes, stock, rules)
        if (found is None or key < found[0]) and is_whole(choice):
            found = key, choice
    assert found is not None
    for (sku, _, _), row in zip(wanted, found[1], strict=True):
        for node, units in zip(nodes, row, strict=True):
            stock[node.name, sku] = stock.get((node.name, sku), 0) - units
    for position, node in enumerate(nodes):
        units = sum(row[position] for row in found[1])
        used[node.name][0] += units > 0
        used[node.name][1] += units
    return found


def _choices(
    wanted: list[tuple[str, int, int]], nodes: list[Node], stock: Stock
) -> Iterator[Choice]:
    by_sku = []
    for sku, quantity, _ in wanted:
        ranges = [
            range(max(0, min(quantity, stock.get((node.name, sku), 0) - node.kept)) + 1)
            if node.is_open
            else range(1)
            for node in nodes
        ]
        by_sku.append([row for row in product(*ranges) if sum(row) <= quantity])
    return product(*by_sku)


def _is_allowed(
    choice: Choice,
    wanted: list[tuple[str, int, int]],
    nodes: list[Node],
    used: dict[str, list[int]],
    rules: Rules,
) -> bool:
    values, shipments = [], 0
    for position, node in enumerate(nodes):
        units = sum(row[position] for row in choice)
        if not units:
            continue
        shipments += 1
        values.append(
            sum(price * row[position] for (_, _, price), row in zip(wanted, choice, strict=True))
        )
        taken = used[node.name][node.counts_units]
        if (
            node.capacity is not None
            and taken + (units if node.counts_units else 1) > node.capacity
        ):
            return False
    if shipments > rules.maximum_splits + 1:
        return False
    return shipments < 2 or min(values) >= rules.minimum_value


def _key(
    choice: Choice,
    wanted: list[tuple[str, int, int]],
    nodes: list[Node],
    stock: Stock,
    rules: Rules,
) -> tuple[Any, ...]:
    unmet = sum(quantity - sum(row) for (_, quantity, _), row in zip(wanted, choice, strict=True))
    ships = [position for position in range(len(nodes)) if any(row[position] for row in choice)]
    late = sum(row[p] for row in choice for p in ships if nodes[p].is_late)
    cost = sum(nodes[p].parcel * 10_000 for p in ships)
    for (sku, _, price), row in zip(wanted, choice, strict=True):
        for node, units in zip(nodes, row, strict=True):
            cost += units * node.unit * 10_000
            # One after the other, each unit asks whether it is among the last.
            for taken in range(units):
                left = stock.get((node.name, sku), 0) - taken
                if left <= max(node.protected, node.kept):
                    cost += price * 10_000 * node.opportunity_basis_points // 10_000
    distance = sum(nodes[p].km for p in ships)
    near = sorted(range(len(nodes)), key=lambda p: (nodes[p].km, nodes[p].name))
    ties = (
        distance,
        tuple(nodes[p].name for p in ships),
        tuple(-row[p] for row in choice for p in near),
    )
    if rules.mode == "lexicographic":
        return (unmet, late, len(ships), cost, *ties)
    score = (
        cost
        + rules.extra_shipment * 10_000 * max(0, len(ships) - 1)
        + rules.late_unit * 10_000 * late
        + rules.unmet_unit * 10_000 * unmet
    )
    return (score, unmet, len(ships), cost, *ties)
