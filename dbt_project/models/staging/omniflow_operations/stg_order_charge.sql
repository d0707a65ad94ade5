with source as (
    select * from {{ source('omniflow_operations', 'order_charge') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(order_id as text) as order_id,
        cast(charge_number as integer) as charge_number,
        cast(charge_code as text) as charge_code,
        cast(charge_amount as decimal(18, 4)) as charge_amount,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('order_charge') }}
)

select * from final
