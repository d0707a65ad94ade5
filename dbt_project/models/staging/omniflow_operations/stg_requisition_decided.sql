with source as (
    select * from {{ source('omniflow_operations', 'requisition_decided') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(requisition_id as text) as requisition_id,
        cast(decision as text) as decision,
        cast(decided_by as text) as decided_by,
        cast(total_amount as decimal(19, 4)) as total_amount,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('requisition_decided') }}
)

select * from final
