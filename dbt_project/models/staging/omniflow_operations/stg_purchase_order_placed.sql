with source as (
    select * from {{ source('omniflow_operations', 'purchase_order_placed') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(purchase_order_id as text) as purchase_order_id,
        cast(version as integer) as version,
        cast(supplier_id as text) as supplier_id,
        cast(status as text) as status,
        cast(approved_by as text) as approved_by,
        cast(goods_amount as decimal(19, 4)) as goods_amount,
        cast(freight_amount as decimal(19, 4)) as freight_amount,
        cast(requisition_id as text) as requisition_id,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('purchase_order_placed') }}
)

select * from final
