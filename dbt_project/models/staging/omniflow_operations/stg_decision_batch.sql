with source as (
    select * from {{ source('omniflow_operations', 'decision_batch') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(decision_batch_id as text) as decision_batch_id,
        cast(kind as text) as kind,
        cast(policy_hash as text) as policy_hash,
        cast(mode as text) as mode,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('decision_batch') }}
)

select * from final
