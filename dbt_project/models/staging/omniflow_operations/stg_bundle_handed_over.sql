with source as (
    select * from {{ source('omniflow_operations', 'bundle_handed_over') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(shipment_id as text) as shipment_id,
        cast(line_number as integer) as line_number,
        cast(order_id as text) as order_id,
        cast(sku as text) as sku,
        cast(quantity as bigint) as quantity,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('bundle_handed_over') }}
)

select * from final
