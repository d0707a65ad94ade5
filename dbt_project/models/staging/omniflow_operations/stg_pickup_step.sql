with source as (
    select * from {{ source('omniflow_operations', 'pickup_step') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(order_id as text) as order_id,
        cast(attempt as integer) as attempt,
        cast(step as text) as step,
        cast(step_number as integer) as step_number,
        cast(node_id as text) as node_id,
        cast(promised_ready_at as timestamp with time zone) as promised_ready_at,
        cast(reason_code as text) as reason_code,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('pickup_step') }}
)

select * from final
