with source as (
    select * from {{ source('omniflow_operations', 'order_promise') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(order_id as text) as order_id,
        cast(promise_number as integer) as promise_number,
        cast(promised_date as date) as promised_date,
        cast(cause_code as text) as cause_code,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('order_promise') }}
)

select * from final
