"""Inbound supply and the pools of order lines that wait for it, by sets of SKUs and orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from assets.facts import in_columns
from assets.ports import InboundSupply, PooledLine
from resources.operational_store.bulk import copy_into, execute, fetch

# Of each document that ever named one of the SKUs the last word counts, whoever came first.
_INBOUND = """
    with document as (
        select distinct document_number from inbound_announced where sku = any(%s)
    ),
    last_word as (
        select distinct on (a.document_number) a.document_number, a.announcement_id
        from inbound_announced a join document d on d.document_number = a.document_number
        order by a.document_number, a.occurred_at desc, a.announcement_id
    ),
    announced as (
        select a.sku, a.document_number, a.status, a.expected_at,
            sum(a.announced_quantity)::bigint as quantity
        from inbound_announced a
        join last_word l on l.announcement_id = a.announcement_id
        where a.sku = any(%s) and a.status <> 'cancelled' and a.expected_at >= %s
        group by 1, 2, 3, 4
    ),
    received as (
        select r.document_number, r.sku, sum(r.received_quantity)::bigint as quantity
        from inbound_received r join document d on d.document_number = r.document_number
        group by 1, 2
    )
    select a.sku, a.document_number, a.status, a.expected_at,
        a.quantity - coalesce(r.quantity, 0)
    from announced a
    left join received r on r.document_number = a.document_number and r.sku = a.sku
    where a.quantity > coalesce(r.quantity, 0)
    order by a.sku, a.expected_at, a.document_number
"""

_POOLED = (
    "select order_id::text, line_number, sku, pool, quantity, (unit_price * 10000)::bigint,"
    " available_from, opened_at from pooled_line"
)


_CHANGED = (
    "unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[]) as c (sku, pool, change, cap)"
)


def _columns(changes: Mapping[tuple[str, str], tuple[int, int]]) -> tuple[list[Any], ...]:
    return (
        [sku for sku, _ in changes],
        [pool for _, pool in changes],
        [units for units, _ in changes.values()],
        [cap for _, cap in changes.values()],
    )


class SqlSupply:
    """Supply of one transaction."""

    def __init__(self, connection: sa.Connection, effective_at: datetime) -> None:
        self._connection = connection
        self._effective_at = effective_at

    def inbound(self, skus: Iterable[str], expected_since: datetime) -> list[InboundSupply]:
        """What is announced of these SKUs, not received yet and expected since an instant."""
        wanted = list(skus)
        rows = fetch(self._connection, _INBOUND, wanted, wanted, expected_since)
        return list(map(InboundSupply._make, rows))

    def pools(self, skus: Iterable[str]) -> dict[tuple[str, str], int]:
        """Units in each (sku, pool) of these SKUs, locked until the transaction ends."""
        rows = fetch(
            self._connection,
            "select sku, pool, open_quantity from supply_pool where sku = any(%s)"
            " order by sku, pool for update",
            list(skus),
        )
        return {(sku, pool): quantity for sku, pool, quantity in rows}

    def pooled_of_skus(self, skus: Iterable[str] | None) -> list[PooledLine]:
        """Lines that wait for these SKUs, or for any, the longest waiting first."""
        order = " order by opened_at, order_id, line_number"
        if skus is None:
            rows = fetch(self._connection, _POOLED + order)
        else:
            rows = fetch(self._connection, f"{_POOLED} where sku = any(%s){order}", list(skus))
        return list(map(PooledLine._make, rows))

    def pooled_of_orders(self, order_ids: Iterable[str]) -> list[PooledLine]:
        """Lines of these orders that wait, by order and line."""
        rows = fetch(
            self._connection,
            f"{_POOLED} where order_id = any(%s::uuid[]) order by order_id, line_number",
            list(order_ids),
        )
        return list(map(PooledLine._make, rows))

    def lapsed_of_orders(self, order_ids: Iterable[str]) -> dict[str, list[str]]:
        """SKUs for which these orders waited until they gave up."""
        rows = fetch(
            self._connection,
            "select order_id::text, array_agg(distinct sku order by sku) from backorder_movement"
            " where order_id = any(%s::uuid[]) and kind = 'lapsed' group by order_id",
            list(order_ids),
        )
        return dict(rows)

    def change_pools(self, changes: Mapping[tuple[str, str], tuple[int, int]]) -> None:
        """Add units to (sku, pool); the second number is the cap that more units must keep.

        The database refuses what would exceed the cap, whoever came to it at the same time.
        """
        more = {key: change for key, change in changes.items() if change[0] > 0}
        fewer = {key: change for key, change in changes.items() if change[0] < 0}
        if more:
            execute(
                self._connection,
                "insert into supply_pool as held"
                " (sku, pool, open_quantity, cap_quantity, effective_at)"
                f" select c.*, %s from {_CHANGED} order by sku, pool"
                " on conflict (sku, pool) do update set"
                " open_quantity = held.open_quantity + excluded.open_quantity,"
                " cap_quantity = excluded.cap_quantity, effective_at = excluded.effective_at",
                self._effective_at,
                *_columns(more),
            )
        if fewer:
            # A pool that gives units away keeps the cap under which it took them in.
            execute(
                self._connection,
                "update supply_pool held set open_quantity = held.open_quantity + c.change,"
                f" effective_at = %s from {_CHANGED}"
                " where held.sku = c.sku and held.pool = c.pool",
                self._effective_at,
                *_columns(fewer),
            )

    def put_pooled(self, lines: Sequence[PooledLine]) -> None:
        """Store lines that wait from now on."""
        if lines:
            columns = in_columns(PooledLine._fields, lines)
            columns["effective_at"] = [self._effective_at] * len(lines)
            copy_into(self._connection, "pooled_line", columns)

    def end_pooled(self, keys: Sequence[tuple[str, int]]) -> None:
        """These (order_id, line_number) wait no longer."""
        if keys:
            execute(
                self._connection,
                "delete from pooled_line p using unnest(%s::uuid[], %s::int[]) as e (id, number)"
                " where p.order_id = e.id and p.line_number = e.number",
                [order_id for order_id, _ in keys],
                [number for _, number in keys],
            )
