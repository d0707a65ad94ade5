with source as (
    select * from {{ source('omniflow_operations', 'supplier_invoice_line') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(invoice_id as text) as invoice_id,
        cast(line_number as integer) as line_number,
        cast(purchase_order_id as text) as purchase_order_id,
        cast(purchase_order_line_id as text) as purchase_order_line_id,
        cast(quantity as bigint) as quantity,
        cast(quantity_before as bigint) as quantity_before,
        cast(unit_price as decimal(19, 4)) as unit_price,
        cast(order_unit_price as decimal(19, 4)) as order_unit_price,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('supplier_invoice_line') }}
)

select * from final
