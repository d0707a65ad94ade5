"""Orders in flight: their state, fulfilment orders and allocated lines, by sets of ids."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from operator import attrgetter

import sqlalchemy as sa

from assets.facts import in_columns
from assets.ports import (
    About,
    AllocatedLine,
    BundleView,
    CaseType,
    FulfilmentOrderView,
    OrderView,
    ParcelView,
)
from resources.operational_store.bulk import fetch, upsert

_VIEW = """
    select
        o.order_id::text, o.order_number, s.status, o.legal_entity, o.brand, o.region, o.channel,
        o.correlation_id, o.customer_id::text, o.country_code, o.service_level, o.currency_code,
        o.line_count,
        (o.charge_amount * 10000)::bigint, (o.total_amount * 10000)::bigint,
        (s.payable_amount * 10000)::bigint, (s.authorised_amount * 10000)::bigint,
        (s.capture_requested_amount * 10000)::bigint, (s.captured_amount * 10000)::bigint,
        (s.refund_requested_amount * 10000)::bigint, (s.refunded_amount * 10000)::bigint,
        s.payment_reference, s.open_fulfilment_orders, s.undelivered_fulfilment_orders,
        s.expires_at, s.promised_date, s.promise_number
    from order_state s
    join order_placed o on o.order_id = s.order_id
"""

_EXPIRED = """
    where s.expires_at <= %s and not exists (
        select from event_inbox i
        where i.status = 'pending' and i.consumer = 'order_to_fulfillment'
        and i.occurred_at <= %s
        and i.channel = o.channel and i.data ->> 'order_number' = o.order_number
    )
    order by s.order_id limit %s for update of s
"""

_OVERDUE = """
    join unnest(%s::text[], %s::text[], %s::date[]) as late (region, brand, day)
        on late.region = o.region and late.brand = o.brand
    where s.promised_date < late.day and s.promise_number <= %s
    and not exists (select from pickup p where p.order_id = s.order_id and p.node_id is not null)
    and not exists (
        select from event_inbox i
        where i.status = 'pending' and i.consumer = 'order_to_fulfillment'
        and i.occurred_at <= %s
        and i.channel = o.channel and i.data ->> 'order_number' = o.order_number
    )
    order by s.order_id limit %s for update of s
"""

_BROKEN = """
    join unnest(%s::text[], %s::text[], %s::date[]) as late (region, brand, day)
        on late.region = o.region and late.brand = o.brand
    where s.promised_date < late.day and s.promise_number > %s
    and not exists (select from pickup p where p.order_id = s.order_id and p.node_id is not null)
    and not exists (
        select from exception_case c
        where c.case_type = any(%s) and c.business_key = o.channel || '/' || o.order_number
    )
    order by s.order_id
"""

_UNDER_WAY_SINCE = """
    with parcel as (
        select
            o.channel || '/' || o.order_number || '/' || f.shipment_number as key,
            s.carrier, s.occurred_at, o.region, o.brand, o.channel, o.order_id::text,
            f.node_id, (state.payable_amount * 10000)::bigint as value_at_risk,
            o.currency_code, state.promised_date
        from fulfilment_order f
        join order_placed o on o.order_id = f.order_id
        join order_state state on state.order_id = f.order_id
        join unnest(%s::text[], %s::text[], %s::timestamptz[]) as late (region, brand, deadline)
            on late.region = o.region and late.brand = o.brand
        join shipment_dispatched s on s.fulfilment_order_id = f.fulfilment_order_id
        where f.status = 'dispatched' and s.occurred_at < late.deadline
    )
    select key, carrier, occurred_at, region, brand, channel, order_id, node_id, value_at_risk,
        currency_code, promised_date
    from parcel
    where not exists (
        select from exception_case c where c.case_type = %s and c.business_key = key
    )
    order by key
"""

# What was never paid, or was not there, is no work for the node.
_TAKEN_ON = """
    select held.node_id, (o.occurred_at at time zone n.zone)::date,
        count(distinct o.order_id), sum(held.quantity)::bigint
    from order_placed o
    cross join lateral (
        select r.node_id, sum(r.quantity) filter (where r.is_start) as quantity
        from reservation_movement r
        where r.order_id = o.order_id
        group by r.line_number, r.node_id
        having bool_and(r.kind in ('reserved', 'consumed'))
    ) held
    join node n on n.node_id = held.node_id
    where o.occurred_at between %s and %s
    group by 1, 2 order by 1, 2
