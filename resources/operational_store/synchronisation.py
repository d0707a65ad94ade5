"""What is known of other systems' stock, and what could explain that it is not ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from assets.ports import Proposal
from resources.operational_store.bulk import fetch

# Stock documents that came and are not applied: what they would have changed, line by line.
_UNAPPLIED = """
    select line.sku, said.what,
        case when said.event_type like 'retail.shipment.%%' then -line.quantity
            else line.quantity end,
        said.occurred_at
    from (
        select i.event_type, i.occurred_at, i.data, 'waiting' as what
        from event_inbox i
        where i.status = 'waiting'
        union all
        select i.event_type, i.occurred_at, i.data,
            case when q.reason_code in
                ('document_already_booked', 'illegal_transition', 'shipment_number_used')
                then 'repeated' else 'refused' end
        from quarantined_event q
        join event_inbox i on i.source = q.source and i.event_id = q.event_id
        where i.status = 'quarantined' and q.status = 'open'
    ) said
    cross join lateral json_to_recordset(said.data -> 'lines')
        as line (sku text, quantity bigint)
    where said.event_type = any(array['retail.inventory.received.v1',
            'retail.inventory.adjusted.v1', 'retail.shipment.dispatched.v1'])
        and said.data ->> 'node_id' = %s and line.sku = any(%s)
        and said.occurred_at > %s and said.occurred_at <= %s
"""
_UNDELIVERED = """
    select line.sku, case o.status when 'dead' then 'undeliverable' else 'unsent' end,
        case o.command_type when 'goods_issue.post' then -line.quantity else line.quantity end,
        (o.payload ->> 'effective_at')::timestamptz
    from command_outbox o
    cross join lateral json_to_recordset(o.payload -> 'lines') as line (sku text, quantity bigint)
    where o.status <> 'delivered' and o.partner = %s
        and o.command_type in ('goods_issue.post', 'stock_adjustment.post')
        and o.payload ->> 'node_id' = %s and line.sku = any(%s)
        and (o.payload ->> 'effective_at')::timestamptz <= %s
"""
# What was applied here after the snapshot's time, nobody could have heard from us by then; what was
# in our books when both last agreed, was in theirs. What a system's own word has corrected is no
# news to it. A refused pickup is written off by us, as a correction is, and names its order. Of
# what is collected we hear from the store's counter, not from its warehouse system.
_MOVED = """
    with agreed as (
        select distinct on (s.sku) s.sku, s.occurred_at, s.ledger_watermark
        from inventory_snapshot s
        where s.system = %s and s.node_id = %s and s.sku = any(%s) and s.occurred_at > %s
            and s.occurred_at < %s and s.drift_quantity = 0
        order by s.sku, s.occurred_at desc, s.ledger_watermark
    )

    select m.sku,
        case when c.reference_id is not null or m.kind <> 'shipped' and m.order_id is not null
            then 'correction' when h.shipment_id is not null then 'collected' else m.kind end
            || case when m.effective_at > %s then '_unheard'
                when m.occurred_at <= a.occurred_at and m.ledger_sequence <= a.ledger_watermark
                    then '_agreed'
                else '' end,
        sum(m.quantity)::bigint, max(m.effective_at)
    from stock_movement m
    left join agreed a on a.sku = m.sku
    left join lateral (
        -- All that one document has corrected is one system's word.
        select k.reference_id, bool_or(s.system = %s) as is_own
        from stock_correction k
        join inventory_snapshot s on s.snapshot_id = k.snapshot_id and s.sku = k.sku
        where k.reference_id = m.reference_id
        group by k.reference_id
    ) c on true
    left join shipment_dispatched h on h.shipment_id = m.reference_id and h.carrier = 'customer'
    where m.node_id = %s and m.sku = any(%s) and m.occurred_at > %s and m.occurred_at <= %s
        and c.is_own is not true
    group by m.sku, m.reference_id, 2
"""
# Movements that were told on the other side of a count than they happened. Both are looked for in
# the days in which documents are, which the ledger's index of block ranges finds.
_CROSSED = """
    select m.sku, 'crossed',
        sum(case when m.occurred_at <= c.occurred_at then m.quantity else -m.quantity end)::bigint,
        max(m.occurred_at)
    from stock_movement c
    join stock_movement m on m.node_id = c.node_id and m.sku = c.sku and m.kind <> 'counted'
        and (m.occurred_at <= c.occurred_at) = (m.ledger_sequence > c.ledger_sequence)
    where c.kind = 'counted' and c.order_id is null and c.node_id = %s and c.sku = any(%s)
        and c.occurred_at > %s and c.occurred_at <= %s
        and m.occurred_at > %s and m.occurred_at <= %s
    group by m.sku, c.ledger_sequence
