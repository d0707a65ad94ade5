with source as (
    select * from {{ source('omniflow_operations', 'replenishment_proposal') }}
),

lake_cut as (
    select * from {{ ref('stg_lake_cut') }}
),

final as (
    select
        cast(proposal_id as text) as proposal_id,
        cast(plan_id as text) as plan_id,
        cast(requisition_id as text) as requisition_id,
        cast(sku as text) as sku,
        cast(node_id as text) as node_id,
        cast(supplier_id as text) as supplier_id,
        cast(outcome as text) as outcome,
        cast(problem_code as text) as problem_code,
        cast(spike_id as text) as spike_id,
        cast(demand_class as text) as demand_class,
        cast(model as text) as model,
        cast(daily_demand as decimal(18, 4)) as daily_demand,
        cast(daily_deviation as decimal(18, 4)) as daily_deviation,
        cast(lead_time_days as decimal(18, 4)) as lead_time_days,
        cast(lead_time_deviation_days as decimal(18, 4)) as lead_time_deviation_days,
        cast(safety_stock_quantity as bigint) as safety_stock_quantity,
        cast(reorder_point_quantity as bigint) as reorder_point_quantity,
        cast(target_quantity as bigint) as target_quantity,
        cast(on_hand_quantity as bigint) as on_hand_quantity,
        cast(reserved_quantity as bigint) as reserved_quantity,
        cast(backordered_quantity as bigint) as backordered_quantity,
        cast(on_order_quantity as bigint) as on_order_quantity,
        cast(requested_quantity as bigint) as requested_quantity,
        cast(needed_quantity as bigint) as needed_quantity,
        cast(order_quantity as bigint) as order_quantity,
        cast(unit_price as decimal(19, 4)) as unit_price,
        cast(amount as decimal(19, 4)) as amount,
        cast(currency_code as text) as currency_code,
        cast(due_at as timestamp with time zone) as due_at,
        cast(effective_at as timestamp with time zone) as effective_at,
        cast(cast(recorded_xid as text) as bigint) as recorded_xid
    from source
    where {{ within_cut('replenishment_proposal') }}
)

select * from final
