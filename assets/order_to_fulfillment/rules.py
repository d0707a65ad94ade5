"""The decisions of this flow: which node ships which units, and which state follows which.

Pure: tables in, tables out. Units are each; nothing here reads a clock, a file or a database.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from assets.errors import IllegalTransition

#: A sourcing profile: nodes in the order in which they are asked, each with the units it keeps.
Profile = tuple[tuple[str, int], ...]

TRANSITIONS: dict[tuple[str, str], str] = {
    ("new", "reserved"): "awaiting_payment",
    ("new", "found_nothing"): "unfilled",
    ("new", "nothing_to_pay_or_ship"): "completed",
    ("awaiting_payment", "payment_authorised"): "allocated",
    ("awaiting_payment", "charges_authorised"): "awaiting_capture",
    ("awaiting_payment", "stock_lost"): "unfilled",
    ("awaiting_payment", "payment_declined"): "declined",
    ("awaiting_payment", "cancelled"): "cancelled",
    ("awaiting_payment", "expired"): "expired",
    ("awaiting_capture", "completed"): "completed",
    ("allocated", "all_dispatched"): "dispatched",
    ("allocated", "all_rejected"): "unfilled",
    ("dispatched", "all_delivered"): "delivered",
}

FINAL_STATES = frozenset({"unfilled", "declined", "cancelled", "expired", "completed", "delivered"})


def next_status(status: str, happening: str) -> str:
    """The state that follows.

    Raises:
        IllegalTransition: If the order cannot go there from where it is.
    """
    try:
        return TRANSITIONS[status, happening]
    except KeyError:
        raise IllegalTransition(f"an order that is {status} cannot become {happening}") from None


def first_day_in_time(today: date, working_days: int) -> date:
    """The earliest despatch day of which a carrier may still owe us an answer.

    Args:
        today: The trading day; it is not over yet.
        working_days: How many a carrier has after the despatch day, Monday to Friday.

    Returns:
        A working day. What was despatched on an earlier day should have arrived before today.
    """
    day = np.busday_offset(np.datetime64(today), -working_days, roll="forward")
    return date.fromisoformat(str(day))


def source(order_lines: pd.DataFrame, stock: pd.DataFrame, profiles: list[Profile]) -> pd.DataFrame:
    """Give each order line its units, first come first served, from the first nodes that have them.

    The result equals deciding line after line in the given order, so it does not depend on how
    orders are cut into batches. SKUs whose lines all share one profile are decided at once: line
    ``i`` takes the stretch of the summed supply that its demand covers. The others, few, are
    walked through.

    Args:
        order_lines: One row per line in decision order; has ``sku``, ``quantity`` and ``profile``
            (index into ``profiles``).
        stock: One row per ``node_id`` and ``sku``; has ``unpromised_quantity``.
        profiles: Which nodes a line may ask, in order, and what each keeps back.

    Returns:
        One row per line and node with units: ``line`` (position in ``order_lines``), ``node_id``,
        ``quantity`` (> 0), ordered by line and rank. What a line lacks is unfilled.

    Raises:
        ValueError: If ``stock`` lists a node and SKU twice.
    """
    if stock.duplicated(["node_id", "sku"]).any():
        raise ValueError("stock lists a node and SKU twice")
    sku_codes, skus = pd.factorize(order_lines["sku"])
    distinct = list(dict.fromkeys(profiles))
    same = np.array([distinct.index(profile) for profile in profiles], np.int64)
    profile = same[order_lines["profile"].to_numpy(np.int64)]
    quantity = order_lines["quantity"].to_numpy(np.int64)
    supply = _supply(stock, skus)

    least = np.full(len(skus), len(distinct))
    most = np.full(len(skus), -1)
    np.minimum.at(least, sku_codes, profile)
    np.maximum.at(most, sku_codes, profile)
    is_uniform = (least == most)[sku_codes]

    parts = []
    for index in np.unique(profile[is_uniform]):
        chosen = np.flatnonzero(is_uniform & (profile == index))
        parts += _share(chosen, sku_codes[chosen], quantity[chosen], supply, distinct[index])
    parts.append(_walk(np.flatnonzero(~is_uniform), sku_codes, quantity, profile, supply, distinct))
    result = pd.concat(parts, ignore_index=True).sort_values(["line", "rank"], ignore_index=True)
    return result[["line", "node_id", "quantity"]]


def _supply(stock: pd.DataFrame, skus: pd.Index) -> dict[str, np.ndarray]:
    """Unpromised units by node, aligned with ``skus``."""
    positions = skus.get_indexer(pd.Index(stock["sku"]))
    known = positions >= 0
    result: dict[str, np.ndarray] = {}
    nodes = stock["node_id"].to_numpy(object)
    units = stock["unpromised_quantity"].to_numpy(np.int64)
    for node in dict.fromkeys(nodes[known]):
        here = known & (nodes == node)
        by_sku = np.zeros(len(skus), np.int64)
        by_sku[positions[here]] = units[here]
        result[node] = by_sku
    return result


def _share(
    lines: np.ndarray,
    sku_codes: np.ndarray,
    quantity: np.ndarray,
    supply: dict[str, np.ndarray],
    profile: Profile,
) -> list[pd.DataFrame]:
    """Lines of SKUs with one profile: overlap each line's demand with each node's supply."""
    order = np.argsort(sku_codes, kind="stable")
    grouped = quantity[order].cumsum()
    codes = sku_codes[order]
    starts_group = np.r_[True, codes[1:] != codes[:-1]]
    before_group = np.r_[0, grouped[:-1]][starts_group][np.cumsum(starts_group) - 1]
    demand_end = np.empty_like(quantity)
    demand_end[order] = grouped - before_group
    demand_start = demand_end - quantity
    parts = []
    supply_start = np.zeros(len(lines), np.int64)
    for rank, (node, kept) in enumerate(profile):
        if node not in supply:
            continue
        supply_end = supply_start + np.maximum(supply[node][sku_codes] - kept, 0)
        units = np.minimum(demand_end, supply_end) - np.maximum(demand_start, supply_start)
        taken = np.flatnonzero(units > 0)
        if len(taken):
            parts.append(_part(lines[taken], rank, node, units[taken]))
        supply_start = supply_end
    return parts


def _walk(
    lines: np.ndarray,
    sku_codes: np.ndarray,
    quantity: np.ndarray,
    profile: np.ndarray,
    supply: dict[str, np.ndarray],
    profiles: list[Profile],
) -> pd.DataFrame:
    """Lines of SKUs that are asked for under several profiles, one after the other."""
    skus = sku_codes[lines].tolist()
    left = {
        node: dict(zip(skus, by_sku[skus].tolist(), strict=True)) for node, by_sku in supply.items()
    }
    taken: list[tuple[int, int, str, int]] = []
    rows = zip(lines.tolist(), skus, quantity[lines].tolist(), profile[lines].tolist(), strict=True)
    for line, sku, quantity_of_line, index in rows:
        wanted = quantity_of_line
        for rank, (node, kept) in enumerate(profiles[index]):
            if not wanted:
                break
            units = min(wanted, max(0, left[node][sku] - kept)) if node in left else 0
            if units:
                left[node][sku] -= units
                wanted -= units
                taken.append((line, rank, node, units))
    return pd.DataFrame(taken, columns=["line", "rank", "node_id", "quantity"]).astype(
        {"line": "int64", "rank": "int64", "node_id": "str", "quantity": "int64"}
    )


def _part(lines: np.ndarray, rank: int, node: str, units: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"line": lines, "rank": rank, "node_id": node, "quantity": units})
