"""Before anything is bought: what one place has too much of goes to where it lacks.

So a purchase is made only when the network as a whole is low (frePPLe's global purchasing).
"""

from __future__ import annotations

import numpy as np
import pandas as pd


def transfer(positions: pd.DataFrame) -> pd.DataFrame:
    """Move units from places above their target to places at or below their reorder point.

    Args:
        positions: One row per (``sku``, ``node_id``), all in each: ``position_quantity``,
            ``free_quantity`` (on hand and not reserved: what can leave at all),
            ``reorder_point_quantity`` and ``target_quantity``.

    Returns:
        ``sku``, ``from_node_id``, ``to_node_id`` and ``quantity`` (each, above zero): of each SKU
        the place with most to spare gives first, and the one that lacks most is served first. A
        place gives only what is above its own reorder point, so that it lacks nothing afterwards.
    """
    columns = ["sku", "from_node_id", "to_node_id", "quantity"]
    is_low = positions["position_quantity"] <= positions["reorder_point_quantity"]
    lack = np.where(is_low, positions["target_quantity"] - positions["position_quantity"], 0)
    above = (positions["position_quantity"] - positions["reorder_point_quantity"] - 1).clip(lower=0)
    spare = np.where(~is_low, np.minimum(above, positions["free_quantity"].clip(lower=0)), 0)
    table = positions.assign(lack=lack, spare=spare)[["sku", "node_id", "lack", "spare"]]
    givers = _stacked(table[table["spare"] > 0], "spare")
    takers = _stacked(table[table["lack"] > 0], "lack")
    # Two rows of intervals laid over each other: where they overlap, units move.
    pairs = givers.merge(takers, on="sku", suffixes=("_from", "_to"))
    overlap = np.minimum(pairs["end_from"], pairs["end_to"]) - np.maximum(
        pairs["start_from"], pairs["start_to"]
    )
    moved = pairs.assign(quantity=overlap.astype("int64"))
    moved = moved[moved["quantity"] > 0]
    moved = moved.rename(columns={"node_id_from": "from_node_id", "node_id_to": "to_node_id"})
    return moved[columns].reset_index(drop=True)


def _stacked(table: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Each place's units as an interval of its SKU's, the greatest first."""
    ordered = table.sort_values(["sku", quantity, "node_id"], ascending=[True, False, True])
    end = ordered.groupby("sku")[quantity].cumsum()
    return ordered.assign(start=end - ordered[quantity], end=end)[
        ["sku", "node_id", "start", "end"]
    ]


def lacking(positions: pd.DataFrame, moved: pd.DataFrame) -> pd.DataFrame:
    """What has to be bought once units have moved.

    A purchase is made for a SKU only when all its places together are at or below their reorder
    points together; then each place at or below its own gets what it lacks of its target.

    Args:
        positions: As for `transfer`.
        moved: What that gave.

    Returns:
        ``positions`` in its own order plus ``needed_quantity`` (each, 0 for nothing).
    """
    arriving = moved.groupby(["sku", "to_node_id"])["quantity"].sum()
    leaving = moved.groupby(["sku", "from_node_id"])["quantity"].sum()
    keys = pd.MultiIndex.from_frame(positions[["sku", "node_id"]])
    after = positions["position_quantity"].to_numpy(np.int64) + (
        arriving.reindex(keys, fill_value=0).to_numpy(np.int64)
        - leaving.reindex(keys, fill_value=0).to_numpy(np.int64)
    )
    least = positions.assign(
        # A place that nobody asks of lacks nothing, and is no less than nothing to the others.
        reorder_point_quantity=positions["reorder_point_quantity"].clip(lower=0)
    )
    of_network = least.groupby("sku")[["position_quantity", "reorder_point_quantity"]]
    totals = of_network.transform("sum")
    is_low = (totals["position_quantity"] <= totals["reorder_point_quantity"]).to_numpy()
    lacks = after <= positions["reorder_point_quantity"].to_numpy(np.int64)
    needed = np.maximum(positions["target_quantity"].to_numpy(np.int64) - after, 0)
    return positions.assign(needed_quantity=np.where(is_low & lacks, needed, 0))
