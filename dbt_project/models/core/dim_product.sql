with products as (
    select * from {{ ref('stg_product') }}
),

final as (
    select
        sku,
        description as product_name,
        standard_cost as standard_cost_amount,
        currency_code,
        tax_rate_basis_points,
        gtin,
        is_synthetic
    from products
)

select * from final
