"""What a plan reads of the operational store: positions, terms, lead times, earlier plans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pandas as pd
import sqlalchemy as sa

from resources.operational_store.bulk import execute, fetch, fetch_frame

#: Advisory lock of whoever plans: two plans at once would propose the same.
_PLANNING = 6_170_401_984

# On order is what an order's lines still wait for, as far as the supplier has confirmed it, what
# waits for inspection, and what was announced without an order. Requested is what was proposed and
# neither ordered nor denied.
_POSITIONS = """
    with acknowledged as (
        select distinct on (purchase_order_id, purchase_order_line_id)
            purchase_order_id, purchase_order_line_id, quantity
        from purchase_order_acknowledged
        order by purchase_order_id, purchase_order_line_id, occurred_at desc, acknowledgement_id
    ), ordered as (
        select l.sku, l.node_id,
            sum(case
                when l.delivered_quantity > 0 then least(
                    l.backordered_quantity,
                    greatest(
                        coalesce(a.quantity, l.ordered_quantity)
                            - l.accepted_quantity - l.held_quantity, 0)
                ) + l.held_quantity
                else least(l.ordered_quantity, coalesce(a.quantity, l.ordered_quantity))
            end)::bigint as quantity
        from purchase_order_line l
        left join acknowledged a using (purchase_order_id, purchase_order_line_id)
        where not l.is_closed group by 1, 2
    ), last_word as (
        select distinct on (document_number) document_number, announcement_id
        from inbound_announced
        order by document_number, occurred_at desc, announcement_id
    ), announced as (
        select a.document_number, a.sku, a.node_id, sum(a.announced_quantity)::bigint as quantity
        from inbound_announced a join last_word using (announcement_id)
        where a.status <> 'cancelled' and a.expected_at >= %s group by 1, 2, 3
    ), received as (
        select document_number, sku, sum(received_quantity)::bigint as quantity
        from inbound_received group by 1, 2
    ), inbound as (
        select a.sku, a.node_id,
            sum(greatest(a.quantity - coalesce(r.quantity, 0), 0))::bigint as quantity
        from announced a left join received r using (document_number, sku) group by 1, 2
    ), requested as (
        select p.sku, p.node_id, sum(p.order_quantity)::bigint as quantity
        from replenishment_proposal p
        where p.requisition_id is not null
            and not exists (
                select from requisition_decided d
                where d.requisition_id = p.requisition_id and d.decision = 'denied')
            and not exists (
                select from purchase_order_placed o where o.requisition_id = p.requisition_id)
        group by 1, 2
    ), transfer as (
        select t.sku, t.from_node_id, t.to_node_id, t.quantity from transfer_proposal t
        where t.effective_at > %s and not exists (
            select from inbound_announced a where a.document_number = t.transfer_number::text)
    ), moved as (
        select sku, to_node_id as node_id, sum(quantity)::bigint as quantity
        from transfer group by 1, 2
    ), leaving as (
        select sku, from_node_id as node_id, sum(quantity)::bigint as quantity
        from transfer group by 1, 2
    ), known as (
        select sku, node_id from stock_position union select sku, node_id from ordered
        union select sku, node_id from inbound union select sku, node_id from requested
        union select sku, node_id from moved
    )
    select k.sku, k.node_id, coalesce(s.on_hand_quantity, 0)::bigint as on_hand_quantity,
        -- What is told to leave is spoken for as well, whatever else is on its way.
        (coalesce(s.reserved_quantity + s.allocated_quantity, 0) + coalesce(e.quantity, 0))::bigint
            as reserved_quantity,
        (coalesce(o.quantity, 0) + coalesce(i.quantity, 0))::bigint as on_order_quantity,
        (coalesce(r.quantity, 0) + coalesce(m.quantity, 0))::bigint as requested_quantity
    from known k
    join node n on n.node_id = k.node_id and n.is_active and n.kind <> 'drop_ship'
    left join stock_position s on s.sku = k.sku and s.node_id = k.node_id
    left join ordered o on o.sku = k.sku and o.node_id = k.node_id
    left join inbound i on i.sku = k.sku and i.node_id = k.node_id
    left join requested r on r.sku = k.sku and r.node_id = k.node_id
    left join moved m on m.sku = k.sku and m.node_id = k.node_id
    left join leaving e on e.sku = k.sku and e.node_id = k.node_id
    order by k.sku, k.node_id
