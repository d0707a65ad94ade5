with source as (
    select * from {{ source('erp', 'price') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(sku as text) as sku,
        cast(channel as text) as channel,
        cast(unit_price as decimal(18, 4)) as unit_price,
        cast(currency_code as text) as currency_code,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('price') }}
)

select * from final
