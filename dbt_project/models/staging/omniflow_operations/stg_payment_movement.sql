with source as (
    select * from {{ source('omniflow_operations', 'payment_movement') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(payment_movement_id as text) as payment_movement_id,
        cast(order_id as text) as order_id,
        cast(payment_reference as text) as payment_reference,
        cast(kind as text) as kind,
        cast(amount as decimal(18, 4)) as amount,
        cast(currency_code as text) as currency_code,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('payment_movement') }}
)

select * from final
