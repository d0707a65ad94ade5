with source as (
    select * from {{ source('crm', 'customer') }}
),

final as (
    select
        cast(customer_id as text) as customer_id,
        cast(country_code as text) as country_code,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
)

select * from final
