with source as (
    select * from {{ source('omniflow_operations', 'inventory_drift_reason') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(snapshot_id as text) as snapshot_id,
        cast(sku as text) as sku,
        cast(revision as integer) as revision,
        cast(reason_code as text) as reason_code,
        cast(quantity as bigint) as quantity,
        cast(amount as decimal(18, 4)) as amount,
        cast(currency_code as text) as currency_code,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('inventory_drift_reason') }}
)

select * from final
