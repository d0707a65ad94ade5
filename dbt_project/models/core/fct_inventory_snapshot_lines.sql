{{ config(materialized='incremental', unique_key=['snapshot_id', 'sku']) }}

with snapshots as (
    select * from {{ ref('stg_inventory_snapshot') }}
),

nodes as (
    select * from {{ ref('dim_node') }}
),

reporting as (
    select * from {{ ref('dim_reporting_time') }}
),

final as (
    select
        snapshots.snapshot_id,
        snapshots.sku,
        snapshots.system as source_system,
        case when snapshots.node_id is null then 'channel' else 'node' end as place_kind,
        coalesce(snapshots.node_id, snapshots.channel) as place,
        snapshots.document_number,
        {{ local_date(
            'snapshots.occurred_at', 'coalesce(nodes.trading_zone, reporting.trading_zone)'
        ) }} as trading_date,
        snapshots.stated_quantity,
        snapshots.held_quantity,
        snapshots.drift_quantity,
        snapshots.occurred_at as as_of_at,
        snapshots.effective_at as compared_at,
        snapshots.recorded_xid
    from snapshots
    cross join reporting
    left join nodes on snapshots.node_id = nodes.node_id
    {% if is_incremental() %}
    where snapshots.recorded_xid > {{ loaded_xid() }}
    {% endif %}
)

select * from final
