with source as (
    select * from {{ source('omniflow_operations', 'order_line') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(order_id as text) as order_id,
        cast(line_number as integer) as line_number,
        cast(sku as text) as sku,
        cast(ordered_quantity as bigint) as ordered_quantity,
        cast(reserved_quantity as bigint) as reserved_quantity,
        cast(unfilled_quantity as bigint) as unfilled_quantity,
        cast(unfilled_reason_code as text) as unfilled_reason_code,
        -- Files of a home that was there before pools know nothing of them.
        cast(coalesce(backordered_quantity, 0) as bigint) as backordered_quantity,
        cast(unit_price as decimal(18, 4)) as unit_price,
        cast(line_amount as decimal(18, 4)) as line_amount,
        cast(tax_amount as decimal(18, 4)) as tax_amount,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('order_line') }}
)

select * from final
