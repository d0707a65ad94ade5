with source as (
    select * from {{ source('omniflow_operations', 'goods_inspected') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(inspection_id as text) as inspection_id,
        cast(line_number as integer) as line_number,
        cast(purchase_order_id as text) as purchase_order_id,
        cast(purchase_order_line_id as text) as purchase_order_line_id,
        cast(node_id as text) as node_id,
        cast(sku as text) as sku,
        cast(passed_quantity as bigint) as passed_quantity,
        cast(rejected_quantity as bigint) as rejected_quantity,
        cast(rejection_reason as text) as rejection_reason,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('goods_inspected') }}
)

select * from final
