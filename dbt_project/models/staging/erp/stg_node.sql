with source as (
    select * from {{ source('erp', 'node') }}
),

final as (
    select
        cast(node_id as text) as node_id,
        cast(kind as text) as kind,
        cast(zone as text) as zone,
        cast(country_code as text) as country_code,
        cast(is_active as boolean) as is_active,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
)

select * from final
