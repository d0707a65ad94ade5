"""What is decided about pickups: which units, by when, which other store, whom to screen. Pure.

Units are each, money is in ten-thousandths, times are UTC; nothing here reads a clock, a calendar
or a database.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from assets.order_to_fulfillment.pickup.policy import PickupPolicy

OVER_THE_AMOUNT = "amount"
NEW_CUSTOMER = "new_customer"


def promise_ready(orders: pd.DataFrame, openings: pd.DataFrame) -> pd.Series:
    """When each order can be at the counter: today if the store is open for long enough, or next.

    Work starts when the order is there and the store is open, takes its minutes without a break,
    and ends by closing time, or it starts on the next day on which it can.

    Args:
        orders: One row per order; has ``scope`` (whose opening hours count), ``node_id``,
            ``from_at`` (UTC, when work may start) and ``preparation_minutes``.
        openings: One row per scope, store and open interval; has ``scope``, ``node_id``,
            ``opens_at`` and ``closes_at`` (UTC). Intervals of one store do not overlap.

    Returns:
        The promised instants in the index of ``orders``; NaT where no interval is long enough.
    """
    promised = pd.Series(pd.NaT, index=orders.index, dtype="datetime64[us, UTC]")
    keys = ["scope", "node_id", "preparation_minutes"]
    for (scope, node, minutes), group in orders.groupby(keys, sort=False):
        work = pd.Timedelta(f"{minutes}min")
        is_here = (openings["scope"] == scope) & (openings["node_id"] == node)
        here = openings[is_here].sort_values("opens_at")
        here = here[here["closes_at"] - here["opens_at"] >= work]
        last_starts = (here["closes_at"] - work).to_numpy("datetime64[us]")
        from_at = group["from_at"].to_numpy("datetime64[us]")
        position = np.searchsorted(last_starts, from_at, side="left")
        is_found = position < len(here)
        opens = here["opens_at"].to_numpy("datetime64[us]")[position[is_found]]
        ready = np.maximum(opens, from_at[is_found]) + work.to_timedelta64()
        promised.loc[group.index[is_found]] = pd.Series(
            pd.DatetimeIndex(ready, tz="UTC").as_unit("us"), index=group.index[is_found]
        )
    return promised


def reserve_at_store(order_lines: pd.DataFrame, stock: pd.DataFrame) -> pd.Series:
    """Units of each line that its own store has, first come first served.

    Line ``i`` takes the stretch of the store's supply that its demand covers, so the result equals
    deciding line after line and does not depend on how orders are cut into batches. Lines that may
    leave different amounts on the shelf never get more together than the boldest may take.

    Args:
        order_lines: One row per line in decision order; has ``node_id``, ``sku``, ``quantity`` and
            ``kept_quantity`` (units that the store keeps back from it).
        stock: One row per ``node_id`` and ``sku``; has ``unpromised_quantity``.

    Returns:
        Units in the index of ``order_lines``, 0 to ``quantity``.

    Raises:
        ValueError: If ``stock`` lists a node and SKU twice.
    """
    supply = order_lines[["node_id", "sku"]].merge(
        stock, on=["node_id", "sku"], how="left", validate="many_to_one"
    )["unpromised_quantity"]
    quantity = order_lines["quantity"].to_numpy("int64")
    left = np.maximum(
        supply.fillna(0).to_numpy("int64") - order_lines["kept_quantity"].to_numpy("int64"), 0
    )
    end = order_lines.groupby(["node_id", "sku"], sort=False)["quantity"].cumsum().to_numpy("int64")
    units = np.minimum(end, left) - np.minimum(end - quantity, left)
    return pd.Series(units, index=order_lines.index, dtype="int64")


def reserve_bundles_at_store(
    order_lines: pd.DataFrame, stock: pd.DataFrame, bundles: pd.DataFrame
) -> pd.Series:
    """As `reserve_at_store`, where some lines are components that are held together or not at all.

    Line after line in decision order: a bundle takes as many as all its components do for.

    Args:
        order_lines: As there, and ``order_id``; the lines of a bundle stand together.
        stock: As there.
        bundles: One row per line of a bundle; has ``line`` (position in ``order_lines``),
            ``bundle_line_number`` (of its order) and ``quantity_per_bundle`` (each).
    """
    left = dict(
        zip(
            zip(stock["node_id"], stock["sku"], strict=True),
            stock["unpromised_quantity"].tolist(),
            strict=True,
        )
    )
    of_line = {
        line: (number, each)
        for line, number, each in zip(*(bundles[name].tolist() for name in bundles), strict=True)
    }
    columns = ("order_id", "node_id", "sku", "quantity", "kept_quantity")
    rows = list(zip(*(order_lines[name].tolist() for name in columns), strict=True))
    groups: dict[tuple[object, ...], list[tuple[int, int]]] = {}
    for position, row in enumerate(rows):
        number, each = of_line.get(position, (None, 1))
        key = (position,) if number is None else (row[0], number)
        groups.setdefault(key, []).append((position, each))
    units = [0] * len(rows)
    for parts in groups.values():
        free = []
        for position, each in parts:
            _, node, sku, quantity, kept = rows[position]
            free.append(min(quantity, max(0, left.get((node, sku), 0) - kept)) // each)
        for position, each in parts:
            _, node, sku, _, _ = rows[position]
            units[position] = min(free) * each
            left[node, sku] = left.get((node, sku), 0) - units[position]
    return pd.Series(units, index=order_lines.index, dtype="int64")


def choose_store(
    lines: pd.DataFrame, stock: pd.DataFrame, stores: pd.DataFrame
) -> tuple[str, datetime] | None:
    """The other store that has everything and is ready first; the lower node id where two are.

    Args:
        lines: What is wanted; has ``sku`` and ``quantity``. A SKU may be there twice.
        stock: One row per ``node_id`` and ``sku``; has ``unpromised_quantity``.
        stores: One row per store that may be asked; has ``node_id``, ``kept_quantity`` and
            ``promised_ready_at`` (NaT where it cannot promise).

    Returns:
        The store and when it is ready, or ``None`` where no store has everything.
    """
    wanted = lines.groupby("sku")["quantity"].sum()
    supply = stock.merge(stores.dropna(subset=["promised_ready_at"]), on="node_id")
    supply = supply[supply["sku"].isin(wanted.index)]
    is_enough = supply["unpromised_quantity"] - supply["kept_quantity"] >= supply["sku"].map(
        wanted
    ).astype("int64")
    covered = supply[is_enough].groupby("node_id")["sku"].nunique()
    able = stores[stores["node_id"].isin(covered.index[covered == len(wanted)])]
    if able.empty:
        return None
    first = able.sort_values(["promised_ready_at", "node_id"]).iloc[0]
    return str(first["node_id"]), first["promised_ready_at"].to_pydatetime()


def why_screen(
    amount: int, currency: str, is_new_customer: bool, policy: PickupPolicy
) -> tuple[str, ...]:
    """Why a paid pickup is screened before it is prepared; nothing where it is not."""
    screening = policy.screening
    if not screening.is_in_use or amount <= 0:
        return ()
    reasons = []
    most = screening.from_amount(currency)
    if most is not None and amount >= most:
        reasons.append(OVER_THE_AMOUNT)
    most = screening.new_customer_from_amount(currency)
    if is_new_customer and most is not None and amount >= most:
        reasons.append(NEW_CUSTOMER)
    return tuple(reasons)


def next_reminder(
    ready_at: datetime, reminders_sent: int, expires_at: datetime, policy: PickupPolicy
) -> datetime:
    """When goods at the counter are next looked at: a reminder that is left, or their end."""
    hours = policy.reminder_hours_after_ready[reminders_sent:]
    return min(ready_at + timedelta(hours=hours[0]), expires_at) if hours else expires_at
