with source as (
    select * from {{ source('omniflow_operations', 'goods_put_away') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(put_away_id as text) as put_away_id,
        cast(line_number as integer) as line_number,
        cast(purchase_order_id as text) as purchase_order_id,
        cast(purchase_order_line_id as text) as purchase_order_line_id,
        cast(node_id as text) as node_id,
        cast(sku as text) as sku,
        cast(quantity as bigint) as quantity,
        cast(location_code as text) as location_code,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('goods_put_away') }}
)

select * from final
