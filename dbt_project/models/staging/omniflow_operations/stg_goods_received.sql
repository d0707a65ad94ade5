with source as (
    select * from {{ source('omniflow_operations', 'goods_received') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(receipt_id as text) as receipt_id,
        cast(line_number as integer) as line_number,
        cast(document_number as text) as document_number,
        cast(purchase_order_id as text) as purchase_order_id,
        cast(purchase_order_line_id as text) as purchase_order_line_id,
        cast(node_id as text) as node_id,
        cast(sku as text) as sku,
        cast(delivered_quantity as bigint) as delivered_quantity,
        cast(rejected_quantity as bigint) as rejected_quantity,
        -- What was exported before there were quality holds says nothing of them.
        cast(coalesce(held_quantity, 0) as bigint) as held_quantity,
        cast(rejection_reason as text) as rejection_reason,
        cast(unit_price as decimal(19, 4)) as unit_price,
        cast(currency_code as text) as currency_code,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('goods_received') }}
)

select * from final
