with source as (
    select * from {{ source('omniflow_operations', 'supplier_invoice_received') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(invoice_id as text) as invoice_id,
        cast(invoice_number as text) as invoice_number,
        cast(kind as text) as kind,
        cast(supplier_id as text) as supplier_id,
        cast(group_id as text) as group_id,
        cast(purchase_order_id as text) as purchase_order_id,
        cast(currency_code as text) as currency_code,
        cast(goods_amount as decimal(19, 4)) as goods_amount,
        cast(freight_amount as decimal(19, 4)) as freight_amount,
        cast(tax_amount as decimal(19, 4)) as tax_amount,
        cast(total_amount as decimal(19, 4)) as total_amount,
        cast(duplicate_of as text) as duplicate_of,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('supplier_invoice_received') }}
)

select * from final
