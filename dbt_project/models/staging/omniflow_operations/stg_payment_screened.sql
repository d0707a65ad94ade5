with source as (
    select * from {{ source('omniflow_operations', 'payment_screened') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(payment_screened_id as text) as payment_screened_id,
        cast(order_id as text) as order_id,
        cast(outcome as text) as outcome,
        cast(reason_code as text) as reason_code,
        cast(decided_by as text) as decided_by,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('payment_screened') }}
)

select * from final
