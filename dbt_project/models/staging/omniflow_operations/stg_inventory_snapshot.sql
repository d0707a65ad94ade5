with source as (
    select * from {{ source('omniflow_operations', 'inventory_snapshot') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(snapshot_id as text) as snapshot_id,
        cast(system as text) as system,
        cast(node_id as text) as node_id,
        cast(channel as text) as channel,
        cast(document_number as text) as document_number,
        cast(sku as text) as sku,
        cast(unit_of_measure as text) as unit_of_measure,
        cast(units_per_case as integer) as units_per_case,
        cast(stated_quantity as bigint) as stated_quantity,
        cast(held_quantity as bigint) as held_quantity,
        cast(drift_quantity as bigint) as drift_quantity,
        cast(occurred_at as timestamp with time zone) as occurred_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(recorded_at as timestamp with time zone) as recorded_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('inventory_snapshot') }}
)

select * from final
