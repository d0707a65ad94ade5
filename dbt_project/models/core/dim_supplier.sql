with suppliers as (
    select * from {{ ref('stg_supplier') }}
),

final as (
    select
        supplier_id,
        supplier_name,
        group_id as supplier_group_id,
        currency_code,
        country_code,
        is_active
    from suppliers
)

select * from final
