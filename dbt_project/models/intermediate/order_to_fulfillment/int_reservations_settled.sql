with reservation_movements as (
    select * from {{ ref('stg_reservation_movement') }}
),

deallocations as (
    select * from {{ ref('stg_deallocation') }}
),

stock_movements as (
    select * from {{ ref('stg_stock_movement') }}
),

reserved as (
    select
        order_id,
        line_number,
        node_id,
        max(sku) as sku,
        sum(case when is_start then quantity else 0 end) as reserved_quantity,
        sum(case when kind = 'consumed' then -quantity else 0 end) as allocated_quantity,
        sum(quantity) as still_reserved_quantity,
        max(case when not is_start then kind end) as end_kind,
        min(case when is_start then effective_at end) as reserved_at,
        min(case when is_start then recorded_xid end) as reserved_xid,
        max(case when is_start then expires_at end) as expires_at,
        max(case when not is_start then effective_at end) as ended_at,
        max(recorded_xid) as recorded_xid
    from reservation_movements
    group by order_id, line_number, node_id
),

shipped as (
    select
        order_id,
        reference_line as line_number,
        node_id,
        -sum(quantity) as shipped_quantity,
        max(recorded_xid) as recorded_xid
    from stock_movements
    where kind = 'shipped' and order_id is not null
    group by order_id, reference_line, node_id
),

final as (
    select
        reserved.order_id,
        reserved.line_number,
        reserved.node_id,
        reserved.sku,
        reserved.reserved_quantity,
        reserved.still_reserved_quantity,
        reserved.end_kind,
        reserved.reserved_at,
        reserved.reserved_xid,
        reserved.expires_at,
        reserved.ended_at,
        reserved.allocated_quantity,
        coalesce(deallocations.quantity, 0) as deallocated_quantity,
        deallocations.reason_code as deallocation_reason_code,
        coalesce(shipped.shipped_quantity, 0) as shipped_quantity,
        greatest(
            reserved.recorded_xid, deallocations.recorded_xid, shipped.recorded_xid
        ) as recorded_xid
    from reserved
    left join deallocations
        on
            reserved.order_id = deallocations.order_id
            and reserved.line_number = deallocations.line_number
            and reserved.node_id = deallocations.node_id
    left join shipped
        on
            reserved.order_id = shipped.order_id
            and reserved.line_number = shipped.line_number
            and reserved.node_id = shipped.node_id
)

select * from final
