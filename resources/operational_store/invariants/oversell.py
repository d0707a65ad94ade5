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
            ),

            -- A bundle is wanted as its components, under their own numbers.
            wanted as (
                select ordered.order_id, ordered.line_number, ordered.sku, ordered.ordered_quantity
                from order_line as ordered
                union all
                select
                    part.order_id, part.component_number, part.sku,
                    ordered.ordered_quantity * part.quantity_per_bundle
                from order_line_component as part
                inner join order_line as ordered
                    on part.order_id = ordered.order_id and part.line_number = ordered.line_number
            )

            select
                line.order_id, line.line_number, line.sku, line.held_quantity,
                wanted.ordered_quantity
            from line
            left join wanted
                on line.order_id = wanted.order_id
                    and line.line_number = wanted.line_number
                    and line.sku = wanted.sku
            where line.held_quantity > coalesce(wanted.ordered_quantity, 0)
            order by line.order_id, line.line_number
        """,
        "units are promised that complete no bundle": """
            with held as (
                select order_id, line_number, node_id, sum(quantity)::bigint as quantity
                from reservation_movement
                group by order_id, line_number, node_id
                having sum(quantity) > 0
            ),

            component as (
                select
                    part.order_id, part.line_number, part.sku,
                    coalesce(sum(held.quantity), 0)::bigint as held_quantity,
                    part.quantity_per_bundle
                from order_line_component as part
                left join held
                    on part.order_id = held.order_id and part.component_number = held.line_number
                group by
                    part.order_id, part.component_number, part.line_number, part.sku,
                    part.quantity_per_bundle
            ),

            bundle as (
                select
                    order_id, line_number, min(held_quantity / quantity_per_bundle) as fewest,
                    max(held_quantity / quantity_per_bundle) as most,
                    sum(held_quantity % quantity_per_bundle)::bigint as left_over
                from component
                group by order_id, line_number
            )

            select order_id, line_number, fewest, most, left_over
            from bundle
            where fewest <> most or left_over <> 0
            order by order_id, line_number
        """,
        "another number of bundles left than is said": """
            with gone as (
                select order_id, reference_line, -sum(quantity)::bigint as quantity
                from stock_movement
                where kind = 'shipped' and order_id in (select order_id from order_line_component)
                group by order_id, reference_line
            ),

            whole as (
                select
                    part.order_id, part.line_number,
                    min(coalesce(gone.quantity, 0) / part.quantity_per_bundle) as quantity
                from order_line_component as part
                left join gone
                    on part.order_id = gone.order_id
                        and part.component_number = gone.reference_line
                group by part.order_id, part.line_number
            ),

            told as (
                select order_id, line_number, sum(quantity)::bigint as quantity
                from bundle_handed_over
                group by order_id, line_number
            )

            select
                order_id, line_number, coalesce(told.quantity, 0) as told_quantity,
                coalesce(whole.quantity, 0) as whole_quantity
            from whole
            full join told using (order_id, line_number)
            where coalesce(told.quantity, 0) <> coalesce(whole.quantity, 0)
            order by order_id, line_number
        """,
    },
)
