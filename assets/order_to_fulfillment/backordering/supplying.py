"""Supply has come, or moved: who waits is served, and promised anew where it takes longer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

import pandas as pd

from assets.order_to_fulfillment.allocating import allocate, reserve
from assets.order_to_fulfillment.backordering.decision import (
    RELEASE_KIND,
    decide_release,
    keep,
    release_hash,
)
from assets.order_to_fulfillment.backordering.ending import waits_until
from assets.order_to_fulfillment.backordering.pooling import promisable
from assets.order_to_fulfillment.backordering.rules import expect_again
from assets.order_to_fulfillment.promises import SUPPLY_LATE, day_after, promise_later
from assets.order_to_fulfillment.resourcing import Wanted, source_again
from assets.order_to_fulfillment.rules import next_status
from assets.order_to_fulfillment.writes import Writes
from assets.ports import AllocatedLine, PooledLine, Reservation, StockPosition


def serve_waiting(skus: Iterable[str] | None, writes: Writes) -> set[str]:
    """Give who waits what is there, the longest waiting first.

    Args:
        skus: Those that are looked at, ``None`` for all.
        writes: Where it is stored.

    Returns:
        SKUs at which nobody may pass those who wait.
    """
    waiting = _due(writes.unit_of_work.supply.pooled_of_skus(skus), writes)
    if not waiting:
        return set()
    _take_orders(waiting, writes)
    # Another worker may have served or ended some before their orders were locked.
    waiting = [line for line in waiting if line in writes.pools.waiting(line.order_id)]
    positions = writes.unit_of_work.stock.lock_positions({line.sku for line in waiting})
    tables = _tables(waiting, positions, writes)
    policy = writes.backorder_policy("", "")
    served, closed = decide_release(tables, policy)
    if served:
        found = _source([waiting[position] for position in served], writes)
        _give(found, writes)
        if found:
            said = [
                (f"{line.order_id}/{line.line_number}", "served", [line.pool]) for line in found
            ]
            keep(RELEASE_KIND, tables, [], release_hash((served, closed)), said, writes)
        writes.flush()
        _let_go(sorted({line.order_id for line in found}), writes)
        writes.flush()
    return closed


def _due(lines: list[PooledLine], writes: Writes) -> list[PooledLine]:
    """Those whose product's first day is not still to come."""
    if not lines:
        return []
    now = writes.unit_of_work.effective_at
    products = writes.unit_of_work.master_data.products({line.sku for line in lines})
    first_days = {sku: terms.available_from for sku, terms in products.items()}
    return [line for line in lines if (first_days[line.sku] or now) <= now]


def _take_orders(waiting: list[PooledLine], writes: Writes) -> None:
    """Have at hand, and locked, the orders that are not yet."""
    missing = {line.order_id for line in waiting} - set(writes.orders)
    if missing:
        writes.orders.update(writes.unit_of_work.orders.lock(missing))
        writes.pools.load(writes.unit_of_work.supply.pooled_of_orders(missing))


def _tables(
    waiting: list[PooledLine], positions: list[StockPosition], writes: Writes
) -> dict[str, pd.DataFrame]:
    by_sku: dict[str, list[StockPosition]] = defaultdict(list)
    for position in positions:
        by_sku[position.sku].append(position)
    rows = []
    for line in waiting:
        order = writes.orders[line.order_id]
        profile = writes.policy(order.region, order.brand).profile(order.channel, order.region)
        available = sum(
            max(0, held.unpromised - profile.kept(held.node_id)) for held in by_sku[line.sku]
        )
        rows.append((line.sku, line.quantity, available, line.opened_at))
    columns = ["sku", "quantity", "available_quantity", "opened_at"]
    frame = pd.DataFrame(rows, columns=columns).astype({"opened_at": "datetime64[us, UTC]"})
    now = pd.DataFrame({"effective_at": [writes.unit_of_work.effective_at]})
    return {"waiting": frame, "now": now.astype("datetime64[us, UTC]")}


def _source(lines: list[PooledLine], writes: Writes) -> dict[PooledLine, list[Reservation]]:
    """What nodes give to each line that is given all of its units."""
    now = writes.unit_of_work.effective_at
    by_order: dict[str, list[PooledLine]] = defaultdict(list)
    for line in lines:
        by_order[line.order_id].append(line)
    wanted = []
    for order_id, of_order in by_order.items():
        order = writes.orders[order_id]
        wanted.append(
            Wanted(
                order,
                {
                    line.line_number: AllocatedLine(line.sku, line.quantity, line.unit_price)
                    for line in of_order
                },
                (),
                now,
                day_after(order, now, writes),
                f"supplied/{'+'.join(str(line.line_number) for line in of_order)}",
            )
        )
    source_again(wanted, "supplied", writes, keeps_failures=False)
    return {
        line: [held for held in one.given if held.line_number == line.line_number]
        for one in wanted
        if one.is_filled
        for line in by_order[one.order.order_id]
    }


def _give(found: dict[PooledLine, list[Reservation]], writes: Writes) -> None:
    now = writes.unit_of_work.effective_at
    for line, reservations in found.items():
        order = writes.orders[line.order_id]
        until = waits_until(order, writes)
        order.changed_at = now
        writes.pools.end(line, "supplied", now)
        for reservation in reservations:
            reserve(reservation, until, writes)
        writes.process.add(
            "supply reserved",
            f"{line.order_id}/{line.line_number}",
            now,
            [("order", line.order_id, "supplied")],
            line.order_id,
        )


def _let_go(order_ids: list[str], writes: Writes) -> None:
    """Orders of which nothing is missing any more are handed to their nodes."""
    complete = [
        order_id
        for order_id in order_ids
        if writes.orders[order_id].status == "backordered" and not writes.pools.waiting(order_id)
    ]
    if not complete:
        return
    now = writes.unit_of_work.effective_at
    reserved = writes.reservations_of(complete)
    for order_id in complete:
        order = writes.orders[order_id]
        order.expires_at = None
        order.status = next_status(order.status, "supplied")
        allocate(order, reserved[order_id], writes)
        promise_later(order, day_after(order, now, writes), SUPPLY_LATE, now, writes)


def review(writes: Writes) -> int:
    """Promise later where supply is announced for later than was promised; gives how often."""
    supply = writes.unit_of_work.supply
    lines = supply.pooled_of_skus(None)
    if not lines:
        return 0
    _take_orders(lines, writes)
    products = writes.unit_of_work.master_data.products({line.sku for line in lines})
    now = writes.unit_of_work.effective_at
    first_days = {sku: terms.available_from or now for sku, terms in products.items()}
    shelved = {sku for sku, day in first_days.items() if day > now}
    orders = [writes.orders[line.order_id] for line in lines]
    frame = pd.DataFrame(
        {
            "sku": [line.sku for line in lines],
            "quantity": [line.quantity for line in lines],
            "put_away": [
                writes.backorder_policy(order.region, order.brand).put_away for order in orders
            ],
        }
    )
    expected = expect_again(frame, promisable(set(first_days), shelved, writes))
    latest: dict[str, datetime] = {}
    for line, when in zip(lines, expected, strict=True):
        # What nobody announces any more may come any day, and not today.
        instant = max(now if pd.isna(when) else when.to_pydatetime(), first_days[line.sku])
        latest[line.order_id] = max(latest.get(line.order_id, instant), instant)
    moved = 0
    for order_id, instant in latest.items():
        order = writes.orders[order_id]
        order.changed_at = now
        moved += promise_later(order, day_after(order, instant, writes), SUPPLY_LATE, now, writes)
    return moved