"""
_AWAITED = """
    select r.sku, 'awaited', sum(r.quantity)::bigint, f.effective_at
    from fulfilment_order f
    join reservation_movement r
        on r.order_id = f.order_id and r.node_id = f.node_id and r.kind = 'consumed'
    where f.status in ('requested', 'accepted') and f.node_id = %s and r.sku = any(%s)
        and f.effective_at <= %s
    group by r.sku, f.fulfilment_order_id, f.effective_at
"""
# Of each SKU the end of an index: how often a channel has been told makes no difference.
_LEVELS = """
    select w.sku, told.published_quantity, told.publication_id, told.effective_at
    from unnest(%s::text[]) as w (sku)
    cross join lateral (
        select p.published_quantity, p.publication_id, p.effective_at
        from availability_published p
        where p.channel = %s and p.sku = w.sku and p.effective_at <= %s
        order by p.effective_at desc, p.publication_id limit 1
    ) told
"""
_FORMER_LEVELS = f"""
    with held as ({_LEVELS})
    select distinct former.sku,
        case when heard.occurred_at is null then 'level_unheard'
            when heard.occurred_at > %s then 'level_heard_later' else 'level_heard' end,
        former.published_quantity - held.published_quantity, held.effective_at
    from held
    join availability_published former
        on former.channel = %s and former.sku = held.sku
        and former.effective_at < held.effective_at and former.effective_at > %s
    left join availability_acknowledged heard on heard.publication_id = held.publication_id
"""
# Of each place the end of an index: how many snapshots there have ever been makes no difference.
_NEWEST = """
    select w.system, w.place, greatest(of_node.occurred_at, of_channel.occurred_at)
    from unnest(%s::text[], %s::text[]) as w (system, place)
    left join lateral (
        select s.occurred_at from inventory_snapshot s
        where s.node_id = w.place and s.system = w.system
        order by s.occurred_at desc limit 1
    ) of_node on true
    left join lateral (
        select s.occurred_at from inventory_snapshot s
        where s.channel = w.place and s.system = w.system
        order by s.occurred_at desc limit 1
    ) of_channel on true
    where of_node.occurred_at is not null or of_channel.occurred_at is not null
"""
_LAST_CODING = """
    with differing as materialized (
        select s.snapshot_id, s.sku, s.occurred_at, s.system, s.node_id
        from unnest(%s::text[], %s::timestamptz[]) as asked (node_id, since)
        join inventory_snapshot s on s.node_id = asked.node_id and s.occurred_at > asked.since
        where s.drift_quantity <> 0 and s.sku = any(%s)
    )
    select d.snapshot_id::text, d.sku, d.reason_code, d.quantity, d.revision,
        (d.amount * 10000 / d.quantity)::bigint, d.currency_code, s.occurred_at, s.system,
        s.node_id, coalesce(booked.quantity, 0)::bigint, coalesce(booked.revision, 0)
    from differing s
    cross join lateral (
        select max(r.revision) as revision from inventory_drift_reason r
        where r.snapshot_id = s.snapshot_id and r.sku = s.sku
    ) last
    join inventory_drift_reason d
        on d.snapshot_id = s.snapshot_id and d.sku = s.sku and d.revision = last.revision
    cross join lateral (
        select max(c.revision) as revision,
            sum(c.quantity) filter (where c.status in ('booked', 'reversed')) as quantity
        from stock_correction c
        where c.snapshot_id = s.snapshot_id and c.sku = s.sku
    ) booked
    order by d.snapshot_id, d.sku, d.reason_code
"""
# Corrections are no news, but for this: one that a snapshot knew of has been taken back since.
_ARRIVED = """
    with differing as materialized (
        select s.snapshot_id, s.sku, s.occurred_at, s.node_id, s.ledger_watermark
        from unnest(%s::text[], %s::timestamptz[]) as asked (node_id, since)
        join inventory_snapshot s on s.node_id = asked.node_id and s.occurred_at > asked.since
        where s.drift_quantity <> 0
    )
    select s.snapshot_id::text, s.sku, sum(m.quantity)::bigint
    from differing s
    join stock_movement m on m.node_id = s.node_id and m.sku = s.sku
        and m.occurred_at <= s.occurred_at and m.ledger_sequence > s.ledger_watermark
    where m.ledger_sequence > (select min(ledger_watermark) from differing)
        and not exists (
            select from stock_correction c
            where c.reference_id = m.reference_id and not exists (
                select from stock_correction b
                join stock_movement known
                    on known.reference_id = b.reference_id and known.sku = b.sku
                where c.status = 'reversed' and b.status = 'booked'
                    and b.snapshot_id = c.snapshot_id and b.sku = c.sku
                    and known.ledger_sequence <= s.ledger_watermark
            )
        )
    group by s.snapshot_id, s.sku
    having sum(m.quantity) <> 0
    order by 1, 2
"""

_WAITING = """
    select i.inbox_id, (i.data ->> 'as_of')::timestamptz,
        coalesce(i.data ->> 'node_id', i.data ->> 'channel')
    from event_inbox i
    where i.status = 'pending' and i.consumer = %s and i.occurred_at <= %s
