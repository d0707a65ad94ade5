with source as (
    select * from {{ source('erp', 'supplier') }}
),

final as (
    select
        cast(supplier_id as text) as supplier_id,
        cast(supplier_name as text) as supplier_name,
        cast(currency_code as text) as currency_code,
        cast(country_code as text) as country_code,
        cast(group_id as text) as group_id,
        cast(is_active as boolean) as is_active,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at
    from source
)

select * from final
