with source as (
    select * from {{ source('omniflow_operations', 'receiving_slot') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(despatch_id as text) as despatch_id,
        cast(purchase_order_id as text) as purchase_order_id,
        cast(supplier_id as text) as supplier_id,
        cast(node_id as text) as node_id,
        cast(dock_number as integer) as dock_number,
        cast(starts_at as timestamp with time zone) as starts_at,
        cast(ends_at as timestamp with time zone) as ends_at,
        cast(unit_count as bigint) as unit_count,
        cast(line_count as integer) as line_count,
        cast(labour_minutes as integer) as labour_minutes,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('receiving_slot') }}
)

select * from final
