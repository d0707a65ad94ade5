with source as (
    select * from {{ source('omniflow_operations', 'purchase_order_line') }}
),

final as (
    select
        cast(purchase_order_id as text) as purchase_order_id,
        cast(purchase_order_line_id as text) as purchase_order_line_id,
        cast(version as integer) as version,
        cast(supplier_id as text) as supplier_id,
        cast(node_id as text) as node_id,
        cast(sku as text) as sku,
        cast(currency_code as text) as currency_code,
        cast(legal_entity as text) as legal_entity,
        cast(brand as text) as brand,
        cast(region as text) as region,
        cast(ordered_quantity as bigint) as ordered_quantity,
        cast(unit_price as decimal(19, 4)) as unit_price,
        cast(due_at as timestamp with time zone) as due_at,
        cast(is_receipt_expected as boolean) as is_receipt_expected,
        cast(is_closed as boolean) as is_closed,
        cast(delivered_quantity as bigint) as delivered_quantity,
        cast(rejected_quantity as bigint) as rejected_quantity,
        cast(held_quantity as bigint) as held_quantity,
        cast(accepted_quantity as bigint) as accepted_quantity,
        cast(put_away_quantity as bigint) as put_away_quantity,
        cast(backordered_quantity as bigint) as backordered_quantity,
        cast(invoiced_quantity as bigint) as invoiced_quantity,
        cast(invoiced_amount as decimal(19, 4)) as invoiced_amount,
        cast(credited_quantity as bigint) as credited_quantity,
        cast(cleared_quantity as bigint) as cleared_quantity,
        cast(posted_at as timestamp with time zone) as posted_at,
        cast(effective_at as timestamp with time zone) as effective_at
    from source
)

select * from final
