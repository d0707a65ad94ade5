with source as (
    select * from {{ source('omniflow_operations', 'process_event') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(process_event_id as text) as process_event_id,
        cast(activity as text) as activity,
        cast(order_id as text) as order_id,
        cast(objects as text) as objects,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('process_event') }}
)

select * from final
