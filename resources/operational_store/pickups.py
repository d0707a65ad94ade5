"""Pickups in flight: where each stands, and at which of them time alone changes something."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter

import sqlalchemy as sa

from assets.ports import PickupView
from resources.operational_store.bulk import fetch, upsert

_COLUMNS = (
    "order_id",
    "node_id",
    "attempt",
    "promised_ready_at",
    "expires_at",
    "due_at",
    "ready_at",
    "reminders_sent",
    "accepts_other_store",
    "accepts_shipping",
)

_VIEW = f"""
    select p.order_id::text, {", ".join(f"p.{name}" for name in _COLUMNS[1:])}
    from pickup p
"""

_DUE = """
    join order_state s on s.order_id = p.order_id
    join order_placed o on o.order_id = p.order_id
    where p.due_at <= %s and not exists (
        select from event_inbox i
        where i.status = 'pending' and i.consumer = 'order_to_fulfillment'
        and i.occurred_at <= %s
        and i.channel = o.channel and i.data ->> 'order_number' = o.order_number
    )
    order by p.due_at, p.order_id limit %s for update of s
"""


class SqlPickups:
    """Pickups of one transaction."""

    def __init__(self, connection: sa.Connection, effective_at: datetime) -> None:
        self._connection = connection
        self._effective_at = effective_at

    def of_orders(self, order_ids: Iterable[str]) -> dict[str, PickupView]:
        """Those of these orders that are picked up, by order id."""
        rows = fetch(
            self._connection, _VIEW + " where p.order_id = any(%s::uuid[])", list(order_ids)
        )
        return {row[0]: PickupView(*row) for row in rows}

    def lock_due(self, instant: datetime, limit: int) -> dict[str, PickupView]:
        """Those at which time alone changes something, the longest due first."""
        rows = fetch(self._connection, _VIEW + _DUE, instant, instant, limit)
        return {row[0]: PickupView(*row) for row in rows}

    def put(self, pickups: Iterable[PickupView]) -> None:
        """Store where pickups stand, new ones included."""
        rows = list(map(attrgetter(*_COLUMNS), pickups))
        if rows:
            columns = dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True))
            columns["effective_at"] = (self._effective_at,) * len(rows)
            upsert(self._connection, "pickup", columns, ["order_id"])

    def have_ordered_before(self, customer_ids: Iterable[str]) -> set[str]:
        """Those of these customers whose first order came before this instant."""
        rows = fetch(
            self._connection,
            "select distinct customer_id::text from order_placed"
            " where customer_id = any(%s::uuid[]) and effective_at < %s",
            list(customer_ids),
            self._effective_at,
        )
        return {row[0] for row in rows}
