with source as (
    select * from {{ source('omniflow_operations', 'decision_record') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(decision_id as text) as decision_id,
        cast(decision_batch_id as text) as decision_batch_id,
        cast(kind as text) as kind,
        cast(business_key as text) as business_key,
        cast(outcome as text) as outcome,
        {{ array_as_json_text('reason_codes') }} as reason_codes,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('decision_record') }}
)

select * from final
