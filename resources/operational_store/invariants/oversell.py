"""S1: nobody was promised what was not there, at no instant and in no position."""

from __future__ import annotations

from resources.operational_store.invariants.judging import Invariant
from resources.operational_store.invariants.stock_effects import EFFECTS

# The state of a position after each transaction that touched it. A transaction holds the lock of
# its positions until it ends, so the order of its last row is the order of the transactions.
_INSTANTS = f"""
with {EFFECTS},

transaction_effect as (
    select
        node_id, sku, recorded_xid,
        max(ledger_sequence) as ledger_sequence,
        sum(on_hand)::bigint as on_hand,
        sum(reserved)::bigint as reserved,
        sum(allocated)::bigint as allocated
    from effect
    group by node_id, sku, recorded_xid
),

instant as (
    select
        node_id, sku, recorded_xid, ledger_sequence,
        sum(on_hand) over position_so_far as on_hand,
        sum(reserved) over position_so_far as reserved,
        sum(allocated) over position_so_far as allocated
    from transaction_effect
    window position_so_far as (
        partition by node_id, sku
        order by ledger_sequence
        rows unbounded preceding
    )
)
"""

# Only the first broken instant of a position: all later ones follow from it.
_BROKEN_INSTANTS = f"""
{_INSTANTS}

select distinct on (node_id, sku)
    case
        when reserved + allocated > on_hand then 'promised more than is on hand'
        else 'promises below zero'
    end as wrong,
    node_id, sku, ledger_sequence,
    on_hand as on_hand_quantity,
    reserved as reserved_quantity,
    allocated as allocated_quantity
from instant
where reserved + allocated > on_hand or reserved < 0 or allocated < 0
order by node_id, sku, ledger_sequence
"""

_POSITIONS_THAT_DIFFER = f"""
with {EFFECTS},

ledger as (
    select
        node_id, sku,
        sum(on_hand)::bigint as on_hand,
        sum(reserved)::bigint as reserved,
        sum(allocated)::bigint as allocated
    from effect
    group by node_id, sku
)

select
    compared.what || ' is not what the ledger says' as wrong,
    coalesce(ledger.node_id, held.node_id) as node_id,
    coalesce(ledger.sku, held.sku) as sku,
    compared.position_quantity,
    compared.ledger_quantity
from ledger
full join stock_position as held
    on ledger.node_id = held.node_id and ledger.sku = held.sku
cross join lateral (
    values
        ('on hand', coalesce(held.on_hand_quantity, 0), coalesce(ledger.on_hand, 0)),
        ('reserved', coalesce(held.reserved_quantity, 0), coalesce(ledger.reserved, 0)),
        ('allocated', coalesce(held.allocated_quantity, 0), coalesce(ledger.allocated, 0))
) as compared (what, position_quantity, ledger_quantity)
where compared.position_quantity <> compared.ledger_quantity
order by 2, 3, 1
"""


S1 = Invariant(
    "S1",
    "No oversell: reserved + allocated ≤ on hand after every transaction",
    """
    select
        exists (select from stock_position)
        or exists (select from reservation_movement)
        or exists (select from deallocation)
    """,
    {
        "promised more than is on hand": _BROKEN_INSTANTS,
        "a position is not what the ledger says": _POSITIONS_THAT_DIFFER,
        "an order line holds more than was ordered": """
            with held as (
                select order_id, line_number, sku, quantity
                from reservation_movement
                where kind <> 'consumed'
                union all
                select order_id, line_number, sku, -quantity
                from deallocation
            ),

            line as (
                select order_id, line_number, sku, sum(quantity)::bigint as held_quantity
                from held
                group by order_id, line_number, sku
            )

            select
                line.order_id, line.line_number, line.sku, line.held_quantity,
                order_line.ordered_quantity
            from line
            left join order_line
                on line.order_id = order_line.order_id
                    and line.line_number = order_line.line_number
                    and line.sku = order_line.sku
            where line.held_quantity > coalesce(order_line.ordered_quantity, 0)
            order by line.order_id, line.line_number
        """,
    },
)