"""
# A supplier may be ordered from while it is active and its account is confirmed.
_TERMS = """
    select t.supplier_id, t.sku, (t.unit_price * 10000)::bigint as unit_price, t.currency_code,
        t.lead_time_days, t.minimum_quantity, t.case_quantity, t.is_anchored_at_minimum,
        t.pallet_quantity, t.maximum_quantity, t.is_preferred,
        s.is_active and s.bank_status = 'confirmed' as is_orderable
    from supplier_terms t join supplier s using (supplier_id)
    order by t.sku, t.supplier_id
"""
_RECEIVED = """
    with placed as (
        select purchase_order_id, min(occurred_at) as ordered_at
        from purchase_order_placed group by 1
    ), came as (
        select purchase_order_id, purchase_order_line_id, min(occurred_at) as received_at
        from goods_received group by 1, 2
    )
    select l.supplier_id,
        extract(epoch from c.received_at - p.ordered_at)::float8 / 86400 as lead_days
    from came c
    join placed p using (purchase_order_id)
    join purchase_order_line l using (purchase_order_id, purchase_order_line_id)
    where c.received_at >= p.ordered_at
    order by 1, c.purchase_order_id, c.purchase_order_line_id
"""
_STANDING = """
    select supplier_id, count(*) as due_lines,
        count(*) filter (where accepted_quantity >= ordered_quantity
            and last_at <= due_at) as good_lines
    from purchase_order_line l
    left join (
        select purchase_order_id, purchase_order_line_id, max(occurred_at) as last_at
        from goods_received group by 1, 2
    ) r using (purchase_order_id, purchase_order_line_id)
    where l.due_at <= %s and l.due_at > %s
    group by 1 order by 1
"""


@dataclass(frozen=True)
class LastModels:
    """The models that were last chosen, by demand class."""

    chosen_at: datetime
    models: dict[str, str]


def lock_planning(connection: sa.Connection) -> None:
    """Let nobody else plan until the transaction ends."""
    execute(connection, "select pg_advisory_xact_lock(%s)", _PLANNING)


def positions(
    connection: sa.Connection, at: datetime, expected_within: timedelta, moves_take: timedelta
) -> pd.DataFrame:
    """Stock and what is coming, by SKU and place, without what customers wait for.

    Args:
        connection: The transaction.
        at: Effective time.
        expected_within: An announcement that is later than that is believed no more.
        moves_take: A proposed transfer counts as under way for so long, unless it is announced.
    """
    return fetch_frame(connection, _POSITIONS, at - expected_within, at - moves_take)


def backordered(connection: sa.Connection) -> dict[str, int]:
    """Units that customers wait for, by SKU."""
    asked = "select sku, sum(quantity)::bigint from pooled_line group by 1 order by 1"
    return dict(fetch(connection, asked))


def terms(connection: sa.Connection) -> pd.DataFrame:
    """What suppliers sell, and whether they may be ordered from as far as master data say."""
    return fetch_frame(connection, _TERMS)


def received_lines(connection: sa.Connection) -> pd.DataFrame:
    """Days from the order to the first goods, of every line of which something came."""
    return fetch_frame(connection, _RECEIVED)


def standing(connection: sa.Connection, since: datetime, at: datetime) -> pd.DataFrame:
    """Lines of each supplier that were due in a time, and how many came whole and in time."""
    return fetch_frame(connection, _STANDING, at, since)


def has_orders(connection: sa.Connection) -> bool:
    """Whether anything was ever asked for."""
    return bool(fetch(connection, "select exists (select from order_placed)")[0][0])


def next_plan_number(connection: sa.Connection, day: date) -> int:
    """How many plans there are of a day, and one more."""
    rows = fetch(connection, "select count(*) from replenishment_plan where planned_for = %s", day)
    return int(rows[0][0]) + 1


def last_models(connection: sa.Connection) -> LastModels | None:
    """The models that were last chosen."""
    rows = fetch(
        connection,
        "select effective_at, demand_class, model from forecast_model where is_chosen and plan_id ="
        " (select plan_id from forecast_model order by effective_at desc, plan_id limit 1)",
    )
    if not rows:
        return None
    return LastModels(rows[0][0], {demand_class: model for _, demand_class, model in rows})


def forecast_errors(connection: sa.Connection) -> pd.DataFrame:
    """What each series' model was off by a day, when models were last chosen."""
    return fetch_frame(
        connection,
        "select region, sku, demand_class, daily_deviation from forecast_error order by 1, 2",
    )


