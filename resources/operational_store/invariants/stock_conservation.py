"""S2: no unit on hand appears or goes without a movement, and none is shipped without a reason."""

from __future__ import annotations

from resources.operational_store.invariants.judging import Invariant
from resources.operational_store.invariants.synchronisation import DRIFT_FINDINGS

S2 = Invariant(
    "S2",
    "Conservation: on hand = received + counted and adjusted differences − shipped",
    "select exists (select from stock_movement)",
    {
        "on hand is not the sum of its movements": """
            with moved as (
                select
                    node_id, sku,
                    sum(quantity) filter (where kind = 'received') as received,
                    sum(quantity) filter (where kind in ('counted', 'adjusted')) as corrected,
                    sum(quantity) filter (where kind = 'shipped') as shipped
                from stock_movement
                group by node_id, sku
            ),

            summed as (
                select
                    node_id, sku,
                    coalesce(received, 0) as received_quantity,
                    coalesce(corrected, 0) as corrected_quantity,
                    coalesce(shipped, 0) as shipped_quantity
                from moved
            )

            select
                coalesce(summed.node_id, held.node_id) as node_id,
                coalesce(summed.sku, held.sku) as sku,
                held.on_hand_quantity,
                summed.received_quantity, summed.corrected_quantity, summed.shipped_quantity
            from summed
            full join stock_position as held
                on summed.node_id = held.node_id and summed.sku = held.sku
            where
                coalesce(held.on_hand_quantity, 0)
                <> coalesce(received_quantity + corrected_quantity + shipped_quantity, 0)
            order by 1, 2
        """,
        "a movement has the wrong sign for its kind": """
            select ledger_sequence, node_id, sku, kind, quantity
            from stock_movement
            where
                kind = 'shipped' and quantity >= 0
                or kind = 'received' and quantity <= 0
                or kind not in ('received', 'counted', 'adjusted', 'shipped')
            order by ledger_sequence
        """,
        "on hand below zero": """
            with movement as (
                select
                    node_id, sku, recorded_xid,
                    max(ledger_sequence) as ledger_sequence,
                    sum(quantity)::bigint as quantity
                from stock_movement
                group by node_id, sku, recorded_xid
            ),

            instant as (
                select
                    node_id, sku, ledger_sequence,
                    sum(quantity) over (
                        partition by node_id, sku
                        order by ledger_sequence
                        rows unbounded preceding
                    ) as on_hand_quantity
                from movement
            )

            select distinct on (node_id, sku) node_id, sku, ledger_sequence, on_hand_quantity
            from instant
            where on_hand_quantity < 0
            order by node_id, sku, ledger_sequence
        """,
        "shipped without a shipment": """
            select movement.ledger_sequence, movement.node_id, movement.sku, movement.order_id
            from stock_movement as movement
            left join shipment_dispatched as shipment
                on movement.reference_id = shipment.shipment_id
                    and movement.order_id = shipment.order_id
                    and movement.node_id = shipment.node_id
            where movement.kind = 'shipped' and shipment.shipment_id is null
            order by movement.ledger_sequence
        """,
        "a shipment is not the sum of its movements": """
            with shipped as (
                select reference_id as shipment_id, -sum(quantity)::bigint as moved_quantity
                from stock_movement
                where kind = 'shipped'
                group by reference_id
            )

            select shipment.shipment_id, shipment.shipped_quantity, shipped.moved_quantity
            from shipment_dispatched as shipment
            left join shipped on shipment.shipment_id = shipped.shipment_id
            where shipment.shipped_quantity <> coalesce(shipped.moved_quantity, 0)
            order by shipment.shipment_id
        """,
        "shipped or given up more than was allocated": """
            with left_allocation as (
                select order_id, reference_line as line_number, node_id, sku, -quantity as quantity
                from stock_movement
                where kind = 'shipped'
                union all
                select order_id, line_number, node_id, sku, quantity
                from deallocation
            ),

            gone as (
                select order_id, line_number, node_id, sku, sum(quantity)::bigint as gone_quantity
                from left_allocation
                group by order_id, line_number, node_id, sku
            ),

            allocation as (
                select order_id, line_number, node_id, sku, -sum(quantity)::bigint as quantity
                from reservation_movement
                where kind = 'consumed'
                group by order_id, line_number, node_id, sku
            )

            select
                gone.order_id, gone.line_number, gone.node_id, gone.sku, gone.gone_quantity,
                coalesce(allocation.quantity, 0) as allocated_quantity
            from gone
            left join allocation
                on gone.order_id = allocation.order_id
                    and gone.line_number = allocation.line_number
                    and gone.node_id = allocation.node_id
                    and gone.sku = allocation.sku
            where gone.gone_quantity > coalesce(allocation.quantity, 0)
            order by gone.order_id, gone.line_number, gone.node_id
        """,
        **DRIFT_FINDINGS,
    },
)
