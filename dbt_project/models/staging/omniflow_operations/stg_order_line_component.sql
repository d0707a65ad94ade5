with source as (
    select * from {{ source('omniflow_operations', 'order_line_component') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(order_id as text) as order_id,
        cast(component_number as integer) as component_number,
        cast(line_number as integer) as line_number,
        cast(sku as text) as sku,
        cast(quantity_per_bundle as bigint) as quantity_per_bundle,
        cast(unit_price as decimal(18, 4)) as unit_price,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('order_line_component') }}
)

select * from final
