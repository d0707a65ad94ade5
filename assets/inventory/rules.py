"""Available to promise, and who gives way when fewer units are there than were promised. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from assets.inventory.policy import InventoryPolicy
from assets.ports import Components, Reservation


def available_to_promise(
    positions: pd.DataFrame,
    policies: Mapping[str, InventoryPolicy],
    waiting: Mapping[str, int] = MappingProxyType({}),
) -> pd.DataFrame:
    """What each channel may sell of each SKU.

    ``ATP = max(0, Σ over nodes of max(0, unpromised − node safety) − waiting − threshold)``,
    floored per node before summing, so that one node's shortfall never eats another's stock.

    Args:
        positions: One row per ``node_id`` and ``sku`` with ``unpromised_quantity`` (each): on hand
            less reserved and allocated. It must hold every node of each SKU that it names.
        policies: By channel, what holds for it: node safety, and its own threshold, ceiling and
            excluded nodes.
        waiting: Units (each) by SKU that were promised to orders and have no stock yet.

    Returns:
        One row per channel and SKU, in that order: ``channel``, ``sku``, ``available_quantity``
        (before threshold and ceiling) and ``published_quantity`` (after both).
    """
    node_of, nodes = pd.factorize(positions["node_id"])
    sku_of, found = pd.factorize(positions["sku"])
    skus = np.sort(np.asarray(found, dtype=object))
    sku_of = np.searchsorted(skus, np.asarray(found, dtype=object))[sku_of]
    order = np.argsort(sku_of, kind="stable")
    first_of_sku = np.flatnonzero(np.diff(sku_of[order], prepend=-1))
    node_of = node_of[order]
    unpromised = positions["unpromised_quantity"].to_numpy("int64")[order]
    promised = np.zeros(len(skus), "int64")
    if waiting:
        promised[:] = [waiting.get(sku, 0) for sku in skus]
    parts = []
    for channel, policy in sorted(policies.items()):
        buffer = policy.channels[channel]
        safety = np.array([policy.node_safety(node) for node in nodes], "int64")
        is_included = np.array([node not in buffer.excluded_nodes for node in nodes])
        free = np.maximum(unpromised - safety[node_of], 0) * is_included[node_of]
        unwaited = np.add.reduceat(free, first_of_sku) - promised
        available = np.maximum(unwaited, 0)
        published = np.clip(
            available - buffer.threshold_quantity_each, 0, buffer.ceiling_quantity_each
        )
        parts.append((channel, available, published))
    return pd.DataFrame(
        {
            "channel": _words(
                np.repeat(np.arange(len(parts)), len(skus)), [channel for channel, *_ in parts]
            ),
            "sku": _words(np.tile(np.arange(len(skus)), len(parts)), skus),
            "available_quantity": np.concatenate([part[1] for part in parts]),
            "published_quantity": np.concatenate([part[2] for part in parts]),
        }
    )


def bundles_available_to_promise(
    positions: pd.DataFrame,
    bundles: Mapping[str, Components],
    policies: Mapping[str, InventoryPolicy],
    ship_together: Mapping[str, bool],
    waiting: Mapping[str, int] = MappingProxyType({}),
) -> pd.DataFrame:
    """What each channel may sell of each bundle.

    ``ATP = min over components of ⌊ATP of the component / units in one bundle⌋``; where all of a
    bundle comes from one node, never more than the nodes complete each by itself.

    Args:
        positions: As in `available_to_promise`, of every component.
        bundles: By SKU, what is in each.
        policies: As there.
        ship_together: By channel, whether all of a bundle comes from one node.
        waiting: As there, of components.

    Returns:
        As there, of bundles.
    """
    skus = sorted({sku for components in bundles.values() for sku, _ in components})
    row_of = {sku: row for row, sku in enumerate(skus)}
    node_of, nodes = pd.factorize(positions["node_id"])
    unpromised = np.zeros((len(skus), len(nodes)), np.int64)
    sku_of = [row_of[sku] for sku in positions["sku"]]
    unpromised[sku_of, node_of] = positions["unpromised_quantity"].to_numpy("int64")
    promised = np.array([waiting.get(sku, 0) for sku in skus], np.int64)
    rows = []
    for channel, policy in sorted(policies.items()):
        buffer = policy.channels[channel]
        safety = np.array([policy.node_safety(node) for node in nodes], "int64")
        is_included = np.array([node not in buffer.excluded_nodes for node in nodes], "int64")
        free = np.maximum(unpromised - safety, 0) * is_included
        for bundle, components in sorted(bundles.items()):
            parts = [row_of[sku] for sku, _ in components]
            each = np.array([units for _, units in components], np.int64)
            of_parts = np.maximum(free[parts].sum(axis=1) - promised[parts], 0)
            available = int((of_parts // each).min())
            above = np.maximum(of_parts - buffer.threshold_quantity_each, 0)
            published = int((above // each).min())
            if ship_together[channel]:
                whole = int((free[parts] // each[:, None]).min(axis=0).sum())
                available = min(available, whole)
                published = min(published, available)
            published = min(published, buffer.ceiling_quantity_each)
            rows.append((channel, bundle, available, published))
    names = ["channel", "sku", "available_quantity", "published_quantity"]
    return pd.DataFrame(rows, columns=names)


def _words(positions: npt.NDArray[np.int64], words: Iterable[str]) -> pd.Categorical[Any]:
    """Words by their position, which is much cheaper than the words themselves."""
    categories: pd.Index[Any] = pd.Index(list(words))
    return pd.Categorical.from_codes(positions, categories)


def book_change(change: int, on_hand: int, reserved: int, allocated: int) -> tuple[int, int, int]:
    """Split a physical change of one position into what the books can show.

    Units that a node is already picking (allocated) are there, whatever a write-off says, so the
    books never fall below them; below that, reservations give way.

    Returns:
        (booked change, units of reservations that must give way, units that could not be booked).
    """
    if change >= 0:
        return change, 0, 0
    booked = max(change, allocated - on_hand)
    giving_way = max(0, reserved + allocated - (on_hand + booked))
    return booked, giving_way, booked - change


def broken_up(lost: Reservation, held: Sequence[tuple[Reservation, int]]) -> list[Reservation]:
    """Reservations that complete no bundle any more when one of its components lost its stock.

    Where every node holds whole bundles, those of the node go; otherwise the bundle goes as a
    whole, since a reservation ends as a whole.

    Args:
        lost: What gave way.
        held: All that was held for the bundle, with each component's units in one bundle.
    """
    components = {reservation.line_number for reservation, _ in held}
    at_node: dict[str, dict[int, int]] = {}
    for reservation, each in held:
        of_node = at_node.setdefault(reservation.node_id, {})
        of_node[reservation.line_number] = reservation.quantity // each
    is_whole = all(
        of_node.keys() == components and len(set(of_node.values())) == 1
        for of_node in at_node.values()
    )
    return [
        reservation
        for reservation, _ in held
        if reservation != lost and (reservation.node_id == lost.node_id or not is_whole)
    ]


def correct_count(change: int, excess: int) -> tuple[int, int]:
    """What a count is corrected by when a movement turns up that it knew already.

    Args:
        change: Units of the movement, negative where they left.
        excess: Units that the books hold above the count: the part of an earlier write-off that
            could not be booked because a node was picking those units.

    Returns:
        (units of the correction, units of ``excess`` that are left). Units that leave settle the
        excess first; the rest is taken back, and the position stays what was counted.
    """
    settled = min(excess, max(0, -change))
    return -change - settled, excess - settled
