{{ config(materialized='incremental', unique_key='order_id') }}

with reservations as (
    select * from {{ ref('int_reservations_settled') }}
),

{% if is_incremental() %}
touched as (
    {{ touched_keys(['order_id'], ['reservations']) }}
),

{% endif %}
final as (
    select
        order_id,
        line_number,
        node_id,
        sku,
        reserved_at,
        expires_at,
        ended_at,
        end_kind,
        deallocation_reason_code,
        cast(reserved_quantity as bigint) as reserved_quantity,
        cast(still_reserved_quantity as bigint) as still_reserved_quantity,
        cast(allocated_quantity as bigint) as allocated_quantity,
        cast(deallocated_quantity as bigint) as deallocated_quantity,
        cast(shipped_quantity as bigint) as shipped_quantity,
        cast(
            allocated_quantity - deallocated_quantity - shipped_quantity as bigint
        ) as awaiting_dispatch_quantity,
        reserved_xid,
        recorded_xid
    from reservations
    {% if is_incremental() %}
    where order_id in (select touched.order_id from touched)
    {% endif %}
)

select * from final
