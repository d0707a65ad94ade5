"""What each row of the stock ledgers does to its position, as SQL that others build on."""

from __future__ import annotations

# What every ledger row does to (on hand, reserved, allocated) of its position.
EFFECTS = """
effect as (
    select
        node_id, sku, recorded_xid, ledger_sequence,
        quantity as on_hand,
        0 as reserved,
        case when kind = 'shipped' and order_id is not null then quantity else 0 end as allocated
    from stock_movement
    union all
    select
        node_id, sku, recorded_xid, ledger_sequence,
        0,
        quantity,
        case when kind = 'consumed' then -quantity else 0 end
    from reservation_movement
    union all
    select node_id, sku, recorded_xid, ledger_sequence, 0, 0, -quantity
    from deallocation
)
"""
