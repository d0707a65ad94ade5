with source as (
    select * from {{ source('erp', 'product') }}
),

final as (
    select
        cast(sku as text) as sku,
        cast(description as text) as description,
        cast(standard_cost as decimal(18, 4)) as standard_cost,
        cast(currency_code as text) as currency_code,
        cast(tax_rate_basis_points as integer) as tax_rate_basis_points,
        cast(gtin as text) as gtin,
        cast(is_synthetic as boolean) as is_synthetic,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
)

select * from final