"""

_PROPOSALS = """
    select w.system, w.node_id, w.sku, p.snapshot_id::text, p.quantity,
        (p.amount * 10000)::bigint, p.currency_code, l.status, l.revision, p.occurred_at
    from unnest(%s::text[], %s::text[], %s::text[]) as w (system, node_id, sku)
    cross join lateral (
        select c.* from inventory_snapshot s
        join stock_correction c on c.snapshot_id = s.snapshot_id and c.sku = s.sku
        where s.node_id = w.node_id and s.system = w.system and s.sku = w.sku
            and c.status = 'proposed'
        order by s.occurred_at desc, c.snapshot_id limit 1
    ) p
    cross join lateral (
        select c.status, c.revision from stock_correction c
        where c.snapshot_id = p.snapshot_id and c.sku = w.sku
        order by c.revision desc limit 1
    ) l
    order by 1, 2, 3
"""

Fact = tuple[str, str, int, datetime]


def waiting_snapshots(
    connection: sa.Connection, consumer: str, until: datetime
) -> list[tuple[int, datetime, str]]:
    """(inbox id, as of, node or channel) of the snapshots that were taken by then and wait."""
    return fetch(connection, _WAITING, consumer, until)


class SqlSynchronisation:
    """Other systems' stock, as one transaction sees it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def watermark(self) -> int:
        """The last number that the stock ledgers have given."""
        rows = fetch(self._connection, "select last_value from stock_ledger_sequence")
        return int(rows[0][0])

    def proposals(self, places: Iterable[tuple[str, str, str]]) -> list[Proposal]:
        """The newest correction that was proposed of each (system, node, SKU), decided or not."""
        asked = sorted(set(places))
        if not asked:
            return []
        columns = [list(column) for column in zip(*asked, strict=True)]
        return [Proposal(*row) for row in fetch(self._connection, _PROPOSALS, *columns)]

    def newest(self, places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], datetime]:
        """Time of the newest snapshot that was compared, by (system, node or channel)."""
        asked = list(places)
        rows = fetch(
            self._connection,
            _NEWEST,
            [system for system, _ in asked],
            [place for _, place in asked],
        )
        return {(system, place): at for system, place, at in rows}

    def released(self, case_type: str, business_keys: Iterable[str]) -> set[str]:
        """Those of these cases that a person has closed."""
        rows = fetch(
            self._connection,
            "select business_key from exception_case where case_type = %s"
            " and status = 'closed' and business_key = any(%s)",
            case_type,
            list(business_keys),
        )
        return {row[0] for row in rows}

    def spoken_for(self, systems: Sequence[str], node_id: str, since: datetime) -> set[str]:
        """SKUs of a node of which one of these systems has said something since."""
        rows = fetch(
            self._connection,
            "select distinct sku from inventory_snapshot"
            " where system = any(%s) and node_id = %s and occurred_at >= %s",
            list(systems),
            node_id,
            since,
        )
        return {row[0] for row in rows}

    def facts_of_node(
        self, system: str, node_id: str, skus: Sequence[str], since: datetime, as_of: datetime
    ) -> list[Fact]:
        """(sku, what it is, units, when) of all that could explain another quantity at a node."""
        wanted = list(skus)
        found: list[Fact] = []
        agreed = (system, node_id, wanted, since, as_of)
        for statement, arguments in (
            (_UNAPPLIED, (node_id, wanted, since, as_of)),
            (_UNDELIVERED, (system, node_id, wanted, as_of)),
            (_MOVED, (*agreed, as_of, system, node_id, wanted, since, as_of)),
            (_CROSSED, (node_id, wanted, since, as_of, since, as_of)),
            (_AWAITED, (node_id, wanted, as_of)),
        ):
            found += fetch(self._connection, statement, *arguments)
        return found

    def levels(self, channel: str, skus: Sequence[str], as_of: datetime) -> dict[str, int]:
        """What a channel had last been told of each SKU by an instant."""
        rows = fetch(self._connection, _LEVELS, list(skus), channel, as_of)
        return {sku: quantity for sku, quantity, *_ in rows}

    def facts_of_channel(
        self, channel: str, skus: Sequence[str], since: datetime, as_of: datetime
    ) -> list[Fact]:
        """The same of a channel: what it had been told before, and whether it heard the last."""
        return fetch(
            self._connection,
            _FORMER_LEVELS,
            list(skus),
            channel,
            as_of,
            as_of,
            channel,
            since,
        )

    def arrived_late(
        self, since: Mapping[str, datetime]
    ) -> tuple[list[tuple[Any, ...]], list[tuple[str, str, int]]]:
        """Each node's drift since, as last coded, and what of before it has moved later."""
        asked = (list(since), list(since.values()))
        arrived = fetch(self._connection, _ARRIVED, *asked)
        if not arrived:
            return [], []
        skus = sorted({sku for _, sku, _ in arrived})
        return fetch(self._connection, _LAST_CODING, *asked, skus), arrived
