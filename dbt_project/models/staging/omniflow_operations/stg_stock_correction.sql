with source as (
    select * from {{ source('omniflow_operations', 'stock_correction') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(snapshot_id as text) as snapshot_id,
        cast(sku as text) as sku,
        cast(revision as integer) as revision,
        cast(node_id as text) as node_id,
        cast(status as text) as status,
        cast(quantity as bigint) as quantity,
        cast(amount as decimal(18, 4)) as amount,
        cast(currency_code as text) as currency_code,
        cast(reference_id as text) as reference_id,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('stock_correction') }}
)

select * from final
