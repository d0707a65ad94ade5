with source as (
    select * from {{ source('omniflow_operations', 'shipment_dispatched') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(shipment_id as text) as shipment_id,
        cast(shipment_number as text) as shipment_number,
        cast(order_id as text) as order_id,
        cast(fulfilment_order_id as text) as fulfilment_order_id,
        cast(node_id as text) as node_id,
        cast(carrier as text) as carrier,
        cast(shipped_quantity as bigint) as shipped_quantity,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('shipment_dispatched') }}
)

select * from final
