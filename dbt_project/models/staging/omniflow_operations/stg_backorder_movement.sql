with source as (
    select * from {{ source('omniflow_operations', 'backorder_movement') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(order_id as text) as order_id,
        cast(line_number as integer) as line_number,
        cast(sku as text) as sku,
        cast(pool as text) as pool_code,
        cast(kind as text) as kind,
        cast(quantity as bigint) as quantity,
        cast(is_start as boolean) as is_start,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('backorder_movement') }}
)

select * from final
