"""S3: the life of a reservation, from its one start to its one end."""

from __future__ import annotations

from resources.operational_store.invariants.judging import Invariant

# The rows of a reservation side by side; more than one start or end only without the primary key.
_RESERVATIONS = """
with reservation as (
    select
        order_id, line_number, node_id, sku,
        count(*) filter (where kind = 'reserved') as start_count,
        count(*) filter (where kind <> 'reserved') as end_count,
        sum(quantity)::bigint as open_quantity,
        min(ledger_sequence) filter (where kind = 'reserved') as started,
        min(ledger_sequence) filter (where kind <> 'reserved') as ended,
        max(expires_at) filter (where kind = 'reserved') as expires_at
    from reservation_movement
    group by order_id, line_number, node_id, sku
)

select order_id, line_number, node_id, sku, {columns}
from reservation
{clauses}
order by order_id, line_number, node_id
"""


def _reservations(columns: str, clauses: str) -> str:
    return _RESERVATIONS.format(columns=columns, clauses=clauses)


# Goods that were collected, or that nobody came for, are nobody's any more at that store.
_PICKUPS_THAT_STILL_HOLD = """
with ended as (
    select distinct order_id, node_id
    from pickup_step
    where step in ('rejected', 'collected', 'unclaimed')
),

held as (
    select order_id, node_id, case when is_start then quantity else 0 end as quantity
    from reservation_movement
    union all
    select order_id, node_id, quantity
    from reservation_movement
    where not is_start and kind <> 'consumed'
    union all
    select order_id, node_id, quantity
    from stock_movement
    where kind = 'shipped'
    union all
    select order_id, node_id, -quantity
    from deallocation
)

select ended.order_id, ended.node_id, sum(held.quantity)::bigint as held_quantity
from ended
inner join held on ended.order_id = held.order_id and ended.node_id = held.node_id
group by ended.order_id, ended.node_id
having sum(held.quantity) <> 0
order by ended.order_id, ended.node_id
"""

# What lies at a counter ends with its time, as a reservation does.
_PICKUPS_PAST_THEIR_TIME = """
select order_id, node_id, expires_at
from pickup
where
    due_at is not null and ready_at is not null
    and expires_at < (select effective_at from home_clock)
order by order_id
"""


# Who waits for supply has a life too: in the ledger, in the sum of the pool, and as a line.
_POOLS_THAT_DIFFER = """
with ledger as (
    select sku, pool, sum(quantity)::bigint as quantity
    from backorder_movement
    group by sku, pool
),

waiting as (
    select sku, pool, sum(quantity)::bigint as quantity
    from pooled_line
    group by sku, pool
)

select
    sku,
    pool,
    coalesce(ledger.quantity, 0) as ledger_quantity,
    coalesce(held.open_quantity, 0) as pool_quantity,
    coalesce(waiting.quantity, 0) as waiting_quantity
from ledger
full join supply_pool as held using (sku, pool)
full join waiting using (sku, pool)
where
    coalesce(ledger.quantity, 0) <> coalesce(held.open_quantity, 0)
    or coalesce(ledger.quantity, 0) <> coalesce(waiting.quantity, 0)
order by sku, pool
"""

_WAITING_FOR_NOTHING = """
select line.order_id, line.line_number, state.status
from pooled_line as line
left join order_state as state on line.order_id = state.order_id
where
    state.status is null
    or state.status not in ('awaiting_payment', 'backordered')
order by line.order_id, line.line_number
"""

_WAIT_ENDS_BEFORE_IT_STARTS = """
select order_id, line_number, sum(quantity)::bigint as open_quantity
from backorder_movement
group by order_id, line_number
having bool_or(is_start) is false or (count(*) = 2 and sum(quantity) <> 0)
order by order_id, line_number
"""


S3 = Invariant(
    "S3",
    "Each reservation and each wait starts once, ends at most once, and is 0 after its end",
    "select exists (select from reservation_movement)",
    {
        "does not start exactly once": _reservations("start_count", "where start_count <> 1"),
        "ends more than once": _reservations("end_count", "where end_count > 1"),
        "is not 0 after its end": _reservations(
            "open_quantity", "where start_count = 1 and end_count = 1 and open_quantity <> 0"
        ),
        "starts with nothing": _reservations(
            "open_quantity", "where end_count = 0 and open_quantity <= 0"
        ),
        "ends before it starts": _reservations("started, ended", "where ended < started"),
        # A window's end is when expiry runs, so what expired at that very instant is ended too.
        "is open past its expiry": _reservations(
            "open_quantity, expires_at",
            "where end_count = 0 and expires_at < (select effective_at from home_clock)",
        ),
        "a pool is not what its ledger and its lines say": _POOLS_THAT_DIFFER,
        "a line waits though its order does not": _WAITING_FOR_NOTHING,
        "a wait is not 0 after its end": _WAIT_ENDS_BEFORE_IT_STARTS,
        "a pickup that ended still holds units": _PICKUPS_THAT_STILL_HOLD,
        "a pickup is held past its time": _PICKUPS_PAST_THEIR_TIME,
    },
)
