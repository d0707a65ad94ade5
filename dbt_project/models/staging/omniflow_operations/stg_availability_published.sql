with source as (
    select * from {{ source('omniflow_operations', 'availability_published') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(publication_id as text) as publication_id,
        cast(channel as text) as channel,
        cast(sku as text) as sku,
        cast(published_quantity as bigint) as published_quantity,
        cast(available_quantity as bigint) as available_quantity,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('availability_published') }}
)

select * from final
