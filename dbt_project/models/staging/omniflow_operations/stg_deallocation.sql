with source as (
    select * from {{ source('omniflow_operations', 'deallocation') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(ledger_sequence as bigint) as ledger_sequence,
        cast(order_id as text) as order_id,
        cast(line_number as integer) as line_number,
        cast(node_id as text) as node_id,
        cast(sku as text) as sku,
        cast(quantity as bigint) as quantity,
        cast(reason_code as text) as reason_code,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('deallocation') }}
)

select * from final
