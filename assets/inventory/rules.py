"""Available to promise, and who gives way when fewer units are there than were promised. Pure."""

from __future__ import annotations

import pandas as pd

from assets.inventory.policy import InventoryPolicy


def available_to_promise(positions: pd.DataFrame, policy: InventoryPolicy) -> pd.DataFrame:
    """What each channel may sell of each SKU.

    ``ATP = max(0, Σ over nodes of max(0, unpromised − node safety) − channel threshold)``, floored
    per node before summing, so that one node's shortfall never eats another's stock.

    Args:
        positions: One row per ``node_id`` and ``sku`` with ``unpromised_quantity`` (each): on hand
            less reserved and allocated. It must hold every node of each SKU that it names.
        policy: Node safety, and per channel threshold, ceiling and excluded nodes.

    Returns:
        One row per channel and SKU, in that order: ``channel``, ``sku``, ``available_quantity``
        (before threshold and ceiling) and ``published_quantity`` (after both).
    """
    safety = positions["node_id"].map(policy.node_safety).astype("int64")
    free = (positions["unpromised_quantity"] - safety).clip(lower=0)
    skus = positions["sku"].drop_duplicates().sort_values()
    parts = []
    for channel, buffer in sorted(policy.channels.items()):
        included = ~positions["node_id"].isin(buffer.excluded_nodes)
        available = free.where(included, 0).groupby(positions["sku"]).sum().reindex(skus)
        published = (available - buffer.threshold_quantity_each).clip(
            lower=0, upper=buffer.ceiling_quantity_each
        )
        parts.append(
            pd.DataFrame(
                {
                    "channel": channel,
                    "sku": skus.to_numpy(),
                    "available_quantity": available.to_numpy("int64"),
                    "published_quantity": published.to_numpy("int64"),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


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
