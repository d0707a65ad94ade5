with source as (
    select * from {{ source('omniflow_operations', 'availability_acknowledged') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(publication_id as text) as publication_id,
        cast(channel as text) as channel,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('availability_acknowledged') }}
)

select * from final
