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
        components.quantity_per_bundle,
        components.unit_price as component_price_amount,
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
