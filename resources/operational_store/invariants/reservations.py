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


S3 = Invariant(
    "S3",
    "Each reservation starts once, ends at most once, and is 0 after its end",
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
        "a pickup that ended still holds units": _PICKUPS_THAT_STILL_HOLD,
        "a pickup is held past its time": _PICKUPS_PAST_THEIR_TIME,
    },
)