"""

_STATE = (
    "order_id",
    "status",
    "expires_at",
    "payment_reference",
    "authorised_amount",
    "payable_amount",
    "capture_requested_amount",
    "captured_amount",
    "refund_requested_amount",
    "refunded_amount",
    "open_fulfilment_orders",
    "undelivered_fulfilment_orders",
    "promised_date",
    "promise_number",
)

_FULFILMENT_ORDER = (
    "fulfilment_order_id",
    "order_id",
    "node_id",
    "status",
    "quantity",
    "shipment_number",
)


class SqlOrders:
    """Orders of one transaction."""

    def __init__(self, connection: sa.Connection, effective_at: datetime) -> None:
        self._connection = connection
        self._effective_at = effective_at

    def lock(self, order_ids: Iterable[str]) -> dict[str, OrderView]:
        """Orders by id, their state locked; ids that are not known are left out."""
        rows = fetch(
            self._connection,
            _VIEW + " where s.order_id = any(%s::uuid[]) order by s.order_id for update of s",
            list(order_ids),
        )
        return {row[0]: OrderView(*row) for row in rows}

    def taken_on(self, since: datetime, until: datetime) -> list[tuple[str, date, int, int]]:
        """(node_id, local day, orders, units) of orders placed in [since, until].

        Without what was released or has expired since.
        """
        return fetch(
            self._connection,
            _TAKEN_ON,
            since,
            until,
        )

    def declined(self, order_ids: Sequence[str]) -> Counter[str]:
        """How often the provider has refused these orders' payments."""
        rows = fetch(
            self._connection,
            "select order_id::text, count(*) from payment_movement"
            " where order_id = any(%s::uuid[]) and kind = 'declined' group by order_id",
            list(order_ids),
        )
        return Counter(dict(rows))

    def lock_expired(self, instant: datetime, limit: int) -> dict[str, OrderView]:
        """Orders that still wait for their payment though their time is over, locked.

        Not those of which something lies unread, as after a standstill: it may be the payment.
        """
        rows = fetch(self._connection, _VIEW + _EXPIRED, instant, instant, limit)
        return {row[0]: OrderView(*row) for row in rows}

    def lock_overdue(
        self, days: Mapping[tuple[str, str], date], most_promises: int, limit: int
    ) -> dict[str, OrderView]:
        """Parcels' orders of a (region, brand) promised before its day, promised so often at most.

        Not those of which something lies unread, as after a standstill: it may be their delivery.
        """
        rows = fetch(
            self._connection,
            _VIEW + _OVERDUE,
            [region for region, _ in days],
            [brand for _, brand in days],
            list(days.values()),
            most_promises,
            self._effective_at,
            limit,
        )
        return {row[0]: OrderView(*row) for row in rows}

    def broken(self, days: Mapping[tuple[str, str], date], most_promises: int) -> list[OrderView]:
        """Orders promised more often than that, last before the day of their (region, brand)."""
        rows = fetch(
            self._connection,
            _VIEW + _BROKEN,
            [region for region, _ in days],
            [brand for _, brand in days],
            list(days.values()),
            most_promises,
            [CaseType.CARRIER_DELAY, CaseType.PROMISE_BROKEN],
        )
        return [OrderView(*row) for row in rows]

    def promise_scopes(self) -> list[tuple[str, str]]:
        """(region, brand) of the orders with a promise that is still to be kept."""
        return fetch(
            self._connection,
            "select distinct o.region, o.brand from order_state s"
            " join order_placed o on o.order_id = s.order_id"
            " where s.promised_date <= %s",
            self._effective_at.date(),
        )

    def put_states(self, orders: Iterable[OrderView]) -> None:
        """Store the state of orders, new ones included."""
        rows = list(map(attrgetter(*_STATE), orders))
        if rows:
            columns = in_columns(_STATE, rows)
            columns["effective_at"] = (self._effective_at,) * len(rows)
            upsert(self._connection, "order_state", columns, ["order_id"])

    def fulfilment_orders(self, order_ids: Iterable[str]) -> list[FulfilmentOrderView]:
        """All fulfilment orders of these orders."""
        rows = fetch(
            self._connection,
            "select fulfilment_order_id::text, order_id::text, node_id, status, quantity,"
            " shipment_number from fulfilment_order where order_id = any(%s::uuid[])"
            " order by order_id, node_id",
            list(order_ids),
        )
        return [FulfilmentOrderView(*row) for row in rows]

    def put_fulfilment_orders(self, fulfilment_orders: Iterable[FulfilmentOrderView]) -> None:
        """Store the state of fulfilment orders, new ones included."""
        rows = list(map(attrgetter(*_FULFILMENT_ORDER), fulfilment_orders))
        if rows:
            columns = in_columns(_FULFILMENT_ORDER, rows)
            columns["effective_at"] = (self._effective_at,) * len(rows)
            upsert(self._connection, "fulfilment_order", columns, ["fulfilment_order_id"])

    def allocated_lines(
        self, order_ids: Iterable[str]
    ) -> dict[tuple[str, str], dict[int, AllocatedLine]]:
        """By (order_id, node_id): line number → what was allocated."""
        rows = fetch(
            self._connection,
            "select r.order_id::text, r.node_id, r.line_number, r.sku, -r.quantity,"
            " (coalesce(l.unit_price, c.unit_price) * 10000)::bigint, c.line_number"
            " from reservation_movement r"
            " left join order_line l"
            " on l.order_id = r.order_id and l.line_number = r.line_number"
            " left join order_line_component c on l.order_id is null"
            " and c.order_id = r.order_id and c.component_number = r.line_number"
            " where r.order_id = any(%s::uuid[]) and r.kind = 'consumed'",
            list(dict.fromkeys(order_ids)),
        )
        result: dict[tuple[str, str], dict[int, AllocatedLine]] = defaultdict(dict)
        for order_id, node_id, line_number, *line in rows:
            result[order_id, node_id][line_number] = AllocatedLine(*line)
        return result

    def bundles(self, order_ids: Iterable[str]) -> dict[str, list[BundleView]]:
        """The bundles of these orders, by order id and line number."""
        rows = fetch(
            self._connection,
            "select c.order_id::text, c.line_number, l.sku, (l.unit_price * 10000)::bigint,"
            " c.component_number, c.quantity_per_bundle, coalesce(-sum(m.quantity), 0)::bigint"
            " from order_line_component c"
            " join order_line l on l.order_id = c.order_id and l.line_number = c.line_number"
            " left join fulfilment_order f"
            " on f.order_id = c.order_id and f.status in ('dispatched', 'delivered')"
            " left join shipment_dispatched s on s.fulfilment_order_id = f.fulfilment_order_id"
            " left join stock_movement m on m.reference_id = s.shipment_id"
            " and m.reference_line = c.component_number and m.kind = 'shipped'"
            " where c.order_id = any(%s::uuid[]) group by 1, 2, 3, 4, 5, 6 order by 1, 2, 5",
            list(dict.fromkeys(order_ids)),
        )
        found: dict[tuple[str, int], BundleView] = {}
        for order_id, line_number, sku, price, part, each, gone in rows:
            bundle = found.setdefault(
                (order_id, line_number), BundleView(line_number, sku, price, {}, {})
            )
            bundle.per_bundle[part] = each
            bundle.handed_over[part] = gone
        result: dict[str, list[BundleView]] = defaultdict(list)
        for (order_id, _), bundle in found.items():
            result[order_id].append(bundle)
        return result

    def scopes_under_way(self) -> list[tuple[str, str]]:
        """(region, brand) of what carriers have and have not delivered."""
        return fetch(
            self._connection,
            "select distinct o.region, o.brand from fulfilment_order f"
            " join order_placed o on o.order_id = f.order_id"
            " where f.status = 'dispatched' order by o.region, o.brand",
        )

    def under_way_since(
        self, deadlines: Mapping[tuple[str, str], datetime], case_type: str
    ) -> list[ParcelView]:
        """Parcels of a (region, brand) dispatched before its deadline, without such a case."""
        if not deadlines:
            return []
        rows = fetch(
            self._connection,
            _UNDER_WAY_SINCE,
            [region for region, _ in deadlines],
            [brand for _, brand in deadlines],
            list(deadlines.values()),
            case_type,
        )
        return [
            ParcelView(key, About(*about), carrier, since) for key, carrier, since, *about in rows
        ]