def product_classes(connection: sa.Connection) -> dict[str, str]:
    """The class of each SKU that has one."""
    return dict(
        fetch(connection, "select sku, product_class from product where product_class is not null")
    )


def spikes_since(connection: sa.Connection, since: datetime) -> list[tuple[str, str, str, float]]:
    """(spike_id, region, product_class, rise) of what was detected after an instant."""
    rows = fetch(
        connection,
        "select spike_id::text, region, product_class, seen_share / usual_share from demand_spike"
        " where detected_at > %s order by detected_at, spike_id",
        since,
    )
    return [(str(one), str(two), str(three), float(four)) for one, two, three, four in rows]


def scope_of_house(connection: sa.Connection) -> tuple[str, str, str, str]:
    """Legal entity, brand, region and channel of most orders: whose a plan of the house is."""
    rows = fetch(
        connection,
        "select legal_entity, brand, region, channel from order_placed"
        " group by 1, 2, 3, 4 order by count(*) desc, 1, 2, 3, 4 limit 1",
    )
    return tuple(rows[0]) if rows else ("house", "house", "house", "head_office")


_LAST_PROPOSALS = """
    select p.sku, p.node_id, p.supplier_id,
        case when p.outcome <> 'proposed' then p.outcome
            when exists (
                select from purchase_order_placed o where o.requisition_id = p.requisition_id
            ) then 'ordered'
            else coalesce(d.decision, 'waiting') end as status,
        p.order_quantity, p.amount, p.currency_code,
        p.on_hand_quantity - p.reserved_quantity - p.backordered_quantity + p.on_order_quantity
            + p.requested_quantity as position_quantity,
        p.reorder_point_quantity, round(p.daily_demand::numeric, 2) as daily_demand,
        p.requisition_id::text as requisition_id
    from replenishment_proposal p
    left join requisition_decided d using (requisition_id)
    where p.plan_id = (
        select plan_id from replenishment_plan order by effective_at desc, plan_number desc limit 1
    )
    order by p.amount desc, p.sku, p.node_id
"""


def last_proposals(connection: sa.Connection) -> list[dict[str, object]]:
    """What the last plan proposes, the dearest first, and what became of it."""
    return [dict(row) for row in connection.execute(sa.text(_LAST_PROPOSALS)).mappings()]


def all_spikes(connection: sa.Connection) -> list[dict[str, object]]:
    """Every spike that was found, the last one first; parts of orders in percent."""
    rows = connection.execute(
        sa.text(
            "select spike_id::text as spike_id, region, product_class, onset_at, detected_at,"
            " orders_seen, lines_seen, round(usual_share::numeric * 100, 1) || ' %' as usual,"
            " round(seen_share::numeric * 100, 1) || ' %' as seen from demand_spike"
            " order by detected_at desc, spike_id"
        )
    )
    return [dict(row) for row in rows.mappings()]
