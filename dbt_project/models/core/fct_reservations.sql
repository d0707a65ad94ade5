{{ config(materialized='incremental', unique_key='order_id') }}

with reservations as (
    select * from {{ ref('int_reservations_settled') }}
),

components as (
    select * from {{ ref('stg_order_line_component') }}
),

{% if is_incremental() %}
touched as (
    {{ touched_keys(['order_id'], ['reservations']) }}
),

{% endif %}
final as (
    select
        reservations.order_id,
        reservations.line_number,
        coalesce(components.line_number, reservations.line_number) as ordered_line_number,
        reservations.node_id,
        reservations.sku,
        reservations.reserved_at,
        reservations.expires_at,
        reservations.ended_at,
        reservations.end_kind,
        reservations.deallocation_reason_code,
        cast(reservations.reserved_quantity as bigint) as reserved_quantity,
        cast(reservations.still_reserved_quantity as bigint) as still_reserved_quantity,
        cast(reservations.allocated_quantity as bigint) as allocated_quantity,
        cast(reservations.deallocated_quantity as bigint) as deallocated_quantity,
        cast(reservations.shipped_quantity as bigint) as shipped_quantity,
        cast(
            reservations.allocated_quantity - reservations.deallocated_quantity
            - reservations.shipped_quantity as bigint
        ) as awaiting_dispatch_quantity,
        components.quantity_per_bundle,
        components.unit_price as component_price_amount,
        reservations.reserved_xid,
        reservations.recorded_xid
    from reservations
    left join components
        on
            reservations.order_id = components.order_id
            and reservations.line_number = components.component_number
    {% if is_incremental() %}
    where reservations.order_id in (select touched.order_id from touched)
    {% endif %}
)

select * from final
