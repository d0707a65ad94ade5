with source as (
    select * from {{ source('omniflow_operations', 'goods_despatched') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(despatch_id as text) as despatch_id,
        cast(line_number as integer) as line_number,
        cast(purchase_order_id as text) as purchase_order_id,
        cast(purchase_order_line_id as text) as purchase_order_line_id,
        cast(sku as text) as sku,
        cast(quantity as bigint) as quantity,
        cast(expected_at as timestamp with time zone) as expected_at,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('goods_despatched') }}
)

select * from final
